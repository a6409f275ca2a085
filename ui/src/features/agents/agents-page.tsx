// Agents: every registered tool with what is known and measured of it, and the chosen one in detail.
import { Link } from "@tanstack/react-router";
import { Bot, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../components/badge";
import { Button } from "../../components/button";
import { CommandLine, Empty, EngineFailure, Skeleton } from "../../components/empty";
import { Modal } from "../../components/modal";
import { PageBar } from "../../components/page-bar";
import { Untrusted } from "../../components/untrusted";
import type { AgentDto } from "../../engine/bindings/AgentDto";
import { money } from "../../lib/money";
import { Coverage } from "./components/coverage";
import { Detail } from "./components/detail";
import { useAct, useAgents } from "./queries";

const COLUMNS = "grid grid-cols-[minmax(0,1fr)_120px_236px_92px] items-center gap-3 px-4";

export function AgentsPage({ selected }: { selected: string | null }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useAgents();
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageBar title={t("agents.title")}>
        <span className="flex-1" />
        <Button onClick={() => setAdding(true)}>{t("agents.add")}</Button>
      </PageBar>
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {!error && !data ? <Skeleton rows={4} /> : null}
      {data && !error ? <Content agents={data} selected={selected} /> : null}
      <Modal title={t("agents.addTitle")} open={adding} onOpen={setAdding}>
        <Register onDone={() => setAdding(false)} />
      </Modal>
    </>
  );
}

function Content({ agents, selected }: { agents: readonly AgentDto[]; selected: string | null }) {
  const { t } = useTranslation();
  if (agents.length === 0) {
    return (
      <Empty icon={Bot} title={t("agents.empty")} footer={<CommandLine command="reeve run -- claude" />}>
        {t("agents.emptyMore")}
      </Empty>
    );
  }
  const sorted = agents.toSorted((a, b) => b.running - a.running || a.name.localeCompare(b.name));
  const chosen = sorted.find((one) => one.id === selected) ?? (selected === null ? sorted[0] : undefined);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className={`${COLUMNS} h-7 flex-none border-b border-line text-caption text-t3`} aria-hidden="true">
        <span>{t("agents.agent")}</span>
        <span>{t("agents.state")}</span>
        <span>{t("agents.coverage")}</span>
        <span className="text-right">{t("agents.costToday")}</span>
      </div>
      <nav aria-label={t("agents.list")} className="relative max-h-[45%] flex-none overflow-y-auto border-b border-line">
        <ul>
          {sorted.map((one) => (
            <li key={one.id}>
              <Row agent={one} chosen={one.id === chosen?.id} />
            </li>
          ))}
        </ul>
      </nav>
      <div className="relative min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label={t("agents.detail")}>
        {chosen ? <Detail key={chosen.id} agent={chosen} /> : <Empty icon={Bot} title={t("agents.gone")}>{t("agents.goneMore")}</Empty>}
      </div>
    </div>
  );
}

function Row({ agent, chosen }: { agent: AgentDto; chosen: boolean }) {
  const { t } = useTranslation();
  const gap = agent.coverage.length === 0 || agent.coverage.some((one) => one.sight !== "full");
  return (
    <Link to="/agents/$agent" params={{ agent: agent.id }} aria-current={chosen ? "true" : undefined} className={`${COLUMNS} min-h-9 border-b border-line-row ${chosen ? "bg-selected" : "hover:bg-hover"}`}>
      <span className="flex min-w-0 items-center gap-2 font-medium">
        <AgentTile name={agent.name} />
        <Untrusted text={agent.name} max={40} className="truncate" />
        {gap ? <TriangleAlert size={13} strokeWidth={1.75} role="img" aria-label={t("agents.hasGap")} className="flex-none text-ask" /> : null}
      </span>
      <span className={agent.pausedAt === null ? "text-t2" : "text-ask"}>{agent.pausedAt === null ? t("agents.running", { count: agent.running }) : t("agents.paused")}</span>
      <Coverage coverage={agent.coverage} />
      <span className="text-right tabular-nums">{money(agent.costToday)}</span>
    </Link>
  );
}

function Register({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const { mutate, error } = useAct();
  const [agent, setAgent] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        mutate({ call: "agents.add", agent: agent.trim() }, { onSuccess: onDone });
      }}
    >
      <p className="text-t2">{t("agents.addMore")}</p>
      <label className="mt-3 grid gap-1 font-medium">
        {t("agents.id")}
        <input value={agent} onChange={(event) => setAgent(event.target.value)} required maxLength={64} spellCheck={false} autoComplete="off" className="mono h-8 rounded-control border border-line-control bg-surface px-2" />
      </label>
      {error ? (
        <p role="alert" className="mt-2 text-deny">
          {t("agents.failed", { message: error.message })}
        </p>
      ) : null}
      <div className="mt-4 flex justify-end gap-2">
        <Button large onClick={onDone}>
          {t("common.cancel")}
        </Button>
        <Button large kind="primary" type="submit">
          {t("agents.register")}
        </Button>
      </div>
    </form>
  );
}
