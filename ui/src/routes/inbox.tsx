// /inbox and /inbox/:approval
import { getRouteApi } from "@tanstack/react-router";
import { InboxPage } from "../features/approvals/inbox-page";

type InboxSearch = { tab?: "decided" | "expired" | "suggestions"; /** One question of a group by itself. */ one?: true };

export function inboxSearch(search: Record<string, unknown>): InboxSearch {
  const { tab, one } = search;
  return { ...(tab === "decided" || tab === "expired" || tab === "suggestions" ? { tab } : {}), ...(one === true || one === "true" ? { one: true } : {}) };
}

const list = getRouteApi("/inbox");
const one = getRouteApi("/inbox/$approval");

export function InboxRoute() {
  return <InboxPage tab={list.useSearch().tab ?? "held"} selected={null} />;
}

export function InboxQuestionRoute() {
  const search = one.useSearch();
  return <InboxPage tab={search.tab ?? "held"} selected={one.useParams().approval} one={search.one ?? false} />;
}
