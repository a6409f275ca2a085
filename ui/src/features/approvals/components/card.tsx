// The card of one question. It never takes the focus; only chords inside it, and presses that began on it, decide.
import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { chordKey } from "../../../components/keys";
import { useToast } from "../../../components/toasts";
import type { AnswerDto } from "../../../engine/bindings/AnswerDto";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { ScopeDto } from "../../../engine/bindings/ScopeDto";
import { plain } from "../../../lib/text";
import { mustBeSeen } from "../model";
import { useResolve } from "../queries";
import { useArming } from "../use-arming";
import { CardActions } from "./card-actions";
import { CardBody, useSentence } from "./card-body";
import { CardTop } from "./card-top";
import { useSeen } from "./exact-text";
import { type Wider, WiderAnswer } from "./wider-answer";

export type Decide = {
  armed: boolean;
  /** Whether allowing is possible now: armed, and seen where it must be. */
  mayAllow: boolean;
  allow: (scope: ScopeDto) => void;
  deny: (reason: string | null, stop: boolean) => void;
};

export function Card({ question, mark, onDecided }: { question: ApprovalDto; mark: string | null; onDecided: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const resolve = useResolve();
  const title = useSentence(question);
  const [shownAt] = useState(() => Date.now());
  const [wider, setWider] = useState<Wider | null>(null);
  const [denying, setDenying] = useState(false);
  const [reason, setReason] = useState("");

  const nonce = question.arming?.nonce ?? "";
  const stamp = `${question.id}/${question.fingerprint}/${nonce}/${wider ?? ""}`;
  const { armed, guard } = useArming(stamp, nonce !== "" && !resolve.isPending, question.arming?.armsAfterMs ?? 700);
  const { area, seen, look } = useSeen(`${question.id}/${question.fingerprint}`);
  const mayAllow = armed && (seen.whole || !mustBeSeen(question.risk));

  const send = (answer: AnswerDto, stop: boolean, done: () => void) => {
    resolve.mutate({ question, answer, stop, shownAt }, { onSuccess: () => (done(), onDecided()) });
  };
  const agent = plain(question.agentName);
  const decide: Decide = {
    armed,
    mayAllow,
    allow: (scope) => {
      if (mayAllow) send({ kind: "approve", scope }, false, () => toast("done", t("card.toast.allowed", { agent })));
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
    if (!isEnter && event.target instanceof HTMLInputElement && reason !== "") return;
    event.preventDefault();
    event.stopPropagation();
    if (!guard.takesKeys(event.repeat)) return;
    if (!isEnter) decide.deny(reason.trim() || null, event.shiftKey);
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
            <CardBody question={question} area={area} look={look} />
          </div>
          <CardActions question={question} decide={decide} seen={seen} mark={mark} denying={denying} setDenying={setDenying} reason={reason} setReason={setReason} onWider={setWider} error={resolve.error} />
        </>
      ) : (
        <WiderAnswer question={question} wider={wider} decide={decide} mark={mark} onBack={() => setWider(null)} error={resolve.error} />
      )}
    </div>
  );
}
