// /inbox and /inbox/:approval
import { getRouteApi, lazyRouteComponent } from "@tanstack/react-router";

export const InboxPage = lazyRouteComponent(() => import("../features/approvals/inbox-page"), "InboxPage");

type InboxSearch = { tab?: "decided" | "expired" | "suggestions"; /** What of the answered is listed. */ q?: string; /** One question of a group by itself. */ one?: true };

export function inboxSearch(search: Record<string, unknown>): InboxSearch {
  const { tab, one, q } = search;
  return { ...(tab === "decided" || tab === "expired" || tab === "suggestions" ? { tab } : {}), ...(one === true || one === "true" ? { one: true } : {}), ...(typeof q === "string" && q !== "" ? { q } : {}) };
}

const list = getRouteApi("/inbox");
const one = getRouteApi("/inbox/$approval");

export function InboxRoute() {
  const { tab = "held", q = "" } = list.useSearch();
  return <InboxPage tab={tab} selected={null} query={q} />;
}

export function InboxQuestionRoute() {
  const search = one.useSearch();
  return <InboxPage tab={search.tab ?? "held"} selected={one.useParams().approval} one={search.one ?? false} query={search.q ?? ""} />;
}
