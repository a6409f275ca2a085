// /record/:record, by an operation's id or a number of the chain; /session/:session leads to its waterfall.
import { getRouteApi, lazyRouteComponent, Navigate } from "@tanstack/react-router";
import { Suspense } from "react";

export const RecordPage = lazyRouteComponent(() => import("../features/timeline/record-page"), "RecordPage");

type RecordSearch = { tab?: string };

export function recordSearch(search: Record<string, unknown>): RecordSearch {
  return typeof search["tab"] === "string" && search["tab"] !== "" ? { tab: search["tab"] } : {};
}

const record = getRouteApi("/record/$record");
const session = getRouteApi("/session/$session");

export function RecordRoute() {
  const { tab } = record.useSearch();
  const navigate = record.useNavigate();
  const { record: id } = record.useParams();
  return (
    <Suspense>
      <RecordPage key={id} record={id} tab={tab ?? null} onTab={(next) => void navigate({ search: { tab: next }, replace: true })} />
    </Suspense>
  );
}

export function SessionRoute() {
  return <Navigate to="/timeline" search={{ view: "flow", session: session.useParams().session }} replace />;
}
