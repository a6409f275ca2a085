// The queue: what waits, by risk and time left; below it what was decided today.
import type { KeyboardEvent } from "react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { AgentTile, Badge } from "../../../components/badge";
import { RiskMark } from "../../../components/risk";
import { Untrusted } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import { countdown } from "../../../lib/time";
import { grouped, isSoon, msLeft, storms, today } from "../model";
import { AnsweredRow } from "./answered";
import { useSentence } from "./card-body";
import { Storm } from "./storm";

export function Queue({ open, resolved, selected, now, onEnter }: { open: readonly ApprovalDto[]; resolved: readonly ApprovalDto[]; selected: string | null; now: number; onEnter: () => void }) {
  const { t } = useTranslation();
  const decided = today(resolved, now);
  const refused = decided.filter((one) => one.resolved?.resolution.kind === "refused").length;
  const actions = open.reduce((sum, one) => sum + one.joined, 0);
  return (
    <section aria-label={t("inbox.heldNow")} className="flex min-h-0 flex-col overflow-y-auto border-e border-line" onKeyDown={(event) => moveFocus(event, onEnter)}>
      <Head left={t("inbox.heldNow")} right={t("inbox.count", { count: open.length, actions: t("inbox.actions", { count: actions }) })} />
      {storms(open).map((storm) => (
        <Storm key={storm.session} {...storm} />
      ))}
      <ul>
        {grouped(open).map(({ first, all }) => (
          <li key={first.id}>
            <Item question={first} alike={all.length} selected={all.some((one) => one.id === selected)} now={now} />
          </li>
        ))}
      </ul>
      {decided.length === 0 ? null : (
        <>
          <div className="mt-2">
            <Head left={t("inbox.decidedToday")} right={t("inbox.decidedCount", { count: decided.length, refused })} />
          </div>
          <ul>
            {decided.slice(0, 20).map((one) => (
              <li key={one.id}>
                <AnsweredRow question={one} selected={one.id === selected} now={now} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

export function Head({ left, right }: { left: string; right: string }) {
  return (
    <div className="chrome flex h-7 flex-none items-center border-b border-line px-4 text-caption font-medium text-t3">
      <span className="flex-1">{left}</span>
      <span>{right}</span>
    </div>
  );
}

/** J and K, and the arrows, move between the links of a list; Enter opens one and goes into its card. */
export function moveFocus(event: KeyboardEvent<HTMLElement>, onEnter: () => void): void {
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>("a")];
  const at = links.findIndex((link) => link === document.activeElement);
  const step = event.key === "j" || event.key === "ArrowDown" ? 1 : event.key === "k" || event.key === "ArrowUp" ? -1 : 0;
  if (step !== 0) {
    const next = links[Math.min(links.length - 1, Math.max(0, at + step))];
    next?.focus();
    next?.click();
    event.preventDefault();
  } else if (event.key === "Enter" && at >= 0) {
    links[at]?.click();
    onEnter();
    event.preventDefault();
  }
}

function Item({ question, alike, selected, now }: { question: ApprovalDto; alike: number; selected: boolean; now: number }) {
  const { t } = useTranslation();
  const title = useSentence(question);
  return (
    <Link
      to="/inbox/$approval"
      params={{ approval: question.id }}
      aria-current={selected ? "true" : undefined}
      className={`grid grid-cols-[14px_minmax(0,1fr)_auto] gap-x-2.5 gap-y-0.5 border-b border-line-row px-4 py-2.25 -outline-offset-2 ${selected ? "bg-selected" : "hover:bg-hover"}`}
    >
      <span className="mt-1 ms-px">
        <RiskMark risk={question.risk} />
      </span>
      <span className="font-medium">
        {title} {question.joined > 1 || alike > 1 ? <Badge>{t("inbox.times", { count: Math.max(question.joined, alike) })}</Badge> : null}
      </span>
      <span className={`text-caption/5 whitespace-nowrap ${isSoon(question, now) ? "font-semibold text-ask" : "font-medium text-t2"}`}>{countdown(msLeft(question, now))}</span>
      <span className="mono col-span-2 col-start-2 truncate text-[12px]/[18px] text-t2">
        {alike > 1 ? t("inbox.alike", { count: alike }) : <Untrusted text={question.summary} max={42} />}
      </span>
      <span className="col-span-2 col-start-2 flex min-w-0 items-center gap-1.5 text-caption text-t3">
        <AgentTile name={question.agentName} size={14} />
        <span className="flex-none">
          <Untrusted text={question.agentName} max={24} />
        </span>
        <span aria-hidden="true">{"·"}</span>
        <span className="truncate">
          <Untrusted text={question.cwd} max={32} />
        </span>
      </span>
    </Link>
  );
}
