// One tool: what changed in it since it was approved, what a scan found in its words, how it does, and every version of it.
import { Link } from "@tanstack/react-router";
import { ArrowLeft, Check } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Fact, Facts } from "../../../components/facts";
import { Inset } from "../../../components/inset";
import { JsonView } from "../../../components/json-view";
import { Modal } from "../../../components/modal";
import { Untrusted, UntrustedBlock } from "../../../components/untrusted";
import { useNow } from "../../../components/use-now";
import type { DriftDto } from "../../../engine/bindings/DriftDto";
import type { ServerDetailDto } from "../../../engine/bindings/ServerDetailDto";
import type { ServerToolDto } from "../../../engine/bindings/ServerToolDto";
import type { ToolVersionDto } from "../../../engine/bindings/ToolVersionDto";
import { day, exact } from "../../../lib/time";
import { callsQuery, partOf, short, waits } from "../model";
import { useAgents, useUsers } from "../queries";
import { Changes, Findings } from "./changes";
import { Approve } from "./forms";
import { BadEnds, By, Claims, Standing, Success } from "./marks";
import { Section } from "./section";
import { CutOff, Held } from "./server-view";

export function ToolView({ detail, tool }: { detail: ServerDetailDto; tool: ServerToolDto }) {
  const { t } = useTranslation();
  const [approving, setApproving] = useState(false);
  const { server } = detail;
  const held = waits(server.standing) ? "server" : tool.standing === "new" ? "newTool" : tool.standing === "changed" ? "changedTool" : null;
  return (
    <section>
      <div className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-4 py-2">
        <Link to="/servers/$server" params={{ server: server.name }} aria-label={t("servers.allTools")} title={t("servers.allTools")} className="-ms-1.5 grid size-7 flex-none place-items-center rounded-control text-t2 hover:bg-hover">
          <ArrowLeft size={14} strokeWidth={1.5} aria-hidden />
        </Link>
        <h2 className="mono min-w-0 text-section font-semibold wrap-anywhere">
          <span className="font-normal text-t3">
            <Untrusted text={`${server.name}.`} max={60} />
          </span>
          <Untrusted text={tool.name} max={120} />
        </h2>
        <Standing standing={tool.standing} />
        <span className="flex-1" />
        {waits(tool.standing) ? (
          <Button kind="primary" onClick={() => setApproving(true)}>
            <Check size={14} strokeWidth={1.5} aria-hidden />
            {t("servers.approveTool")}
          </Button>
        ) : null}
      </div>
      {held === null ? null : <Held words={t(`servers.held.${held}`)} />}
      {(server.cutOff ?? [])
        .filter((off) => off.tool === null || off.tool === tool.name)
        .map((off) => (
          <CutOff key={off.tool ?? ""} off={off} />
        ))}
      <div className="px-4 py-3">
        {tool.diff.length === 0 ? null : (
          <Section title={t("servers.changed")}>
            <Changes fields={tool.diff} />
          </Section>
        )}
        {tool.findings.length === 0 ? null : (
          <Section title={t("servers.findings", { count: tool.findings.length })}>
            <p className="mb-2 text-t2">{t("servers.findingsMore")}</p>
            <Findings findings={tool.findings} />
          </Section>
        )}
        <Words tool={tool} />
        <Section title={t("servers.use")} aside={<span className="text-caption text-t3">{t("servers.week")}</span>}>
          <Facts>
            <Fact label={t("servers.success")}>
              <Success health={tool.health} />
            </Fact>
            {tool.health.ends.refused + tool.health.ends.toolError + tool.health.ends.schemaFailure + tool.health.ends.timeout + tool.health.ends.unknown === 0 ? null : (
              <Fact label={t("servers.otherEnds")}>
                <BadEnds health={tool.health} />
              </Fact>
            )}
            <Fact label={t("servers.claim")}>
              <Claims tool={tool} />
            </Fact>
            <Fact label={t("servers.version")}>
              <code className="mono text-caption">{short(tool.digest)}</code>
            </Fact>
          </Facts>
          <Link to="/timeline" search={{ q: callsQuery(server.name, tool.name) }} className="mt-1 inline-flex min-h-6 items-center text-accent">
            {t("servers.inTimeline")}
          </Link>
        </Section>
        <ByAgent server={server.name} tool={tool.name} />
        {tool.drifts.length === 0 ? null : <Drifts drifts={tool.drifts} />}
        <Versions versions={tool.versions} now={tool.digest} />
      </div>
      <Modal title={t("servers.approveToolTitle")} open={approving} onOpen={setApproving}>
        <Approve detail={detail} only={tool.name} onDone={() => setApproving(false)} />
      </Modal>
    </section>
  );
}

/** How the calls of each agent ended, for each version of the tool apart. */
function ByAgent({ server, tool }: { server: string; tool: string }) {
  const { t } = useTranslation();
  const { data } = useUsers(callsQuery(server, tool));
  const { data: agents = [] } = useAgents();
  const rows = (data?.stats ?? []).filter((stat) => stat.server === server && stat.tool === tool);
  if (rows.length === 0) return null;
  return (
    <Section title={t("servers.byAgent")} aside={<span className="text-caption text-t3">{t("servers.month")}</span>}>
      <table className="w-full text-start">
        <thead className="text-caption text-t3">
          <tr>
            {(["agent", "version", "success", "otherEnds"] as const).map((column) => (
              <th key={column} scope="col" className="py-1 pe-3 font-medium">
                {t(`servers.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.agent} ${row.definition ?? ""}`} className="border-t border-line-row align-top">
              <td className="py-1.5 pe-3">
                <Untrusted text={agents.find((agent) => agent.id === row.agent)?.name ?? row.agent} max={40} />
              </td>
              <td className="py-1.5 pe-3">{row.definition === null ? <span className="text-t3">{t("servers.unlisted")}</span> : <code className="mono text-caption">{short(row.definition)}</code>}</td>
              <td className="py-1.5 pe-3">
                <Success health={row} />
              </td>
              <td className="py-1.5">
                <BadEnds health={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

/** What an agent reads of it: every word of it is the server's. */
function Words({ tool }: { tool: ServerToolDto }) {
  const { t } = useTranslation();
  return (
    <Section title={t("servers.words")}>
      <div className="grid gap-2">
        <Inset small caption={t("servers.description")} {...(tool.description === null ? {} : { copy: tool.description })}>
          {tool.description === null ? <span className="text-t3">{t("servers.noDescription")}</span> : <UntrustedBlock text={tool.description} />}
        </Inset>
        {(["inputSchema", "outputSchema"] as const).map((part) => {
          const schema = partOf(tool, part);
          return schema === undefined ? null : (
            <Inset key={part} small caption={t(`servers.${part}`)} copy={JSON.stringify(schema, null, 2)}>
              <JsonView value={schema} />
            </Inset>
          );
        })}
      </div>
    </Section>
  );
}

/** Results that did not look like those before. */
function Drifts({ drifts }: { drifts: readonly DriftDto[] }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  return (
    <Section title={t("servers.drifts")}>
      <ul>
        {drifts.map((drift, at) => (
          <li key={at} className="grid grid-cols-[96px_minmax(0,1fr)] gap-x-3 border-b border-line-row py-1.5 last:border-0">
            <span className="text-t3" title={exact(drift.at)}>
              {day(drift.at, now)}
            </span>
            <span className="min-w-0">
              {drift.changes.map((change) => (
                <span key={change.path} className="block">
                  <code className="mono text-caption">
                    <Untrusted text={change.path === "" ? t("servers.whole") : change.path} max={60} />
                  </code>{" "}
                  <span className="text-t2">
                    {change.before.length === 0 ? t("servers.drift.new", { type: change.after ?? "" }) : change.after === null ? t("servers.drift.gone", { types: change.before.join(", ") }) : t("servers.drift.other", { types: change.before.join(", "), type: change.after })}
                  </span>
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Versions({ versions, now }: { versions: readonly ToolVersionDto[]; now: string }) {
  const { t } = useTranslation();
  const clock = useNow(60_000);
  return (
    <Section title={t("servers.versions", { count: versions.length })}>
      <ol className="grid gap-3">
        {versions.map((version) => (
          <li key={version.digest}>
            <p className="flex flex-wrap items-baseline gap-x-2">
              <code className="mono text-caption font-semibold">{short(version.digest)}</code>
              <span className="text-t2" title={exact(version.seenAt)}>
                {t("servers.seenOn", { day: day(version.seenAt, clock) })}
              </span>
              {version.approvedAt === null ? (
                <span className="text-t3">{t("servers.notApproved")}</span>
              ) : (
                <span className="text-t2">
                  {t("servers.approvedOn", { day: day(version.approvedAt, clock) })} <By name={version.approvedBy} />
                </span>
              )}
              {version.digest === now ? <span className="text-t3">{t("servers.offeredNow")}</span> : null}
            </p>
            {version.diff.length === 0 ? null : (
              <details className="mt-1">
                <summary className="inline-flex min-h-6 cursor-default items-center text-accent">{t("servers.showDiff", { count: version.diff.length })}</summary>
                <Changes fields={version.diff} />
              </details>
            )}
          </li>
        ))}
      </ol>
    </Section>
  );
}
