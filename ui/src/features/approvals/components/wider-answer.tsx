// The rule before it exists: what a wider answer gives or writes, whole, with the action still in view.
import { ArrowLeft, Info } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { CedarText } from "../../../components/cedar";
import { Inset } from "../../../components/inset";
import { Keys } from "../../../components/keys";
import { Risk } from "../../../components/risk";
import { UntrustedBlock } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { EngineError } from "../../../engine/client";
import { exactText } from "../model";
import type { Decide } from "./card";
import { Who } from "./card-body";
import { TimeLeft } from "./card-top";
import { DecisionError } from "./decision-error";
import { Mark } from "./mark";

export type Wider = "session" | "always";

export function WiderAnswer({ question, wider, decide, mark, onBack, error }: { question: ApprovalDto; wider: Wider; decide: Decide; mark: string | null; onBack: () => void; error: EngineError | null }) {
  const { t } = useTranslation();
  const { arming } = question;
  const text = (wider === "always" ? arming?.alwaysText : arming?.sessionText) ?? "";
  return (
    <>
      <header className="flex h-10 flex-none items-center gap-2 border-b border-line pr-4 pl-2">
        <Button kind="icon" aria-label={t("card.back")} onClick={onBack}>
          <ArrowLeft size={14} strokeWidth={1.5} aria-hidden />
        </Button>
        <h2 className="font-semibold">{wider === "always" ? t("card.alwaysTitle") : t("card.allowSession")}</h2>
        <span className="flex-1" />
        <Risk risk={question.risk} strong />
        <span aria-hidden="true" className="text-t3">
          {"·"}
        </span>
        <TimeLeft question={question} />
      </header>
      <div className="min-h-0 flex-initial overflow-y-auto px-4 py-3">
        <Who question={question} />
        <div className="my-2.5 max-h-40 overflow-y-auto">
          <Inset small>
            <UntrustedBlock text={exactText(question)} />
          </Inset>
        </div>
        <CedarText text={text} file={wider === "always" ? (arming?.alwaysFile ?? null) : null} />
        <p className="mt-3 flex items-start gap-2 text-t2">
          <Info size={14} strokeWidth={1.5} aria-hidden className="mt-0.75 flex-none text-t3" />
          {t(wider === "always" ? "card.alwaysSays" : "card.sessionSays")}
        </p>
      </div>
      <footer className="flex-none border-t border-line px-4 py-3">
        {error ? <DecisionError error={error} /> : null}
        <div className="flex items-center gap-2">
          <Mark words={mark} />
          <span className="flex-1" />
          <Button large onClick={onBack}>
            {t("common.cancel")}
          </Button>
          <Button large kind="primary" data-decides inert={!decide.mayAllow || text === ""} onClick={() => decide.allow({ kind: wider })}>
            {t(wider === "always" ? "card.write" : "card.giveSession")}
            <Keys of={["mod", "enter"]} />
          </Button>
        </div>
      </footer>
    </>
  );
}
