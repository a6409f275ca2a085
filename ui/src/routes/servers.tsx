// /servers and /servers/:server?tool=…
import { getRouteApi, lazyRouteComponent } from "@tanstack/react-router";

export const ServersPage = lazyRouteComponent(() => import("../features/servers/servers-page"), "ServersPage");

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
