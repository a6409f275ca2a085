// Reads and writes of rules: what is in force, what a draft is worth, what it would have changed.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { AcknowledgeInput } from "../../engine/bindings/AcknowledgeInput";
import type { CheckedDto } from "../../engine/bindings/CheckedDto";
import type { CompletionsDto } from "../../engine/bindings/CompletionsDto";
import type { DraftDto } from "../../engine/bindings/DraftDto";
import type { FormattedDto } from "../../engine/bindings/FormattedDto";
import type { HitsDto } from "../../engine/bindings/HitsDto";
import type { PolicyFileDto } from "../../engine/bindings/PolicyFileDto";
import type { PolicyStateDto } from "../../engine/bindings/PolicyStateDto";
import type { ProposalDto } from "../../engine/bindings/ProposalDto";
import type { ProposeInput } from "../../engine/bindings/ProposeInput";
import type { ReplayDto } from "../../engine/bindings/ReplayDto";
import type { SearchPage } from "../../engine/bindings/SearchPage";
import type { TakeBackInput } from "../../engine/bindings/TakeBackInput";
import type { WhatIfDto } from "../../engine/bindings/WhatIfDto";
import type { Answer, Call, EngineError } from "../../engine/client";
import { keyOf, useEngine } from "../../engine/query";
import { isCaseFile } from "./model";

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

export function useChecked(draft: DraftDto, enabled: boolean) {
  const engine = useEngine();
  const call = { call: "policies.check", input: { draft } } as const;
  return useQuery<CheckedDto, EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), enabled, staleTime: 0, gcTime: 0, placeholderData: keepPreviousData });
}

/** The person's cases, as the rules on disk answer them; again whenever rules or cases change. */
export function useCases(revision: string, files: readonly PolicyFileDto[]) {
  const engine = useEngine();
  const nothing: DraftDto = { changes: [], complete: false };
  return useQuery<CheckedDto, EngineError>({ queryKey: ["policies.cases", revision, files.filter((one) => isCaseFile(one.file)).map((one) => one.text)], queryFn: () => engine.call({ call: "policies.check", input: { draft: nothing } }), staleTime: 0, gcTime: 0, placeholderData: keepPreviousData });
}

/** Agrees to the rules of a project that became weaker. */
export function useAcknowledge() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<PolicyStateDto, EngineError, AcknowledgeInput>({
    mutationFn: (input) => engine.call({ call: "policies.acknowledge", input }),
    onSuccess: (state) => client.setQueryData(keyOf({ call: "policies.state" }), state),
    onSettled: () => void client.invalidateQueries({ queryKey: keyOf({ call: "policies.list" }) }),
  });
}

/** Loads what was changed outside and waits, or writes the files as they were. */
export function useWaiting() {
  const engine = useEngine();
  const client = useQueryClient();
  const load = useMutation<PolicyStateDto, EngineError, AcknowledgeInput>({ mutationFn: (input) => engine.call({ call: "policies.acknowledge", input }) });
  const keep = useMutation<PolicyStateDto, EngineError, TakeBackInput>({ mutationFn: (input) => engine.call({ call: "policies.take_back", input }) });
  const again = () => Promise.all((["policies.list", "policies.state", "policies.files", "policies.history"] as const).map((call) => client.invalidateQueries({ queryKey: keyOf({ call }) })));
  return { load, keep, again };
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

/** A rule made of a recorded action. The choices of before stay in view until the next text is there. */
export function useProposal(input: ProposeInput) {
  const engine = useEngine();
  const call = { call: "policies.propose", input } as const;
  return useQuery<ProposalDto, EngineError>({ queryKey: keyOf(call), queryFn: () => engine.call(call), staleTime: Number.POSITIVE_INFINITY, gcTime: 0, placeholderData: keepPreviousData });
}

export function useRecent(query: string) {
  const engine = useEngine();
  const call = { call: "operations.search", input: { query, before: null, limit: 12 } } as const;
  return useQuery<SearchPage, EngineError>({ queryKey: ["policies.recent", query], queryFn: () => engine.call(call), staleTime: 0, placeholderData: keepPreviousData });
}

/** What the editor asks while somebody types in a file. */
export function useAssist(file: string): { format: (text: string) => Promise<FormattedDto>; complete: (text: string, offset: number) => Promise<CompletionsDto> } {
  const engine = useEngine();
  return {
    format: (text) => engine.call({ call: "policies.format", input: { text, file } }),
    complete: (text, offset) => engine.call({ call: "policies.complete", input: { text, offset, file } }),
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
