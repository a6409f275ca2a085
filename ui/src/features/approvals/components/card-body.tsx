// The upper part of a card: who, what, where to, why, at what price.
import { Folder } from "lucide-react";
import type { RefObject } from "react";
import { Trans, useTranslation } from "react-i18next";
import { AgentTile, Badge, LayerBadge } from "../../../components/badge";
import { Dot, Fact, Facts } from "../../../components/facts";
import { HostName } from "../../../components/host-name";
import { JsonView } from "../../../components/json-view";
import { Inset } from "../../../components/inset";
import { Prose } from "../../../components/prose";
import { Untrusted } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { ReasonDto } from "../../../engine/bindings/ReasonDto";
import { bytes, money } from "../../../lib/money";
import { exact as exactTime } from "../../../lib/time";
import { bodyBytes, hostOf, sentence } from "../model";
import { Disclosure } from "./disclosure";
import { ExactText } from "./exact-text";

export function useSentence(question: ApprovalDto): string {
  const { t } = useTranslation();
  const { key, method } = sentence(question);
  return t(`sentence.${key}`, { method }).replace("  ", " ");
}

export function Who({ question }: { question: ApprovalDto }) {
  return (
    <div className="flex min-w-0 items-center gap-2 text-t2">
      <AgentTile name={question.agentName} />
      <span className="flex-none font-medium text-t1">
        <Untrusted text={question.agentName} max={40} />
      </span>
      <span aria-hidden="true" className="text-t3">
        {"·"}
      </span>
      <span className="mono inline-flex min-w-0 items-center gap-1.25 text-caption">
        <Folder size={12} strokeWidth={1.5} aria-hidden className="flex-none" />
        <span className="truncate">
          <Untrusted text={question.cwd} max={48} />
        </span>
      </span>
    </div>
  );
}

export function CardBody({ question, area, look }: { question: ApprovalDto; area: RefObject<HTMLDivElement | null>; look: () => void }) {
  const { t } = useTranslation();
  const title = useSentence(question);
  return (
    <>
      <div className="px-4 pt-3 pb-3">
        <Who question={question} />
        <h2 className="mt-1.5 mb-2.5 text-section font-semibold tracking-[-0.01em]">{title}</h2>
        <ExactText question={question} area={area} look={look} />
        <div className="mt-3 empty:hidden has-[dl:empty]:hidden">
          <Facts>
            <Target question={question} />
            {question.estimate === null ? null : (
              <Fact label={t("card.estimate")}>
                <Trans i18nKey="card.estimateUpTo" values={{ cost: money(question.estimate) }} components={{ b: <span className="font-medium" /> }} />
              </Fact>
            )}
          </Facts>
        </div>
        <div className="mt-3 border-t border-line pt-3">
          <Facts>
            <Fact label={t("card.whyHeld")}>
              {question.reasons.map((reason) => (
                <Reason key={reason.rule} reason={reason} />
              ))}
            </Fact>
            <Fact label={t(`card.why.${question.risk}`)}>
              {question.riskReasons.length === 0 ? <span className="text-t3">{t("card.whyNone")}</span> : null}
              {question.riskReasons.map((why, at) => (
                <span key={why}>
                  {at === 0 ? null : <Dot />}
                  <Prose text={at === 0 ? why.charAt(0).toUpperCase() + why.slice(1) : why} />
                </span>
              ))}
            </Fact>
            {question.unaffordable === null ? null : (
              <Fact label={t("card.budget")}>
                <span className="font-medium text-ask">
                  <Prose text={question.unaffordable} />
                </span>
              </Fact>
            )}
            {question.joined > 1 ? <Fact label={t("card.waiting")}>{t("card.waitingSame", { count: question.joined })}</Fact> : null}
          </Facts>
        </div>
      </div>
      <div>
        <Disclosure title={t("card.sent")} aside={t("card.untrusted")}>
          <Inset small>
            <JsonView value={question.view} />
          </Inset>
        </Disclosure>
        <Disclosure title={t("card.details")}>
          <Facts>
            <Fact label={t("card.asked")}>{exactTime(question.askedAt)}</Fact>
            <Fact label={t("card.user")}>
              <Untrusted text={question.user} />
            </Fact>
            <Fact label={t("card.session")}>
              <code className="mono text-caption">{question.session}</code>
            </Fact>
            <Fact label={t("card.operation")}>
              <code className="mono text-caption">{question.operation}</code>
            </Fact>
            <Fact label={t("card.fingerprint")}>
              <code className="mono text-caption">{question.fingerprint}</code>
            </Fact>
          </Facts>
        </Disclosure>
      </div>
    </>
  );
}

function Target({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const host = hostOf(question);
  const leaving = bodyBytes(question);
  return (
    <>
      {host === null ? null : (
        <Fact label={t("card.where")}>
          <HostName host={host} />
        </Fact>
      )}
      {leaving === null ? null : <Fact label={t("card.leaves")}>{leaving === 0 ? t("card.leavesNothing") : t("card.leavesBody", { size: bytes(leaving) })}</Fact>}
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
