// /inbox and /inbox/:approval
import { getRouteApi } from "@tanstack/react-router";
import { InboxPage } from "../features/approvals/inbox-page";

type InboxSearch = { tab?: "decided" | "expired" };

export function inboxSearch(search: Record<string, unknown>): InboxSearch {
  return search["tab"] === "decided" || search["tab"] === "expired" ? { tab: search["tab"] } : {};
}

const list = getRouteApi("/inbox");
const one = getRouteApi("/inbox/$approval");

export function InboxRoute() {
  return <InboxPage tab={list.useSearch().tab ?? "held"} selected={null} />;
}

export function InboxQuestionRoute() {
  return <InboxPage tab={one.useSearch().tab ?? "held"} selected={one.useParams().approval} />;
}
