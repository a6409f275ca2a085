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
};

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
    problems: list(field(value, "schema"), "problems").map((one) => ({ path: text(one, "path") ?? "", expected: text(one, "expected") ?? "", found: text(one, "found") ?? "" })),
    bytes: typeof bytes === "number" ? bytes : null,
  };
}

function claimOf(annotations: unknown): Claim {
  const [reads, destroys] = [field(annotations, "read_only"), field(annotations, "destructive")];
  if (reads === true) return "reads";
  if (typeof reads !== "boolean" && typeof destroys !== "boolean") return "silent";
  return destroys === false ? "writes" : "destroys";
}

export type Result = { kind: "ok" | "tool_error" | "schema_failure" } | { kind: "exited"; code: number | null };

/** What a tool call or a command came to; null where it is no such thing, or has not ended. */
export function resultOf(outcome: unknown): Result | null {
  const result = field(outcome, "result");
  const kind = text(result, "result");
  const code = field(result, "code");
  if (kind === "exited") return { kind, code: typeof code === "number" ? code : null };
  return kind === "ok" || kind === "tool_error" || kind === "schema_failure" ? { kind } : null;
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
