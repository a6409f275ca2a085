// The parts of an agent: today in figures and costs by day, rules, credentials, sessions, and what was put on the machine for it.
import { Link } from "@tanstack/react-router";
import { type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Badge, LayerBadge } from "../../../components/badge";
import { Button } from "../../../components/button";
import { CommandLine, EngineFailure } from "../../../components/empty";
import { Glyph } from "../../../components/glyph";
import { Untrusted } from "../../../components/untrusted";
import { useNow } from "../../../components/use-now";
import type { AgentDetailDto } from "../../../engine/bindings/AgentDetailDto";
import type { AgentRuleDto } from "../../../engine/bindings/AgentRuleDto";
import type { DayCostDto } from "../../../engine/bindings/DayCostDto";
import type { SessionDto } from "../../../engine/bindings/SessionDto";
import type { SessionSumDto } from "../../../engine/bindings/SessionSumDto";
import { cents } from "../../../lib/money";
import { countdown, exact } from "../../../lib/time";
import { useChanges, useCredentials, useSessions } from "../queries";

export function Overview({ detail }: { detail: AgentDetailDto }) {
  const { t } = useTranslation();
  const { agent } = detail;
  const percent = (part: number) => (agent.actionsToday === 0 ? "0" : ((part / agent.actionsToday) * 100).toFixed(part > 0 && part / agent.actionsToday < 0.1 ? 1 : 0));
  return (
    <div className="grid gap-x-8 gap-y-4 wide:grid-cols-2">
      <div>
        <div className="grid grid-cols-3 gap-4 border-b border-line pb-3">
          <Figure value={String(agent.actionsToday)} label={t("agents.actionsToday")} />
          <Figure value={String(agent.heldToday)} label={t("agents.heldToday", { percent: percent(agent.heldToday) })} />
          <Figure value={String(agent.deniedToday)} label={t("agents.deniedToday", { percent: percent(agent.deniedToday) })} />
        </div>
        <CostByDay days={detail.days} />
        <PerSession agent={agent.id} />
        <div className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2">
          <CommandLine command={detail.found?.command ?? `reeve run --agent ${agent.id} -- `} />
          <Link to="/timeline" search={{ q: `agent:${agent.id}` }} className="inline-flex min-h-6 items-center text-accent">
            {t("agents.allActions")}
          </Link>
        </div>
      </div>
      <div>
        <h3 className="text-caption font-semibold text-t2">{t("agents.latestSessions")}</h3>
        <Sessions agent={agent.id} most={8} />
      </div>
    </div>
  );
}

/** What one of its sessions costs, half of them more and half of them less; none where nothing cost anything. */
function PerSession({ agent }: { agent: string }) {
  const { t } = useTranslation();
  const { data } = useSessions(agent);
  const costs = (data?.rows ?? []).map((one) => one.cost).filter((cost) => cost > 0).toSorted((a, b) => a - b);
  const median = costs[Math.floor(costs.length / 2)];
  if (median === undefined) return null;
  return <p className="mt-1 text-caption text-t2">{t("agents.perSession", { cost: cents(median), count: costs.length })}</p>;
}

function Figure({ value, label }: { value: string; label: string }) {
  return (
    <p>
      <span className="block text-page font-semibold tabular-nums">{value}</span>
      <span className="text-caption text-t2">{label}</span>
    </p>
  );
}

const BARS = { width: 252, height: 56 };

/** Fourteen days as bars, today strong; or as a table. */
function CostByDay({ days }: { days: readonly DayCostDto[] }) {
  const { t } = useTranslation();
  const heading = useId();
  const [table, setTable] = useState(false);
  const most = Math.max(1, ...days.map((one) => one.cost));
  const sum = days.reduce((all, one) => all + one.cost, 0);
  const step = BARS.width / Math.max(1, days.length);
  const name = (one: DayCostDto) => new Date(`${one.day}T12:00:00`).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return (
    <section aria-labelledby={heading} className="pt-3">
      <div className="flex items-center gap-2">
        <h3 id={heading} className="text-caption font-semibold text-t2">
          {t("agents.costByDay", { count: days.length })}
        </h3>
        <span className="flex-1" />
        <Button kind="ghost" className="h-6 text-caption" onClick={() => setTable(!table)}>
          {table ? t("budgets.asChart") : t("budgets.asTable")}
        </Button>
      </div>
      {table ? (
        <table className="w-full max-w-80 text-caption">
          <tbody>
            {days.map((one) => (
              <tr key={one.day} className="h-6 border-b border-line-row">
                <th scope="row" className="text-start font-normal text-t2">
                  {name(one)}
                </th>
                <td className="text-end tabular-nums">{cents(one.cost)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <svg role="img" aria-label={t("agents.costChart", { sum: cents(sum), count: days.length, most: cents(most) })} viewBox={`0 0 ${BARS.width} ${BARS.height}`} className="mt-1 block w-full max-w-80">
          {days.map((one, at) => {
            const high = one.cost === 0 ? 1 : Math.max(2, (one.cost / most) * (BARS.height - 2));
            return (
              <rect key={one.day} x={at * step + 1.5} y={BARS.height - high} width={step - 3} height={high} rx="1.5" className="fill-budget" opacity={at === days.length - 1 ? 1 : 0.6}>
                <title>{`${name(one)}: ${cents(one.cost)}`}</title>
              </rect>
            );
          })}
          <path d={`M0 ${BARS.height - 0.5}H${BARS.width}`} className="stroke-line" />
        </svg>
      )}
      <p className="mt-1 text-caption text-t2">{t("agents.costSum", { sum: cents(sum), count: days.length, most: cents(most <= 1 ? 0 : most) })}</p>
    </section>
  );
}

export function Rules({ rules }: { rules: readonly AgentRuleDto[] }) {
  const { t } = useTranslation();
  const sorted = rules.toSorted((a, b) => Number(b.named) - Number(a.named));
  return (
    <>
      <p className="text-caption text-t3">{t("agents.rulesMore")}</p>
      <ul>
        {sorted.map((rule) => (
          <li key={`${rule.layer} ${rule.id}`} className="grid min-h-8 grid-cols-[56px_minmax(0,220px)_minmax(0,1fr)_auto_auto] items-center gap-3 border-b border-line-row">
            <span className={rule.kind === "forbid" ? "text-deny" : rule.kind === "ask" ? "text-ask" : "text-t2"}>{t(`agents.ruleKinds.${rule.kind}`)}</span>
            <Untrusted text={rule.id} max={32} className="mono truncate text-caption" />
            <Untrusted text={rule.reason} max={90} className="truncate text-t2" />
            {rule.named ? <Badge>{t("agents.named")}</Badge> : <span />}
            <LayerBadge layer={rule.layer} />
          </li>
        ))}
      </ul>
    </>
  );
}

export function Usable({ agent }: { agent: string }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useCredentials();
  if (error) return <EngineFailure error={error} onRetry={() => void refetch()} />;
  const usable = data?.filter((one) => one.bindings.some((place) => place.agents.length === 0 || place.agents.includes(agent)));
  if (!usable) return null;
  if (usable.length === 0) return <p className="text-t2">{t("agents.noCredentials")}</p>;
  return (
    <ul>
      {usable.map((one) => (
        <li key={one.id} className="grid min-h-8 grid-cols-[minmax(0,220px)_minmax(0,1fr)] items-center gap-3 border-b border-line-row">
          <Link to="/credentials/$credential" params={{ credential: one.id }} className="inline-flex min-h-6 items-center truncate text-accent">
            <Untrusted text={one.name} max={48} />
          </Link>
          <span className="truncate text-caption text-t2">
            <Untrusted text={[...new Set(one.bindings.filter((place) => place.agents.length === 0 || place.agents.includes(agent)).map((place) => place.host))].join(", ")} max={80} className="mono" />
          </span>
        </li>
      ))}
    </ul>
  );
}

export function Sessions({ agent, most }: { agent: string; most?: number }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useSessions(agent);
  if (error) return <EngineFailure error={error} onRetry={() => void refetch()} />;
  if (!data) return null;
  if (data.rows.length === 0) return <p className="text-t2">{t("agents.noSessions")}</p>;
  const shown = most === undefined ? data.rows : data.rows.slice(0, most);
  return (
    <>
      <ul>
        {shown.map((one) => (
          <li key={one.session.id}>
            <SessionRow sum={one} />
          </li>
        ))}
      </ul>
      {most === undefined && data.next !== null ? (
        <Link to="/timeline" search={{ q: `agent:${agent}` }} className="inline-flex min-h-6 items-center text-caption text-accent">
          {t("agents.moreSessions")}
        </Link>
      ) : null}
    </>
  );
}

/** What was started, without the folder of the program. */
function started(session: SessionDto): string {
  const [program = "", ...rest] = session.command;
  return [program.split("/").at(-1) ?? program, ...rest].join(" ");
}

function SessionRow({ sum }: { sum: SessionSumDto }): ReactNode {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const { session } = sum;
  const lasted = (session.endedAt === null ? now : Date.parse(session.endedAt)) - Date.parse(session.openedAt);
  return (
    <Link to="/timeline" search={{ q: `session:${session.id}` }} title={exact(session.openedAt)} className="grid min-h-7 grid-cols-[minmax(0,1fr)_72px_60px_44px_56px] items-center gap-3 border-b border-line-row hover:bg-hover">
      <span className="flex min-w-0 items-center gap-2">
        {session.command.length === 0 ? <span className="text-t2">{t("agents.environment")}</span> : <Untrusted text={started(session)} max={44} className={`truncate ${session.endedAt === null ? "" : "text-t2"}`} />}
        {sum.held > 0 ? (
          <Badge tone="ask">
            <Glyph shape="held" size={12} />
            {t("agents.heldNow", { count: sum.held })}
          </Badge>
        ) : null}
        {session.endedAt === null ? null : <span className="flex-none text-caption text-t3">{t("agents.endedWord")}</span>}
      </span>
      <Untrusted text={session.cwd.split("/").at(-1) ?? session.cwd} max={12} className="truncate text-t2" />
      <span className="text-end text-t2 tabular-nums">{countdown(lasted)}</span>
      <span className="text-end text-t2 tabular-nums">
        {sum.actions}
        {sum.capped ? "+" : null}
        <span className="sr-only">{t("agents.actionsWord")}</span>
      </span>
      <span className="text-end tabular-nums">{cents(sum.cost)}</span>
    </Link>
  );
}

/** What Reeve put on this machine because of it. Settings of tools are never written. */
export function Changes({ agent }: { agent: string }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useChanges();
  if (error) return <EngineFailure error={error} onRetry={() => void refetch()} />;
  if (!data) return null;
  const theirs = data.changes.filter((one) => one.agent === agent);
  const settings = data.settings.filter((one) => one.tool === agent);
  return (
    <>
      <p className="text-caption text-t3">{t("agents.changesMore")}</p>
      {theirs.length === 0 ? <p className="mt-1 text-t2">{t("agents.noChanges")}</p> : null}
      <ul>
        {theirs.map((one) => (
          <li key={`${one.kind} ${one.place}`} className="grid min-h-9 grid-cols-[180px_minmax(0,1fr)_auto] items-center gap-3 border-b border-line-row py-1">
            <span>{t(`agents.changeKinds.${one.kind}`)}</span>
            <Untrusted text={one.place} max={72} className="mono truncate text-caption text-t2" />
            {one.undo === null ? <span /> : <CommandLine command={one.undo} />}
          </li>
        ))}
        {settings.map((one) => (
          <li key={one.file} className="grid min-h-9 grid-cols-[180px_minmax(0,1fr)] items-center gap-3 border-b border-line-row">
            <span>{t("agents.itsSettings")}</span>
            <span className="flex min-w-0 flex-wrap items-center gap-x-2">
              <Untrusted text={one.file} max={60} className="mono text-caption text-t2" />
              <span className={one.mentionsReeve ? "text-ask" : "text-t3"}>{one.mentionsReeve ? t("agents.mentions") : t("agents.untouched")}</span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
