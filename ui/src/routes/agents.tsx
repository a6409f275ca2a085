// /agents and /agents/:agent
import { getRouteApi } from "@tanstack/react-router";
import { AgentsPage } from "../features/agents/agents-page";

const one = getRouteApi("/agents/$agent");

export function AgentsRoute() {
  return <AgentsPage selected={null} />;
}

export function AgentRoute() {
  return <AgentsPage selected={one.useParams().agent} />;
}
