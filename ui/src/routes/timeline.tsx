// /timeline?q=…&op=…&tab=… and `link=unknown`, where a link led nowhere: said until the view changes.
import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import { TimelinePage, type TimelineState } from "../features/timeline/timeline-page";

type TimelineSearch = { q?: string; op?: string; tab?: string; link?: "unknown" };

export function timelineSearch(search: Record<string, unknown>): TimelineSearch {
  const text = (key: string) => (typeof search[key] === "string" && search[key] !== "" ? { [key]: search[key] } : {});
  return { ...text("q"), ...text("op"), ...text("tab"), ...(search["link"] === "unknown" ? { link: "unknown" as const } : {}) };
}

const route = getRouteApi("/timeline");

export function TimelineRoute() {
  const { q, op, tab } = route.useSearch();
  const navigate = route.useNavigate();
  const onState = useCallback(
    (change: Partial<TimelineState>) => {
      void navigate({
        search: (now) => {
          const next = { query: now.q ?? "", operation: now.op ?? null, tab: now.tab ?? null, ...change };
          return timelineSearch({ q: next.query, op: next.operation, tab: next.tab });
        },
        // Looking at the next row is not a step one wants to go back through; a new query is.
        replace: change.query === undefined,
      });
    },
    [navigate],
  );
  return <TimelinePage state={{ query: q ?? "", operation: op ?? null, tab: tab ?? null }} onState={onState} />;
}
