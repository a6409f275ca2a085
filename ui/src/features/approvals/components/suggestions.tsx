// What may be worth changing: shown, never done by itself.
import { Link } from "@tanstack/react-router";
import { Archive, Hourglass, KeyRound, Lightbulb, ShieldCheck, Shrink, Timer } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Empty, EngineFailure } from "../../../components/empty";
import { Prose } from "../../../components/prose";
import { useNow } from "../../../components/use-now";
import { Untrusted } from "../../../components/untrusted";
import type { SuggestionDto } from "../../../engine/bindings/SuggestionDto";
import { plain } from "../../../lib/text";
import { day, took } from "../../../lib/time";
import { quickOf } from "../model";
import { useSuggestions } from "../queries";
import { useSentence } from "./card-body";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";

export function Suggestions() {
  const { t } = useTranslation();
  const { data, error } = useSuggestions(true);
  if (error) return <EngineFailure error={error} />;
  if (!data) return null;
  const quick = quickOf(data);
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
          <li key={keyOfSuggestion(one)} className="border-b border-line-row">
            <Suggestion suggestion={one} />
          </li>
        ))}
        {quick === null ? null : (
          <li className="border-b border-line-row">
            <Line
              icon={<Timer size={16} strokeWidth={1.5} aria-hidden />}
              title={t("suggestion.quick", { time: took(quick) })}
              action={
                <span className="flex gap-2">
                  <Link to="/policies" className={ACTION}>
                    {t("suggestion.rules")}
                  </Link>
                  <Link to="/settings/$tab" params={{ tab: "protection" }} className={ACTION}>
                    {t("suggestion.presets")}
                  </Link>
                </span>
              }
            >
              {t("suggestion.quickMore")}
            </Line>
          </li>
        )}
      </ul>
    </div>
  );
}

/** Where counting stopped there are more. */
function counted(count: number, capped: boolean): string {
  return `${count.toLocaleString("en-US")}${capped ? "+" : ""}`;
}

function keyOfSuggestion(one: SuggestionDto): string {
  switch (one.kind) {
    case "makeRule":
      return one.question.id;
    case "readyToEnforce":
      return one.kind;
    case "rotate":
      return `${one.kind} ${one.credential}`;
    default:
      return `${one.kind} ${one.rule}`;
  }
}

function Suggestion({ suggestion }: { suggestion: SuggestionDto }) {
  const { t } = useTranslation();
  const now = useNow();
  const icon = { size: 16, strokeWidth: 1.5, "aria-hidden": true } as const;
  switch (suggestion.kind) {
    case "makeRule":
      return <MakeRule question={suggestion.question} times={suggestion.times} />;
    case "expiring":
      return (
        <Line icon={<Hourglass {...icon} />} title={t("suggestion.expiring", { at: day(suggestion.at, now) })} action={<OpenRule rule={suggestion.rule} />}>
          <Named rule={suggestion.rule} reason={suggestion.reason} />
        </Line>
      );
    case "unused":
      return (
        <Line icon={<Archive {...icon} />} title={t("suggestion.unused", { days: suggestion.days })} action={<OpenRule rule={suggestion.rule} />}>
          <Named rule={suggestion.rule} reason={suggestion.reason} />
        </Line>
      );
    case "tighten":
      return <Tighten suggestion={suggestion} />;
    case "readyToEnforce":
      return (
        <Line
          icon={<ShieldCheck {...icon} />}
          title={t("suggestion.ready")}
          action={
            <Link to="/settings/$tab" params={{ tab: "protection" }} className={ACTION}>
              {t("suggestion.choose")}
            </Link>
          }
        >
          {t("suggestion.readyMore", { count: suggestion.actions, shown: counted(suggestion.actions, suggestion.capped), held: counted(suggestion.held, suggestion.capped), denied: counted(suggestion.denied, suggestion.capped) })}
        </Line>
      );
    case "rotate":
      return (
        <Line
          icon={<KeyRound {...icon} />}
          title={t("suggestion.rotate", { days: suggestion.days })}
          action={
            <Link to="/credentials/$credential" params={{ credential: suggestion.credential }} className={ACTION}>
              {t("suggestion.replace")}
            </Link>
          }
        >
          <Untrusted text={suggestion.name} max={60} />
        </Line>
      );
  }
}

/** Only what was used alone, by whom and for what. */
function Tighten({ suggestion }: { suggestion: Extract<SuggestionDto, { kind: "tighten" }> }) {
  const { t } = useTranslation();
  const { rule, reason, times, agentName, path } = suggestion;
  return (
    <Line
      icon={<Shrink size={16} strokeWidth={1.5} aria-hidden />}
      title={agentName === null ? t("suggestion.tightenPath") : t("suggestion.tightenAgent", { agent: plain(agentName).slice(0, 40) })}
      action={<OpenRule rule={rule} />}
    >
      <Named rule={rule} reason={reason} />
      <span className="block">
        {path === null ? null : (
          <span className="mono me-2 text-caption">
            <Untrusted text={path} max={60} />
          </span>
        )}
        <span className="text-t3">{t("suggestion.tightenUsed", { count: times, shown: times.toLocaleString("en-US") })}</span>
      </span>
    </Line>
  );
}

const ACTION = "chrome inline-flex h-7 flex-none items-center rounded-control border border-line-button px-2.5 font-medium hover:bg-hover";

function OpenRule({ rule }: { rule: string }) {
  const { t } = useTranslation();
  return (
    <Link to="/policies/$rule" params={{ rule }} className={ACTION}>
      {t("suggestion.open")}
    </Link>
  );
}

function Named({ rule, reason }: { rule: string; reason: string }) {
  return (
    <>
      <code className="mono text-caption">
        <Untrusted text={rule} max={64} />
      </code>{" "}
      <Prose text={reason} />
    </>
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
        <Link to="/inbox/$approval" params={{ approval: question.id }} search={{ tab: "suggestions" }} className={ACTION}>
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
