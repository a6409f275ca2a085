// What a row says, from the row alone.
import type { Shape } from "../../components/glyph";
import type { FacetValueDto } from "../../engine/bindings/FacetValueDto";
import type { NoticeDto } from "../../engine/bindings/NoticeDto";
import type { OperationDetailDto } from "../../engine/bindings/OperationDetailDto";
import type { OperationRowDto } from "../../engine/bindings/OperationRowDto";
import type { RowStateDto } from "../../engine/bindings/RowStateDto";
import type { ToneDto } from "../../engine/bindings/ToneDto";
import { quote, type Range, rangeOf, withRange } from "../../lib/filter/tokens";

export const STATE_LOOKS: Record<RowStateDto, { shape: Shape; colour: string }> = {
  allowed: { shape: "allowed", colour: "text-allow" },
  approved: { shape: "approved", colour: "text-allow" },
  held: { shape: "held", colour: "text-ask" },
  refused: { shape: "refused", colour: "text-deny" },
  denied: { shape: "denied", colour: "text-deny" },
  expired: { shape: "expired", colour: "text-t3" },
  withdrawn: { shape: "expired", colour: "text-t3" },
  wouldDeny: { shape: "would", colour: "text-info" },
  wouldHold: { shape: "would", colour: "text-info" },
};

/** As the query grammar writes a state. */
const WRITTEN: Record<string, RowStateDto> = { "would-deny": "wouldDeny", "would-hold": "wouldHold", would_deny: "wouldDeny", would_hold: "wouldHold" };

export function stateOf(written: string): RowStateDto | null {
  const state = WRITTEN[written] ?? written;
  return state in STATE_LOOKS ? (state as RowStateDto) : null;
}

/** A state as the query takes it. */
export function writtenState(state: RowStateDto): string {
  return state.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** States worth their word in the second line; that something was allowed is not. */
export function isWordy(state: RowStateDto): boolean {
  return state !== "allowed" && state !== "denied";
}

/** A line of the list: an action with what Reeve tried for it first, or what happened beside actions. */
export type Line = { kind: "row"; id: string; row: OperationRowDto; tried: readonly OperationRowDto[] } | { kind: "notice"; id: string; notice: NoticeDto };

const NOTHING_TRIED: readonly OperationRowDto[] = [];

/** Newest first, as both lists are. A preview is part of the call that it was made for, where that is in the list. */
export function lines(rows: readonly OperationRowDto[], notices: readonly NoticeDto[]): Line[] {
  const calls = new Set(rows.map((row) => row.id));
  const tried = new Map<string, OperationRowDto[]>();
  for (const row of rows) {
    if (row.purpose === "preview" && row.partOf !== undefined && calls.has(row.partOf)) tried.set(row.partOf, [...(tried.get(row.partOf) ?? []), row]);
  }
  const found: Line[] = [];
  let at = 0;
  const noticesAfter = (record: number) => {
    for (let notice = notices[at]; notice !== undefined && notice.record > record; notice = notices[at]) {
      found.push({ kind: "notice", id: String(notice.record), notice });
      at += 1;
    }
  };
  for (const row of rows) {
    noticesAfter(row.record);
    const folded = row.partOf !== undefined && tried.get(row.partOf)?.includes(row);
    if (!folded) found.push({ kind: "row", id: row.id, row, tried: tried.get(row.id) ?? NOTHING_TRIED });
  }
  noticesAfter(-1);
  return found;
}

export const TONE_COLOURS: Record<ToneDto, string> = { good: "text-allow", bad: "text-deny", waits: "text-ask", plain: "text-t3" };

/** Whether an address names a record of the chain instead of an action. */
export function isNotice(id: string): boolean {
  return /^\d{1,15}$/.test(id);
}

/** Number of the record that a line stands at. */
export function recordOf(line: Line): number {
  return line.kind === "row" ? line.row.record : line.notice.record;
}

/** Lines up to the record at which the list was frozen, and how many newer ones wait above; a line may be folded into another meanwhile. */
export function split(all: readonly Line[], frozenAt: number | null): { shown: readonly Line[]; waiting: number } {
  const at = frozenAt === null ? 0 : all.findIndex((line) => recordOf(line) <= frozenAt);
  return at <= 0 ? { shown: all, waiting: 0 } : { shown: all.slice(at), waiting: at };
}

/** Keys of the grammar that something recorded can have, the common ones first: for suggestions. */
export const KEYS = [
  "agent", "kind", "decision", "host", "rule", "cost", "model", "status", "credential", "risk", "session", "since", "before", "path", "method", "is", "error", "tool", "server", "end", "loop", "latency",
  "tokens.in", "tokens.out", "tokens.cached", "provider", "domain", "port", "ip", "cwd", "user", "team", "parent", "trace", "mode", "approver", "scope", "surface", "budget", "reserved", "record", "hash", "program", "exit", "has",
] as const;

/** Keys whose values are amounts or times: nobody picks those from a list. */
const OPEN_ENDED: readonly string[] = ["cost", "since", "before", "latency", "tokens.in", "tokens.out", "tokens.cached", "reserved", "record", "hash"];

/** What is being typed of a value: its key and its beginning; none while the key itself is typed. */
export function asked(draft: string): { key: string; begun: string } | null {
  const body = draft.startsWith("-") ? draft.slice(1) : draft;
  const colon = body.indexOf(":");
  const key = body.slice(0, Math.max(0, colon)).toLowerCase();
  if (colon < 0 || !(KEYS as readonly string[]).includes(key) || OPEN_ENDED.includes(key)) return null;
  return { key, begun: body.slice(colon + 1).replace(/^"|"$|\*/g, "") };
}

export type Suggestion = { text: string; /** Typing goes on behind it. */ open: boolean; count: number | null };

/** Most suggestions at once. */
const SUGGESTED = 8;

/** Keys first, then the values of the key that was typed, with their counts. */
export function suggestions(draft: string, values: readonly FacetValueDto[]): Suggestion[] {
  const negated = draft.startsWith("-") ? "-" : "";
  const begun = draft.slice(negated.length);
  const value = asked(draft);
  if (value) return values.slice(0, SUGGESTED).map((one) => ({ text: `${negated}${value.key}:${quote(one.value)}`, open: false, count: one.count }));
  if (begun.includes(":")) return [];
  return KEYS.filter((key) => key.startsWith(begun.toLowerCase()))
    .slice(0, SUGGESTED)
    .map((key) => ({ text: `${negated}${key}:`, open: true, count: null }));
}

/** Windows of the histogram, outermost first, as an address holds them. */
export function windows(text: string | null): Range[] {
  if (text === null || text === "") return [];
  return text.split("~").map((one) => {
    const [since = "", before = ""] = one.split("..");
    return { since: since === "" ? null : since, before: before === "" ? null : before };
  });
}

export function printWindows(all: readonly Range[]): string | null {
  return all.length === 0 ? null : all.map(({ since, before }) => `${since ?? ""}..${before ?? ""}`).join("~");
}

/** What changes when a stretch of the histogram is chosen: the query has its range, the window stays as it was. */
export function brushed(query: string, all: readonly Range[], brush: Range): { query: string; windows: readonly Range[] } {
  return { query: withRange(query, brush), windows: all.length === 0 ? [rangeOf(query)] : all };
}

/** The histogram shows what is chosen and nothing else. */
export function zoomedIn(query: string, all: readonly Range[]): readonly Range[] {
  const chosen = rangeOf(query);
  const top = all.at(-1);
  return top === undefined || same(top, chosen) ? all : [...all, chosen];
}

/** One step back: to the window before, and from the outermost to no choice at all. */
export function zoomedOut(query: string, all: readonly Range[]): { query: string; windows: readonly Range[] } {
  const outermost = all[0];
  if (outermost === undefined) return { query, windows: all };
  return all.length > 1 ? { query, windows: all.slice(0, -1) } : { query: withRange(query, outermost), windows: [] };
}

export function same(one: Range, other: Range): boolean {
  return one.since === other.since && one.before === other.before;
}

/** The query that means this row and no other. */
export function queryOf(row: OperationRowDto): string {
  return `record:${quote(row.id)}`;
}

/** A link that opens this record wherever Reeve runs on this data. */
export function linkOf(id: string): string {
  return `reeve://record/${id}`;
}

/** A path as one word of a shell, for a command to copy. */
export function shellWord(path: string): string {
  return /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** The request as a command, without its body and without any secret; none for what is no plain request. Foreign text, read field by field. */
export function curlOf(subject: unknown): string | null {
  const http = asObject(subject);
  const endpoint = asObject(http?.["endpoint"]);
  if (http?.["subject"] !== "http" || !endpoint) return null;
  const text = (of: Record<string, unknown>, key: string) => (typeof of[key] === "string" ? of[key] : null);
  const [scheme, host, method, path] = [text(endpoint, "scheme"), text(endpoint, "host"), text(endpoint, "method"), text(endpoint, "path")];
  if (scheme === null || host === null || method === null || path === null) return null;
  const usual = scheme === "https" ? 443 : 80;
  const port = typeof endpoint["port"] === "number" && endpoint["port"] !== usual ? `:${endpoint["port"]}` : "";
  const query = text(http, "query");
  const type = text(http, "content_type");
  const parts = ["curl", "--request", shellWord(method), shellWord(`${scheme}://${host}${port}${path}${query === null ? "" : `?${query}`}`)];
  if (type !== null) parts.push("--header", shellWord(`content-type: ${type}`));
  return parts.join(" ");
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

/** Who refused it and what they said, as recorded; none where nobody did. */
export function refusalOf({ row, events }: Pick<OperationDetailDto, "row" | "events">): { by: string | null; reason: string | null } | null {
  if (row.state !== "refused") return null;
  const answer = events.findLast((event) => event.name === "approval.resolved")?.body;
  const resolved = objectOf(objectOf(answer)["resolved"]);
  const words = (key: string) => (typeof resolved[key] === "string" && resolved[key] !== "" ? resolved[key] : null);
  return { by: words("by"), reason: words("reason") };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
