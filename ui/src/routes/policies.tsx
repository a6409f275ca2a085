// /policies?tab=…&version=…, /policies/:rule, /policies/new and /policies/file/:file?version=…
import { getRouteApi, lazyRouteComponent } from "@tanstack/react-router";

export const PoliciesPage = lazyRouteComponent(() => import("../features/policies/policies-page"), "PoliciesPage");

const NAMED = ["mine", "standing", "shared", "preset", "files", "cases", "history"] as const;
type PoliciesSearch = { tab?: (typeof NAMED)[number]; version?: string };

export function policiesSearch(search: Record<string, unknown>): PoliciesSearch {
  const tab = NAMED.find((one) => one === search["tab"]);
  return { ...(tab ? { tab } : {}), ...(typeof search["version"] === "string" || typeof search["version"] === "number" ? { version: String(search["version"]) } : {}) };
}

const list = getRouteApi("/policies");
const one = getRouteApi("/policies/$rule");
const fresh = getRouteApi("/policies/new");
const whole = getRouteApi("/policies/file/$file");

export function PoliciesRoute() {
  const { tab = "all", version = null } = list.useSearch();
  return <PoliciesPage tab={tab} view={tab === "history" ? { kind: "history", version } : tab === "cases" ? { kind: "cases" } : tab === "files" ? { kind: "files" } : { kind: "rule", rule: null }} />;
}

export function PolicyRoute() {
  const { tab = "all" } = one.useSearch();
  return <PoliciesPage tab={tab === "history" || tab === "cases" || tab === "files" ? "all" : tab} view={{ kind: "rule", rule: one.useParams().rule }} />;
}

/** `from`: the recorded action that the rule is made of. */
export function newPolicySearch(search: Record<string, unknown>): { from?: string } {
  return typeof search["from"] === "string" && search["from"] !== "" ? { from: search["from"] } : {};
}

export function NewPolicyRoute() {
  return <PoliciesPage tab="mine" view={{ kind: "new", from: fresh.useSearch().from ?? null }} />;
}

export function PolicyFileRoute() {
  return <PoliciesPage tab="mine" view={{ kind: "file", file: whole.useParams().file, version: whole.useSearch().version ?? null }} />;
}
