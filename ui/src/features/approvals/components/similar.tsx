// Questions that differ only in their parameters: a table of the parts that differ, ticked and answered together.
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../../components/badge";
import { Button } from "../../../components/button";
import { Glyph } from "../../../components/glyph";
import { Risk } from "../../../components/risk";
import { useToast } from "../../../components/toasts";
import { useNow } from "../../../components/use-now";
import { Untrusted } from "../../../components/untrusted";
import { plain } from "../../../lib/text";
import { countdown } from "../../../lib/time";
import { type Group, mayTick, msLeft, TICKED_AT_ONCE } from "../model";
import { useResolveAll, useShown } from "../queries";
import { useArming } from "../use-arming";
import { Reason, useSentence } from "./card-body";
import { DecisionError } from "./decision-error";
import { Mark, type MarkOf } from "./mark";

export function SimilarCard({ group, mark, onDecided }: { group: Group; mark: MarkOf | null; /** With the first one that is left. */ onDecided: (next: string | null) => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const now = useNow();
  const title = useSentence(group.first);
  const [shownAt] = useState(() => Date.now());
  const rows = group.all.slice(0, TICKED_AT_ONCE);
  const ids = useMemo(() => rows.map((one) => one.id), [rows]);
  const shown = useShown(ids);
  const resolve = useResolveAll();
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const nonces = shown.map((one) => one.arming?.nonce).join("/");
  const { armed, guard } = useArming(`${nonces}#${[...ticked].sort().join()}`, shown.length === rows.length && !resolve.isPending, shown[0]?.arming?.armsAfterMs ?? 700);
  const chosen = shown.filter((one) => ticked.has(one.id));
  const tickable = mayTick(group.first.risk);
  const tick = (id: string) => setTicked((all) => (all.has(id) ? new Set([...all].filter((one) => one !== id)) : new Set([...all, id])));
  const send = (allow: boolean) => {
    if (!armed || chosen.length === 0) return;
    const answer = allow ? ({ kind: "approve", scope: { kind: "once" } } as const) : ({ kind: "refuse", reason: null } as const);
    resolve.mutate({ questions: chosen, answer, shownAt }, { onSuccess: (count) => (onDecided(group.all.find((one) => !ticked.has(one.id))?.id ?? null), setTicked(new Set()), toast(allow ? "done" : "denied", t(allow ? "similar.allowed" : "similar.denied", { count }))) });
  };
  return (
    <div
      id="card"
      role="group"
      tabIndex={-1}
      aria-label={t("similar.label", { count: group.all.length, agent: plain(group.first.agentName), sentence: title })}
      data-armed={armed}
      onPointerDownCapture={() => guard.press()}
      onClickCapture={(event) => {
        const button = event.target instanceof Element ? event.target.closest("[data-decides]") : null;
        if (button && !guard.takesClick(event.detail > 0)) {
          event.preventDefault();
          event.stopPropagation();
        }
      }}
      className="flex max-h-full min-h-0 w-full max-w-[696px] flex-col overflow-hidden bg-surface wide:rounded-card wide:border wide:border-line"
    >
      <header className="flex h-10 flex-none items-center gap-2 border-b border-line px-4">
        <Glyph shape="held" className="text-ask" />
        <span className="font-semibold">{t("similar.title", { count: group.all.length })}</span>
        <span className="flex-1" />
        <Risk risk={group.first.risk} strong />
      </header>
      <div className="px-4 pt-3 pb-2">
        <p className="flex items-center gap-2 text-t2">
          <AgentTile name={group.first.agentName} />
          <span className="font-medium text-t1">
            <Untrusted text={group.first.agentName} max={40} />
          </span>
        </p>
        <h2 className="mt-1.5 mb-2 text-section font-semibold tracking-[-0.01em]">{title}</h2>
        {group.first.reasons.map((reason) => (
          <Reason key={reason.rule} reason={reason} />
        ))}
      </div>
      <div className="min-h-0 overflow-y-auto border-t border-line" tabIndex={0} role="region" aria-label={t("similar.differs")}>
        <table className="w-full">
          <thead className="chrome text-caption text-t3">
            <tr className="h-7">
              <th scope="col" className="w-10 ps-4 text-start font-medium">
                <span className="sr-only">{t("similar.tick")}</span>
              </th>
              <th scope="col" className="text-start font-medium">{t("similar.differs")}</th>
              <th scope="col" className="w-16 text-end font-medium">{t("similar.left")}</th>
              <th scope="col" className="w-16 pe-4 text-end font-medium">
                <span className="sr-only">{t("similar.open")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => (
              <tr key={one.id} className="h-8 border-t border-line-row">
                <td className="ps-4">
                  <input type="checkbox" aria-label={t("similar.tickOne", { what: plain(one.summary).slice(0, 80) })} checked={ticked.has(one.id)} disabled={!tickable} onChange={() => tick(one.id)} className="size-3.5 accent-accent" />
                </td>
                <td className="mono max-w-0 truncate text-caption">
                  <Untrusted text={one.summary} max={72} />
                </td>
                <td className="text-end text-caption text-t2">{countdown(msLeft(one, now))}</td>
                <td className="pe-4 text-end">
                  <Link to="/inbox/$approval" params={{ approval: one.id }} search={{ one: true }} className="inline-flex min-h-6 items-center font-medium text-accent">
                    {t("similar.open")}
                  </Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {group.all.length > rows.length ? <p className="border-t border-line-row px-4 py-2 text-caption text-t3">{t("similar.more", { count: group.all.length - rows.length })}</p> : null}
      </div>
      <footer data-actions className="flex-none border-t border-line px-4 py-3">
        {resolve.error ? <DecisionError error={resolve.error} /> : null}
        {tickable ? (
          <div className="flex flex-wrap items-center gap-2">
            <Button large data-decides inert={!armed || chosen.length === 0} onClick={() => send(false)}>
              {t("similar.denyTicked", { count: chosen.length })}
            </Button>
            <Button large kind="ghost" onClick={() => setTicked(ticked.size === rows.length ? new Set() : new Set(ids))}>
              {ticked.size === rows.length ? t("similar.tickNone") : t("similar.tickAll")}
            </Button>
            <span className="flex-1" />
            <Button large kind="primary" data-decides inert={!armed || chosen.length === 0} onClick={() => send(true)}>
              {t("similar.allowTicked", { count: chosen.length })}
            </Button>
          </div>
        ) : (
          <p className="text-t2">{t("similar.oneByOne")}</p>
        )}
        <p className="mt-2 flex items-center text-caption text-t2">
          {t(armed ? "card.armed" : "card.notArmed")}
          <span className="flex-1" />
          <Mark mark={mark} />
        </p>
      </footer>
    </div>
  );
}
