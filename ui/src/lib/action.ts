// What a tool call or a command is, read from what Reeve made of it: the view of a question, or the facts of a record.

/** What a program is known to do when it is called like this; nothing: it is not known. */
export const EFFECTS = ["rewrites_history", "deletes_tree", "deletes", "privilege", "pushes", "installs", "runs_code", "network", "writes", "reads"] as const;
export type Effect = (typeof EFFECTS)[number];

export type Command = {
  programs: string[];
  /** Of all programs, the gravest first. */
  effects: Effect[];
  /** What one of the programs does is not known. */
  unknown: boolean;
  touches: string[];
  hosts: string[];
  /** Every program that the line runs is among `programs`. */
  understood: boolean;
  folder: string | null;
};

/** What the server says of its tool. */
export type Claim = "reads" | "destroys" | "writes" | "silent";
export type SchemaProblem = { path: string; expected: string; found: string };

export type Tool = {
  server: string;
  tool: string;
  transport: "stdio" | "http";
  claim: Claim;
  schema: "unchecked" | "fits" | "fails";
  problems: SchemaProblem[];
  /** Size of the arguments as they are sent. */
  bytes: number | null;
  /** Why it is called. */
  purpose: "call" | "preview" | "probe";
  rows: Rows;
  /** Hash of the tool's definition as it is pinned. */
  definition: string | null;
  /** Personal data and secrets among the arguments, by place. */
  data: { path: string; kind: string }[];
};

/** What a server asks of the agent's side: a model's answer, values of the person, a page to open. */
export type Asked = { wants: "sampling" | "form" | "url"; server: string; transport: "stdio" | "http"; maxTokens: number | null; fields: string[]; host: string | null; bytes: number | null };

const WANTS = ["sampling", "form", "url"] as const;

export function askedOf(view: unknown): Asked | null {
  const wanted = field(view, "wanted");
  const [wants, server] = [WANTS.find((one) => one === text(wanted, "wants")), text(view, "server")];
  if (wants === undefined || server === null) return null;
  const [most, bytes] = [field(wanted, "max_tokens"), field(view, "bytes")];
  return {
    wants,
    server,
    transport: text(view, "transport") === "http" ? "http" : "stdio",
    maxTokens: typeof most === "number" ? most : null,
    fields: list(wanted, "fields").filter((one) => typeof one === "string"),
    host: text(wanted, "host"),
    bytes: typeof bytes === "number" ? bytes : null,
  };
}

/** How Reeve looked at what a call would change before it is made. */
export type Tried = { how: "tool" | "argument" | "sql"; tool: string; at: string | null; statement: string | null; operation: string | null; result: string | null };

export function triedOf(view: unknown): Tried | null {
  const preview = field(view, "preview");
  const how = text(preview, "how");
  if (how !== "tool" && how !== "argument" && how !== "sql") return null;
  return { how, tool: text(preview, "tool") ?? "", at: text(preview, "at"), statement: text(preview, "statement"), operation: text(preview, "operation"), result: text(preview, "result") };
}

/** Most rows that a rule lets a call change without a human. */
export function capOf(view: unknown): number | null {
  const cap = field(view, "cap");
  return typeof cap === "number" ? cap : null;
}

export type Repeats = {
  key: string;
  /** What a call that was made before gets. */
  onRepeat: "return_cached" | "reject" | "ask";
  found: { state: "reserved" | "done" | "failed_retryable" | "failed_final" | "unknown"; operation: string; at: string } | null;
};

const ON_REPEAT = ["return_cached", "reject", "ask"] as const;
const SLOTS = ["reserved", "done", "failed_retryable", "failed_final", "unknown"] as const;

/** What Reeve does so that the call has its effect once; null: nothing. */
export function repeatsOf(view: unknown): Repeats | null {
  const kept = field(view, "idempotency");
  const [key, onRepeat] = [text(kept, "key"), ON_REPEAT.find((one) => one === text(kept, "onRepeat"))];
  if (key === null || onRepeat === undefined) return null;
  const found = field(kept, "found");
  const [state, operation, at] = [SLOTS.find((one) => one === text(found, "state")), text(found, "operation"), text(found, "at")];
  return { key, onRepeat, found: state === undefined || operation === null || at === null ? null : { state, operation, at } };
}

/** What Reeve counted of the rows that a call would change. */
export type Rows = { kind: "none" } | { kind: "counted"; rows: number; preview: string | null } | { kind: "uncountable"; why: string };

export function commandOf(value: unknown): Command | null {
  const pieces = list(value, "pieces").filter((one) => typeof one === "object" && one !== null);
  if (typeof field(value, "command") !== "string" || field(value, "pieces") === undefined) return null;
  const all = (key: string) => [...new Set(pieces.flatMap((piece) => list(piece, key).filter((one) => typeof one === "string")))];
  const known = all("effects");
  return {
    programs: [...new Set(pieces.flatMap((piece) => text(piece, "program") ?? []))],
    effects: EFFECTS.filter((effect) => known.includes(effect)),
    unknown: pieces.length === 0 || pieces.some((piece) => !list(piece, "effects").some((one) => EFFECTS.some((effect) => effect === one))),
    touches: all("touches"),
    hosts: all("hosts"),
    understood: field(value, "understood") === true,
    folder: text(value, "cwd"),
  };
}

export function toolOf(value: unknown): Tool | null {
  const [server, tool] = [text(value, "server"), text(value, "tool")];
  if (server === null || tool === null) return null;
  const schema = text(field(value, "schema"), "result");
  const bytes = field(value, "bytes") ?? field(value, "argument_bytes");
  return {
    server,
    tool,
    transport: text(value, "transport") === "http" ? "http" : "stdio",
    claim: claimOf(field(value, "annotations")),
    schema: schema === "fits" || schema === "fails" ? schema : "unchecked",
    problems: problemsOf(field(value, "schema")),
    bytes: typeof bytes === "number" ? bytes : null,
    purpose: PURPOSES.find((one) => one === text(value, "purpose")) ?? "call",
    rows: rowsOf(field(value, "rows")),
    definition: text(value, "definition"),
    data: list(value, "data").map((one) => ({ path: text(one, "path") ?? "", kind: text(one, "kind") ?? "" })),
  };
}

const PURPOSES = ["call", "preview", "probe"] as const;

/** A count is a whole number that is not negative: anything else is none. */
function rowsOf(value: unknown): Rows {
  const count = text(value, "count");
  const rows = field(value, "rows");
  if (count === "counted" && typeof rows === "number" && Number.isInteger(rows) && rows >= 0) return { kind: "counted", rows, preview: text(value, "preview") };
  return count === "uncountable" ? { kind: "uncountable", why: text(value, "why") ?? "" } : { kind: "none" };
}

function problemsOf(value: unknown): SchemaProblem[] {
  return list(value, "problems").map((one) => ({ path: text(one, "path") ?? "", expected: text(one, "expected") ?? "", found: text(one, "found") ?? "" }));
}

function claimOf(annotations: unknown): Claim {
  const [reads, destroys] = [field(annotations, "read_only"), field(annotations, "destructive")];
  if (reads === true) return "reads";
  if (typeof reads !== "boolean" && typeof destroys !== "boolean") return "silent";
  return destroys === false ? "writes" : "destroys";
}

export type Result = { kind: "ok" | "tool_error" | "timed_out" } | { kind: "schema_failure"; problems: SchemaProblem[] } | { kind: "exited"; code: number | null };

/** What a tool call or a command came to; null where it is no such thing, or has not ended. */
export function resultOf(outcome: unknown): Result | null {
  const result = field(outcome, "result");
  const kind = text(result, "result");
  const code = field(result, "code");
  if (kind === "exited") return { kind, code: typeof code === "number" ? code : null };
  if (kind === "schema_failure") return { kind, problems: problemsOf(result) };
  return kind === "ok" || kind === "tool_error" || kind === "timed_out" ? { kind } : null;
}

/** The operation whose result came back instead of a second call; null where it was made. */
export function repeatOf(outcome: unknown): string | null {
  return text(outcome, "repeats");
}

export type WidthWord = "model" | "line" | "tool" | "call" | "folder" | "exact" | "host";

/** What a width means for an action of this kind. */
export function widthWord(kind: string, width: "useful" | "exact" | "host"): WidthWord {
  if (kind === "llm") return "model";
  if (kind === "shell") return "line";
  if (kind === "mcp") return width === "useful" ? "tool" : "call";
  return width === "useful" ? "folder" : width;
}

/** Whether a part that looks like a secret, or what was too much, is not shown. */
export function isCut(value: unknown): boolean {
  return field(value, "whole") === false || field(value, "is_whole") === false;
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>)[key] : undefined;
}

function text(value: unknown, key: string): string | null {
  const found = field(value, key);
  return typeof found === "string" && found !== "" ? found : null;
}

function list(value: unknown, key: string): unknown[] {
  const found = field(value, key);
  return Array.isArray(found) ? found : [];
}
