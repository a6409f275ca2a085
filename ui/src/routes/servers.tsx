// /servers and /servers/:server?tool=…
import { getRouteApi } from "@tanstack/react-router";
import { lazy } from "react";

const ServersPage = lazy(() => import("../features/servers/servers-page").then(({ ServersPage: page }) => ({ default: page })));

type ServersSearch = { tool?: string };

export function serversSearch(search: Record<string, unknown>): ServersSearch {
  return typeof search["tool"] === "string" && search["tool"] !== "" ? { tool: search["tool"] } : {};
}

const one = getRouteApi("/servers/$server");

export function ServersRoute() {
  return <ServersPage selected={null} tool={null} />;
}

export function ServerRoute() {
  return <ServersPage selected={one.useParams().server} tool={one.useSearch().tool ?? null} />;
}
