// /agents and /agents/:agent?tab=…
import { getRouteApi, lazyRouteComponent } from "@tanstack/react-router";

export const AgentsPage = lazyRouteComponent(() => import("../features/agents/agents-page"), "AgentsPage");

type AgentsSearch = { tab?: string };

export function agentsSearch(search: Record<string, unknown>): AgentsSearch {
  return typeof search["tab"] === "string" && search["tab"] !== "" ? { tab: search["tab"] } : {};
}

const list = getRouteApi("/agents");
const one = getRouteApi("/agents/$agent");

export function AgentsRoute() {
  const navigate = list.useNavigate();
  return <AgentsPage selected={null} tab={list.useSearch().tab ?? null} onTab={(tab) => void navigate({ search: { tab }, replace: true })} />;
}

export function AgentRoute() {
  const navigate = one.useNavigate();
  return <AgentsPage selected={one.useParams().agent} tab={one.useSearch().tab ?? null} onTab={(tab) => void navigate({ search: { tab }, replace: true })} />;
}
