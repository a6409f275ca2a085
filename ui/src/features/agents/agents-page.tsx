// Agents: every registered tool with what is known and measured of it today, and the chosen one in detail.
import { Link } from "@tanstack/react-router";
import { Bot, Plus, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { AgentPlaces } from "../../components/agent-places";
import { AgentTile } from "../../components/badge";
import { Button } from "../../components/button";
import { CommandLine, Empty, EngineFailure, Skeleton } from "../../components/empty";
import { Glyph } from "../../components/glyph";
import { Modal } from "../../components/modal";
import { PageBar } from "../../components/page-bar";
import { Untrusted } from "../../components/untrusted";
import { useNow } from "../../components/use-now";
import type { AgentDto } from "../../engine/bindings/AgentDto";
import { cents } from "../../lib/money";
import { day } from "../../lib/time";
import { Coverage } from "./components/coverage";
import { Detail } from "./components/detail";
import { Govern } from "./components/govern";
import { ModeWords } from "./components/mode";
import { useAgents, useStatus } from "./queries";

const COLUMNS = "grid grid-cols-[minmax(120px,1fr)_92px_224px_148px_64px_84px_92px_72px] max-wide:grid-cols-[minmax(120px,1fr)_92px_224px_64px_84px_92px] items-center gap-3 px-4";
/** What gives way where there is little room. */
const WIDE = "max-wide:hidden";

type AgentsPageProps = { selected: string | null; tab: string | null; onTab: (tab: string) => void; /** Whether the dialog that starts a tool governed is open. */ starting: boolean; onStarting: (open: boolean) => void };

export function AgentsPage({ selected, tab, onTab, starting, onStarting }: AgentsPageProps) {
  const { t } = useTranslation();
  const { data, error, refetch } = useAgents();
  const { data: status } = useStatus();
  return (
    <>
      <PageBar title={t("agents.title")}>
        <AgentPlaces place="agents" review={status?.toReview ?? 0} />
        <span className="flex-1" />
        <Button onClick={() => onStarting(true)}>
          <Plus size={14} strokeWidth={1.5} aria-hidden />
          {t("agents.govern")}
        </Button>
      </PageBar>
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {!error && !data ? <Skeleton rows={4} /> : null}
      {data && !error ? <Content agents={data} selected={selected} tab={tab} onTab={onTab} /> : null}
      <Modal title={t("agents.governTitle")} open={starting} onOpen={onStarting}>
        <Govern onDone={() => onStarting(false)} />
      </Modal>
    </>
  );
}

function Content({ agents, selected, tab, onTab }: { agents: readonly AgentDto[]; selected: string | null; tab: string | null; onTab: (tab: string) => void }) {
  const { t } = useTranslation();
  if (agents.length === 0) {
    return (
      <Empty icon={Bot} title={t("agents.empty")} footer={<CommandLine command="reeve run -- claude" />}>
        {t("agents.emptyMore")}
      </Empty>
    );
  }
  const sorted = agents.toSorted((a, b) => b.running - a.running || b.costToday - a.costToday || a.name.localeCompare(b.name));
  const chosen = sorted.find((one) => one.id === selected) ?? (selected === null ? sorted[0] : undefined);
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col small:overflow-x-auto">
      <div className={`${COLUMNS} h-7 flex-none border-b border-line text-caption font-medium text-t3`} aria-hidden="true">
        <span>{t("agents.agent")}</span>
        <span>{t("agents.state")}</span>
        <span>{t("agents.coverage")}</span>
        <span className={WIDE}>{t("agents.mode")}</span>
        <span className="text-end">{t("agents.sessions")}</span>
        <span className="text-end text-t1">{t("agents.costToday")}</span>
        <span className="text-end">{t("agents.heldDenied")}</span>
        <span className={`text-end ${WIDE}`}>{t("agents.lastSeen")}</span>
      </div>
      <nav aria-label={t("agents.list")} className="relative max-h-[40%] flex-none overflow-y-auto">
        <ul>
          {sorted.map((one) => (
            <li key={one.id}>
              <Row agent={one} chosen={one.id === chosen?.id} />
            </li>
          ))}
        </ul>
      </nav>
      <Totals agents={sorted} />
      <div className="relative min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label={t("agents.detail")}>
        {chosen ? <Detail key={chosen.id} agent={chosen} tab={tab} onTab={onTab} /> : <Empty icon={Bot} title={t("agents.gone")}>{t("agents.goneMore")}</Empty>}
      </div>
    </div>
  );
}

const gapped = (agent: AgentDto) => agent.coverage.length === 0 || agent.coverage.some((one) => one.sight !== "full");
/** Model calls that Reeve may not see: their cost is unknown, not zero. */
const unseen = (agent: AgentDto) => agent.costToday === 0 && agent.coverage.some((one) => one.kind === "llm" && one.sight !== "full" && one.sight !== "partial");

function Row({ agent, chosen }: { agent: AgentDto; chosen: boolean }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const seen = agent.running > 0 ? t("agents.seenNow") : agent.lastSeen === null ? t("agents.never") : day(agent.lastSeen, now);
  return (
    <Link to="/agents/$agent" params={{ agent: agent.id }} aria-current={chosen ? "true" : undefined} className={`${COLUMNS} h-9 border-b border-line-row ${chosen ? "bg-selected" : "hover:bg-hover"}`}>
      <span className="flex min-w-0 items-center gap-2 font-medium">
        <AgentTile name={agent.name} />
        <Untrusted text={agent.name} max={40} className="truncate" />
        {gapped(agent) ? <TriangleAlert size={13} strokeWidth={1.75} role="img" aria-label={t("agents.hasGap")} className="flex-none text-ask" /> : null}
      </span>
      <State agent={agent} />
      <Coverage coverage={agent.coverage} />
      <span className={`truncate ${WIDE}`}>
        <ModeWords />
      </span>
      <span className="text-end tabular-nums">
        {agent.sessionsToday}
        <span className="sr-only">{t("agents.sessionsToday")}</span>
      </span>
      <span className="text-end tabular-nums">{unseen(agent) ? <span className="text-t3">{t("agents.notSeen")}</span> : cents(agent.costToday)}</span>
      <span className="text-end tabular-nums">{t("agents.heldOf", { held: agent.heldToday, denied: agent.deniedToday })}</span>
      <span className={`text-end text-t3 ${WIDE}`}>{seen}</span>
    </Link>
  );
}

export function State({ agent }: { agent: AgentDto }) {
  const { t } = useTranslation();
  if (agent.pausedAt !== null) {
    return (
      <span className="inline-flex items-center gap-1.5 text-ask">
        <Glyph shape="bars" size={10} />
        {t("agents.paused")}
      </span>
    );
  }
  return (
    <span className={`inline-flex items-center gap-1.5 ${agent.running === 0 ? "text-t2" : ""}`}>
      {agent.running === 0 ? null : <Glyph shape="dot" size={10} className="text-allow" />}
      {t("agents.running", { count: agent.running })}
    </span>
  );
}

function Totals({ agents }: { agents: readonly AgentDto[] }) {
  const { t } = useTranslation();
  const sum = (of: (agent: AgentDto) => number) => agents.reduce((all, one) => all + of(one), 0);
  const gaps = agents.filter(gapped).length;
  const covered = gaps === 0 ? t("agents.allCovered") : t("agents.gaps", { count: gaps });
  return (
    <div className={`${COLUMNS} h-7 flex-none border-b border-line text-caption text-t2 tabular-nums`}>
      <span>{t("agents.count", { count: agents.length })}</span>
      <span>{t("agents.allRunning", { count: sum((one) => one.running) })}</span>
      <span className="truncate" title={covered}>{covered}</span>
      <span className={WIDE} />
      <span className="text-end">{sum((one) => one.sessionsToday)}</span>
      <span className="text-end font-semibold text-t1">{cents(sum((one) => one.costToday))}</span>
      <span className="text-end">{t("agents.heldOf", { held: sum((one) => one.heldToday), denied: sum((one) => one.deniedToday) })}</span>
      <span className={WIDE} />
    </div>
  );
}
