import { describe, expect, it } from "vitest";
import { account, line } from "../../testing/budgets";
import { against, amount, lineOf, mark, pace, rough, scopeOf, steps, ticks } from "./model";

const NOW = Date.parse("2026-11-20T14:00:00+01:00");

describe("a budget", () => {
  const day = account("me:dana", { windowStart: "2026-11-19T23:00:00Z", windowEnd: "2026-11-20T23:00:00Z" });

  it("has an even pace by the clock, and none without an end", () => {
    expect(pace(day, NOW)).toBeCloseTo(14 / 24);
    expect(pace({ ...day, windowEnd: null }, NOW)).toBeNull();
    expect(pace(day, NOW + 86_400_000)).toBe(1);
  });

  it("is on pace within five hundredths, what is held included", () => {
    const limit = line("cap", "me", { limit: 1_000 });
    const at = (settled: number, reserved = 0) => against(limit, { ...day, settled, reserved }, NOW);
    expect([at(100), at(560), at(500, 60), at(900)]).toEqual(["under", "on", "on", "over"]);
    expect(against(limit, { ...day, windowEnd: null }, NOW)).toBeNull();
  });

  it("is marked from 80 % on", () => {
    const limit = line("cap", "me", { limit: 1_000 });
    expect([799, 800, 950, 1_000, 1_200].map((settled) => mark(limit, { ...day, settled }))).toEqual([null, 80, 95, 100, 100]);
  });

  it("binds a session as its project says", () => {
    const limit = line("run", "session", { limit: 5_000 });
    const own = { ...day, limit: 1_000, settled: 960 };
    expect([mark(limit, own), mark(lineOf(limit, own), own), lineOf(limit, day), lineOf(limit, undefined)]).toEqual([null, 95, limit, limit]);
  });

  it("shows money in cents and never a false zero", () => {
    expect([amount("money", 212_400_000_000), amount("money", 4_000_000), amount("money", 0), amount("tokens", 8_100), amount("money", -1_500_000_000)]).toEqual(["$212.40", "<$0.01", "$0.00", "8.1k", "-$1.50"]);
  });

  it("expects whole dollars where cents say nothing", () => {
    expect([rough("money", 301_430_000_000), rough("money", 4_100_000_000), rough("tokens", 8_100)]).toEqual(["$301", "$4.10", "8.1k"]);
  });

  it("reads its scope", () => {
    expect([scopeOf("agent:codex"), scopeOf("session"), scopeOf("team:web")]).toEqual([
      { kind: "agent", name: "codex" },
      { kind: "session", name: null },
      { kind: "team", name: "web" },
    ]);
  });
});

describe("its chart", () => {
  it("has round amounts that cover the most", () => {
    expect(ticks(400)).toEqual([0, 100, 200, 300, 400]);
    expect(ticks(0)).toEqual([0]);
    for (const most of [0.013, 7, 431, 99_999]) {
      expect(ticks(most).at(-1)).toBeGreaterThanOrEqual(most);
      expect(ticks(most).length).toBeLessThanOrEqual(6);
    }
  });

  it("has a table with one row for each day, or each hour of a short time", () => {
    const at = (iso: string, settled: number) => ({ at: iso, settled });
    expect(steps([at("2026-11-01T00:00:00Z", 0), at("2026-11-01T05:00:00Z", 1), at("2026-11-09T05:00:00Z", 4)]).map((one) => one.settled)).toEqual([1, 4]);
    expect(steps([at("2026-11-01T00:00:00Z", 0), at("2026-11-01T05:00:00Z", 1), at("2026-11-01T05:10:00Z", 4)]).map((one) => one.settled)).toEqual([0, 4]);
    expect(steps([])).toEqual([]);
  });
});
