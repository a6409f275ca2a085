// Of a tool call and of a command: what was called, what it is known to do, and what it came to.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Fact } from "../../../components/facts";
import { HostName } from "../../../components/host-name";
import { Prose } from "../../../components/prose";
import { SchemaProblems } from "../../../components/schema-problems";
import { Untrusted } from "../../../components/untrusted";
import { type Command, commandOf, type Effect, isCut, repeatOf, resultOf, toolOf } from "../../../lib/action";
import type { Part } from "./pane-parts";

/** That it only reads is said of the whole alone. */
function effectsOf(command: Command): (Effect | "unknown")[] {
  return command.unknown ? [...command.effects.filter((effect) => effect !== "reads"), "unknown"] : command.effects;
}

/** `only`: what it came to. */
export function ToolFacts({ detail, only }: Part & { only?: "result" }) {
  const { t } = useTranslation();
  const { row, subject, outcome } = detail;
  const whole = only === undefined;
  const tool = whole && row.kind === "mcp" ? toolOf(subject) : null;
  const command = whole && row.kind === "shell" ? commandOf(subject) : null;
  const result = resultOf(outcome);
  const repeated = repeatOf(outcome);
  return (
    <>
      {tool ? (
        <Fact label={t("pane.server")}>
          <Untrusted text={tool.server} max={40} />
          <span className="block text-t3">{t(`pane.claim.${tool.claim}`)}</span>
          {tool.schema === "fails" ? <span className="block text-ask">{t("pane.misfit")}</span> : null}
          <SchemaProblems problems={tool.problems} />
        </Fact>
      ) : null}
      {tool && tool.purpose !== "call" ? <Fact label={t("pane.purpose")}>{t(`pane.purposes.${tool.purpose}`)}</Fact> : null}
      {tool && tool.rows.kind !== "none" ? (
        <Fact label={t("pane.rows")}>
          {tool.rows.kind === "uncountable" ? (
            <span className="text-ask">
              {t("pane.uncountable")} <Prose text={tool.rows.why} />
            </span>
          ) : (
            <span className="inline-flex flex-wrap items-center gap-x-2">
              {t("pane.counted", { count: tool.rows.rows, shown: tool.rows.rows.toLocaleString("en-US") })}
              {tool.rows.preview === null ? null : (
                <Link to="/record/$record" params={{ record: tool.rows.preview }} className="text-accent">
                  {t("pane.preview")}
                </Link>
              )}
            </span>
          )}
        </Fact>
      ) : null}
      {tool && tool.data.length > 0 ? (
        <Fact label={t("pane.data")}>
          {tool.data.map((one) => (
            <span key={`${one.path}/${one.kind}`} className="block">
              <Untrusted text={one.kind} max={16} />{" "}
              <code className="mono text-caption text-t3">
                <Untrusted text={one.path} max={40} />
              </code>
            </span>
          ))}
        </Fact>
      ) : null}
      {command ? (
        <Fact label={t("pane.programs")}>
          <code className="mono text-caption">
            <Untrusted text={command.programs.join(", ")} max={80} />
          </code>
          {command.understood ? null : <span className="block text-ask">{t("pane.notUnderstood")}</span>}
          {command.effects.length === 0 && !command.unknown ? null : <span className="block text-t3">{effectsOf(command).map((effect) => t(effect === "unknown" ? "common.unknown" : `card.command.effect.${effect}`)).join(", ")}</span>}
        </Fact>
      ) : null}
      {command && command.hosts.length > 0 ? (
        <Fact label={t("pane.where")}>
          {command.hosts.map((host) => (
            <span key={host} className="block">
              <HostName host={host} />
            </span>
          ))}
        </Fact>
      ) : null}
      {command && command.folder !== null ? (
        <Fact label={t("pane.folder")}>
          <span className="mono text-caption">
            <Untrusted text={command.folder} max={60} />
          </span>
        </Fact>
      ) : null}
      {whole && isCut(subject) ? <Fact label={t("card.hidden.label")}>{t("card.hidden.text")}</Fact> : null}
      {result === null ? null : (
        <Fact label={t("pane.result")}>
          {result.kind === "schema_failure" ? <SchemaProblems problems={result.problems} /> : null}
          {result.kind === "exited" ? <span className={result.code === 0 ? "" : "text-ask"}>{result.code === null ? t("pane.signal") : t("pane.exit", { code: result.code })}</span> : <span className={result.kind === "ok" ? "" : "text-ask"}>{t(`pane.results.${result.kind}`)}</span>}
        </Fact>
      )}
      {repeated === null ? null : (
        <Fact label={t("pane.repeats")}>
          <Link to="/record/$record" params={{ record: repeated }} className="text-accent">
            {t("pane.repeated")}
          </Link>
        </Fact>
      )}
    </>
  );
}
