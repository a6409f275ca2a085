import { describe, expect, it } from "vitest";
import type { FlowDto } from "../../engine/bindings/FlowDto";
import type { FlowNodeDto } from "../../engine/bindings/FlowNodeDto";
import { firstClosed, flat, openBelow, scaleOf, spans, titleOf } from "./flow-model";

const node = (id: string, depth: number, below = 0): FlowNodeDto => ({ id, kind: depth ? "http" : "llm", summary: `does ${id}`, state: "allowed", depth, below, start: 0, wait: 0, open: false, injected: false, failed: false });
const turn = (first: number, start: number, end: number) => ({ first, actions: 2, denied: 0, start, end, wait: 0, cost: 0 });

const session = { id: "ses_1", agent: "codex", agentName: "Codex", user: "dana", cwd: "/home/dana/code/api", command: [], mode: null, openedAt: "2026-11-20T13:00:00Z", expiresAt: null, endedAt: null, endedBecause: null };

const flow = {
  session,
  beganAt: session.openedAt,
  turns: [turn(0, 0, 3_000), turn(3, 60_000, 141_000)],
  nodes: [node("a", 0, 2), node("b", 1, 1), node("c", 2), node("d", 0), node("e", 0, 1), node("f", 1)],
  capped: false,
} as FlowDto;

const keys = (closed: Iterable<string>, sought?: string) => flat(flow, new Set(closed), sought).map((row) => row.key);

describe("the waterfall as a list", () => {
  it("leaves out what is below something closed, at any depth", () => {
    expect(keys([])).toEqual(["turn-1", "a", "b", "c", "turn-2", "d", "e", "f"]);
    expect(keys(["b"])).toEqual(["turn-1", "a", "b", "turn-2", "d", "e", "f"]);
    expect(keys(["a", "b"])).toEqual(["turn-1", "a", "turn-2", "d", "e", "f"]);
    expect(keys(["turn-1", "e"])).toEqual(["turn-1", "turn-2", "d", "e"]);
  });

  it("begins with the last turn open, or the one that holds what was linked to", () => {
    expect([...firstClosed(flow, null)]).toEqual(["turn-1"]);
    expect([...firstClosed(flow, "c")]).toEqual(["turn-2"]);
    expect([...firstClosed(flow, "gone")]).toEqual(["turn-1"]);
    expect([...firstClosed({ ...flow, turns: [], nodes: [] }, null)]).toEqual([]);
  });

  it("opens everything below a turn or an action, and nothing else", () => {
    const closed = new Set(["turn-1", "a", "b", "e"]);
    const [first] = flat(flow, closed);
    expect([...openBelow(flow, closed, first!)]).toEqual(["e"]);
    const action = flat(flow, new Set(["b", "e"])).find((row) => row.key === "a");
    expect([...openBelow(flow, new Set(["b", "e"]), action!)]).toEqual(["e"]);
  });

  it("shows a call that was tried first as one span: preview, question, call", () => {
    const call = { ...node("call", 1, 2), kind: "mcp", asked: true, wait: 9_000, work: 80 };
    const preview = { ...node("preview", 2), kind: "mcp", purpose: "preview" as const, work: 12 };
    const tried = { ...flow, turns: [turn(0, 0, 9_000)], nodes: [node("model", 0, 3), call, preview, node("request", 2), node("other", 1)] };
    const keysOf = (nodes: FlowNodeDto[], closed: string[] = []) => spans(flat({ ...tried, nodes }, new Set(closed))).map((row) => row.key);
    expect(keysOf(tried.nodes)).toEqual(["turn-1", "model", "call", "preview", "call/asked", "call/made", "request", "other"]);
    // Two previews come before one question; what still waits was not made; what is closed shows none of it.
    const waiting: FlowNodeDto = { ...node("call", 1, 2), kind: "mcp", asked: true, wait: 9_000, state: "held" };
    expect(keysOf([node("model", 0, 3), waiting, preview, { ...preview, id: "again" }])).toEqual(["turn-1", "model", "call", "preview", "again", "call/asked"]);
    expect(keysOf([node("model", 0, 3), { ...call, asked: false }, preview])).toEqual(["turn-1", "model", "call", "preview", "call/made"]);
    expect(keysOf(tried.nodes, ["call"])).toEqual(["turn-1", "model", "call", "other"]);
    // A preview whose call is not here stands for itself.
    expect(keysOf([{ ...preview, depth: 0 }])).toEqual(["turn-1", "preview"]);
  });

  it("finds within, whatever is closed", () => {
    expect(keys(["turn-1", "turn-2", "a"], "DOES C")).toEqual(["turn-1", "c"]);
    expect(keys([], "nothing")).toEqual([]);
  });

  it("draws on round steps that hold the whole turn", () => {
    for (const [end, step] of [[3_000, 1_000], [81_000, 30_000], [7_200_000, 1_800_000], [40, 250]] as const) {
      const scale = scaleOf(turn(0, 0, end));
      expect(scale.step).toBe(step);
      expect(scale.span).toBeGreaterThanOrEqual(end);
    }
  });

  it("is built in time for fifty thousand actions", () => {
    const nodes = Array.from({ length: 50_000 }, (_, at) => node(String(at), at % 3));
    const large = { ...flow, nodes, turns: [turn(0, 0, 1)] };
    expect(flat(large, new Set())).toHaveLength(50_001);
    expect(flat(large, new Set(["turn-1"]))).toHaveLength(1);
  });
});

describe("a session", () => {
  it("is called by what was started, else by its folder", () => {
    expect(titleOf(session)).toBe("api");
    expect(titleOf({ ...session, command: ["/usr/bin/claude", "fix it"] })).toBe("claude fix it");
  });
});
