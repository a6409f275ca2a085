// One rule: what it says about itself, and its source.
import { Link } from "@tanstack/react-router";
import { Check, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { LayerBadge } from "../../../components/badge";
import { Fact, Facts } from "../../../components/facts";
import { Risk } from "../../../components/risk";
import { Untrusted } from "../../../components/untrusted";
import type { CheckedDto } from "../../../engine/bindings/CheckedDto";
import type { PolicyFileDto } from "../../../engine/bindings/PolicyFileDto";
import type { PolicyStateDto } from "../../../engine/bindings/PolicyStateDto";
import type { RuleDto } from "../../../engine/bindings/RuleDto";
import type { RuleModeDto } from "../../../engine/bindings/RuleModeDto";
import { exact } from "../../../lib/time";
import { DECISION_TEXT, decisionOf, number, targetOfRule } from "../model";
import { useCases } from "../queries";
import { Drafting } from "./drafting";
import { RuleMark } from "./rule-list";

export function RuleView({ rule, files, state, hits, onSaved }: { rule: RuleDto; files: readonly PolicyFileDto[]; state: PolicyStateDto; hits: number | null; onSaved: (checked: CheckedDto) => void }) {
  const target = targetOfRule(rule, files);
  const title = (
    <>
      <RuleMark rule={rule} />
      <h2 className="mono min-w-0 truncate text-body font-semibold">
        <Untrusted text={rule.id} max={70} />
      </h2>
      <LayerBadge layer={rule.layer} />
    </>
  );
  return <Drafting target={target} state={state} title={title} mode={rule.mode} note={null} onSaved={onSaved} aside={({ mode, onMode }) => <About rule={rule} state={state} files={files} own={target.own} hits={hits} mode={mode} onMode={onMode} />} />;
}

type AboutProps = { rule: RuleDto; state: PolicyStateDto; files: readonly PolicyFileDto[]; own: boolean; hits: number | null; mode: RuleModeDto; onMode: ((mode: RuleModeDto) => void) | null };

function About({ rule, state, files, own, hits, mode, onMode }: AboutProps) {
  const { t } = useTranslation();
  return (
    <>
      <Facts>
        <Fact label={t("policies.does")}>
          <span className={`font-semibold ${DECISION_TEXT[decisionOf(rule)]}`}>{t(`policies.kind.${rule.kind}`)}</span>
        </Fact>
        <Fact label={t("policies.why")}>
          <Untrusted text={rule.reason} max={300} />
        </Fact>
        <Fact label={t("policies.writtenIn")}>
          {own ? (
            <Link to="/policies/file/$file" params={{ file: rule.file }} className="text-accent">
              <Untrusted text={rule.file} max={60} />
            </Link>
          ) : (
            <Untrusted text={rule.file} max={60} />
          )}{" "}
          <span className="text-t2">{t("policies.line", { line: rule.line })}</span>
          {rule.project === null ? null : (
            <span className="block text-t2">
              <Untrusted text={rule.project} max={80} />
            </span>
          )}
        </Fact>
        <Fact label={t("policies.modeLabel")}>
          <ModeChoice mode={mode} onMode={onMode} />
          {rule.mode === "observe" && hits !== null ? <p className="mt-1 text-caption text-info">{t("policies.seen", { count: hits, shown: number(hits) })}</p> : null}
        </Fact>
        {rule.kind === "ask" ? <Fact label={t("policies.lifted")}>{rule.liftable ? t("policies.liftable") : t("policies.notLiftable")}</Fact> : null}
        {rule.lifts.length > 0 ? (
          <Fact label={t("policies.lifts")}>
            {rule.lifts.map((id) => (
              <Link key={id} to="/policies/$rule" params={{ rule: id }} className="mono me-2 inline-flex min-h-6 items-center text-caption text-accent">
                <Untrusted text={id} max={60} />
              </Link>
            ))}
          </Fact>
        ) : null}
        {rule.risk === null ? null : (
          <Fact label={t("policies.risk")}>
            <span className="inline-flex gap-1.5">
              {t("policies.riskLeast")} <Risk risk={rule.risk} />
            </span>
          </Fact>
        )}
        {rule.kind === "permit" || rule.kind === "standingApproval" ? <Fact label={t("policies.expires")}>{rule.expires === null ? t("policies.never") : exact(rule.expires)}</Fact> : null}
        <Fact label={t("policies.records")}>
          <Link to="/timeline" search={{ q: `rule:${rule.id} since:7d` }} className="text-accent">
            {t(rule.mode === "observe" ? "policies.wouldMatch" : "policies.matched")}
          </Link>{" "}
          <span className="text-t2">{hits === null ? "" : t("policies.hits", { count: hits, shown: number(hits) })}</span>
        </Fact>
      </Facts>
      <ItsCases rule={rule.id} state={state} files={files} />
      {own ? null : <p className="mt-3 text-caption text-t2">{rule.layer === "preset" ? t("policies.readOnlyPreset") : t("policies.readOnly")}</p>}
    </>
  );
}

/** Cases that this rule decides, or should. */
function ItsCases({ rule, state, files }: { rule: string; state: PolicyStateDto; files: readonly PolicyFileDto[] }) {
  const { t } = useTranslation();
  const { data } = useCases(state.revision, files);
  const own = data?.cases.filter((one) => !one.skipped && (one.expectedRule === rule || one.rules.includes(rule))) ?? [];
  if (own.length === 0) return null;
  return (
    <section aria-label={t("policies.itsCases")} className="mt-4">
      <h3 className="mb-1 text-caption font-semibold text-t2">{t("policies.cases")}</h3>
      <ul>
        {own.map((one) => (
          <li key={`${one.file} ${one.line}`}>
            <Link to="/policies/file/$file" params={{ file: one.file }} className="grid min-h-6 grid-cols-[14px_40px_minmax(0,1fr)] items-center gap-x-2">
              {one.passed ? <Check size={12} strokeWidth={2} role="img" aria-label={t("policies.case.passes")} className="text-allow" /> : <X size={12} strokeWidth={2} role="img" aria-label={t("policies.case.fails")} className="text-deny" />}
              <span className={`font-semibold ${DECISION_TEXT[one.expected]}`}>{t(`policies.decision.${one.expected}`)}</span>
              <span className="truncate">
                <Untrusted text={one.name} max={80} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function ModeChoice({ mode, onMode }: { mode: RuleModeDto; onMode: ((mode: RuleModeDto) => void) | null }) {
  const { t } = useTranslation();
  if (onMode === null) return <span className={mode === "observe" ? "text-info" : ""}>{mode === "observe" ? t("policies.modeObserve") : t("policies.modeEnforce")}</span>;
  return (
    <fieldset className="grid">
      <legend className="sr-only">{t("policies.modeLabel")}</legend>
      {(["enforce", "observe"] as const).map((one) => (
        <label key={one} className="flex min-h-6 items-start gap-2">
          <input type="radio" name="rule-mode" checked={mode === one} onChange={() => onMode(one)} className="mt-0.75 size-3.5 flex-none accent-accent" />
          <span className="min-w-0">{one === "enforce" ? t("policies.modeEnforce") : t("policies.modeObserve")}</span>
        </label>
      ))}
    </fieldset>
  );
}
