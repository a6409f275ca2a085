// The card of one question. It never takes the focus; only chords inside it, and presses that began on it, decide.
import { type KeyboardEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { chordKey } from "../../../components/keys";
import { useToast } from "../../../components/toasts";
import type { AnswerDto } from "../../../engine/bindings/AnswerDto";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { ScopeDto } from "../../../engine/bindings/ScopeDto";
import { plain } from "../../../lib/text";
import { mustBeSeen } from "../model";
import { useProposed, useRaise, useResolve } from "../queries";
import { useArming } from "../use-arming";
import { BudgetHold } from "./budget-hold";
import { CardActions } from "./card-actions";
import { CardBody, CardMore, useSentence } from "./card-body";
import { CardTop } from "./card-top";
import { useSeen } from "./exact-text";
import type { MarkOf } from "./mark";
import { type Wider, useRule, WiderAnswer } from "./wider-answer";

export type Decide = {
  armed: boolean;
  /** Answers sent so far. */
  sent: number;
  /** Whether allowing is possible now: armed, and seen where it must be. */
  mayAllow: boolean;
  allow: (scope: ScopeDto) => void;
  deny: (reason: string | null, stop: boolean) => void;
  /** Raises a budget for this session by so much, and allows this call. */
  raise: (budget: string, by: number) => void;
};

export function Card({ question, mark, onDecided }: { question: ApprovalDto; mark: MarkOf | null; onDecided: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const resolve = useResolve();
  const raise = useRaise();
  const pending = resolve.isPending || raise.isPending;
  const proof = useRef<HTMLInputElement>(null);
  const [rule, setRule] = useRule(question);
  const title = useSentence(question);
  const [shownAt] = useState(() => Date.now());
  const [wider, setWider] = useState<Wider | null>(null);
  const proposed = useProposed(question.id, rule, wider === "always");
  const [denying, setDenying] = useState(false);
  // What is typed lives in its field alone: nothing that the card is drawn anew for can be older than it and overwrite it.
  const reason = useRef<HTMLInputElement>(null);
  const [sent, setSent] = useState(0);

  const nonce = question.arming?.nonce ?? "";
  const stamp = `${question.id}/${question.fingerprint}/${nonce}/${wider ?? ""}/${wider === "always" ? JSON.stringify([rule, proposed.text ?? ""]) : ""}`;
  const { armed, guard } = useArming(stamp, nonce !== "" && !pending, question.arming?.armsAfterMs ?? 700);
  const { area, seen, look } = useSeen(`${question.id}/${question.fingerprint}`);
  const mayAllow = armed && (seen.whole || !mustBeSeen(question.risk));

  const send = (answer: AnswerDto, stop: boolean, done: () => void) => {
    const always = answer.kind === "approve" && answer.scope.kind === "always";
    resolve.mutate({ question, answer, stop, shownAt, rule: always ? rule : null, proof: typed() }, { onSuccess: () => (done(), onDecided()) });
  };
  // Read once, when it is sent, and gone from the field.
  const typed = () => {
    const value = proof.current?.value ?? "";
    if (proof.current) proof.current.value = "";
    setSent((times) => times + 1);
    return value === "" ? null : value;
  };
  const agent = plain(question.agentName);
  const decide: Decide = {
    armed,
    sent,
    mayAllow,
    allow: (scope) => {
      // What is written is what is shown: a text that is not read and weighed yet is not written, by a chord either.
      if (mayAllow && (scope.kind !== "always" || proposed.text !== undefined)) send({ kind: "approve", scope }, false, () => toast("done", t("card.toast.allowed", { agent })));
    },
    raise: (budget, by) => {
      if (mayAllow) raise.mutate({ question, budget, by, shownAt, proof: typed() }, { onSuccess: () => (toast("done", t("card.toast.raised", { agent })), onDecided()) });
    },
    deny: (said, stop) => {
      if (!armed) return;
      send({ kind: "refuse", reason: said }, stop, () => toast("denied", t(stop ? "card.toast.stopped" : said ? "card.toast.deniedReason" : "card.toast.denied", { agent })));
    },
  };

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (!chordKey(event) || event.altKey) return;
    const isEnter = event.key === "Enter";
    if (!isEnter && event.key !== "Backspace") return;
    // Inside the reason, deleting a word stays deleting a word.
    if (!isEnter && event.target instanceof HTMLInputElement && event.target.value !== "") return;
    event.preventDefault();
    event.stopPropagation();
    if (!guard.takesKeys(event.repeat)) return;
    if (!isEnter) decide.deny(reason.current?.value.trim() || null, event.shiftKey);
    else if (wider !== null && !event.shiftKey) decide.allow({ kind: wider });
    else if (event.shiftKey) {
      if (question.arming?.alwaysText) setWider("always");
    } else if (!denying) decide.allow({ kind: "once" });
  };

  return (
    // The card is a group that can hold the focus, so that chords have a place; it never asks for it.
    <div
      id="card"
      role="group"
      tabIndex={0}
      aria-label={t("card.label", { risk: t(`risk.long.${question.risk}`), agent, sentence: title })}
      data-armed={armed}
      onKeyDown={onKeyDown}
      onPointerDownCapture={() => guard.press()}
      onClickCapture={(event) => {
        const button = event.target instanceof Element ? event.target.closest("[data-decides]") : null;
        if (button && !guard.takesClick(event.detail > 0)) {
          event.preventDefault();
          event.stopPropagation();
        }
      }}
      className="flex max-h-full min-h-0 w-full max-w-[696px] flex-col overflow-hidden bg-surface wide:rounded-card wide:border wide:border-line"
    >
      {wider === null ? (
        <>
          <CardTop question={question} />
          <div className="min-h-0 flex-initial overflow-y-auto">
            <CardBody question={question} area={area} look={look}>
              {question.unaffordable === null ? null : <BudgetHold question={question} decide={decide} />}
            </CardBody>
            <CardMore question={question} />
          </div>
          <CardActions question={question} decide={decide} seen={seen} mark={mark} denying={denying} setDenying={setDenying} reason={reason} onWider={setWider} proof={proof} error={resolve.error ?? raise.error} />
        </>
      ) : (
        <WiderAnswer question={question} wider={wider} decide={decide} mark={mark} proof={proof} rule={rule} onRule={setRule} proposed={proposed} onBack={() => setWider(null)} error={resolve.error} />
      )}
    </div>
  );
}
