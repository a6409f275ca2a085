// Reads and writes of agents and their sessions.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { AgentDto } from "../../engine/bindings/AgentDto";
import type { SessionDto } from "../../engine/bindings/SessionDto";
import type { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";

/** Counts and costs are measured by the engine when it is asked; no message carries them. */
const EVERY_MS = 5_000;

export function useAgents() {
  const engine = useEngine();
  const call = { call: "agents.list" } as const;
  return useQuery<AgentDto[], EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), staleTime: 0, refetchInterval: EVERY_MS });
}

export function useSessions() {
  const engine = useEngine();
  const call = { call: "sessions.list" } as const;
  return useQuery<SessionDto[], EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), staleTime: 0, refetchInterval: EVERY_MS });
}

export function useCredentials() {
  return useCall({ call: "credentials.list" });
}

export type Act = "agents.pause" | "agents.resume" | "agents.stop" | "agents.remove" | "agents.add";

export function useAct() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<AgentDto, EngineError, { call: Act; agent: string }>({
    mutationFn: ({ call, agent }) => engine.call(call === "agents.add" ? { call, input: { agent, name: null } } : { call, input: { agent } }),
    onSettled: () => {
      for (const call of ["agents.list", "sessions.list", "status.get"] as const) void client.invalidateQueries({ queryKey: keyOf({ call }) });
    },
  });
}
