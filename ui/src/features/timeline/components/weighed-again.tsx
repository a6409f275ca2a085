// A recorded action judged by the rules of now: the decision, every rule that was considered, and the facts they saw.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { LayerBadge } from "../../../components/badge";
import { Button } from "../../../components/button";
import { EngineFailure } from "../../../components/empty";
import { Glyph } from "../../../components/glyph";
import { Untrusted } from "../../../components/untrusted";
import type { ConsideredDto } from "../../../engine/bindings/ConsideredDto";
import type { DecisionDto } from "../../../engine/bindings/DecisionDto";
import type { WhatIfDto } from "../../../engine/bindings/WhatIfDto";
import { useWhatIf } from "../queries";

const SHAPE = { allow: "allowed", ask: "held", deny: "denied" } as const;
const COLOUR: Record<DecisionDto, string> = { allow: "text-allow", ask: "text-ask", deny: "text-deny" };

export function WeighedAgain({ operation }: { operation: string }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const { data, error, refetch } = useWhatIf(operation, asked);
  return (
    <section aria-label={t("pane.again")} className="mt-3 border-t border-line pt-3">
      <div className="mb-1.5 flex min-h-7 items-center gap-2">
        <h3 className="flex-1 text-caption font-semibold text-t2">{t("pane.again")}</h3>
        {asked ? null : <Button onClick={() => setAsked(true)}>{t("pane.weigh")}</Button>}
      </div>
      {asked ? null : <p className="text-caption text-t3">{t("pane.againMore")}</p>}
      {asked && error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {asked && data ? <Weighed weighed={data} /> : null}
    </section>
  );
}

function Weighed({ weighed }: { weighed: WhatIfDto }) {
  const { t } = useTranslation();
  const { decision, considered } = weighed.now;
  const sorted = considered.toSorted((a, b) => Number(b.determined) - Number(a.determined) || Number(b.matched) - Number(a.matched));
  return (
    <div role="status">
      <p className={`inline-flex items-center gap-1.5 font-semibold ${COLOUR[decision]}`}>
        <Glyph shape={SHAPE[decision]} size={12} />
        {t(`policies.decision.${decision}`)}
        <span className="font-normal text-t2">{t(decision === weighed.recorded ? "pane.same" : "pane.other")}</span>
      </p>
      <ul className="mt-1.5">
        {sorted.map((one) => (
          <li key={`${one.rule.layer} ${one.rule.id}`}>
            <Considered considered={one} />
          </li>
        ))}
      </ul>
      {sorted.length === 0 ? <p className="text-t2">{t("pane.noRule")}</p> : null}
      <details className="mt-2">
        <summary className="min-h-6 cursor-default text-caption text-t2">{t("pane.saw", { count: weighed.facts.length })}</summary>
        <dl className="mono mt-1 grid grid-cols-[max-content_minmax(0,1fr)] gap-x-3 text-[12px]/[20px]">
          {weighed.facts.map((fact) => (
            <div key={fact.name} className="col-span-2 grid grid-cols-subgrid">
              <dt className="text-t3">{fact.name}</dt>
              <dd className="min-w-0 wrap-anywhere">
                <Untrusted text={fact.value} max={200} />
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}

function Considered({ considered: { rule, determined, matched, error } }: { considered: ConsideredDto }) {
  const { t } = useTranslation();
  return (
    <div className="flex min-h-7 min-w-0 flex-wrap items-center gap-x-1.5">
      <Link to="/policies/$rule" params={{ rule: rule.id }} className={`mono inline-flex min-h-6 items-center text-caption text-accent ${determined ? "font-semibold" : ""}`}>
        <Untrusted text={rule.id} max={40} />
      </Link>
      <LayerBadge layer={rule.layer} />
      <span className={`text-caption ${error === null ? "text-t3" : "text-deny"}`}>{error === null ? t(determined ? "pane.determined" : matched ? "pane.matched" : "pane.lookedAt") : <Untrusted text={error} max={120} />}</span>
    </div>
  );
}
