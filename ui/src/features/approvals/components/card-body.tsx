// The upper part of a card: who, what, where to, why, at what price.
import { ArrowRight, Folder, GitBranch, KeyRound, Lightbulb, TriangleAlert } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { Trans, useTranslation } from "react-i18next";
import { AgentTile, Badge, LayerBadge } from "../../../components/badge";
import { Dot, Fact, Facts } from "../../../components/facts";
import { HostName } from "../../../components/host-name";
import { Id } from "../../../components/id";
import { JsonView } from "../../../components/json-view";
import { Inset } from "../../../components/inset";
import { Prose } from "../../../components/prose";
import { Untrusted, UntrustedBlock } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { ReasonDto } from "../../../engine/bindings/ReasonDto";
import { bytes, money } from "../../../lib/money";
import { exact as exactTime } from "../../../lib/time";
import { amountOf, bodyBytes, effectOf, hostOf, sentence, shortOf } from "../model";
import { Disclosure } from "./disclosure";
import { ExactText } from "./exact-text";
import { ToolTarget, TriedMore } from "./tool-target";

export function useSentence(question: ApprovalDto): string {
  const { t } = useTranslation();
  const { key, method } = sentence(question);
  return t(`sentence.${key}`, { method }).replace("  ", " ");
}

export function Who({ question }: { question: ApprovalDto }) {
  const command = question.facts?.command.join(" ") ?? "";
  const stranger = question.facts?.stranger;
  return (
    <>
      <Sender question={question} command={command} />
      {stranger === undefined ? null : <Stranger program={stranger} />}
    </>
  );
}

/** What asks is no program that the session started. */
function Stranger({ program }: { program: string }) {
  const { t } = useTranslation();
  return (
    <p className="mt-1 flex min-w-0 items-center gap-1.5 font-medium text-ask">
      <TriangleAlert size={14} strokeWidth={1.75} aria-hidden className="flex-none" />
      {program === "" ? null : (
        <span className="mono min-w-0 truncate text-caption font-normal">
          <Untrusted text={program} max={60} />
        </span>
      )}
      <span className="flex-none">{program === "" ? t("card.stranger") : t("card.strangerNamed")}</span>
    </p>
  );
}

function Sender({ question, command }: { question: ApprovalDto; command: string }) {
  const { t } = useTranslation();
  const branch = question.facts?.branch;
  return (
    <div className="flex min-w-0 items-center gap-2 text-t2">
      <AgentTile name={question.agentName} />
      <span className="flex-none font-medium text-t1">
        <Untrusted text={question.agentName} max={40} />
      </span>
      {command === "" ? null : (
        <>
          <Apart />
          <span className="mono min-w-0 flex-initial truncate text-caption">
            <Untrusted text={command} max={40} />
          </span>
        </>
      )}
      <Apart />
      <span className="mono inline-flex min-w-0 items-center gap-1.25 text-caption">
        <Folder size={12} strokeWidth={1.5} aria-hidden className="flex-none" />
        <span className="truncate">
          <Untrusted text={question.cwd} max={48} />
        </span>
      </span>
      {branch === undefined ? null : (
        <>
          <Apart />
          <span title={t("card.branch")} className="mono inline-flex min-w-0 items-center gap-1.25 text-caption">
            <GitBranch size={12} strokeWidth={1.5} aria-hidden className="flex-none" />
            <span className="sr-only">{t("card.branch")}</span>
            <span className="truncate">
              <Untrusted text={branch} max={40} />
            </span>
          </span>
        </>
      )}
    </div>
  );
}

function Apart() {
  return (
    <span aria-hidden="true" className="flex-none text-t3">
      {"·"}
    </span>
  );
}

/** Who, what, where to, at what price, and why. */
export function CardBody({ question, area, look, children }: { question: ApprovalDto; area: RefObject<HTMLDivElement | null>; look: () => void; /** Between what it is and why it is held. */ children?: ReactNode }) {
  const { t } = useTranslation();
  const title = useSentence(question);
  // A budget that holds is told whole, with its figures.
  const rules = question.unaffordable === null ? question.reasons : question.reasons.filter((reason) => reason.layer !== "reeve");
  return (
    <div className="px-4 pt-3 pb-3">
      <Who question={question} />
      <h2 className="mt-1.5 mb-2.5 text-section font-semibold tracking-[-0.01em]">{title}</h2>
      <ExactText question={question} area={area} look={look} />
      <div className="mt-3 empty:hidden has-[dl:empty]:hidden">
        <Facts>
          <Target question={question} />
          <Price question={question} />
        </Facts>
      </div>
      {children}
      <div className="mt-3 border-t border-line pt-3">
        <Facts>
          {rules.length === 0 ? null : (
            <Fact label={t("card.whyHeld")}>
              {rules.map((reason) => (
                <Reason key={reason.rule} reason={reason} />
              ))}
            </Fact>
          )}
          <Fact label={t(`card.why.${question.risk}`)}>
            {question.riskReasons.length === 0 ? <span className="text-t3">{t("card.whyNone")}</span> : null}
            {question.riskReasons.map((why, at) => (
              <span key={why}>
                {at === 0 ? null : <Dot />}
                <Prose text={at === 0 ? why.charAt(0).toUpperCase() + why.slice(1) : why} />
              </span>
            ))}
          </Fact>
          <History question={question} />
          {question.unaffordable === null || question.facts ? null : (
            <Fact label={t("card.budget")}>
              <span className="font-medium text-ask">
                <Prose text={question.unaffordable} />
              </span>
            </Fact>
          )}
          {question.joined > 1 ? <Fact label={t("card.waiting")}>{t("card.waitingSame", { count: question.joined })}</Fact> : null}
        </Facts>
        <MakeRule question={question} />
      </div>
    </div>
  );
}

/** What was decided about the same before, and what the session has cost. */
function History({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const { facts } = question;
  if (!facts) return null;
  const { asked, approved, refused, days } = facts.before;
  const told = [approved > 0 ? t("card.before.approved", { count: approved }) : null, refused > 0 ? t("card.before.refused", { count: refused }) : null].filter(Boolean).join(", ");
  return (
    <>
      <Fact label={t("card.before.label")}>{asked === 0 ? t("card.before.never", { count: days }) : t("card.before.asked", { count: asked, days, told: told === "" ? "" : `, ${told}` })}</Fact>
      {question.unaffordable === null ? (
        <Fact label={t("card.sessionCost")}>
          <span className="font-medium">{money(facts.sessionCost)}</span>
        </Fact>
      ) : null}
    </>
  );
}

/** Often allowed by hand: a calm line, no more. */
function MakeRule({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const often = question.facts?.allowedLately ?? 0;
  if (often < OFTEN || question.resolved || !question.arming?.alwaysText) return null;
  return (
    <p className="mt-2.5 flex items-center gap-2 text-t2">
      <Lightbulb size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
      {t("card.makeRule", { count: often })}
    </p>
  );
}

/** Further down: which budgets decide, everything that is sent, all details, the agent's own words. */
export function CardMore({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const accounts = question.facts?.accounts ?? [];
  return (
    <div>
      {accounts.length === 0 ? null : (
        <Disclosure title={t("card.decides")} aside={t("card.budgets", { count: accounts.length })}>
          <table className="w-full text-caption">
            <thead className="text-t3">
              <tr>
                <th scope="col" className="py-0.5 text-start font-medium">{t("card.account.budget")}</th>
                <th scope="col" className="py-0.5 text-end font-medium">{t("card.account.free")}</th>
                <th scope="col" className="py-0.5 text-end font-medium">{t("card.account.limit")}</th>
                <th scope="col" className="py-0.5 text-end font-medium">{t("card.account.needed")}</th>
              </tr>
            </thead>
            <tbody>
              {accounts.map((one) => (
                <tr key={`${one.budget}/${one.account}`} className={shortOf(one) > 0 ? "text-ask" : ""}>
                  <td className="py-0.5">
                    <code className="mono">
                      <Untrusted text={one.budget} max={40} />
                    </code>{" "}
                    <span className="text-t3">
                      <Untrusted text={one.account} max={40} />
                    </span>
                  </td>
                  <td className="py-0.5 text-end">{amountOf(one, one.free)}</td>
                  <td className="py-0.5 text-end">{amountOf(one, one.limit)}</td>
                  <td className="py-0.5 text-end">{amountOf(one, one.needed)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Disclosure>
      )}
      <TriedMore view={question.view} />
      <Disclosure title={t("card.sent")} aside={t("card.untrusted")}>
        <Inset small warn>
          <JsonView value={question.view} />
        </Inset>
      </Disclosure>
      <Disclosure title={t("card.details")} aside={String(DETAILS)}>
        <Facts>
          <Fact label={t("card.asked")}>{exactTime(question.askedAt)}</Fact>
          <Fact label={t("card.expires")}>{exactTime(question.expiresAt)}</Fact>
          <Fact label={t("card.user")}>
            <Untrusted text={question.user} />
          </Fact>
          <Fact label={t("card.session")}>
            <Id text={question.session} />
          </Fact>
          <Fact label={t("card.operation")}>
            <Id text={question.operation} />
          </Fact>
          <Fact label={t("card.fingerprint")}>
            <Id text={question.fingerprint} />
          </Fact>
        </Facts>
      </Disclosure>
      {question.facts?.said === undefined ? null : (
        <Disclosure title={t("card.said")} aside={t("card.untrusted")}>
          <Inset small warn>
            <UntrustedBlock text={question.facts.said} />
          </Inset>
        </Disclosure>
      )}
    </div>
  );
}

/** So many lines the details have. */
const DETAILS = 6;
/** So many times by hand, and the card offers a rule. */
const OFTEN = 5;

function Target({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const host = hostOf(question);
  const leaving = bodyBytes(question);
  const effect = effectOf(question);
  if (question.kind === "mcp" || question.kind === "shell") return <ToolTarget question={question} uses={<Uses question={question} />} />;
  return (
    <>
      {host === null ? null : (
        <Fact label={t("card.where")}>
          <HostName host={host} />
        </Fact>
      )}
      {leaving === null ? null : <Fact label={t("card.leaves")}>{leaving === 0 ? t("card.leavesNothing") : t("card.leavesBody", { size: bytes(leaving) })}</Fact>}
      <Uses question={question} />
      {effect === null ? null : <Fact label={t("card.effect.label")}>{t(`card.effect.${effect}`)}</Fact>}
    </>
  );
}

/** The credential that is put in on the way out. */
function Uses({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const credential = question.facts?.credential;
  if (!question.facts) return null;
  return (
    <Fact label={t("card.uses")}>
      {credential ? (
        <span className="inline-flex flex-wrap items-center gap-x-1.5">
          <KeyRound size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t2" />
          <Untrusted text={credential.name} max={40} />
          <span className="inline-flex items-center gap-1 text-t2">
            <ArrowRight size={12} strokeWidth={1.5} aria-hidden className="text-t3" />
            {credential.slot === null ? t("card.slotUnknown") : <Untrusted text={credential.slot} max={60} />}
          </span>
        </span>
      ) : (
        t("card.usesNothing")
      )}
    </Fact>
  );
}

/** Estimate, its parts, and the price list it is from. */
function Price({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const { estimate, facts } = question;
  if (estimate === null) return null;
  const input = facts?.estimateIn ?? null;
  return (
    <>
      <Fact label={t("card.estimate")}>
        <Trans i18nKey="card.estimateUpTo" values={{ cost: money(estimate) }} components={{ b: <span className="font-medium" /> }} />
        {input === null ? null : <span className="text-t3"> {t("card.estimateParts", { input: money(input), output: money(Math.max(0, estimate - input)) })}</span>}
      </Fact>
      {facts ? <Fact label={t("card.prices")}>{facts.priceDate === null ? t("card.noPrice") : t("card.priceOf", { date: facts.priceDate })}</Fact> : null}
    </>
  );
}

export function Reason({ reason }: { reason: ReasonDto }) {
  const { t } = useTranslation();
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-x-1.5">
      <span className="flex-none">{t(reason.layer === "reeve" ? "card.check" : "card.rule")}</span>
      <code className="mono text-caption">
        <Untrusted text={reason.rule} max={64} />
      </code>
      {reason.layer === "reeve" ? <Badge tone="budget">{t("layer.reeve")}</Badge> : <LayerBadge layer={reason.layer} />}
      <span className="text-t3">
        <Prose text={reason.text} />
      </span>
    </div>
  );
}
