// /timeline?q=…&op=…&tab=…&view=…&session=…&sort=cost&win=…&open=export; `live=off`, a wish that is taken at once; and `link=unknown`,
// where a link led nowhere: said until the view changes.
import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import { TimelinePage, type TimelineState } from "../features/timeline/timeline-page";
import { rangeOf } from "../lib/filter/tokens";

type TimelineSearch = { q?: string; op?: string; tab?: string; view?: "sessions" | "flow"; session?: string; sort?: "cost"; win?: string; open?: "export"; live?: "on" | "off"; link?: "unknown" };

export function timelineSearch(search: Record<string, unknown>): TimelineSearch {
  const text = (key: string) => (typeof search[key] === "string" && search[key] !== "" ? { [key]: search[key] } : {});
  const { view, link, sort, open, live } = search;
  return {
    ...text("q"),
    ...text("op"),
    ...text("tab"),
    ...(view === "sessions" || view === "flow" ? { view } : {}),
    ...text("session"),
    ...(sort === "cost" ? { sort } : {}),
    ...text("win"),
    ...(open === "export" ? { open } : {}),
    ...(live === "on" || live === "off" ? { live } : {}),
    ...(link === "unknown" ? { link } : {}),
  };
}

const route = getRouteApi("/timeline");

export function TimelineRoute() {
  const { q, op, tab, view, session, sort, win, open, live } = route.useSearch();
  const navigate = route.useNavigate();
  const onState = useCallback(
    (change: Partial<TimelineState>) => {
      void navigate({
        search: (now) => {
          const next = { query: now.q ?? "", operation: now.op ?? null, tab: now.tab ?? null, view: now.view ?? "list", session: now.session ?? null, byCost: now.sort === "cost", window: now.win ?? null, exporting: now.open === "export", live: now.live ?? null, ...change };
          const { since, before } = rangeOf(next.query);
          // A query without a range looks at everything, so there is nothing that the histogram would show more of.
          const win = since === null && before === null ? null : next.window;
          return timelineSearch({ q: next.query, op: next.operation, tab: next.tab, view: next.view, session: next.session, sort: next.byCost ? "cost" : undefined, win, open: next.exporting ? "export" : undefined, live: next.live });
        },
        // Looking at the next row is not a step one wants to go back through; a new query, view or session is.
        replace: change.query === undefined && change.view === undefined && change.session === undefined && change.byCost === undefined,
      });
    },
    [navigate],
  );
  return <TimelinePage state={{ query: q ?? "", operation: op ?? null, tab: tab ?? null, view: view ?? "list", session: session ?? null, byCost: sort === "cost", window: win ?? null, exporting: open === "export", live: live ?? null }} onState={onState} />;
}
