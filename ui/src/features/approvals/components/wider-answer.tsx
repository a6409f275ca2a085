// A wider answer replaces the card's body, so that the exact action stays in view above the rule.
import { ArrowLeft, Info } from "lucide-react";
import { type RefObject, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { CedarText } from "../../../components/cedar";
import { Glyph } from "../../../components/glyph";
import { Inset } from "../../../components/inset";
import { Keys } from "../../../components/keys";
import { Risk } from "../../../components/risk";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { RuleChoiceDto } from "../../../engine/bindings/RuleChoiceDto";
import type { EngineError } from "../../../engine/client";
import type { useProposed } from "../queries";
import type { Decide } from "./card";
import { Who } from "./card-body";
import { TimeLeft } from "./card-top";
import { Conflict } from "./conflict";
import { DecisionError } from "./decision-error";
import { ExactLines } from "./exact-text";
import { Mark, type MarkOf } from "./mark";
import { Proof } from "./proof";
import { PROPOSED, RuleChoice } from "./rule-choice";

export type Wider = "session" | "always";

type WiderAnswerProps = {
  question: ApprovalDto;
  wider: Wider;
  decide: Decide;
  mark: MarkOf | null;
  proof: RefObject<HTMLInputElement | null>;
  rule: RuleChoiceDto;
  onRule: (rule: RuleChoiceDto) => void;
  /** The rule as it would be written. */
  proposed: ReturnType<typeof useProposed>;
  onBack: () => void;
  error: EngineError | null;
};

export function WiderAnswer({ question, wider, decide, mark, proof, rule, onRule, proposed, onBack, error }: WiderAnswerProps) {
  const { t } = useTranslation();
  const { arming } = question;
  // What is written is what is shown: while the shown text belongs to other choices, nothing can be written.
  const shown = wider === "session" ? arming?.sessionText : proposed.text;
  const needsProof = question.facts?.needsProof === true || (wider === "always" && proposed.preview?.needsProof === true);
  return (
    <>
      <header className="flex h-10 flex-none items-center gap-2 border-b border-line ps-2 pe-4">
        <Button kind="icon" aria-label={t("card.back")} onClick={onBack}>
          <ArrowLeft size={14} strokeWidth={1.5} aria-hidden />
        </Button>
        <h2 className="font-semibold">{wider === "always" ? t("card.alwaysTitle") : t("card.allowSession")}</h2>
        <span className="flex-1" />
        {question.resolved ? null : (
          <>
            <Glyph shape="held" className="text-ask" />
            <Dotted />
          </>
        )}
        <Risk risk={question.risk} strong />
        {question.resolved ? null : (
          <>
            <Dotted />
            <TimeLeft question={question} />
          </>
        )}
      </header>
      <div className="min-h-0 flex-initial overflow-y-auto px-4 py-3">
        <Who question={question} />
        <div className="my-2.5 max-h-40 overflow-y-auto" tabIndex={0} role="region" aria-label={t("card.exact.whole")}>
          <Inset small>
            <ExactLines question={question} />
          </Inset>
        </div>
        {wider === "always" ? (
          <RuleChoice question={question} rule={rule} onRule={onRule} proposed={proposed} />
        ) : (
          <>
            <CedarText text={arming?.sessionText ?? ""} file={null} />
            <p className="mt-3 flex items-start gap-2 text-t2">
              <Info size={14} strokeWidth={1.5} aria-hidden className="mt-0.75 flex-none text-t3" />
              {t("card.sessionSays")}
            </p>
          </>
        )}
      </div>
      <footer data-actions className="flex-none border-t border-line px-4 py-3">
        {error?.code === "stillDecides" ? <Conflict error={error} approval={question.id} text={shown ?? ""} onCancel={onBack} /> : error ? <DecisionError error={error} /> : null}
        {question.facts && needsProof ? <Proof facts={question.facts} field={proof} sent={decide.sent} /> : null}
        <div className="flex items-center gap-2">
          <Mark mark={mark} />
          <span className="flex-1" />
          <Button large onClick={onBack}>
            {t("common.cancel")}
          </Button>
          <Button large kind="primary" data-decides inert={!decide.mayAllow || !shown} onClick={() => decide.allow({ kind: wider })}>
            {wider === "session" ? t("card.giveSession") : question.resolved ? t("card.writeOnly") : t("card.write")}
            <Keys of={["mod", "enter"]} />
          </Button>
        </div>
      </footer>
    </>
  );
}

function Dotted() {
  return (
    <span aria-hidden="true" className="text-t3">
      {"·"}
    </span>
  );
}

/** The choices of one card; a card of another question begins with what is proposed. */
export function useRule(question: ApprovalDto): [RuleChoiceDto, (rule: RuleChoiceDto) => void] {
  const [chosen, choose] = useState<RuleChoiceDto | null>(null);
  return [chosen ?? { ...PROPOSED, width: question.arming?.widths[0] ?? PROPOSED.width }, choose];
}
