// One server: what it is and how it does, what of it waits for a review, and its tools.
import { Link, useNavigate } from "@tanstack/react-router";
import { Check, Plug, TriangleAlert, Unplug } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../../components/badge";
import { Button } from "../../../components/button";
import { EngineFailure, Skeleton } from "../../../components/empty";
import { Dot, Fact, Facts } from "../../../components/facts";
import { HostName } from "../../../components/host-name";
import { Modal } from "../../../components/modal";
import { Prose } from "../../../components/prose";
import { Untrusted } from "../../../components/untrusted";
import { useNow } from "../../../components/use-now";
import type { CutOffDto } from "../../../engine/bindings/CutOffDto";
import type { IdentityDto } from "../../../engine/bindings/IdentityDto";
import type { ServerDetailDto } from "../../../engine/bindings/ServerDetailDto";
import type { ServerToolDto } from "../../../engine/bindings/ServerToolDto";
import { clock, day } from "../../../lib/time";
import { callsQuery, short, toReview, waits } from "../model";
import { useAgents, useServer, useUsers } from "../queries";
import { Changes } from "./changes";
import { Approve, Forget } from "./forms";
import { BadEnds, By, Claims, Standing, Success } from "./marks";
import { Section } from "./section";
import { ToolView } from "./tool-view";

export function ServerView({ server, tool }: { server: string; tool: string | null }) {
  const { data, error, refetch } = useServer(server);
  if (error) return <EngineFailure error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton rows={6} />;
  const chosen = tool === null ? undefined : data.tools.find((one) => one.name === tool);
  return chosen ? <ToolView key={chosen.name} detail={data} tool={chosen} /> : <Whole detail={data} />;
}

type Open = "approve" | "forget" | null;

function Whole({ detail }: { detail: ServerDetailDto }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<Open>(null);
  const modal = (which: Open) => ({ open: open === which, onOpen: (wanted: boolean) => setOpen(wanted ? which : null) });
  const { server } = detail;
  const waiting = toReview(detail);
  const any = waiting.server || waiting.tools.length > 0;
  return (
    <section>
      <div className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-4 py-2">
        <Plug size={16} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
        <h2 className="mono min-w-0 text-section font-semibold wrap-anywhere">
          <Untrusted text={server.name} max={120} />
        </h2>
        <Standing standing={server.standing} />
        <span className="flex-1" />
        {any ? (
          <Button kind="primary" onClick={() => setOpen("approve")}>
            <Check size={14} strokeWidth={1.5} aria-hidden />
            {t("servers.approve")}
          </Button>
        ) : null}
        {server.standing === null ? null : (
          <Button kind="danger" onClick={() => setOpen("forget")}>
            {t("servers.forget")}
          </Button>
        )}
      </div>
      {waits(server.standing) ? <Held words={t(`servers.held.${server.standing === "new" ? "newServer" : "changedServer"}`)} /> : waiting.tools.length > 0 ? <Held words={t("servers.held.tools", { count: waiting.tools.length })} /> : null}
      {(server.cutOff ?? []).map((off) => (
        <CutOff key={off.tool ?? ""} off={off} />
      ))}
      <div className="px-4 py-3">
        <Known detail={detail} />
        {detail.diff.length === 0 ? null : (
          <Section title={t("servers.changedStart")}>
            <Changes fields={detail.diff} />
          </Section>
        )}
        <Section title={t("servers.toolsTitle")} aside={<span className="text-caption text-t3">{t("servers.week")}</span>}>
          {detail.tools.length === 0 ? <p className="text-t2">{t(server.standing === null ? "servers.neverStarted" : "servers.noTools")}</p> : <Tools server={server.name} tools={detail.tools} />}
        </Section>
      </div>
      <Modal title={t("servers.approveTitle")} {...modal("approve")}>
        <Approve detail={detail} only={null} onDone={() => setOpen(null)} />
      </Modal>
      <Modal title={t("servers.forgetTitle")} {...modal("forget")}>
        <Forget server={server.name} onDone={() => setOpen(null)} />
      </Modal>
    </section>
  );
}

/** That it is held, and what that means. */
export function Held({ words }: { words: string }) {
  return (
    <p className="flex items-start gap-2 border-b border-line bg-ask-tint px-4 py-2">
      <TriangleAlert size={14} strokeWidth={1.75} aria-hidden className="mt-0.75 flex-none text-ask" />
      <span>{words}</span>
    </p>
  );
}

/** Failed again and again: until a trial succeeds Reeve answers its calls itself. */
export function CutOff({ off }: { off: CutOffDto }) {
  const { t } = useTranslation();
  return (
    <p role="status" className="flex items-start gap-2 border-b border-line bg-ask-tint px-4 py-2">
      <Unplug size={14} strokeWidth={1.75} aria-hidden className="mt-0.75 flex-none text-ask" />
      <span className="min-w-0">
        {off.tool === null ? null : (
          <>
            <code className="mono text-caption font-semibold">
              <Untrusted text={off.tool} max={60} />
            </code>{" "}
          </>
        )}
        {t(off.tool === null ? "servers.cutOffServer" : "servers.cutOffTool", { since: clock(off.since).time, count: off.failures })} <Prose text={off.why} />
        {". "}
        {t("servers.nextTrial", { time: clock(off.nextTrial).time })}
      </span>
    </p>
  );
}

function Known({ detail }: { detail: ServerDetailDto }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const { server, identity } = detail;
  return (
    <Facts>
      <Fact label={t("servers.reached")}>{t(server.transport === "http" ? "servers.transports.http" : "servers.transports.stdio")}</Fact>
      {identity ? <Identity identity={identity} /> : <Declared detail={detail} />}
      <Fact label={t("servers.since")}>
        {server.firstSeen === null ? t("servers.neverSeen") : t("servers.seenOn", { day: day(server.firstSeen, now) })}
        {server.approvedAt === null ? null : (
          <>
            <Dot />
            {t("servers.approvedOn", { day: day(server.approvedAt, now) })} <By name={server.approvedBy} />
          </>
        )}
      </Fact>
      <Fact label={t("servers.health")}>
        <span className="inline-flex flex-wrap gap-x-3">
          <Success health={server.health} />
          <BadEnds health={server.health} />
        </span>
      </Fact>
      <Fact label={t("servers.users")}>
        <Users server={server.name} />
      </Fact>
    </Facts>
  );
}

function Identity({ identity }: { identity: IdentityDto }) {
  const { t } = useTranslation();
  return (
    <>
      {identity.url === null ? null : (
        <Fact label={t("servers.address")}>
          <HostName host={hostOf(identity.url)} />
          <Untrusted text={identity.url} max={96} className="mono block text-caption text-t3" />
        </Fact>
      )}
      {identity.command.length === 0 ? null : (
        <Fact label={t("servers.command")}>
          <Untrusted text={identity.command.join(" ")} max={200} className="mono text-caption" />
        </Fact>
      )}
      {identity.files.length === 0 ? null : (
        <Fact label={t("servers.files", { count: identity.files.length })}>
          {identity.files.map((file) => (
            <span key={file.path} className="mono block text-caption leading-5">
              <Untrusted text={file.path} max={72} /> <span className="text-t3">{file.digest === null ? t("servers.unread") : short(file.digest)}</span>
            </span>
          ))}
        </Fact>
      )}
      <Fact label={t("servers.calls")}>{identity.name === null ? <span className="text-t3">{t("servers.unsaid")}</span> : <Untrusted text={[identity.name, identity.version].filter(Boolean).join(" ")} max={80} />}</Fact>
    </>
  );
}

/** As the person's file has it, where it was never seen. */
function Declared({ detail }: { detail: ServerDetailDto }) {
  const { t } = useTranslation();
  const { declared } = detail.server;
  if (declared === null) return null;
  return (
    <Fact label={t(declared.kind === "http" ? "servers.address" : "servers.command")}>
      <Untrusted text={declared.kind === "http" ? declared.url : [declared.command, ...declared.args].join(" ")} max={200} className="mono text-caption" />
    </Fact>
  );
}

function hostOf(url: string): string {
  return /^[a-z]+:\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#]*)/i.exec(url)?.[1] ?? url;
}

/** Agents that called it, from the record of the last 30 days. */
function Users({ server }: { server: string }) {
  const { t } = useTranslation();
  const { data } = useUsers(callsQuery(server));
  const { data: agents = [] } = useAgents();
  if (!data) return <span className="text-t3">{t("servers.counting")}</span>;
  const ids = [...new Set(data.stats.map((stat) => stat.agent))];
  if (ids.length === 0) return <span className="text-t2">{t("servers.nobody")}</span>;
  return (
    <span className="-my-0.5 flex flex-wrap gap-x-3">
      {ids.map((id) => (
        <Link key={id} to="/agents/$agent" params={{ agent: id }} search={{ tab: "servers" }} className="inline-flex min-h-6 items-center text-accent">
          <Untrusted text={agents.find((agent) => agent.id === id)?.name ?? id} max={40} />
        </Link>
      ))}
      <Link to="/timeline" search={{ q: callsQuery(server) }} className="inline-flex min-h-6 items-center text-accent">
        {t("servers.inTimeline")}
      </Link>
    </span>
  );
}

function Tools({ server, tools }: { server: string; tools: readonly ServerToolDto[] }) {
  const { t } = useTranslation();
  // The whole row leads where the name does; by keyboard the name is the way.
  const navigate = useNavigate();
  return (
    <table className="w-full table-fixed">
      <thead>
        <tr className="h-7 border-b border-line text-start text-caption text-t3">
          <th scope="col" className="w-[34%] font-medium">{t("servers.tool")}</th>
          <th scope="col" className="font-medium max-wide:hidden">{t("servers.claim")}</th>
          <th scope="col" className="w-40 text-end font-medium">{t("servers.success")}</th>
          <th scope="col" className="w-26 ps-4 font-medium">{t("servers.stands")}</th>
        </tr>
      </thead>
      <tbody>
        {tools.map((tool) => (
          <tr key={tool.name} onClick={() => void navigate({ to: "/servers/$server", params: { server }, search: { tool: tool.name } })} className="h-9 border-b border-line-row hover:bg-hover">
            <th scope="row" className="min-w-0 pe-3 text-start font-normal">
              <Link to="/servers/$server" params={{ server }} search={{ tool: tool.name }} className="flex min-h-8 min-w-0 items-center gap-2 -outline-offset-2">
                <Untrusted text={tool.name} max={40} className={`mono truncate text-caption ${tool.standing === "gone" ? "text-t3 line-through" : "font-medium"}`} />
                {tool.findings.length === 0 ? null : (
                  <span className="inline-flex flex-none items-center gap-1 text-caption text-ask">
                    <TriangleAlert size={12} strokeWidth={1.75} aria-hidden />
                    <span aria-hidden="true">{tool.findings.length}</span>
                    <span className="sr-only">{t("servers.findings", { count: tool.findings.length })}</span>
                  </span>
                )}
                {tool.drifts.length === 0 ? null : <Badge>{t("servers.drifted")}</Badge>}
              </Link>
            </th>
            <td className="truncate pe-3 text-t2 max-wide:hidden">
              <Claims tool={tool} />
            </td>
            <td className="text-end">
              <Success health={tool.health} />
            </td>
            <td className="ps-4">
              <Standing standing={tool.standing} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
