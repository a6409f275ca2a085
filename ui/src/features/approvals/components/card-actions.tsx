// The five outcomes, and the sentence of what the next press does.
import { Check, Lock } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Prose } from "../../../components/prose";
import { Keys } from "../../../components/keys";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { EngineError } from "../../../engine/client";
import { mustBeSeen } from "../model";
import type { Decide } from "./card";
import { DecisionError } from "./decision-error";
import type { Seen } from "./exact-text";
import { Mark } from "./mark";
import type { Wider } from "./wider-answer";

type CardActionsProps = {
  question: ApprovalDto;
  decide: Decide;
  seen: Seen;
  mark: string | null;
  denying: boolean;
  setDenying: (denying: boolean) => void;
  reason: string;
  setReason: (reason: string) => void;
  onWider: (wider: Wider) => void;
  error: EngineError | null;
};

export function CardActions({ question, decide, seen, mark, denying, setDenying, reason, setReason, onWider, error }: CardActionsProps) {
  const { t } = useTranslation();
  const { arming } = question;
  return (
    <footer className="flex-none border-t border-line px-4 pt-3 pb-2.5">
      {error ? <DecisionError error={error} /> : null}
      {denying ? <DenyReason decide={decide} reason={reason} setReason={setReason} onCancel={() => setDenying(false)} /> : null}
      {denying ? null : (
        <div className="flex items-center gap-2">
          <Button large data-decides inert={!decide.armed} onClick={() => setDenying(true)}>
            {t("card.deny")}
            <span className="hidden wide:inline-flex">
              <Keys of={["mod", "backspace"]} />
            </span>
          </Button>
          <Button large kind="danger" data-decides inert={!decide.armed} onClick={() => decide.deny(null, true)}>
            {t("card.denyStop")}
          </Button>
          <span className="flex-1" />
          <span className="inline-flex">
            <Button large className="rounded-r-none" data-decides inert={!decide.mayAllow || !arming?.sessionText} onClick={() => onWider("session")}>
              {t("card.allowSession")}
            </Button>
            <Button large className="-ml-px rounded-l-none" data-decides inert={!decide.mayAllow || !arming?.alwaysText} onClick={() => onWider("always")}>
              {t("card.allowAlways")}
            </Button>
          </span>
          <Button large kind="primary" data-decides inert={!decide.mayAllow} onClick={() => decide.allow({ kind: "once" })}>
            {t("card.allowOnce")}
            <span className="hidden wide:inline-flex">
              <Keys of={["mod", "enter"]} />
            </span>
          </Button>
        </div>
      )}
      <p className="mt-2 flex items-center gap-1.5 text-caption text-t2" aria-live="polite">
        <Says question={question} decide={decide} seen={seen} />
        <span className="flex-1" />
        <Mark words={mark} />
      </p>
    </footer>
  );
}

/** What is true of the buttons now. */
function Says({ question, decide, seen }: { question: ApprovalDto; decide: Decide; seen: Seen }) {
  const { t } = useTranslation();
  const must = mustBeSeen(question.risk);
  const unseen = must && !seen.whole;
  const Icon = decide.armed && !unseen ? Check : Lock;
  return (
    <>
      <Icon size={14} strokeWidth={1.5} aria-hidden className="flex-none" />
      <span className="min-w-0">
        <span className="font-medium text-t1">{decide.armed ? t("card.armed") : t("card.notArmed")}</span>{" "}
        {unseen ? t("card.unseen", { seen: seen.seen, total: seen.total }) : must ? t("card.seenSays") : t("card.onceSays")}
        {question.arming?.notLiftable ? <OnlyOnce why={question.arming.notLiftable} /> : null}
      </span>
    </>
  );
}

function OnlyOnce({ why }: { why: string }) {
  const { t } = useTranslation();
  return (
    <>
      {` ${t("card.notLiftable")} `}
      <Prose text={why} />
      {"."}
    </>
  );
}

const PRESETS = ["safer", "ask", "notHere"] as const;

function DenyReason({ decide, reason, setReason, onCancel }: { decide: Decide; reason: string; setReason: (reason: string) => void; onCancel: () => void }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  // The person opened this line; typing goes there.
  useEffect(() => input.current?.focus(), []);
  const send = () => decide.deny(reason.trim() || null, false);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onCancel();
      }}
    >
      <div className="mb-2 flex flex-wrap items-center gap-1.5">
        {PRESETS.map((preset) => (
          <Button key={preset} className="h-6 text-caption" onClick={() => setReason(t(`card.presets.${preset}`))}>
            {t(`card.presets.${preset}`)}
          </Button>
        ))}
      </div>
      <div className="flex items-center gap-2">
        <input
          ref={input}
          value={reason}
          maxLength={200}
          onChange={(event) => setReason(event.target.value)}
          aria-label={t("card.reason")}
          placeholder={t("card.reasonPlaceholder")}
          className="h-8 min-w-0 flex-1 rounded-control border border-line-control bg-surface px-2 placeholder:text-t3"
        />
        <Button large kind="ghost" onClick={onCancel}>
          {t("common.cancel")}
        </Button>
        <Button large kind="primary" type="submit" data-decides inert={!decide.armed}>
          {t("card.sendDenial")}
        </Button>
      </div>
    </form>
  );
}
