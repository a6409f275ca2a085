// The first parts of the detail: summary, what was sent, why, and at what price.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile, LayerBadge } from "../../../components/badge";
import { Fact, Facts } from "../../../components/facts";
import { HostName } from "../../../components/host-name";
import { Id } from "../../../components/id";
import { Inset } from "../../../components/inset";
import { JsonView } from "../../../components/json-view";
import { Prose } from "../../../components/prose";
import { Risk } from "../../../components/risk";
import { Untrusted, UntrustedBlock } from "../../../components/untrusted";
import type { OperationDetailDto } from "../../../engine/bindings/OperationDetailDto";
import type { ReasonDto } from "../../../engine/bindings/ReasonDto";
import { money, tokens } from "../../../lib/money";
import { plain } from "../../../lib/text";
import { exact, took } from "../../../lib/time";
import { refusalOf } from "../model";
import { Note } from "./note";
import { ToolFacts } from "./pane-tool";
import { WeighedAgain } from "./weighed-again";

export type Part = { detail: OperationDetailDto };

export function Section({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <section className="mt-3 border-t border-line pt-3 first:mt-0 first:border-0 first:pt-0">
      {title ? <h3 className="mb-1.5 text-caption font-semibold text-t2">{title}</h3> : null}
      {children}
    </section>
  );
}

export function SummaryPart({ detail }: Part) {
  const { t } = useTranslation();
  const { row, verdict, denial } = detail;
  const reasons = denial?.reasons.length ? denial.reasons : (verdict?.reasons ?? []);
  const turned = denial !== null && !row.state.startsWith("would");
  const local = row.kind === "mcp" || row.kind === "shell";
  const answered = refusalOf(detail);
  const decided = turned ? "deny" : (verdict?.decision ?? "deny");
  // A rule only asked: who turned it away was a person, or the clock.
  const title = row.state === "refused" ? (answered?.by ? t("pane.decidedBy.refused", { who: plain(answered.by).slice(0, 40) }) : t("pane.decidedBy.refusedUnnamed")) : t(`pane.decidedBy.${row.state === "expired" ? "expired" : decided}`);
  return (
    <>
      <Section>
        <Note row={row} />
        <Inset small copy={row.summary} caption={row.kind}>
          <UntrustedBlock text={row.summary} />
        </Inset>
      </Section>
      {answered?.reason ? (
        <Section title={t("pane.said")}>
          <UntrustedBlock text={answered.reason} />
        </Section>
      ) : null}
      {verdict || reasons.length > 0 ? (
        <Section title={title}>
          {reasons.length === 0 ? <p className="text-t2">{t("pane.noRule")}</p> : null}
          {reasons.map((reason) => (
            <Reason key={reason.rule} reason={reason} />
          ))}
        </Section>
      ) : null}
      <Section>
        <Facts narrow>
          <Fact label={t("pane.agent")}>
            <span className="inline-flex items-center gap-1.5">
              <AgentTile name={row.agentName} />
              <Untrusted text={row.agentName} max={40} />
            </span>
          </Fact>
          <Fact label={t("pane.when")}>{exact(row.at)}</Fact>
          <Fact label={t("pane.session")}>
            <Id text={row.session}>
              <Link to="/timeline" search={{ view: "flow", session: row.session, op: row.id }} className="mono text-caption text-accent">
                <Untrusted text={row.session} max={32} />
              </Link>
            </Id>
          </Fact>
          <Fact label={t("pane.id")}>
            <Id text={row.id} max={22} />
          </Fact>
          {detail.parent === null ? null : (
            <Fact label={t("pane.parent")}>
              <Link to="/record/$record" params={{ record: detail.parent }} className="mono text-caption text-accent">
                <Untrusted text={detail.parent} max={32} />
              </Link>
            </Fact>
          )}
          {row.host === null ? null : (
            <Fact label={t("pane.where")}>
              <HostName host={row.host} />
              {detail.ip === null ? null : (
                <span className="block text-t3">
                  <Untrusted text={detail.ip} max={60} />
                </span>
              )}
            </Fact>
          )}
          {row.model === null ? null : (
            <Fact label={t("pane.model")}>
              <Untrusted text={row.model} max={60} />
            </Fact>
          )}
          <ToolFacts detail={detail} />
          {turned ? <Fact label={t("pane.sent")}>{t(local ? "pane.nothingRun" : "pane.nothingSent")}</Fact> : local ? null : <Fact label={t("pane.answer")}>{row.status ?? <span className="text-t3">{t("pane.notSeen")}</span>}</Fact>}
          {row.error === null ? null : (
            <Fact label={t("pane.outcome")}>
              <Untrusted text={row.error} />
            </Fact>
          )}
          <Fact label={t("pane.took")}>{row.tookMs === null ? <span className="text-t3">{t("pane.notSeen")}</span> : took(row.tookMs)}</Fact>
          {row.credential === null || turned ? null : (
            <Fact label={t("pane.credential")}>
              <Untrusted text={row.credential} max={40} />
              {`, ${t("pane.injected")}`}
            </Fact>
          )}
          {row.risk === null ? null : (
            <Fact label={t("pane.risk")}>
              <span className="inline-flex flex-wrap items-center gap-x-1.5">
                <Risk risk={row.risk} />
                <span className="text-t3">
                  <Prose text={verdict?.riskReasons.join(", ") ?? ""} />
                </span>
              </span>
            </Fact>
          )}
        </Facts>
      </Section>
      {denial ? (
        <Section title={t("pane.heard")}>
          <Inset small>
            <UntrustedBlock text={[denial.message, denial.advice].filter(Boolean).join(". ").replaceAll("..", ".")} />
          </Inset>
        </Section>
      ) : null}
    </>
  );
}

/** Leads to the rule, where it is one that can be shown: of a Cedar file that no project brought, or of one's own rules for tools. */
function RuleName({ reason }: { reason: ReasonDto }) {
  const name = <Untrusted text={reason.rule} max={48} />;
  const look = "mono inline-flex min-h-6 items-center text-caption font-semibold text-accent";
  if (reason.file.endsWith(".cedar") && reason.layer !== "project") {
    return (
      <Link to="/policies/$rule" params={{ rule: reason.rule }} className={look}>
        {name}
      </Link>
    );
  }
  if (reason.file === "tools.yaml" && reason.layer === "mine") {
    return (
      <Link to="/policies/file/$file" params={{ file: reason.file }} className={look}>
        {name}
      </Link>
    );
  }
  return <code className="mono text-caption font-semibold">{name}</code>;
}

function Reason({ reason }: { reason: ReasonDto }) {
  const { t } = useTranslation();
  return (
    <div className="mb-1.5 last:mb-0">
      <div className="flex min-w-0 flex-wrap items-center gap-1.5">
        <RuleName reason={reason} />
        <LayerBadge layer={reason.layer} />
        {reason.file === "" ? null : (
          <span className="text-caption text-t3">
            <Untrusted text={t("pane.line", { file: reason.file, line: reason.line })} max={48} />
          </span>
        )}
      </div>
      <p className="mt-0.5 text-t2 first-letter:uppercase">
        <Prose text={reason.text} />
      </p>
    </div>
  );
}

export function RequestPart({ detail }: Part) {
  const { t } = useTranslation();
  if (detail.view !== null) {
    return (
      <Inset small caption={detail.row.kind} copy={JSON.stringify(detail.view, null, 2)}>
        <JsonView value={detail.view} />
      </Inset>
    );
  }
  return (
    <>
      <p className="mb-3 text-t2">{t("pane.noView")}</p>
      <Structure value={detail.subject} title={t("pane.facts")} />
    </>
  );
}

export function Structure({ value, title }: { value: unknown; title: string }) {
  if (value === null) return null;
  return (
    <Section title={title}>
      <Inset small>
        <JsonView value={value} />
      </Inset>
    </Section>
  );
}

export function DecisionPart({ detail }: Part) {
  const { t } = useTranslation();
  const { verdict } = detail;
  return (
    <>
      {verdict ? (
        <Section title={t(`pane.decidedBy.${verdict.decision}`)}>
          {verdict.reasons.length === 0 ? <p className="text-t2">{t("pane.noRule")}</p> : null}
          {verdict.reasons.map((reason) => (
            <Reason key={reason.rule} reason={reason} />
          ))}
          {verdict.liftedBy.length === 0 ? null : (
            <p className="mt-2 text-t2">
              {`${t("pane.lifted")} `}
              <code className="mono text-caption">
                <Untrusted text={verdict.liftedBy.join(", ")} />
              </code>
            </p>
          )}
          <p className="mt-2 text-caption text-t3">{t("pane.revision", { revision: verdict.revision })}</p>
        </Section>
      ) : null}
      {verdict ? <WeighedAgain operation={detail.row.id} /> : null}
      <Structure value={detail.subject} title={t("pane.facts")} />
    </>
  );
}

export function CostPart({ detail }: Part) {
  const { t } = useTranslation();
  const { cost } = detail;
  if (!cost) return <p className="text-t2">{t("pane.noCost")}</p>;
  return (
    <Facts narrow>
      <Fact label={t("pane.reserved")}>{money(cost.reserved)}</Fact>
      <Fact label={t("pane.settled")}>{cost.settled === null ? <span className="text-budget">{t("pane.open_")}</span> : <span className="font-medium">{money(cost.settled)}</span>}</Fact>
      {cost.settled === null ? null : <Fact label={t("pane.released")}>{money(Math.max(0, cost.reserved - cost.settled))}</Fact>}
      {cost.worth === null || cost.worth === cost.settled ? null : <Fact label={t("pane.worth")}>{money(cost.worth)}</Fact>}
      <Fact label={t("pane.tokens")}>{cost.tokens === null ? tokens(cost.reservedTokens) : cost.tokens.toLocaleString("en-US")}</Fact>
      <Fact label={t("pane.price")}>{cost.price ?? <span className="text-t3">{t("common.unknown")}</span>}</Fact>
      <Fact label={t("pane.accounts")}>
        {cost.accounts.length === 0 ? <span className="text-t3">{t("pane.noAccounts")}</span> : null}
        {cost.accounts.map((account) => (
          <code key={account} className="mono block text-caption">
            <Untrusted text={account} max={40} />
          </code>
        ))}
      </Fact>
      {cost.estimated ? <Fact label={t("timeline.estimated")}>{t("pane.estimated")}</Fact> : null}
      {cost.overrun ? (
        <Fact label={t("pane.settled")}>
          <span className="text-deny">{t("pane.overrun")}</span>
        </Fact>
      ) : null}
    </Facts>
  );
}
