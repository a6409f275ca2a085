// Reads and writes of agents. What is counted is asked for again when the stream says that something was recorded.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { AgentDto } from "../../engine/bindings/AgentDto";
import type { StartAgentInput } from "../../engine/bindings/StartAgentInput";
import type { StartedDto } from "../../engine/bindings/StartedDto";
import type { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";

export function useAgents() {
  return useCall({ call: "agents.list" });
}

export function useAgent(agent: string) {
  return useCall({ call: "agents.get", input: { agent } });
}

export function useTools() {
  return useCall({ call: "agents.tools" }, { gcTime: 0 });
}

export function useChanges() {
  return useCall({ call: "agents.changes" }, { gcTime: 0 });
}

/** Its sessions with what each added up to, running ones first. */
export function useSessions(agent: string) {
  return useCall({ call: "sessions.search", input: { query: `agent:${agent}`, before: null, limit: 50 } });
}

/** Servers whose tools it called in 30 days, with how its own calls ended; none while it is counted. */
export function useServersOf(agent: string) {
  const { data: list } = useCall({ call: "servers.list" });
  const { data: counted, error } = useCall({ call: "servers.stats", input: { query: `agent:${agent} since:30d` } }, { gcTime: 0 });
  if (error) return { servers: [], error };
  if (!list || !counted) return null;
  const names = [...new Set(counted.stats.map((one) => one.server))];
  const servers = names.map((name) => {
    const mine = counted.stats.filter((one) => one.server === name);
    const ends = mine.map((one) => one.ends);
    const good = ends.reduce((all, one) => all + one.ok, 0);
    const of = ends.reduce((all, one) => all + one.ok + one.toolError + one.schemaFailure + one.timeout + one.unknown, 0);
    return { name, known: list.servers.find((one) => one.name === name), good, of, tools: new Set(mine.map((one) => one.tool)).size };
  });
  return { servers: servers.toSorted((a, b) => Number((b.known?.toReview ?? 0) > 0) - Number((a.known?.toReview ?? 0) > 0) || b.of - a.of), error: null };
}

export function useCredentials() {
  return useCall({ call: "credentials.list" });
}

export function useStatus() {
  return useCall({ call: "status.get" });
}

/** The tightest money budget of a day that counts this agent alone. */
export function useDayBudget(agent: string) {
  const { data = [] } = useCall({ call: "budgets.lines" });
  return data
    .filter((line) => line.unit === "money" && line.window === "day" && line.model === null)
    .flatMap((line) => line.accounts.filter((account) => account.agent === agent && account.session === null).map((account) => ({ line, account })))
    .toSorted((a, b) => a.account.free - b.account.free)[0];
}

/** Opens a terminal with the tool in it; its session appears when the tool begins. */
export function useStart() {
  const engine = useEngine();
  return useMutation<StartedDto, EngineError, StartAgentInput>({ mutationFn: (input) => engine.call({ call: "agents.start", input }) });
}

export type Act = "agents.pause" | "agents.resume" | "agents.stop" | "agents.remove" | "agents.add";

export function useAct() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<AgentDto, EngineError, { call: Act; agent: string }>({
    mutationFn: ({ call, agent }) => engine.call(call === "agents.add" ? { call, input: { agent, name: null } } : { call, input: { agent } }),
    onSettled: () => {
      for (const name of ["agents.list", "agents.get", "agents.tools", "sessions.search", "budgets.lines"]) void client.invalidateQueries({ queryKey: [name] });
      void client.invalidateQueries({ queryKey: keyOf({ call: "status.get" }) });
    },
  });
}
