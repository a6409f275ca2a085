import { describe, expect, it } from "vitest";
import { commandOf, isCut, resultOf, toolOf, widthWord } from "./action";

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
    expect(resultOf({ status: 200 })).toBeNull();
  });

  it("a width is named by what it is about", () => {
    expect([widthWord("shell", "useful"), widthWord("mcp", "useful"), widthWord("mcp", "exact"), widthWord("http", "host"), widthWord("llm", "useful")]).toEqual(["line", "tool", "call", "host", "model"]);
  });
});
