// What the screens of tools and servers derive from what the engine tells: order, what waits, and what approving names.
import type { ApproveServerInput } from "../../engine/bindings/ApproveServerInput";
import type { EndsDto } from "../../engine/bindings/EndsDto";
import type { IdentityDto } from "../../engine/bindings/IdentityDto";
import type { ServerDetailDto } from "../../engine/bindings/ServerDetailDto";
import type { ServerDto } from "../../engine/bindings/ServerDto";
import type { ServerToolDto } from "../../engine/bindings/ServerToolDto";
import type { StandingDto } from "../../engine/bindings/StandingDto";

/** Held until a person looked at it. */
export const waits = (standing: StandingDto | null): boolean => standing === "new" || standing === "changed";

/** What waits comes first, then by name. */
export function inOrder(servers: readonly ServerDto[]): ServerDto[] {
  const first = (one: ServerDto) => Number(one.toReview > 0) * 2 + Number((one.cutOff ?? []).length > 0);
  return [...servers].sort((a, b) => first(b) - first(a) || a.name.localeCompare(b.name));
}

/** The gravest thing to say of a server in one word; null: nothing. */
export function problemOf(server: ServerDto): { kind: "new" | "changed" | "tools" | "cutOff"; count: number } | null {
  if (server.standing === "new" || server.standing === "changed") return { kind: server.standing, count: server.tools };
  if (server.toReview > 0) return { kind: "tools", count: server.toReview };
  const off = server.cutOff ?? [];
  return off.length > 0 ? { kind: "cutOff", count: off.length } : null;
}

/** What waits of a server: itself, and tools of it. */
export function toReview(detail: ServerDetailDto): { server: boolean; tools: ServerToolDto[] } {
  return { server: waits(detail.server.standing), tools: detail.tools.filter((tool) => waits(tool.standing)) };
}

/** Exactly what is shown, by its digest: what is another by then is not approved. `only`: one tool of it. */
export function approval(detail: ServerDetailDto, only: string | null): ApproveServerInput {
  const waiting = toReview(detail);
  const tools = waiting.tools.filter((tool) => only === null || tool.name === only);
  return {
    server: detail.server.name,
    // A tool cannot be used while its server waits, so it is never approved without it.
    identity: waiting.server ? (detail.identity?.digest ?? null) : null,
    tools: tools.map(({ name, digest }) => ({ name, digest })),
  };
}

/** `sha256:…` or plain: both ends, which is what a person compares. */
export function short(digest: string): string {
  const hex = digest.replace(/^sha256:/, "");
  return hex.length <= 12 ? hex : `${hex.slice(0, 6)}…${hex.slice(-4)}`;
}

/** What the server claims of a tool, in the order of weight. */
export function claimsOf(tool: ServerToolDto): ("reads" | "writes" | "destroys" | "repeats" | "outside" | "silent")[] {
  const hint = (name: string) => tool.annotations[name];
  const [reads, destroys] = [hint("readOnlyHint"), hint("destructiveHint")];
  const first = reads === true ? "reads" : reads === undefined && destroys === undefined ? "silent" : destroys === false ? "writes" : "destroys";
  return [first, ...(hint("idempotentHint") === true ? (["repeats"] as const) : []), ...(hint("openWorldHint") === true ? (["outside"] as const) : [])];
}

export type End = Exclude<keyof EndsDto, "ok">;
const ENDS: readonly End[] = ["toolError", "schemaFailure", "timeout", "unknown", "refused"];

/** How calls ended that did not go well, only where there are any. */
export function badEnds(ends: EndsDto): { end: End; count: number }[] {
  return ENDS.map((end) => ({ end, count: ends[end] })).filter((one) => one.count > 0);
}

/** What starts or reaches it, on one line. */
export function startOf(identity: IdentityDto): string {
  return identity.url ?? identity.command.join(" ");
}

/** A part of the definition, as the server offers it. */
export function partOf(tool: ServerToolDto, name: "inputSchema" | "outputSchema"): unknown {
  const { definition } = tool;
  return typeof definition === "object" && definition !== null && !Array.isArray(definition) ? (definition as Record<string, unknown>)[name] : undefined;
}

const quoted = (value: string) => (/^[\w./*-]+$/.test(value) ? value : `"${value.replaceAll('"', "")}"`);

/** Its calls in the Timeline. */
export function callsQuery(server: string, tool?: string): string {
  return `server:${quoted(server)}${tool === undefined ? "" : ` tool:${quoted(tool)}`}`;
}
