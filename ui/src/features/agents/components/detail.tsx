// One agent: what is known of it, the switches that concern it alone, and its parts in tabs.
import { Link } from "@tanstack/react-router";
import { Pause, Play, Square } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile, Badge } from "../../../components/badge";
import { BudgetBar } from "../../../components/budget-bar";
import { Button } from "../../../components/button";
import { EngineFailure, Skeleton } from "../../../components/empty";
import { Fact, Facts } from "../../../components/facts";
import { DialogForm } from "../../../components/form";
import { along } from "../../../components/keys";
import { Modal } from "../../../components/modal";
import { useToast } from "../../../components/toasts";
import { Untrusted } from "../../../components/untrusted";
import type { AgentDetailDto } from "../../../engine/bindings/AgentDetailDto";
import type { AgentDto } from "../../../engine/bindings/AgentDto";
import { cents } from "../../../lib/money";
import { exact } from "../../../lib/time";
import { type Act, useAct, useAgent, useCredentials, useDayBudget, useServersOf, useSessions } from "../queries";
import { Coverage, Gaps } from "./coverage";
import { ModeWords } from "./mode";
import { StartButton } from "./start";
import { Changes, Overview, Rules, Sessions, Usable } from "./parts";
import { ToolServers } from "./tool-servers";

const TABS = ["overview", "servers", "rules", "credentials", "sessions", "changes"] as const;
type Tab = (typeof TABS)[number];

export function Detail({ agent, tab, onTab }: { agent: AgentDto; tab: string | null; onTab: (tab: string) => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useAgent(agent.id);
  const chosen = TABS.find((one) => one === tab) ?? "overview";
  return (
    <section>
      <div className="px-4 pt-4 pb-3">
        <div className="flex flex-wrap items-center gap-2">
          <AgentTile name={agent.name} size={28} />
          <h2 className="ms-1 text-section font-semibold">
            <Untrusted text={agent.name} max={60} />
          </h2>
          {agent.pausedAt === null ? agent.running > 0 ? <Badge tone="allow">{t("agents.runningSessions", { count: agent.running })}</Badge> : null : <Badge tone="ask">{t("agents.paused")}</Badge>}
          {data?.found?.version ? (
            <Badge>
              <Untrusted text={data.found.version} max={24} />
            </Badge>
          ) : null}
          <span className="flex-1" />
          {data?.found ? <StartButton tool={data.found} /> : null}
          <Switches agent={agent} />
        </div>
        <Known agent={agent} detail={data} />
      </div>
      <TabList agent={agent.id} detail={data} chosen={chosen} onTab={onTab} />
      <div id="agent-part" role="tabpanel" aria-labelledby={`agent-${chosen}`} className="px-4 py-3">
        {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
        {!error && !data ? <Skeleton rows={3} /> : null}
        {data && !error ? <Part tab={chosen} detail={data} /> : null}
      </div>
    </section>
  );
}

function Part({ tab, detail }: { tab: Tab; detail: AgentDetailDto }) {
  const { id } = detail.agent;
  switch (tab) {
    case "overview":
      return <Overview detail={detail} />;
    case "servers":
      return <ToolServers agent={id} />;
    case "rules":
      return <Rules rules={detail.rules} />;
    case "credentials":
      return <Usable agent={id} />;
    case "sessions":
      return <Sessions agent={id} />;
    case "changes":
      return <Changes agent={id} />;
  }
}

function TabList({ agent, detail, chosen, onTab }: { agent: string; detail: AgentDetailDto | undefined; chosen: Tab; onTab: (tab: string) => void }) {
  const { t } = useTranslation();
  const { data: credentials } = useCredentials();
  const { data: sessions } = useSessions(agent);
  const used = useServersOf(agent);
  const counts: Partial<Record<Tab, string>> = {};
  if (detail) counts.rules = String(detail.rules.length);
  if (credentials) counts.credentials = String(credentials.filter((one) => one.bindings.some((place) => place.agents.length === 0 || place.agents.includes(agent))).length);
  if (used) counts.servers = String(used.servers.length);
  if (sessions) counts.sessions = `${sessions.rows.length}${sessions.next === null ? "" : "+"}`;
  const step = (by: number) => onTab(TABS[(TABS.indexOf(chosen) + by + TABS.length) % TABS.length] ?? "overview");
  return (
    <div role="tablist" aria-label={t("agents.parts")} className="chrome flex h-9 items-stretch gap-4 overflow-x-auto overflow-y-hidden border-b border-line px-4">
      {TABS.map((one) => (
        <button
          key={one}
          type="button"
          role="tab"
          id={`agent-${one}`}
          aria-controls="agent-part"
          aria-selected={one === chosen}
          tabIndex={one === chosen ? 0 : -1}
          onClick={() => onTab(one)}
          onKeyDown={(event) => {
            const by = event.key === "]" ? 1 : event.key === "[" ? -1 : along(event);
            if (by === 0) return;
            event.preventDefault();
            step(by);
            const all = event.currentTarget.parentElement?.children;
            const next = all?.[(TABS.indexOf(one) + by + TABS.length) % TABS.length];
            if (next instanceof HTMLElement) next.focus();
          }}
          className={`flex-none border-b-2 font-medium whitespace-nowrap -outline-offset-2 ${one === chosen ? "border-t1 text-t1" : "border-transparent text-t2"}`}
        >
          {t(`agents.tabs.${one}`)} {counts[one] === undefined ? null : <span className="font-normal text-t3">{counts[one]}</span>}
        </button>
      ))}
    </div>
  );
}

function Known({ agent, detail }: { agent: AgentDto; detail: AgentDetailDto | undefined }) {
  const { t } = useTranslation();
  const budget = useDayBudget(agent.id);
  return (
    <div className="mt-3 grid gap-x-8 gap-y-1 wide:grid-cols-2">
      <Facts>
        <Fact label={t("agents.identity")}>
          <code className="mono text-caption">
            <Untrusted text={agent.id} />
          </code>
        </Fact>
        <Fact label={t("agents.registered")}>
          {exact(agent.registeredAt)}
          {agent.team === null ? null : (
            <>
              {", "}
              {t("agents.team")} <Untrusted text={agent.team} />
            </>
          )}
        </Fact>
        <Fact label={t("agents.program")}>{detail?.found ? <Untrusted text={detail.found.program} max={60} className="mono text-caption" /> : <span className="text-t3">{t("agents.programUnknown")}</span>}</Fact>
        <Fact label={t("agents.mode")}>
          <ModeWords />
        </Fact>
        {agent.pausedAt === null ? null : <Fact label={t("agents.pausedSince")}>{exact(agent.pausedAt)}</Fact>}
      </Facts>
      <Facts>
        <Fact label={t("agents.coverage")}>
          <Coverage coverage={agent.coverage} />
        </Fact>
        <Fact label={t("agents.notCovered")}>
          <Gaps coverage={agent.coverage} />
        </Fact>
        <Fact label={t("agents.budget")}>
          {budget === undefined ? (
            <span className="text-t2">{t("agents.noBudget")}</span>
          ) : (
            <Link to="/budgets/$budget" params={{ budget: budget.line.id }} search={{ account: budget.account.account }} className="grid max-w-110 grid-cols-[auto_minmax(60px,1fr)_auto] items-center gap-2.5">
              <span className="tabular-nums">
                <span className="font-semibold">{cents(budget.account.settled + budget.account.reserved)}</span> <span className="text-t3">{t("budgets.of", { limit: cents(budget.line.limit) })}</span>
              </span>
              <BudgetBar label={t("budgets.bar", { used: cents(budget.account.settled + budget.account.reserved), limit: cents(budget.line.limit) })} settled={budget.account.settled} reserved={budget.account.reserved} limit={budget.line.limit} pace={null} />
              <span className="text-caption text-t3">{t("budgets.free", { amount: cents(budget.account.free) })}</span>
            </Link>
          )}
        </Fact>
      </Facts>
    </div>
  );
}

function Switches({ agent }: { agent: AgentDto }) {
  const { t } = useTranslation();
  const toast = useToast();
  const { mutate, isPending } = useAct();
  const [removing, setRemoving] = useState(false);
  const act = (call: Act, done: string) => mutate({ call, agent: agent.id }, { onSuccess: () => toast("done", done), onError: (error) => toast("failed", t("common.failed", { message: error.message })) });
  return (
    <>
      {agent.pausedAt === null ? (
        <Button inert={isPending} onClick={() => act("agents.pause", t("agents.pauseDone"))}>
          <Pause size={14} strokeWidth={1.5} aria-hidden />
          {t("agents.pause")}
        </Button>
      ) : (
        <Button inert={isPending} onClick={() => act("agents.resume", t("agents.resumeDone"))}>
          <Play size={14} strokeWidth={1.5} aria-hidden />
          {t("agents.resume")}
        </Button>
      )}
      <Button kind="danger" inert={isPending || agent.running === 0} onClick={() => act("agents.stop", t("agents.stopDone"))}>
        <Square size={14} strokeWidth={1.5} aria-hidden />
        {t("agents.stop")}
      </Button>
      <Button kind="ghost" onClick={() => setRemoving(true)}>
        {t("agents.remove")}
      </Button>
      <Modal title={t("agents.removeTitle")} open={removing} onOpen={setRemoving}>
        <DialogForm
          submit={t("agents.remove")}
          danger
          inert={false}
          error={null}
          onCancel={() => setRemoving(false)}
          onSubmit={() => {
            setRemoving(false);
            act("agents.remove", t("agents.removeDone"));
          }}
        >
          <p>
            <Untrusted text={agent.name} max={80} className="font-semibold" />
            {". "}
            {t("agents.removeMore", { count: agent.running })}
          </p>
        </DialogForm>
      </Modal>
    </>
  );
}
