// Reads and writes of the engine as queries: keys are the calls themselves.
import { QueryClient, useQuery, type UseQueryOptions } from "@tanstack/react-query";
import { createContext, use } from "react";
import type { Answer, Call, Engine, EngineError } from "./client";

export const EngineContext = createContext<Engine | null>(null);

export function useEngine(): Engine {
  const engine = use(EngineContext);
  if (!engine) throw new Error("no engine around this component");
  return engine;
}

/** The key a call is cached under. */
export function keyOf(call: Call): readonly [string, unknown] {
  return [call.call, "input" in call ? call.input : null];
}

export type Connection = { kind: "connecting" } | { kind: "connected" } | { kind: "lost"; error: { message: string; hint: string | null } };

export const CONNECTION = ["connection"] as const;

/** What a live subscription keeps fresh is never fetched again by a timer or by focus. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: Number.POSITIVE_INFINITY, retry: false, refetchOnWindowFocus: false, networkMode: "always" },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}

export function useCall<C extends Call>(call: C, options?: Pick<UseQueryOptions<Answer<C>, EngineError>, "enabled" | "gcTime" | "placeholderData" | "refetchInterval">) {
  const engine = useEngine();
  return useQuery<Answer<C>, EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), ...options });
}

/** Ends the keys of what is asked for by the clock alone, apart from the same call of a screen that follows every action. */
export const TIMED = "timed";

/** What is dear to count and always shown: asked for every so many milliseconds, however much is recorded. */
export function useTimedCall<C extends Call>(call: C, every: number, enabled: boolean) {
  const engine = useEngine();
  return useQuery<Answer<C>, EngineError>({ queryKey: [...keyOf(call), TIMED], queryFn: () => engine.call(call), refetchInterval: every, enabled });
}

/** Whether the engine answers; told by the subscription. */
export function useConnection(): Connection {
  const { data } = useQuery<Connection>({ queryKey: CONNECTION, queryFn: () => ({ kind: "connecting" }), initialData: { kind: "connecting" } });
  return data;
}
