// Pages of rows, kept fresh: pure functions over what a search holds.
import type { InfiniteData } from "@tanstack/react-query";
import type { NoticeDto } from "./bindings/NoticeDto";
import type { OperationRowDto } from "./bindings/OperationRowDto";
import type { SearchPage } from "./bindings/SearchPage";

export type Pages = InfiniteData<SearchPage, string | null>;

/** Known rows get their newest state; where `unfiltered`, unknown newer ones come to the front. */
export function upsert(pages: Pages, changed: readonly OperationRowDto[], unfiltered: boolean): Pages {
  const fresh = new Map(changed.map((row) => [row.id, row]));
  const seen = new Set<string>();
  const updated = pages.pages.map((page) => ({
    ...page,
    rows: page.rows.map((row) => {
      seen.add(row.id);
      return fresh.get(row.id) ?? row;
    }),
  }));
  const [first, ...rest] = updated;
  if (!first || !unfiltered) return { ...pages, pages: updated };
  const newest = first.rows[0]?.record ?? 0;
  const added = [...fresh.values()].filter((row) => !seen.has(row.id) && row.record > newest).sort((a, b) => b.record - a.record);
  return { ...pages, pages: [{ ...first, rows: [...added, ...first.rows] }, ...rest] };
}

/** What happened beside actions just now, before everything on the first page. */
export function withNotices(pages: Pages, fresh: readonly NoticeDto[]): Pages {
  const [first, ...rest] = pages.pages;
  if (!first) return pages;
  const known = first.notices ?? [];
  const added = fresh.filter((one) => known.every((other) => other.record !== one.record)).toSorted((a, b) => b.record - a.record);
  return { ...pages, pages: [{ ...first, notices: [...added, ...known] }, ...rest] };
}

/** A fresh first page replaces what it covers; older rows stay. */
export function replaceNewest(pages: Pages, fresh: SearchPage): Pages {
  const oldest = fresh.rows.at(-1)?.record;
  const [first, ...rest] = pages.pages;
  if (!first) return pages;
  if (fresh.next === null || oldest === undefined) return { pages: [fresh], pageParams: [null] };
  const older = (page: SearchPage): SearchPage => ({ ...page, rows: page.rows.filter((row) => row.record < oldest), notices: (page.notices ?? []).filter((one) => one.record < oldest) });
  const kept = older(first);
  return { ...pages, pages: [{ ...fresh, rows: [...fresh.rows, ...kept.rows], notices: [...(fresh.notices ?? []), ...(kept.notices ?? [])], next: first.next }, ...rest.map(older)] };
}
