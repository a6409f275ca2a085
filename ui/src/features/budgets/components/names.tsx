// What a budget is called: whose it is, for which models, and over which time.
import { useTranslation } from "react-i18next";
import { Untrusted } from "../../../components/untrusted";
import type { BudgetLineDto } from "../../../engine/bindings/BudgetLineDto";
import type { WindowDto } from "../../../engine/bindings/WindowDto";
import { scopeOf } from "../model";

export function Who({ line, className = "font-semibold" }: { line: Pick<BudgetLineDto, "scope" | "agentName" | "model">; className?: string }) {
  const { t } = useTranslation();
  const { kind, name } = scopeOf(line.scope);
  return (
    <span className={className}>
      {kind === "team" ? t("budgets.who.team") : name === null ? t(`budgets.who.${kind}`) : null}
      {kind === "team" ? " " : null}
      {name === null ? null : <Untrusted text={line.agentName ?? name} max={40} />}
      {line.model === null ? null : (
        <span className="font-normal">
          {", "}
          <Untrusted text={line.model} max={32} className="mono text-caption" />
        </span>
      )}
    </span>
  );
}

/** `today`, `November`, `per session`. */
export function useWindowWords(): (line: Pick<BudgetLineDto, "scope">, window: WindowDto, start: string | undefined) => string {
  const { t } = useTranslation();
  return (line, window, start) => {
    const { kind } = scopeOf(line.scope);
    if (window === "total" && kind === "session") return t("budgets.window.session");
    if (window === "day" && kind !== "me" && kind !== "organisation") return t("budgets.window.perDay");
    if (window === "month" && start !== undefined) return new Date(start).toLocaleDateString("en-GB", { month: "long" });
    return t(`budgets.window.${window}`);
  };
}
