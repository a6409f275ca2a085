// Reads and writes of budgets.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { BudgetDto } from "../../engine/bindings/BudgetDto";
import type { BudgetsCall } from "../../engine/bindings/BudgetsCall";
import type { EngineError } from "../../engine/client";
import { useCall, useEngine } from "../../engine/query";

export function useLines() {
  return useCall({ call: "budgets.lines" });
}

export function useDetail(budget: string, account: string | null) {
  return useCall({ call: "budgets.get", input: { budget, account } });
}

export function usePrices(find: string) {
  return useCall({ call: "budgets.prices", input: { find } }, { placeholderData: (before) => before });
}

/** Questions that wait because of this budget: their reason carries its name. */
export function useWaiting(budget: string) {
  const { data } = useCall({ call: "approvals.list" });
  return (data?.open ?? []).filter((one) => one.reasons.some((reason) => reason.layer === "reeve" && reason.rule === budget));
}

/** Actions that it turned away or held since its window began. */
export function useHits(budget: string, since: string) {
  return useCall({ call: "operations.facets", input: { query: hitsQuery(budget, since) } });
}

export function hitsQuery(budget: string, since: string): string {
  const began = Date.parse(since) > 0 ? ` since:${since.replace(/\.\d+Z$/, "Z")}` : "";
  return `rule:${budget}${began}`;
}

export type Change = Extract<BudgetsCall, { call: "budgets.set" | "budgets.remove" }>;

export function useChange() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<BudgetDto[], EngineError, Change>({
    mutationFn: (change) => engine.call(change),
    onSettled: () => {
      for (const name of ["budgets.lines", "budgets.get", "status.get"]) void client.invalidateQueries({ queryKey: [name] });
    },
  });
}

export function useAgents() {
  return useCall({ call: "agents.list" });
}
