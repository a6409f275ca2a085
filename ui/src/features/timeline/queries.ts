// Reads of operations: pages of rows, counts, and one in full.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import type { SearchPage } from "../../engine/bindings/SearchPage";
import type { EngineError } from "../../engine/client";
import { useCall, useEngine } from "../../engine/query";
import type { Pages } from "../../engine/rows";
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

export function useFacets(query: string) {
  return useCall({ call: "operations.facets", input: { query } }, { placeholderData: keepPreviousData, gcTime: 30_000 });
}

export function useOperation(id: string) {
  return useCall({ call: "operations.get", input: { operation: id } }, { gcTime: 60_000 });
}
