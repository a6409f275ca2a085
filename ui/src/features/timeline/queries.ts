// Reads of operations: pages of rows, counts, and one in full.
import { type InfiniteData, keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import type { OperationDetailDto } from "../../engine/bindings/OperationDetailDto";
import type { OperationRowDto } from "../../engine/bindings/OperationRowDto";
import type { SearchPage } from "../../engine/bindings/SearchPage";
import type { SessionsPage } from "../../engine/bindings/SessionsPage";
import type { VerificationDto } from "../../engine/bindings/VerificationDto";
import type { ViewDto } from "../../engine/bindings/ViewDto";
import type { ViewsDto } from "../../engine/bindings/ViewsDto";
import type { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";
import { type Pages, upsert } from "../../engine/rows";
import { PAGE, searchKey } from "../../engine/stream";

export function useSearch(query: string) {
  const engine = useEngine();
  return useInfiniteQuery<SearchPage, EngineError, Pages, ReturnType<typeof searchKey>, string | null>({
    queryKey: searchKey(query),
    queryFn: ({ pageParam }) => engine.call({ call: "operations.search", input: { query, before: pageParam, limit: PAGE } }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
  });
}

/** So many of those that cost the most. */
const COSTLIEST = 200;
const COSTLIEST_EVERY_MS = 5_000;

/** What cost the most of what a query finds; asked again by the clock, because a call that settles may belong among them. */
export function useCostliest(query: string, enabled: boolean) {
  return useCall({ call: "operations.costliest", input: { query, limit: COSTLIEST } }, { enabled, placeholderData: keepPreviousData, gcTime: 10_000, refetchInterval: COSTLIEST_EVERY_MS });
}

/** `drawn`: what the histogram counts, where that is more than the query finds. */
export function useFacets(query: string, drawn: string | null) {
  return useCall({ call: "operations.facets", input: drawn === null ? { query } : { query, binsOf: drawn } }, { placeholderData: keepPreviousData, gcTime: 30_000 });
}

/** Values of a key that hold what was typed; nothing is asked while no value is typed. */
export function useValues(query: string, asked: { key: string; begun: string } | null) {
  return useCall({ call: "operations.values", input: { query, key: asked?.key ?? "agent", begun: asked?.begun ?? "" } }, { enabled: asked !== null, placeholderData: keepPreviousData, gcTime: 10_000 });
}

export function useViews() {
  return useCall({ call: "operations.views" });
}

export function useChangeViews() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<ViewsDto, EngineError, { save: ViewDto } | { remove: string }>({
    mutationFn: (change) => engine.call("save" in change ? { call: "operations.save_view", input: change.save } : { call: "operations.remove_view", input: { name: change.remove } }),
    onSuccess: (views) => client.setQueryData(keyOf({ call: "operations.views" }), views),
  });
}

/** Most sessions of one page. */
const SESSIONS = 50;

export function useSessions(query: string) {
  const engine = useEngine();
  return useInfiniteQuery<SessionsPage, EngineError, InfiniteData<SessionsPage, string | null>, readonly [string, string], string | null>({
    queryKey: ["sessions.search", query],
    queryFn: ({ pageParam }) => engine.call({ call: "sessions.search", input: { query, before: pageParam, limit: SESSIONS } }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
  });
}

export function useFlow(session: string | null, query: string) {
  return useCall({ call: "sessions.flow", input: { session: session ?? "", query } }, { enabled: session !== null, placeholderData: keepPreviousData, gcTime: 30_000 });
}

export function useRecord(record: number | null) {
  return useCall({ call: "audit.record", input: { record: record ?? 0 } }, { enabled: record !== null, gcTime: 60_000 });
}

export function useOperation(id: string) {
  return useCall({ call: "operations.get", input: { operation: id } }, { gcTime: 60_000 });
}

/** Pins an action or not, and gives it this note or none; what is left out stays as it is. */
export function useAnnotate() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<OperationRowDto, EngineError, { row: OperationRowDto; pinned?: boolean; note?: string | null }>({
    mutationFn: ({ row, pinned = row.pinned ?? false, note = row.note ?? null }) => engine.call({ call: "operations.annotate", input: { operation: row.id, pinned, note } }),
    onSuccess: (row) => {
      client.setQueryData<OperationDetailDto>(keyOf({ call: "operations.get", input: { operation: row.id } }), (detail) => detail && { ...detail, row });
      client.setQueriesData<Pages>({ queryKey: ["operations.search"], predicate: ({ queryKey }) => typeof queryKey[1] === "string" }, (pages) => pages && upsert(pages, [row], false));
    },
  });
}

/** A recorded action by the rules of now, once somebody asks. */
export function useWhatIf(operation: string, enabled: boolean) {
  return useCall({ call: "policies.what_if", input: { operation, draft: null } }, { enabled, gcTime: 0 });
}

/** Verifies every record and every seal, here and now. */
export function useVerify() {
  const engine = useEngine();
  return useMutation<VerificationDto, EngineError>({ mutationFn: () => engine.call({ call: "audit.verify" }) });
}
