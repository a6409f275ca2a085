// MCP servers and their tools as a real engine told them (`recorded/`); in a large state with many more of the same.
import type { ServerDetailDto } from "../engine/bindings/ServerDetailDto";
import type { ToolStatsDto } from "../engine/bindings/ToolStatsDto";
import { pick } from "./from";
import { serverDetails, servers as list, toolStats } from "./recorded/servers";

/** Path of the person's file. */
export const { file } = list;

export type Size = "none" | "told" | "large" | "hostile";

export function servers(size: Size): ServerDetailDto[] {
  if (size === "none") return [];
  const told = structuredClone(serverDetails);
  if (size === "hostile") return told.map(hostile);
  if (size === "told") return told;
  const known = pick(told, (one) => one.server.standing === "approved");
  const tool = pick(known.tools, (one) => one.standing === "approved");
  const many = Array.from({ length: 200 }, (_, at) => ({ ...structuredClone(tool), name: `tool_${at}` }));
  const long = `server-${"with-a-long-name-".repeat(12)}`;
  return [...told, { ...known, server: { ...known.server, name: long, tools: many.length }, tools: many }, ...Array.from({ length: 60 }, (_, at) => ({ ...known, server: { ...known.server, name: `server-${at}` } }))];
}

/** Names, words and paths that try to be something else. */
function hostile(one: ServerDetailDto): ServerDetailDto {
  const bad = (text: string) => `${text}\u202e\u001b[31m<b>\u200b${"x".repeat(300)}`;
  const server = { ...one.server, name: bad(one.server.name), approvedBy: bad("dana") };
  const identity = one.identity && { ...one.identity, command: one.identity.command.map(bad), name: bad("server"), url: "https://xn--gthub-zsa.com:8443/mcp" };
  const tools = one.tools.map((tool) => ({ ...tool, name: bad(tool.name), description: bad(tool.description ?? ""), findings: tool.findings.map((finding) => ({ ...finding, place: bad(finding.place), excerpt: bad(finding.excerpt) })), diff: tool.diff.map((field) => ({ place: bad(field.place), parts: field.parts.map((part) => ({ ...part, text: bad(part.text) })) })) }));
  return { ...one, server, identity, tools };
}

/** How calls ended, of the agent and the server that a query names. */
export function stats(query: string): ToolStatsDto {
  const named = (key: string) => new RegExp(`(?:^| )${key}:"?([^" ]+)`).exec(query)?.[1];
  const [agent, server] = [named("agent"), named("server")];
  return { ...toolStats, stats: toolStats.stats.filter((one) => (agent === undefined || one.agent === agent) && (server === undefined || one.server === server)) };
}

export const waits = (one: { standing: string | null }) => one.standing === "new" || one.standing === "changed";
