// Questions that have an answer: as a line, and as a card that decides nothing any more.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Fact, Facts } from "../../../components/facts";
import { Glyph, type Shape } from "../../../components/glyph";
import { Untrusted } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { ResolvedDto } from "../../../engine/bindings/ResolvedDto";
import { day, exact as exactTime, minute, took } from "../../../lib/time";
import { CardBody } from "./card-body";
import { useSeen } from "./exact-text";

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
      search={({ tab }) => (tab === "decided" || tab === "expired" ? { tab } : {})}
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
      <span className="flex-none text-caption text-t3">{short}</span>
      <span className="w-12 flex-none text-right text-caption text-t3">{day(resolved.at, now)}</span>
    </Link>
  );
}

export function AnsweredCard({ question }: { question: ApprovalDto }) {
  return question.resolved ? <Answered question={question} resolved={question.resolved} /> : null;
}

function Answered({ question, resolved }: { question: ApprovalDto; resolved: ResolvedDto }) {
  const { t } = useTranslation();
  const { word, shape, colour, answer } = useAnswer(resolved);
  const { area, look } = useSeen(question.id);
  const when = exactTime(resolved.at);
  const reason = resolved.resolution.kind === "refused" ? resolved.resolution.reason : null;
  return (
    <article id="card" tabIndex={-1} aria-label={word} className="flex max-h-full min-h-0 w-full max-w-[696px] flex-col overflow-hidden bg-surface wide:rounded-card wide:border wide:border-line">
      <header className={`flex h-10 flex-none items-center gap-2 border-b border-line px-4 ${colour}`}>
        <Glyph shape={shape} />
        <span className="font-semibold">{word}</span>
      </header>
      <div className="min-h-0 overflow-y-auto">
        <CardBody question={question} area={area} look={look} />
      </div>
      <footer className="flex-none border-t border-line px-4 py-3">
        <Facts>
          <Fact label={word}>
            {resolved.readingMs === null ? t("card.by", { who: resolved.by, when }) : t("card.byRead", { who: resolved.by, when, read: took(resolved.readingMs) })}
          </Fact>
          {reason === null ? null : (
            <Fact label={t("card.heard")}>
              <Untrusted text={reason} />
            </Fact>
          )}
        </Facts>
        {question.usedAt === null && answer === "once" ? <p className="mt-1 text-caption text-t3">{t("card.unused")}</p> : null}
      </footer>
    </article>
  );
}
