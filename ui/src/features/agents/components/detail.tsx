// One agent: what is known of it, what it may use, its sessions, and the switches that concern it alone.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile, Badge } from "../../../components/badge";
import { Button } from "../../../components/button";
import { CommandLine } from "../../../components/empty";
import { Fact, Facts } from "../../../components/facts";
import { Modal } from "../../../components/modal";
import { useToast } from "../../../components/toasts";
import { Untrusted } from "../../../components/untrusted";
import type { AgentDto } from "../../../engine/bindings/AgentDto";
import { money } from "../../../lib/money";
import { exact } from "../../../lib/time";
import { type Act, useAct, useCredentials, useSessions } from "../queries";
import { Coverage, Gaps } from "./coverage";

export function Detail({ agent }: { agent: AgentDto }) {
  const { t } = useTranslation();
  return (
    <section className="px-4 py-3.5">
      <div className="flex flex-wrap items-center gap-2">
        <AgentTile name={agent.name} />
        <h2 className="text-section font-semibold">
          <Untrusted text={agent.name} max={60} />
        </h2>
        {agent.pausedAt === null ? null : <Badge tone="ask">{t("agents.paused")}</Badge>}
        <span className="flex-1" />
        <Switches agent={agent} />
      </div>
      <div className="mt-3 grid gap-x-8 gap-y-4 wide:grid-cols-2">
        <Facts>
          <Fact label={t("agents.identity")}>
            <code className="mono text-caption">
              <Untrusted text={agent.id} />
            </code>
          </Fact>
          <Fact label={t("agents.team")}>{agent.team === null ? t("agents.noTeam") : <Untrusted text={agent.team} />}</Fact>
          <Fact label={t("agents.registered")}>{exact(agent.registeredAt)}</Fact>
          {agent.pausedAt === null ? null : <Fact label={t("agents.pausedSince")}>{exact(agent.pausedAt)}</Fact>}
          <Fact label={t("agents.costToday")}>{money(agent.costToday)}</Fact>
          <Fact label={t("agents.connect")}>
            <CommandLine command={`reeve env --agent ${agent.id}`} />
          </Fact>
          <Fact label={t("agents.records")}>
            <Link to="/timeline" search={{ q: `agent:${agent.id}` }} className="text-accent">
              {t("agents.allActions")}
            </Link>
          </Fact>
        </Facts>
        <Facts>
          <Fact label={t("agents.coverage")}>
            <Coverage coverage={agent.coverage} />
          </Fact>
          <Fact label={t("agents.notCovered")}>
            <Gaps coverage={agent.coverage} />
          </Fact>
          <Fact label={t("agents.credentials")}>
            <Usable agent={agent.id} />
          </Fact>
        </Facts>
      </div>
      <Sessions agent={agent.id} />
    </section>
  );
}

function Switches({ agent }: { agent: AgentDto }) {
  const { t } = useTranslation();
  const toast = useToast();
  const { mutate, isPending } = useAct();
  const [removing, setRemoving] = useState(false);
  const act = (call: Act, done: string) => mutate({ call, agent: agent.id }, { onSuccess: () => toast("done", done), onError: (error) => toast("failed", t("agents.failed", { message: error.message })) });
  return (
    <>
      {agent.pausedAt === null ? (
        <Button inert={isPending} onClick={() => act("agents.pause", t("agents.pauseDone"))}>
          {t("agents.pause")}
        </Button>
      ) : (
        <Button inert={isPending} onClick={() => act("agents.resume", t("agents.resumeDone"))}>
          {t("agents.resume")}
        </Button>
      )}
      <Button kind="danger" inert={isPending || agent.running === 0} onClick={() => act("agents.stop", t("agents.stopDone"))}>
        {t("agents.stop")}
      </Button>
      <Button kind="ghost" onClick={() => setRemoving(true)}>
        {t("agents.remove")}
      </Button>
      <Modal title={t("agents.removeTitle")} open={removing} onOpen={setRemoving}>
        <p>
          <Untrusted text={agent.name} max={80} className="font-semibold" />
          {". "}
          {t("agents.removeMore", { count: agent.running })}
        </p>
        <div className="mt-4 flex justify-end gap-2">
          <Button large onClick={() => setRemoving(false)}>
            {t("common.cancel")}
          </Button>
          <Button
            large
            kind="danger"
            onClick={() => {
              setRemoving(false);
              act("agents.remove", t("agents.removeDone"));
            }}
          >
            {t("agents.remove")}
          </Button>
        </div>
      </Modal>
    </>
  );
}

function Usable({ agent }: { agent: string }) {
  const { t } = useTranslation();
  const { data, error } = useCredentials();
  if (error) return <span className="text-deny">{t("agents.failed", { message: error.message })}</span>;
  const usable = data?.filter((one) => one.bindings.some((place) => place.agents.length === 0 || place.agents.includes(agent)));
  if (!usable) return null;
  if (usable.length === 0) return <span className="text-t2">{t("agents.noCredentials")}</span>;
  return (
    <ul>
      {usable.map((one) => (
        <li key={one.id}>
          <Link to="/credentials/$credential" params={{ credential: one.id }} className="inline-flex min-h-6 items-center text-accent">
            <Untrusted text={one.name} max={60} />
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Sessions({ agent }: { agent: string }) {
  const { t } = useTranslation();
  const { data, error } = useSessions();
  const theirs = data?.filter((one) => one.agent === agent) ?? [];
  return (
    <div className="mt-5">
      <h3 className="text-caption font-semibold text-t2">{t("agents.sessions")}</h3>
      {error ? <p className="text-deny">{t("agents.failed", { message: error.message })}</p> : null}
      {data && theirs.length === 0 ? <p className="mt-1 text-t2">{t("agents.noSessions")}</p> : null}
      <ul className="mt-1">
        {theirs.slice(0, 50).map((one) => (
          <li key={one.id} className="flex min-h-7 items-center gap-3 border-b border-line-row py-0.5">
            <Link to="/timeline" search={{ q: `session:${one.id}` }} className="min-w-0 flex-1 truncate text-accent">
              <Untrusted text={one.command.join(" ") || t("agents.environment")} max={80} />
            </Link>
            <span className="min-w-0 truncate text-caption text-t3">
              <Untrusted text={one.cwd} max={40} />
            </span>
            <span className="flex-none text-caption text-t2">{one.endedAt === null ? t("agents.runningSince", { time: exact(one.openedAt) }) : t("agents.ended", { time: exact(one.endedAt) })}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
