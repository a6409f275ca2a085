// What a draft would have changed of the last days: newly allowed first, the gravest on top.
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../../components/badge";
import { Glyph } from "../../../components/glyph";
import { Prose } from "../../../components/prose";
import { Risk } from "../../../components/risk";
import { Untrusted } from "../../../components/untrusted";
import type { DecisionDto } from "../../../engine/bindings/DecisionDto";
import type { ReplayDto } from "../../../engine/bindings/ReplayDto";
import type { EngineError } from "../../../engine/client";
import { DECISION_TEXT, number } from "../model";

const COLUMNS = "grid grid-cols-[76px_16px_minmax(0,1fr)_104px_44px] items-center gap-x-3";

export function Weighed({ replay, error, onWhatIf }: { replay: ReplayDto | undefined; error: EngineError | null; onWhatIf: (operation: string) => void }) {
  const { t } = useTranslation();
  return (
    <section aria-label={t("policies.weighed")} aria-live="polite" className="border-t border-line px-4 py-3">
      <h3 className="flex items-baseline gap-2 font-semibold">
        {t("policies.weighed")}
        <span className="font-normal text-t2">{replay === undefined ? (error ? "" : t("policies.weighing")) : t("policies.weighedMore", { count: replay.judged, shown: number(replay.judged), seconds: (replay.tookMs / 1_000).toFixed(1) })}</span>
      </h3>
      {error ? (
        <p role="alert" className="mt-1 text-deny">
          <Prose text={error.message} />
        </p>
      ) : null}
      {replay === undefined || error ? null : <Counts replay={replay} />}
      {replay !== undefined && replay.changes.length > 0 ? <Changes replay={replay} onWhatIf={onWhatIf} /> : null}
      {replay !== undefined && replay.changes.length === 0 ? <p className="mt-1 text-t2">{replay.judged === 0 ? t("policies.nothingRecorded") : t("policies.nothingChanges")}</p> : null}
      {replay !== undefined && !replay.complete ? <p className="mt-1 text-caption text-ask">{t("policies.partly")}</p> : null}
    </section>
  );
}

function Counts({ replay }: { replay: ReplayDto }) {
  const { t } = useTranslation();
  const { newlyAllowed, newlyAsked, newlyDenied, same } = replay;
  const one = (count: number, label: string, tone: string) => (
    <span className="inline-flex items-baseline gap-1.5">
      <span className={`text-section font-semibold tabular-nums ${count === 0 ? "text-t3" : tone}`}>{number(count)}</span>
      <span className={count === 0 ? "text-t3" : ""}>{label}</span>
    </span>
  );
  return (
    <p className="mt-1.5 flex flex-wrap items-baseline gap-x-5 gap-y-1">
      {one(newlyAllowed.count, t("policies.newlyAllowed"), "text-ask")}
      {newlyAllowed.grave > 0 ? (
        <span className="-ms-3 inline-flex items-center gap-1 font-medium text-deny">
          <Glyph shape="high" size={10} />
          {t("policies.grave", { shown: number(newlyAllowed.grave) })}
        </span>
      ) : null}
      {one(newlyAsked.count, t("policies.newlyAsked"), "text-t1")}
      {one(newlyDenied.count, t("policies.newlyDenied"), "text-t1")}
      {one(same, t("policies.same"), "text-t2")}
    </p>
  );
}

function Changes({ replay, onWhatIf }: { replay: ReplayDto; onWhatIf: (operation: string) => void }) {
  const { t } = useTranslation();
  return (
    <div className="mt-2">
      <div className={`${COLUMNS} h-7 border-y border-line text-caption text-t3`} aria-hidden="true">
        <span>{t("policies.risk")}</span>
        <span />
        <span>{t("policies.action")}</span>
        <span>{t("policies.nowAndDraft")}</span>
        <span className="text-end">{t("policies.times")}</span>
      </div>
      <ul>
        {replay.changes.map((change) => (
          <li key={`${change.operation} ${change.after}`}>
            <button type="button" onClick={() => onWhatIf(change.operation)} className={`${COLUMNS} min-h-7 w-full border-b border-line-row text-start -outline-offset-2 hover:bg-hover`}>
              <Risk risk={change.risk} />
              <AgentTile name={change.agentName} />
              <span className="min-w-0">
                <span className="sr-only">
                  <Untrusted text={change.agentName} max={40} />{" "}
                </span>
                <span className="mono block truncate text-[12px]">
                  <Untrusted text={change.summary} max={140} />
                </span>
              </span>
              <Turn before={change.before} after={change.after} />
              <span className="text-end tabular-nums">{number(change.times)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Turn({ before, after }: { before: DecisionDto; after: DecisionDto }) {
  const { t } = useTranslation();
  return (
    <span className="whitespace-nowrap">
      <span className="text-t2">{t(`policies.decision.${before}`)}</span>
      <span aria-hidden="true" className="px-1 text-t3">
        {"→"}
      </span>
      <span className={`font-semibold ${DECISION_TEXT[after]}`}>{t(`policies.decision.${after}`)}</span>
    </span>
  );
}
