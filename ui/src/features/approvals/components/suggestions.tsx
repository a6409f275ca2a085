// What may be worth changing: shown, never done by itself.
import { Link } from "@tanstack/react-router";
import { Hourglass, Lightbulb, Timer } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Empty, EngineFailure } from "../../../components/empty";
import { Prose } from "../../../components/prose";
import { useNow } from "../../../components/use-now";
import { Untrusted } from "../../../components/untrusted";
import type { SuggestionDto } from "../../../engine/bindings/SuggestionDto";
import { day, took } from "../../../lib/time";
import { useSuggestions } from "../queries";
import { useSentence } from "./card-body";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";

/** A median under this is faster than anybody reads a card. */
const QUICK_MS = 1_500;

export function Suggestions() {
  const { t } = useTranslation();
  const { data, error } = useSuggestions(true);
  if (error) return <EngineFailure error={error} />;
  if (!data) return null;
  const quick = data.readingMedianMs !== null && data.readingMedianMs < QUICK_MS ? data.readingMedianMs : null;
  if (data.suggestions.length === 0 && quick === null) {
    return (
      <Empty icon={Lightbulb} title={t("inbox.emptySuggestions")}>
        {t("inbox.emptySuggestionsMore")}
      </Empty>
    );
  }
  return (
    <div className="min-h-0 overflow-y-auto">
      <ul className="max-w-[760px]">
        {data.suggestions.map((one) => (
          <li key={one.kind === "makeRule" ? one.question.id : one.rule} className="border-b border-line-row">
            <Suggestion suggestion={one} />
          </li>
        ))}
        {quick === null ? null : (
          <li className="border-b border-line-row">
            <Line icon={<Timer size={16} strokeWidth={1.5} aria-hidden />} title={t("suggestion.quick", { time: took(quick) })}>
              {t("suggestion.quickMore")}
            </Line>
          </li>
        )}
      </ul>
    </div>
  );
}

function Suggestion({ suggestion }: { suggestion: SuggestionDto }) {
  const { t } = useTranslation();
  const now = useNow();
  if (suggestion.kind === "makeRule") return <MakeRule question={suggestion.question} times={suggestion.times} />;
  return (
    <Line icon={<Hourglass size={16} strokeWidth={1.5} aria-hidden />} title={t("suggestion.expiring", { at: day(suggestion.at, now) })}>
      <code className="mono text-caption">
        <Untrusted text={suggestion.rule} max={64} />
      </code>{" "}
      <Prose text={suggestion.reason} />
    </Line>
  );
}

function MakeRule({ question, times }: { question: ApprovalDto; times: number }) {
  const { t } = useTranslation();
  const title = useSentence(question);
  return (
    <Line
      icon={<Lightbulb size={16} strokeWidth={1.5} aria-hidden />}
      title={t("suggestion.makeRule", { count: times, sentence: title })}
      action={
        <Link to="/inbox/$approval" params={{ approval: question.id }} search={{ tab: "suggestions" }} className="chrome inline-flex h-7 flex-none items-center rounded-control border border-line-button px-2.5 font-medium hover:bg-hover">
          {t("suggestion.review")}
        </Link>
      }
    >
      <span className="mono text-caption">
        <Untrusted text={question.summary} max={72} />
      </span>{" "}
      <span className="text-t3">
        <Untrusted text={question.agentName} max={40} />
      </span>
    </Line>
  );
}

function Line({ icon, title, action, children }: { icon: ReactNode; title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[16px_minmax(0,1fr)_auto] items-center gap-x-3 px-4 py-2.5">
      <span className="self-start pt-0.5 text-t3">{icon}</span>
      <div className="min-w-0">
        <p className="font-medium">{title}</p>
        <p className="text-t2">{children}</p>
      </div>
      {action}
    </div>
  );
}
