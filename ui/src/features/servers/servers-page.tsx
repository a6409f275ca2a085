// Tools and servers: every MCP server that an agent used or may use, what it is, what waits for a review, and how its tools do.
import { Link } from "@tanstack/react-router";
import { Check, Minus, Plug, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { AgentPlaces } from "../../components/agent-places";
import { CommandLine, Empty, EngineFailure, Skeleton } from "../../components/empty";
import { PageBar } from "../../components/page-bar";
import { Prose } from "../../components/prose";
import { Untrusted } from "../../components/untrusted";
import { useNow } from "../../components/use-now";
import type { ServersDto } from "../../engine/bindings/ServersDto";
import type { ServerDto } from "../../engine/bindings/ServerDto";
import { day } from "../../lib/time";
import { ServerView } from "./components/server-view";
import { inOrder, problemOf } from "./model";
import { useServers } from "./queries";

export function ServersPage({ selected, tool }: { selected: string | null; tool: string | null }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useServers();
  return (
    <>
      <PageBar title={t("agents.title")}>
        <AgentPlaces place="servers" review={data?.toReview ?? 0} />
        <span className="flex-1" />
      </PageBar>
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {!error && !data ? <Skeleton rows={4} /> : null}
      {data && !error ? <Content file={data} selected={selected} tool={tool} /> : null}
    </>
  );
}

function Content({ file: { servers, problem, file }, selected, tool }: { file: ServersDto; selected: string | null; tool: string | null }) {
  const { t } = useTranslation();
  if (servers.length === 0) {
    return (
      <Empty icon={Plug} title={t("servers.empty")} footer={<CommandLine command="reeve mcp --server NAME -- COMMAND" />}>
        {t("servers.emptyMore")}
      </Empty>
    );
  }
  const sorted = inOrder(servers);
  const chosen = sorted.find((one) => one.name === selected) ?? (selected === null ? sorted[0] : undefined);
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[356px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] max-wide:grid-cols-[268px_minmax(0,1fr)] small:block small:overflow-y-auto">
      <nav aria-label={t("servers.list")} className="overflow-y-auto border-e border-line">
        <p className="flex h-7 items-center border-b border-line px-4 text-caption font-medium text-t3">
          <span className="flex-1">{t("servers.count", { count: servers.length })}</span>
          <span>{t("servers.order")}</span>
        </p>
        <ul>
          {sorted.map((one) => (
            <li key={one.name}>
              <Row server={one} chosen={one.name === chosen?.name} />
            </li>
          ))}
        </ul>
        <p className="px-4 py-3 text-caption text-t3">
          {t("servers.file")}{" "}
          <code className="mono">
            <Untrusted text={file} max={44} />
          </code>
        </p>
        {problem === null ? null : (
          <p role="status" className="bg-ask-tint px-4 py-2 text-caption">
            <Prose text={problem} />
          </p>
        )}
      </nav>
      <div className="overflow-y-auto" tabIndex={0} role="region" aria-label={t("servers.detail")}>
        {chosen ? (
          <ServerView key={chosen.name} server={chosen.name} tool={tool} />
        ) : (
          <Empty icon={Plug} title={t("servers.gone")}>
            {t("servers.goneMore")}
          </Empty>
        )}
      </div>
    </div>
  );
}

function Row({ server, chosen }: { server: ServerDto; chosen: boolean }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const problem = problemOf(server);
  const Icon = problem !== null ? TriangleAlert : server.standing === null ? Minus : Check;
  return (
    <Link to="/servers/$server" params={{ server: server.name }} aria-current={chosen ? "true" : undefined} className={`grid h-12 grid-cols-[16px_minmax(0,1fr)] content-center gap-x-2.5 border-b border-line-row px-4 ${chosen ? "bg-selected" : "hover:bg-hover"}`}>
      <Icon size={14} strokeWidth={1.75} aria-hidden className={`row-span-2 mt-0.75 ${problem !== null ? "text-ask" : server.standing === null ? "text-t3" : "text-allow"}`} />
      <span className="flex min-w-0 items-center gap-2">
        <Untrusted text={server.name} max={36} className="mono min-w-0 flex-1 truncate text-caption font-medium" />
        <span className="flex-none text-caption text-t3">{server.approvedAt === null ? (server.standing === null ? t("servers.neverSeen") : "") : t("servers.approvedOn", { day: day(server.approvedAt, now) })}</span>
      </span>
      <span className="flex min-w-0 gap-3 text-caption text-t2">
        <span className="flex-none">{t("servers.tools", { count: server.tools })}</span>
        <span className="min-w-0 flex-1 truncate text-t3">{t(server.transport === "http" ? "servers.transports.http" : "servers.transports.stdio")}</span>
        {problem === null ? null : <span className="flex-none font-medium text-ask">{t(`servers.problems.${problem.kind}`, { count: problem.count })}</span>}
      </span>
    </Link>
  );
}
