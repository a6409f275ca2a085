import { describe, expect, it } from "vitest";
import { account, line } from "../../testing/budgets";
import { nearestOf } from "./model";

describe("the nearest limit", () => {
  const used = (settled: number, change: Parameters<typeof account>[1] = {}) => account("agent:codex", { settled, ...change });

  it("is the one of which most is used, what is held included", () => {
    const lines = [line("a", "agent", { limit: 100, accounts: [used(60), used(40)] }), line("b", "agent", { limit: 1_000, accounts: [used(700, { reserved: 120 })] }), line("c", "agent", { limit: 100, accounts: [] })];
    expect(nearestOf(lines)).toEqual({ id: "b", share: 80 });
    expect(nearestOf([line("a", "agent", { limit: 100, accounts: [used(49)] })])).toBeNull();
  });

  it("binds as it binds that account", () => {
    expect(nearestOf([line("run", "session", { limit: 100, accounts: [used(48, { limit: 50 })] })])).toEqual({ id: "run", share: 95 });
  });

  it("is none that today's sum stands for, and none of single calls", () => {
    const full = { limit: 100, accounts: [used(100)] };
    expect(nearestOf([line("daily", "me", full), line("all", "organisation", full), line("one", "me", { ...full, window: "call" })])).toBeNull();
    expect(nearestOf([line("weekly", "me", { ...full, window: "week" })])).toEqual({ id: "weekly", share: 100 });
    expect(nearestOf([line("opus", "me", { ...full, model: "claude-opus-*" })])).toEqual({ id: "opus", share: 100 });
    expect(nearestOf([line("tokens", "me", { ...full, unit: "tokens" })])).toEqual({ id: "tokens", share: 100 });
  });
});
