// A recorded action judged again: as it was, by the rules in force, and by the draft, each with the rules that decide.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { EngineFailure } from "../../../components/empty";
import { Fact, Facts } from "../../../components/facts";
import { FIELD, Labelled } from "../../../components/form";
import { Glyph } from "../../../components/glyph";
import { Inset } from "../../../components/inset";
import { Modal } from "../../../components/modal";
import { Prose } from "../../../components/prose";
import { Untrusted } from "../../../components/untrusted";
import type { DecisionDto } from "../../../engine/bindings/DecisionDto";
import type { DraftDto } from "../../../engine/bindings/DraftDto";
import type { SideDto } from "../../../engine/bindings/SideDto";
import { exact } from "../../../lib/time";
import { DECISION_SHAPE, DECISION_TEXT } from "../model";
import { useSettled } from "../../../components/use-settled";
import { useRecent, useWhatIf } from "../queries";

export function WhatIf({ open, onOpen, operation, onOperation, draft }: { open: boolean; onOpen: (open: boolean) => void; operation: string | null; onOperation: (operation: string | null) => void; draft: DraftDto | null }) {
  const { t } = useTranslation();
  return (
    <Modal title={t("policies.whatIf")} open={open} onOpen={onOpen}>
      {operation === null ? <Choose onChoose={onOperation} /> : <Judged operation={operation} draft={draft} onBack={() => onOperation(null)} />}
    </Modal>
  );
}

function Choose({ onChoose }: { onChoose: (operation: string) => void }) {
  const { t } = useTranslation();
  const [query, setQuery] = useState("");
  const { data, error } = useRecent(useSettled(query, 200));
  return (
    <>
      <p className="text-t2">{t("policies.whatIfMore")}</p>
      <div className="mt-3">
        <Labelled label={t("policies.whatIfFind")}>
          <input value={query} onChange={(event) => setQuery(event.target.value)} spellCheck={false} autoComplete="off" className={`${FIELD} mono`} />
        </Labelled>
      </div>
      {error ? <EngineFailure error={error} /> : null}
      <ul className="mt-2">
        {data?.rows.map((row) => (
          <li key={row.id}>
            <button type="button" onClick={() => onChoose(row.id)} className="grid min-h-9 w-full grid-cols-[minmax(0,1fr)_auto] items-center gap-2 border-b border-line-row px-1 text-start -outline-offset-2 hover:bg-hover">
              <span className="mono truncate text-[12px]">
                <Untrusted text={row.summary} max={90} />
              </span>
              <span className="text-caption text-t2">{t(`state.low.${row.state}`)}</span>
            </button>
          </li>
        ))}
      </ul>
      {data?.rows.length === 0 ? <p className="mt-2 text-t2">{t("policies.whatIfNone")}</p> : null}
    </>
  );
}

function Judged({ operation, draft, onBack }: { operation: string; draft: DraftDto | null; onBack: () => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useWhatIf(operation, draft);
  return (
    <>
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {data ? (
        <>
          <Inset small caption={`${data.agentName} · ${exact(data.at)}`}>
            <Untrusted text={data.summary} />
          </Inset>
          <div className="mt-3">
            <Facts>
              <Fact label={t("policies.recorded")}>
                <Decision decision={data.recorded} />
              </Fact>
              <Fact label={t("policies.now")}>
                <Side side={data.now} />
              </Fact>
              {data.draft ? (
                <Fact label={t("policies.drafted")}>
                  <Side side={data.draft} />
                </Fact>
              ) : null}
              {data.draftProblem === null ? null : (
                <Fact label={t("policies.drafted")}>
                  <span className="text-deny">
                    <Prose text={data.draftProblem} />
                  </span>
                </Fact>
              )}
            </Facts>
          </div>
          <details className="mt-3 border-t border-line pt-2">
            <summary className="min-h-6 cursor-default text-t2">{t("policies.facts")}</summary>
            <dl className="mono mt-1 grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 text-[12px]/[20px]">
              {data.facts.map((fact) => (
                <div key={fact.name} className="col-span-2 grid grid-cols-subgrid">
                  <dt className="text-t3">{fact.name}</dt>
                  <dd className="min-w-0 wrap-anywhere">
                    <Untrusted text={fact.value} max={200} />
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        </>
      ) : null}
      <div className="mt-4 flex justify-end">
        <Button large onClick={onBack}>
          {t("policies.whatIfBack")}
        </Button>
      </div>
    </>
  );
}

function Decision({ decision }: { decision: DecisionDto }) {
  const { t } = useTranslation();
  return (
    <span className={`inline-flex items-center gap-1.5 font-semibold ${DECISION_TEXT[decision]}`}>
      <Glyph shape={DECISION_SHAPE[decision]} size={12} />
      {t(`policies.decision.${decision}`)}
    </span>
  );
}

function Side({ side }: { side: SideDto }) {
  const { t } = useTranslation();
  return (
    <>
      <Decision decision={side.decision} />
      <ul>
        {side.reasons.map((reason) => (
          <li key={reason.rule}>
            <code className="mono text-caption">
              <Untrusted text={reason.rule} max={60} />
            </code>{" "}
            <span className="text-t2">
              <Untrusted text={reason.text} max={160} />
            </span>
          </li>
        ))}
        {side.reasons.length === 0 ? <li className="text-t2">{t("policies.nobody")}</li> : null}
        {side.observed.map((reason) => (
          <li key={reason.rule} className="text-info">
            {t("policies.observedBy", { rule: reason.rule })}
          </li>
        ))}
      </ul>
    </>
  );
}
