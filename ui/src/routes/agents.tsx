// /agents and /agents/:agent?tab=…&open=start
import { getRouteApi, lazyRouteComponent } from "@tanstack/react-router";

export const AgentsPage = lazyRouteComponent(() => import("../features/agents/agents-page"), "AgentsPage");

type AgentsSearch = { tab?: string; open?: "start" };

export function agentsSearch(search: Record<string, unknown>): AgentsSearch {
  return {
    ...(typeof search["tab"] === "string" && search["tab"] !== "" ? { tab: search["tab"] } : {}),
    ...(search["open"] === "start" ? { open: "start" as const } : {}),
  };
}

const starting = (now: AgentsSearch, open: boolean) => agentsSearch({ ...now, open: open ? "start" : "" });

const list = getRouteApi("/agents");
const one = getRouteApi("/agents/$agent");

export function AgentsRoute() {
  const { tab = null, open } = list.useSearch();
  const navigate = list.useNavigate();
  return <AgentsPage selected={null} tab={tab} onTab={(next) => void navigate({ search: { tab: next }, replace: true })} starting={open === "start"} onStarting={(wanted) => void navigate({ search: (now) => starting(now, wanted), replace: true })} />;
}

export function AgentRoute() {
  const { tab = null, open } = one.useSearch();
  const navigate = one.useNavigate();
  return <AgentsPage selected={one.useParams().agent} tab={tab} onTab={(next) => void navigate({ search: { tab: next }, replace: true })} starting={open === "start"} onStarting={(wanted) => void navigate({ search: (now) => starting(now, wanted), replace: true })} />;
}
