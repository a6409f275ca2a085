// Where a tool call or a command goes and what it changes: what is known of it, and that the rest is not.
import { Folder, Plug, Terminal } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Dot, Fact } from "../../../components/facts";
import { HostName } from "../../../components/host-name";
import { Untrusted } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import { type Command, commandOf, type Effect, isCut, type Tool, toolOf } from "../../../lib/action";
import { bytes } from "../../../lib/money";

/** So many files are named. */
const SHOWN = 4;
/** What cannot be taken back from here. */
const FINAL: readonly Effect[] = ["rewrites_history", "deletes_tree", "deletes", "pushes"];

export function ToolTarget({ question, uses }: { question: ApprovalDto; uses: ReactNode }) {
  const tool = question.kind === "mcp" ? toolOf(question.view) : null;
  const command = question.kind === "shell" ? commandOf(question.view) : null;
  return (
    <>
      {tool ? <ToolWhere tool={tool} /> : null}
      {command ? <CommandWhere command={command} /> : null}
      {uses}
      {tool ? <ToolEffect tool={tool} /> : null}
      {command ? <CommandEffect command={command} /> : null}
      {tool || command ? null : <Unknown />}
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

function ToolEffect({ tool }: { tool: Tool }) {
  const { t } = useTranslation();
  return (
    <>
      <Fact label={t("card.effect.label")}>{t(`card.tool.claim.${tool.claim}`)}</Fact>
      <Fact label={t("card.tool.schema")}>
        {tool.problems.length === 0 ? <span className={tool.schema === "fails" ? "text-ask" : ""}>{t(`card.tool.check.${tool.schema}`)}</span> : null}
        {tool.problems.map((problem) => (
          <span key={problem.path} className="block text-ask">
            <code className="mono text-caption">
              <Untrusted text={problem.path} max={40} />
            </code>{" "}
            {t("card.tool.expected")} <Untrusted text={problem.expected} max={40} />
            {t("card.tool.found")} <Untrusted text={problem.found} max={40} />
          </span>
        ))}
      </Fact>
    </>
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
