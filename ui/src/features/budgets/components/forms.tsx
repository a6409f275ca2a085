// The forms of budgets: a new limit, another amount, more for the same, and the end of one.
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { DialogForm, FIELD, Labelled, type Read } from "../../../components/form";
import { Untrusted } from "../../../components/untrusted";
import type { BudgetLineDto } from "../../../engine/bindings/BudgetLineDto";
import type { OnExhaustedDto } from "../../../engine/bindings/OnExhaustedDto";
import type { SetBudgetInput } from "../../../engine/bindings/SetBudgetInput";
import type { WindowDto } from "../../../engine/bindings/WindowDto";
import { freeName } from "../../../lib/text";
import { amount, scopeOf } from "../model";
import { type Change, useAgents, useChange } from "../queries";
import { useWindowWords, Who } from "./names";

const WINDOWS: readonly WindowDto[] = ["day", "week", "month", "total", "call"];
const ENDINGS: readonly OnExhaustedDto[] = ["askUnderFloor", "ask", "deny"];
const NANO = 1_000_000_000;
/** What a number of the contract holds exactly. */
const MOST = 9_000_000;

function Form({ submit, danger = false, onDone, change, children }: { submit: string; danger?: boolean; onDone: () => void; change: (read: Read) => Change; children: ReactNode }) {
  const { mutate, isPending, error } = useChange();
  return (
    <DialogForm submit={submit} danger={danger} inert={isPending} error={error} onCancel={onDone} onSubmit={(read) => mutate(change(read), { onSuccess: onDone })}>
      {children}
    </DialogForm>
  );
}

/** The amount in the unit's own steps: dollars with cents, whole tokens. */
function Amount({ unit, from }: { unit: "money" | "tokens"; from: number | null }) {
  const { t } = useTranslation();
  const least = unit === "money" ? 0.01 : 1;
  return (
    <Labelled label={unit === "money" ? t("budgets.form.dollars") : t("budgets.form.tokens")}>
      <input name="amount" type="number" required min={least} max={unit === "money" ? MOST : 1e12} step={unit === "money" ? "any" : 1} defaultValue={from ?? undefined} className={FIELD} />
    </Labelled>
  );
}

function inUnit(unit: "money" | "tokens", text: string): number {
  return unit === "money" ? Math.round(Number(text) * NANO) : Math.round(Number(text));
}

export function BudgetForm({ known, taken, onDone }: { known: BudgetLineDto | null; taken: readonly string[]; onDone: () => void }) {
  const { t } = useTranslation();
  const { data: agents = [] } = useAgents();
  const scope = known === null ? { kind: "me" as const, name: null } : scopeOf(known.scope);
  const [kind, setKind] = useState<string>(scope.kind);
  const [unit, setUnit] = useState(known?.unit ?? "money");
  const proposed = freeName("limit", taken);
  const change = (read: Read): Change => {
    const name = kind === "team" ? read("team") : kind === "agent" || kind === "session" ? read("agent") : "";
    const input: SetBudgetInput = {
      id: known?.id ?? (read("id") || proposed),
      scope: name === "" ? kind : `${kind}:${name}`,
      window: read("window") as WindowDto,
      unit,
      amount: inUnit(unit, read("amount")),
      model: read("model") || null,
      onExhausted: read("onExhausted") as OnExhaustedDto,
    };
    return { call: "budgets.set", input };
  };
  return (
    <Form submit={known === null ? t("budgets.form.create") : t("budgets.form.save")} onDone={onDone} change={change}>
      {known === null ? (
        <Labelled label={t("budgets.form.id")} more={t("budgets.form.idLeftOut", { name: proposed })}>
          <input name="id" placeholder={proposed} maxLength={64} pattern={`(?!(?:${taken.join("|") || "-"})$)[a-z0-9][a-z0-9\\-]*`} title={t("budgets.form.idMore")} spellCheck={false} autoComplete="off" className={`${FIELD} mono`} />
        </Labelled>
      ) : null}
      <div className="grid grid-cols-2 items-start gap-3">
        <Labelled label={t("budgets.form.scope")}>
          <select value={kind} onChange={(event) => setKind(event.target.value)} className={FIELD}>
            {(["me", "agent", "session", "team", "organisation"] as const).map((one) => (
              <option key={one} value={one}>
                {t(`budgets.form.scopes.${one}`)}
              </option>
            ))}
          </select>
        </Labelled>
        {kind === "agent" || kind === "session" ? (
          <Labelled label={t("budgets.form.agent")}>
            <select name="agent" defaultValue={scope.name ?? ""} className={FIELD}>
              <option value="">{t("budgets.form.everyAgent")}</option>
              {agents.map((one) => (
                <option key={one.id} value={one.id} dir="ltr" translate="no">
                  {one.id}
                </option>
              ))}
            </select>
          </Labelled>
        ) : kind === "team" ? (
          <Labelled label={t("budgets.form.team")}>
            <input name="team" required defaultValue={scope.name ?? ""} spellCheck={false} autoComplete="off" className={FIELD} />
          </Labelled>
        ) : (
          <span />
        )}
        <Labelled label={t("budgets.form.window")}>
          <select key={kind} name="window" defaultValue={known?.window ?? (kind === "session" ? "total" : "day")} className={FIELD}>
            {WINDOWS.map((one) => (
              <option key={one} value={one}>
                {t(`budgets.form.windows.${one}`)}
              </option>
            ))}
          </select>
        </Labelled>
        <Labelled label={t("budgets.form.model")} more={t("budgets.form.modelMore")}>
          <input name="model" defaultValue={known?.model ?? ""} spellCheck={false} autoComplete="off" className={`${FIELD} mono`} />
        </Labelled>
        <Labelled label={t("budgets.form.unit")}>
          <select value={unit} onChange={(event) => setUnit(event.target.value === "tokens" ? "tokens" : "money")} className={FIELD}>
            <option value="money">{t("budgets.form.money")}</option>
            <option value="tokens">{t("budgets.form.tokens")}</option>
          </select>
        </Labelled>
        <Amount key={unit} unit={unit} from={known === null || known.unit !== unit ? null : unit === "money" ? known.limit / NANO : known.limit} />
      </div>
      <fieldset>
        <legend className="mb-1 font-medium">{t("budgets.form.atLimit")}</legend>
        {ENDINGS.map((one) => (
          <label key={one} className="flex min-h-7 items-start gap-2 py-0.5">
            <input type="radio" name="onExhausted" value={one} defaultChecked={one === (known?.onExhausted ?? "askUnderFloor")} className="mt-0.75 size-3.5 flex-none accent-accent" />
            <span>{t(`budgets.form.endings.${one}`)}</span>
          </label>
        ))}
      </fieldset>
    </Form>
  );
}

/** The same limit with a larger amount; nothing else of it changes. */
export function Raise({ line, onDone }: { line: BudgetLineDto; onDone: () => void }) {
  const { t } = useTranslation();
  const step = line.unit === "money" ? 5 : Math.max(1_000, Math.round(line.limit / 4));
  const windowWords = useWindowWords();
  const { id, scope, window, unit, model, onExhausted } = line;
  return (
    <Form
      submit={t("budgets.form.raise")}
      onDone={onDone}
      change={(read) => ({ call: "budgets.set", input: { id, scope, window, unit, model, onExhausted, amount: line.limit + inUnit(unit, read("amount")) } })}
    >
      <p>
        <Who line={line} /> {windowWords(line, window, line.accounts[0]?.windowStart)}
        {": "}
        {t("budgets.form.raiseMore", { limit: amount(unit, line.limit) })}
      </p>
      <Amount unit={unit} from={step} />
    </Form>
  );
}

export function Remove({ line, onDone }: { line: BudgetLineDto; onDone: () => void }) {
  const { t } = useTranslation();
  return (
    <Form submit={t("budgets.remove")} danger onDone={onDone} change={() => ({ call: "budgets.remove", input: { budget: line.id } })}>
      <p>
        <Untrusted text={line.id} max={64} className="mono" />
        {". "}
        {t("budgets.removeMore")}
      </p>
    </Form>
  );
}
