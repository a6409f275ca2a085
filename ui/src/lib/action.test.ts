import { describe, expect, it } from "vitest";
import { capOf, commandOf, isCut, repeatOf, repeatsOf, triedOf, resultOf, toolOf, widthWord } from "./action";

describe("a command", () => {
  const view = {
    command: "git status && git push --force",
    cwd: "/home/dana/src/api",
    understood: true,
    whole: true,
    pieces: [
      { program: "git", argv: ["status"], effects: ["reads"], touches: [], hosts: [] },
      { program: "git", argv: ["push", "--force"], effects: ["pushes", "rewrites_history", "network"], touches: [], hosts: ["github.com"] },
    ],
  };

  it("has each program once, and its effects from the gravest on", () => {
    expect(commandOf(view)).toEqual({ programs: ["git"], effects: ["rewrites_history", "pushes", "network", "reads"], unknown: false, touches: [], hosts: ["github.com"], understood: true, folder: "/home/dana/src/api" });
  });

  it("has something unknown as soon as nothing is known of one program", () => {
    const mixed = { ...view, command: "cat a && frobnicate --wipe", pieces: [{ program: "cat", effects: ["reads"] }, { program: "frobnicate", effects: [] }] };
    expect(commandOf(mixed)).toMatchObject({ effects: ["reads"], unknown: true });
    expect(commandOf({ ...mixed, pieces: [{ program: "x", effects: ["made-up"] }] })?.unknown).toBe(true);
    expect(commandOf({ ...mixed, pieces: [] })?.unknown).toBe(true);
  });

  it("is none without its parts, and never understood where that is not said", () => {
    expect(commandOf({ command: "ls" })).toBeNull();
    expect(commandOf(null)).toBeNull();
    expect(commandOf({ ...view, understood: "true" })?.understood).toBe(false);
    expect(commandOf({ ...view, pieces: [null, 7, { program: "x", effects: ["made-up"] }] })?.effects).toEqual([]);
  });
});

describe("a tool call", () => {
  const view = { server: "postgres", tool: "execute", transport: "stdio", annotations: {}, schema: { result: "unchecked" }, bytes: 170, arguments: { sql: "SELECT 1" } };

  it("says what its server claims, and that it says nothing", () => {
    const claim = (annotations: unknown) => toolOf({ ...view, annotations })?.claim;
    expect([claim({}), claim({ read_only: true, destructive: true }), claim({ destructive: true }), claim({ read_only: false }), claim({ destructive: false })]).toEqual(["silent", "reads", "destroys", "destroys", "writes"]);
  });

  it("names what does not fit the schema", () => {
    const schema = { result: "fails", problems: [{ path: "options.limit", expected: "integer", found: "string" }] };
    expect(toolOf({ ...view, schema })).toMatchObject({ schema: "fails", problems: [{ path: "options.limit", expected: "integer", found: "string" }] });
  });

  it("has a count of rows only where Reeve counted a whole number of them", () => {
    const rows = (rows: unknown) => toolOf({ ...view, rows })?.rows;
    expect(rows({ count: "counted", rows: 38, preview: "op_1", arguments: "…" })).toEqual({ kind: "counted", rows: 38, preview: "op_1" });
    expect(rows({ count: "counted", rows: 0 })).toEqual({ kind: "counted", rows: 0, preview: null });
    for (const made of ["38", -1, 1.5, null, undefined]) expect(rows({ count: "counted", rows: made })).toEqual({ kind: "none" });
    expect(rows({ count: "uncountable", why: "two tables" })).toEqual({ kind: "uncountable", why: "two tables" });
    expect(rows(undefined)).toEqual({ kind: "none" });
  });

  it("says how it was tried before, and what a repeat of it gets", () => {
    const preview = { how: "sql", tool: "read_query", at: "2026-11-20T13:03:28Z", statement: "SELECT count(*) FROM users", operation: "op_1", result: "[]" };
    expect(triedOf({ ...view, preview })).toEqual(preview);
    expect([triedOf(view), triedOf({ ...view, preview: { how: "guessed" } }), triedOf({ ...view, preview: null })]).toEqual([null, null, null]);
    expect([capOf({ cap: 100 }), capOf({ cap: "100" }), capOf({})]).toEqual([100, null, null]);
    const kept = { key: "7f3ac19e0011", onRepeat: "return_cached", found: null };
    expect(repeatsOf({ idempotency: kept })).toEqual(kept);
    const found = { state: "unknown", operation: "op_2", at: "2026-11-20T12:00:00Z" };
    expect(repeatsOf({ idempotency: { ...kept, found } })?.found).toEqual(found);
    expect([repeatsOf({}), repeatsOf({ idempotency: { ...kept, onRepeat: "whatever" } }), repeatsOf({ idempotency: { ...kept, found: { state: "x" } } })?.found]).toEqual([null, null, null]);
  });

  it("is the agent's own call unless it is said to be a preview or a probe", () => {
    expect([undefined, "preview", "probe", "made-up"].map((purpose) => toolOf({ ...view, purpose })?.purpose)).toEqual(["call", "preview", "probe", "call"]);
  });

  it("is none without a server", () => {
    expect(toolOf({ tool: "execute" })).toBeNull();
    expect(isCut({ whole: false }) && isCut({ is_whole: false }) && !isCut({})).toBe(true);
  });
});

describe("what it came to", () => {
  it("is a status, an answer of the tool, or nothing yet", () => {
    expect(resultOf({ result: { result: "exited", code: 2 } })).toEqual({ kind: "exited", code: 2 });
    expect(resultOf({ result: { result: "exited", code: null } })).toEqual({ kind: "exited", code: null });
    expect(resultOf({ result: { result: "tool_error", message: "no" } })).toEqual({ kind: "tool_error" });
    expect(resultOf({ result: { result: "timed_out", after_ms: 15_000 } })).toEqual({ kind: "timed_out" });
    expect(resultOf({ result: { result: "schema_failure", problems: [{ path: "rows", expected: "a list", found: "a text" }] } })).toEqual({ kind: "schema_failure", problems: [{ path: "rows", expected: "a list", found: "a text" }] });
    expect(resultOf({ status: 200 })).toBeNull();
    expect([repeatOf({ repeats: "op_1" }), repeatOf({})]).toEqual(["op_1", null]);
  });

  it("a width is named by what it is about", () => {
    expect([widthWord("shell", "useful"), widthWord("mcp", "useful"), widthWord("mcp", "exact"), widthWord("http", "host"), widthWord("llm", "useful")]).toEqual(["line", "tool", "call", "host", "model"]);
  });
});
