// MCP servers and their tools, as a recorded engine knows them.
import { file, stats, waits } from "../../testing/servers";
import type { ServerDetailDto } from "../bindings/ServerDetailDto";
import type { ServersDto } from "../bindings/ServersDto";
import { EngineError } from "../client";
import { type Handlers, notFound, type World } from "./world";

function find(world: World, name: string): ServerDetailDto {
  const found = world.servers.find((one) => one.server.name === name);
  if (!found) throw notFound(`no server \`${name}\``);
  return found;
}

function list(world: World): ServersDto {
  return { servers: world.servers.map((one) => ({ ...one.server })), toReview: world.toReview, problem: null, file };
}

/** As it is after a review or after it was forgotten. */
function tell(world: World): void {
  world.state.status = { ...world.state.status, toReview: world.toReview };
  world.emit({ changed: ["servers"], status: world.state.status });
}

export const servers: Handlers<"servers.list" | "servers.get" | "servers.approve" | "servers.forget" | "servers.stats"> = {
  "servers.list": list,
  "servers.get": (world, { server }) => structuredClone(find(world, server)),
  "servers.approve": (world, { server, identity, tools }) => {
    const detail = find(world, server);
    const stale = tools.find((shown) => detail.tools.every((tool) => tool.name !== shown.name || tool.digest !== shown.digest));
    if (stale || (identity !== null && identity !== detail.identity?.digest)) throw new EngineError({ code: "failed", message: `\`${stale?.name ?? server}\` is not what was shown any more: look at it again`, hint: null });
    const at = new Date().toISOString();
    if (identity !== null) detail.server = { ...detail.server, standing: "approved", approvedAt: at, approvedBy: "dana" };
    detail.tools = detail.tools.map((tool) => (tools.some((shown) => shown.name === tool.name) ? { ...tool, standing: "approved", diff: [], versions: tool.versions.map((version) => (version.digest === tool.digest ? { ...version, approvedAt: at, approvedBy: "dana" } : version)) } : tool));
    detail.server = { ...detail.server, toReview: waits(detail.server) ? 1 : detail.tools.filter(waits).length };
    tell(world);
    return structuredClone(detail);
  },
  "servers.forget": (world, { server }) => {
    find(world, server);
    world.servers = world.servers.filter((one) => one.server.name !== server);
    tell(world);
    return list(world);
  },
  "servers.stats": (world, { query }) => (world.servers.length === 0 ? { ...stats(""), stats: [] } : stats(query)),
};
