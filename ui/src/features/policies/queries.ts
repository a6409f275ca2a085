// Reads and writes of rules: what is in force, what a draft is worth, what it would have changed.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { CheckedDto } from "../../engine/bindings/CheckedDto";
import type { CompletionsDto } from "../../engine/bindings/CompletionsDto";
import type { DraftDto } from "../../engine/bindings/DraftDto";
import type { FormattedDto } from "../../engine/bindings/FormattedDto";
import type { HitsDto } from "../../engine/bindings/HitsDto";
import type { PolicyStateDto } from "../../engine/bindings/PolicyStateDto";
import type { ReplayDto } from "../../engine/bindings/ReplayDto";
import type { SearchPage } from "../../engine/bindings/SearchPage";
import type { WhatIfDto } from "../../engine/bindings/WhatIfDto";
import type { Answer, Call, EngineError } from "../../engine/client";
import { keyOf, useEngine } from "../../engine/query";

/** Files may change outside and rules count on; no message carries either. */
const EVERY_MS = 5_000;
const HITS_EVERY_MS = 15_000;

function useWatched<C extends Call>(call: C) {
  const engine = useEngine();
  return useQuery<Answer<C>, EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), staleTime: 0, refetchInterval: EVERY_MS });
}

export const useRules = () => useWatched({ call: "policies.list" });
export const usePolicyState = () => useWatched({ call: "policies.state" });
export const usePolicyFiles = () => useWatched({ call: "policies.files" });
export const useHistory = () => useWatched({ call: "policies.history" });

export function useHits() {
  const engine = useEngine();
  const call = { call: "policies.hits" } as const;
  return useQuery<HitsDto, EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), staleTime: 0, refetchInterval: HITS_EVERY_MS });
}

/** The value once it has stayed the same for a moment. */
export function useSettled<T>(value: T, afterMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), afterMs);
    return () => clearTimeout(timer);
  }, [value, afterMs]);
  return settled;
}

export function useChecked(draft: DraftDto, enabled: boolean) {
  const engine = useEngine();
  const call = { call: "policies.check", input: { draft } } as const;
  return useQuery<CheckedDto, EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), enabled, staleTime: 0, gcTime: 0, placeholderData: keepPreviousData });
}

export function useReplay(draft: DraftDto, enabled: boolean) {
  const engine = useEngine();
  const call = { call: "policies.replay", input: { draft, since: null } } as const;
  return useQuery<ReplayDto, EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), enabled, staleTime: 60_000, gcTime: 60_000 });
}

export function useWhatIf(operation: string | null, draft: DraftDto | null) {
  const engine = useEngine();
  const call = { call: "policies.what_if", input: { operation: operation ?? "", draft } } as const;
  return useQuery<WhatIfDto, EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), enabled: operation !== null, staleTime: 0, gcTime: 0 });
}

export function useRecent(query: string) {
  const engine = useEngine();
  const call = { call: "operations.search", input: { query, before: null, limit: 12 } } as const;
  return useQuery<SearchPage, EngineError>({ queryKey: ["policies.recent", query], queryFn: () => engine.call(call), staleTime: 0, placeholderData: keepPreviousData });
}

/** What the editor asks while somebody types. */
export function useAssist(): { format: (text: string) => Promise<FormattedDto>; complete: (text: string, offset: number) => Promise<CompletionsDto> } {
  const engine = useEngine();
  return {
    format: (text) => engine.call({ call: "policies.format", input: { text } }),
    complete: (text, offset) => engine.call({ call: "policies.complete", input: { text, offset } }),
  };
}

export function useSave() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<PolicyStateDto, EngineError, { draft: DraftDto; base: string; note: string | null }>({
    mutationFn: (input) => engine.call({ call: "policies.save", input }),
    onSuccess: async () => {
      await Promise.all((["policies.list", "policies.state", "policies.files", "policies.history"] as const).map((call) => client.invalidateQueries({ queryKey: keyOf({ call }) })));
      client.removeQueries({ queryKey: ["policies.replay"] });
    },
  });
}
