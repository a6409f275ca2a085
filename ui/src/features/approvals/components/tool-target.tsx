// Where a tool call or a command goes and what it changes: what is known of it, and that the rest is not.
import { Link } from "@tanstack/react-router";
import { Folder, Plug, Terminal } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Dot, Fact } from "../../../components/facts";
import { HostName } from "../../../components/host-name";
import { Inset } from "../../../components/inset";
import { Prose } from "../../../components/prose";
import { SchemaProblems } from "../../../components/schema-problems";
import { Untrusted, UntrustedBlock } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import { type Asked, askedOf, capOf, type Command, commandOf, type Effect, isCut, repeatsOf, type Tool, toolOf, triedOf } from "../../../lib/action";
import { bytes } from "../../../lib/money";
import { clock, exact } from "../../../lib/time";
import { Disclosure } from "./disclosure";

/** So many files are named. */
const SHOWN = 4;
/** What cannot be taken back from here. */
const FINAL: readonly Effect[] = ["rewrites_history", "deletes_tree", "deletes", "pushes"];

export function ToolTarget({ question, uses }: { question: ApprovalDto; uses: ReactNode }) {
  const tool = question.kind === "mcp" ? toolOf(question.view) : null;
  const asked = question.kind === "mcp" ? askedOf(question.view) : null;
  const command = question.kind === "shell" ? commandOf(question.view) : null;
  return (
    <>
      {tool ? <ToolWhere tool={tool} /> : null}
      {command ? <CommandWhere command={command} /> : null}
      {uses}
      {tool ? <ToolEffect tool={tool} cap={capOf(question.view)} /> : null}
      {tool ? <ToolTried view={question.view} /> : null}
      {tool ? <ToolRepeat view={question.view} /> : null}
      {command ? <CommandEffect command={command} /> : null}
      {asked ? <AskedFor asked={asked} /> : null}
      {tool || command || asked ? null : <Unknown />}
      <Hidden question={question} />
    </>
  );
}

function ToolWhere({ tool }: { tool: Tool }) {
  const { t } = useTranslation();
  return (
    <>
      <Fact label={t("card.tool.server")}>
        <span className="inline-flex flex-wrap items-center gap-x-1.5">
          <Plug size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t2" />
          <span className="font-medium">
            <Untrusted text={tool.server} max={40} />
          </span>
          <span className="text-t3">{t(`card.tool.${tool.transport}`)}</span>
        </span>
      </Fact>
      {tool.transport === "http" && tool.bytes !== null ? <Fact label={t("card.leaves")}>{t("card.tool.leaves", { size: bytes(tool.bytes) })}</Fact> : null}
    </>
  );
}

function ToolEffect({ tool, cap }: { tool: Tool; cap: number | null }) {
  const { t } = useTranslation();
  const { rows } = tool;
  const over = rows.kind === "counted" && cap !== null && rows.rows > cap;
  return (
    <>
      <Fact label={t("card.effect.label")}>
        {rows.kind === "counted" ? (
          <>
            <span className={`font-semibold ${over ? "text-ask" : ""}`}>{t("card.tool.rows", { count: rows.rows, shown: rows.rows.toLocaleString("en-US") })}</span>
            <Dot />
          </>
        ) : null}
        {rows.kind === "uncountable" ? (
          <>
            <span className="font-semibold text-ask">{t("card.tool.uncountable")}</span> <Prose text={rows.why} />
            <Dot />
          </>
        ) : null}
        {cap === null ? null : (
          <>
            {t(`card.tool.cap.${over ? "over" : "within"}`, { shown: cap.toLocaleString("en-US") })}
            <Dot />
          </>
        )}
        {t(`card.tool.claim.${tool.claim}`)}
      </Fact>
      <Fact label={t("card.tool.schema")}>
        {tool.problems.length === 0 ? <span className={tool.schema === "fails" ? "text-ask" : ""}>{t(`card.tool.check.${tool.schema}`)}</span> : null}
        <SchemaProblems problems={tool.problems} />
      </Fact>
      {tool.data.length === 0 ? null : (
        <Fact label={t("card.tool.data")}>
          {tool.data.map((one, at) => (
            <span key={`${one.path}/${one.kind}`}>
              {at === 0 ? null : ", "}
              <Untrusted text={one.kind} max={16} />{" "}
              <code className="mono text-caption text-t3">
                <Untrusted text={one.path} max={40} />
              </code>
            </span>
          ))}
        </Fact>
      )}
      {tool.definition === null ? null : (
        <Fact label={t("card.tool.definition")}>
          <Link to="/servers/$server" params={{ server: tool.server }} search={{ tool: tool.tool }} className="inline-flex min-h-6 items-center gap-1.5 text-accent">
            <code className="mono text-caption">{bothEnds(tool.definition)}</code>
          </Link>
        </Fact>
      )}
    </>
  );
}

/** Both ends of a hash: what a person compares. */
function bothEnds(hash: string): string {
  return hash.length <= 12 ? hash : `${hash.slice(0, 4)}…${hash.slice(-4)}`;
}

/** What a server wants in the middle of its work, and who would get it. */
function AskedFor({ asked }: { asked: Asked }) {
  const { t } = useTranslation();
  return (
    <>
      <Fact label={t("card.tool.server")}>
        <span className="font-medium">
          <Untrusted text={asked.server} max={40} />
        </span>{" "}
        <span className="text-t3">{t(`card.tool.${asked.transport}`)}</span>
      </Fact>
      <Fact label={t("card.ask.wants")}>
        {t(`card.ask.${asked.wants}`)}
        {asked.wants === "sampling" ? (
          <>
            <Dot />
            {asked.maxTokens === null ? t("card.ask.noLimit") : t("card.ask.tokens", { count: asked.maxTokens, shown: asked.maxTokens.toLocaleString("en-US") })}
          </>
        ) : null}
      </Fact>
      {asked.wants === "form" && asked.fields.length > 0 ? (
        <Fact label={t("card.ask.fields")}>
          <Untrusted text={asked.fields.join(", ")} max={120} />
        </Fact>
      ) : null}
      {asked.wants === "url" ? <Fact label={t("card.where")}>{asked.host === null ? <span className="text-ask">{t("card.ask.noHost")}</span> : <HostName host={asked.host} />}</Fact> : null}
    </>
  );
}

/** How the count was found, and what was answered. */
function ToolTried({ view }: { view: unknown }) {
  const { t } = useTranslation();
  const tried = triedOf(view);
  if (tried === null) return null;
  return (
    <Fact label={t("card.tool.preview")}>
      {t(`card.tool.how.${tried.how}`)}{" "}
      <code className="mono text-caption">
        <Untrusted text={tried.tool} max={40} />
      </code>
      {tried.at === null ? null : (
        <span className="text-t3" title={exact(tried.at)}>
          {`, ${clock(tried.at).time}`}
        </span>
      )}
      {tried.operation === null ? null : (
        <>
          <Dot />
          <Link to="/record/$record" params={{ record: tried.operation }} className="text-accent">
            {t("card.tool.record")}
          </Link>
        </>
      )}
    </Fact>
  );
}

/** What a repeat of this very call gets, and what is known of an earlier one. */
function ToolRepeat({ view }: { view: unknown }) {
  const { t } = useTranslation();
  const repeats = repeatsOf(view);
  if (repeats === null) return null;
  const { found } = repeats;
  return (
    <Fact label={t("card.tool.repeat")}>
      {t(`card.tool.onRepeat.${repeats.onRepeat}`)}
      <Dot />
      {found === null ? (
        <span className="text-t2">{t("card.tool.notMade")}</span>
      ) : (
        <Link to="/record/$record" params={{ record: found.operation }} className={found.state === "done" ? "text-accent" : "font-medium text-ask"} title={exact(found.at)}>
          {t(`card.tool.slot.${found.state}`, { time: clock(found.at).time })}
        </Link>
      )}
      <code className="mono ps-1.5 text-caption text-t3" title={t("card.tool.key")}>
        <Untrusted text={repeats.key} max={12} />
      </code>
    </Fact>
  );
}

/** Behind a disclosure: what was asked of the server, and what it said. */
export function TriedMore({ view }: { view: unknown }) {
  const { t } = useTranslation();
  const tried = triedOf(view);
  if (tried === null || (tried.result === null && tried.statement === null)) return null;
  return (
    <Disclosure title={t("card.tool.previewed")} aside={t("card.untrusted")}>
      <div className="grid gap-2">
        {tried.statement === null ? null : (
          <Inset small caption={t("card.tool.statement")} copy={tried.statement}>
            <UntrustedBlock text={tried.statement} />
          </Inset>
        )}
        {tried.result === null ? null : (
          <Inset small caption={t("card.tool.answered")} copy={tried.result}>
            <UntrustedBlock text={tried.result} />
          </Inset>
        )}
      </div>
    </Disclosure>
  );
}

function CommandWhere({ command }: { command: Command }) {
  const { t } = useTranslation();
  const reaches = command.effects.some((effect) => effect === "network" || effect === "pushes" || effect === "installs");
  return (
    <>
      <Fact label={t("card.command.programs")}>
        <span className="inline-flex flex-wrap items-center gap-x-1.5">
          <Terminal size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t2" />
          <code className="mono text-caption">
            <Untrusted text={command.programs.join(", ")} max={80} />
          </code>
          {command.understood ? null : <span className="text-ask">{t("card.command.notUnderstood")}</span>}
        </span>
      </Fact>
      {command.hosts.length > 0 || reaches ? (
        <Fact label={t("card.where")}>
          {command.hosts.length === 0 ? t("common.unknown") : null}
          {command.hosts.map((host) => (
            <span key={host} className="block">
              <HostName host={host} />
            </span>
          ))}
        </Fact>
      ) : null}
      {reaches ? <Fact label={t("card.leaves")}>{t("common.unknown")}</Fact> : null}
      {command.touches.length === 0 ? null : (
        <Fact label={t("card.command.touches")}>
          {command.touches.slice(0, SHOWN).map((path) => (
            <span key={path} className="mono flex items-center gap-1.5 text-caption">
              <Folder size={12} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
              <Untrusted text={path} max={60} />
            </span>
          ))}
          {command.touches.length > SHOWN ? <span className="text-t3">{t("card.command.more", { count: command.touches.length - SHOWN })}</span> : null}
        </Fact>
      )}
    </>
  );
}

function CommandEffect({ command }: { command: Command }) {
  const { t } = useTranslation();
  const { effects, unknown } = command;
  // What is implied by another is not said again.
  const implied = (effect: Effect) => (effect === "reads" && (effects.length > 1 || unknown)) || (effect === "network" && (effects.includes("pushes") || effects.includes("installs"))) || (effect === "deletes" && effects.includes("deletes_tree"));
  const known = effects.filter((effect) => !implied(effect));
  if (known.length === 0 || (!command.understood && effects.every((effect) => effect === "reads"))) return <Fact label={t("card.effect.label")}>{t("card.command.unknown")}</Fact>;
  return (
    <Fact label={t("card.effect.label")}>
      {known.map((effect, at) => (
        <span key={effect}>
          {at === 0 ? null : <Dot />}
          <span className={at === 0 ? "inline-block first-letter:uppercase" : ""}>{t(`card.command.effect.${effect}`)}</span>
        </span>
      ))}
      {unknown ? (
        <>
          <Dot />
          {t("card.command.rest")}
        </>
      ) : null}
      {known.some((effect) => FINAL.includes(effect)) ? (
        <>
          <Dot />
          <span className="font-semibold">{t("card.command.final")}</span>
        </>
      ) : null}
    </Fact>
  );
}

function Unknown() {
  const { t } = useTranslation();
  return <Fact label={t("card.effect.label")}>{t("card.effect.unknown")}</Fact>;
}

function Hidden({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  return isCut(question.view) ? <Fact label={t("card.hidden.label")}>{t("card.hidden.text")}</Fact> : null;
}
