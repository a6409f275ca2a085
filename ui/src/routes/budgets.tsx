// /budgets and /budgets/:budget?account=…&view=table&open=prices|new
import { getRouteApi, lazyRouteComponent } from "@tanstack/react-router";
import type { BudgetView } from "../features/budgets/budgets-page";

export const BudgetsPage = lazyRouteComponent(() => import("../features/budgets/budgets-page"), "BudgetsPage");

type BudgetsSearch = { account?: string; view?: "table"; open?: "prices" | "new" };

export function budgetsSearch(search: Record<string, unknown>): BudgetsSearch {
  const { open } = search;
  return {
    ...(typeof search["account"] === "string" && search["account"] !== "" ? { account: search["account"] } : {}),
    ...(search["view"] === "table" ? { view: "table" as const } : {}),
    ...(open === "prices" || open === "new" ? { open } : {}),
  };
}

const viewOf = ({ account, view, open }: BudgetsSearch): BudgetView => ({ account: account ?? null, table: view === "table", open: open ?? null });
const changed = (now: BudgetsSearch, change: Partial<BudgetView>): BudgetsSearch => {
  const next = { ...viewOf(now), ...change };
  return budgetsSearch({ account: next.account ?? "", view: next.table ? "table" : "", open: next.open });
};

const list = getRouteApi("/budgets");
const one = getRouteApi("/budgets/$budget");

export function BudgetsRoute() {
  const search = list.useSearch();
  const navigate = list.useNavigate();
  return <BudgetsPage selected={null} view={viewOf(search)} onView={(change) => void navigate({ search: (now) => changed(now, change), replace: true })} />;
}

export function BudgetRoute() {
  const search = one.useSearch();
  const navigate = one.useNavigate();
  return <BudgetsPage selected={one.useParams().budget} view={viewOf(search)} onView={(change) => void navigate({ search: (now) => changed(now, change), replace: true })} />;
}
