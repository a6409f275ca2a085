// Questions that have an answer: as a line, and as a card. What it put in force can be undone; what expired, allowed late.
import { Link } from "@tanstack/react-router";
import { Lock, Undo2 } from "lucide-react";
import { type KeyboardEvent, type RefObject, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { CedarText } from "../../../components/cedar";
import { Fact, Facts } from "../../../components/facts";
import { Glyph, type Shape } from "../../../components/glyph";
import { useToast } from "../../../components/toasts";
import { Untrusted } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { ResolvedDto } from "../../../engine/bindings/ResolvedDto";
import type { ScopeDto } from "../../../engine/bindings/ScopeDto";
import { chordKey } from "../../../components/keys";
import { day, exact as exactTime, minute, took } from "../../../lib/time";
import { useAllowLate, useProposed, useUndo } from "../queries";
import { useArming } from "../use-arming";
import type { Decide } from "./card";
import { CardBody, CardMore } from "./card-body";
import { DecisionError } from "./decision-error";
import { useSeen } from "./exact-text";
import { Mark, type MarkOf } from "./mark";
import { Proof } from "./proof";
import { useRule, WiderAnswer } from "./wider-answer";

type Answer = "once" | "session" | "until" | "always" | "refused" | "expired" | "withdrawn";

function answerOf({ resolution }: ResolvedDto): { answer: Answer; until: string | null } {
  if (resolution.kind !== "approved") return { answer: resolution.kind, until: null };
  return { answer: resolution.scope.kind, until: resolution.scope.kind === "until" ? minute(resolution.scope.at) : null };
}

const LOOKS: Record<Answer, { shape: Shape; colour: string }> = {
  once: { shape: "approved", colour: "text-allow" },
  session: { shape: "approved", colour: "text-allow" },
  until: { shape: "approved", colour: "text-allow" },
  always: { shape: "approved", colour: "text-allow" },
  refused: { shape: "refused", colour: "text-deny" },
  expired: { shape: "expired", colour: "text-t3" },
  withdrawn: { shape: "expired", colour: "text-t3" },
};

function useAnswer(resolved: ResolvedDto): { word: string; short: string; shape: Shape; colour: string; answer: Answer } {
  const { t } = useTranslation();
  const { answer, until } = answerOf(resolved);
  return { word: t(`card.answered.${answer}`, { time: until ?? "" }), short: t(`card.short.${answer}`, { time: until ?? "" }), answer, ...LOOKS[answer] };
}

export function AnsweredRow({ question, selected, now, tall = false }: { question: ApprovalDto; selected: boolean; now: number; tall?: boolean }) {
  return question.resolved ? <Row question={question} resolved={question.resolved} selected={selected} now={now} tall={tall} /> : null;
}

function Row({ question, resolved, selected, now, tall }: { question: ApprovalDto; resolved: ResolvedDto; selected: boolean; now: number; tall: boolean }) {
  const { word, short, shape, colour } = useAnswer(resolved);
  return (
    <Link
      to="/inbox/$approval"
      params={{ approval: question.id }}
      search={({ tab, q }) => (tab === "decided" || tab === "expired" ? { tab, ...(q === undefined ? {} : { q }) } : {})}
      aria-current={selected ? "true" : undefined}
      className={`flex items-center gap-2 px-4 -outline-offset-2 ${tall ? "h-9 border-b border-line-row" : "h-7"} ${selected ? "bg-selected" : "hover:bg-hover"}`}
    >
      <span className={colour}>
        <Glyph shape={shape} size={12} />
        <span className="sr-only">{word}</span>
      </span>
      <span className="mono min-w-0 flex-1 truncate text-caption">
        <Untrusted text={question.summary} max={48} />
      </span>
      {question.left ? <Undo2 size={12} strokeWidth={1.5} aria-hidden className="flex-none text-t3" /> : null}
      <span className="flex-none text-caption text-t3">{short}</span>
      <span className="w-12 flex-none text-end text-caption text-t3">{day(resolved.at, now)}</span>
    </Link>
  );
}

export function AnsweredCard({ question, mark }: { question: ApprovalDto; mark: MarkOf | null }) {
  return question.resolved ? <Answered question={question} resolved={question.resolved} mark={mark} /> : null;
}

function Answered({ question, resolved, mark }: { question: ApprovalDto; resolved: ResolvedDto; mark: MarkOf | null }) {
  const { t } = useTranslation();
  const toast = useToast();
  const { word, shape, colour, answer } = useAnswer(resolved);
  const { area, look } = useSeen(question.id);
  const late = useAllowLate();
  const proof = useRef<HTMLInputElement>(null);
  const [writing, setWriting] = useState(false);
  const [sent, setSent] = useState(0);
  const [rule, setRule] = useRule(question);
  const proposed = useProposed(question.id, rule, writing);
  const nonce = question.arming?.nonce ?? "";
  const stamp = `${question.id}/${nonce}/${writing ? JSON.stringify([rule, proposed.text ?? ""]) : ""}`;
  const { armed, guard } = useArming(stamp, nonce !== "" && !late.isPending, question.arming?.armsAfterMs ?? 700);
  const allow = (scope: ScopeDto) => {
    if (!armed || (scope.kind === "always" && proposed.text === undefined)) return;
    const typed = proof.current?.value ?? "";
    if (proof.current) proof.current.value = "";
    setSent((times) => times + 1);
    late.mutate(
      { question, scope, rule: scope.kind === "always" ? rule : null, proof: typed === "" ? null : typed },
      { onSuccess: () => (setWriting(false), toast("done", t(scope.kind === "always" ? "card.toast.written" : "card.toast.late"))) },
    );
  };
  const decide: Decide = { armed, sent, mayAllow: armed, allow, deny: () => {}, raise: () => {} };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (!writing || !chordKey(event) || event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    if (guard.takesKeys(event.repeat)) allow({ kind: "always" });
  };
  return (
    <div
      id="card"
      role="group"
      tabIndex={-1}
      aria-label={word}
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
      {writing ? (
        <WiderAnswer question={question} wider="always" decide={decide} mark={mark} proof={proof} rule={rule} onRule={setRule} proposed={proposed} onBack={() => setWriting(false)} error={late.error} />
      ) : (
        <>
          <header className={`flex h-10 flex-none items-center gap-2 border-b border-line px-4 ${colour}`}>
            <Glyph shape={shape} />
            <span className="font-semibold">{word}</span>
          </header>
          <div className="min-h-0 overflow-y-auto" tabIndex={0} role="region" aria-label={t("card.whole")}>
            <CardBody question={question} area={area} look={look} />
            <CardMore question={question} />
            <Left question={question} />
          </div>
          <footer data-actions className="flex-none border-t border-line px-4 py-3">
            {late.error ? <DecisionError error={late.error} /> : null}
            <Facts>
              <Fact label={t("card.decidedBy")}>
                {resolved.readingMs === null ? t("card.by", { who: resolved.by, when: exactTime(resolved.at) }) : t("card.byRead", { who: resolved.by, when: exactTime(resolved.at), read: took(resolved.readingMs) })}
                <span className="text-t3"> {t(`card.surface.${resolved.surface}`)}</span>
              </Fact>
              <Reason resolved={resolved} />
              {resolved.resolution.kind === "approved" && question.usedAt === null && answer === "once" ? <Fact label={t("card.use")}>{t("card.unused")}</Fact> : null}
            </Facts>
            <LateActions question={question} answer={answer} armed={armed} proof={proof} sent={sent} mark={mark} onAllow={() => allow({ kind: "once" })} onWrite={() => setWriting(true)} />
          </footer>
        </>
      )}
    </div>
  );
}

function Reason({ resolved }: { resolved: ResolvedDto }) {
  const { t } = useTranslation();
  const reason = resolved.resolution.kind === "refused" ? resolved.resolution.reason : null;
  if (!reason) return null;
  return (
    <Fact label={t("card.heard")}>
      <Untrusted text={reason} max={200} />
    </Fact>
  );
}

/** What the answer put in force, and the way back. */
function Left({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const toast = useToast();
  const undo = useUndo();
  const { left } = question;
  if (!left) return null;
  return (
    <section aria-label={t(`card.wrote.${left.kind}`)} className="border-t border-line px-4 py-3">
      <div className="mb-2 flex items-center gap-2">
        <h3 className="flex-1 font-semibold">{t(`card.wrote.${left.kind}`)}</h3>
        <Button inert={undo.isPending} onClick={() => undo.mutate(question.id, { onSuccess: () => toast("done", t(`card.wrote.${left.kind}Undone`)) })}>
          <Undo2 size={14} strokeWidth={1.5} aria-hidden />
          {t("card.wrote.undo")}
        </Button>
      </div>
      {undo.error ? <DecisionError error={undo.error} /> : null}
      <CedarText text={left.text.trimEnd()} file={left.kind === "rule" ? (question.arming?.alwaysFile ?? left.id) : null} caption={left.kind === "rule" ? t("card.wrote.in") : t("card.wrote.given")} />
    </section>
  );
}

type LateActionsProps = { question: ApprovalDto; answer: Answer; armed: boolean; proof: RefObject<HTMLInputElement | null>; sent: number; mark: MarkOf | null; onAllow: () => void; onWrite: () => void };

/** *Allow next time* for what expired; a rule for that, and for what was allowed by hand. */
function LateActions({ question, answer, armed, proof, sent, mark, onAllow, onWrite }: LateActionsProps) {
  const { t } = useTranslation();
  const { arming, facts } = question;
  const mayWrite = Boolean(arming?.alwaysText) && question.left === null;
  if (!arming || (answer !== "expired" && !(answer === "once" && mayWrite))) return null;
  return (
    <div className="mt-3 border-t border-line pt-3">
      {answer === "expired" && facts?.needsProof ? <Proof facts={facts} field={proof} sent={sent} /> : null}
      <div className="flex flex-wrap items-center gap-2">
        <Mark mark={mark} />
        <span className="flex-1" />
        {mayWrite ? (
          <Button large data-decides inert={!armed} onClick={onWrite}>
            {answer === "expired" ? t("card.allowAlways") : t("card.makeThisRule")}
          </Button>
        ) : null}
        {answer === "expired" ? (
          <Button large kind="primary" data-decides inert={!armed} onClick={onAllow}>
            {t("card.allowNext")}
          </Button>
        ) : null}
      </div>
      {answer === "expired" ? (
        <p className="mt-2 flex items-center gap-1.5 text-caption text-t2">
          <Lock size={14} strokeWidth={1.5} aria-hidden className="flex-none" />
          {t("card.nextSays")}
        </p>
      ) : null}
    </div>
  );
}
