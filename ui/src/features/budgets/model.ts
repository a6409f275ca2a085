// What a budget is called, where it stands against an even pace, and the marks of its chart: pure functions.
import type { BudgetAccountDto } from "../../engine/bindings/BudgetAccountDto";
import type { BudgetLineDto } from "../../engine/bindings/BudgetLineDto";
import type { UnitDto } from "../../engine/bindings/UnitDto";
import { cents, tokens } from "../../lib/money";
import { shareOf } from "../../lib/share";

/** `$212.40`, `<$0.01`, `8.1k`. */
export function amount(unit: UnitDto, value: number): string {
  return unit === "money" ? cents(value) : `${value < 0 ? "-" : ""}${tokens(Math.abs(value))}`;
}

/** The same without the currency, where the line has it already: `212.18`. */
export function bare(unit: UnitDto, value: number): string {
  return amount(unit, value).replace("$", "");
}

/** For what is only expected: no cents from ten dollars up. */
export function rough(unit: UnitDto, value: number): string {
  return unit === "money" && Math.abs(value) >= 10_000_000_000 ? amount(unit, Math.round(value / 1_000_000_000) * 1_000_000_000).replace(/\.00$/, "") : amount(unit, value);
}

/** How much of the window is over, 0 to 1; none for windows that never end. */
export function pace(account: Pick<BudgetAccountDto, "windowStart" | "windowEnd">, now: number): number | null {
  if (account.windowEnd === null) return null;
  const [start, end] = [Date.parse(account.windowStart), Date.parse(account.windowEnd)];
  return end > start ? Math.min(1, Math.max(0, (now - start) / (end - start))) : null;
}

/** The line with the limit that binds this account: its session's project may name a lower one, and a person may have raised it. */
export function lineOf(line: BudgetLineDto, account: BudgetAccountDto | undefined): BudgetLineDto {
  return account?.limit === undefined ? line : { ...line, limit: account.limit };
}

/** Within five hundredths of the limit it is on pace. */
export function against(line: BudgetLineDto, account: BudgetAccountDto, now: number): "under" | "on" | "over" | null {
  const even = pace(account, now);
  if (even === null || line.limit === 0) return null;
  const off = (account.settled + account.reserved) / line.limit - even;
  return off > 0.05 ? "over" : off < -0.05 ? "under" : "on";
}

/** The highest mark that was passed; none under 80 %. */
export function mark(line: BudgetLineDto, account: BudgetAccountDto): 80 | 95 | 100 | null {
  const share = shareOf(account.settled + account.reserved, line.limit);
  return share === 50 ? null : share;
}

/** What the scope names, and the name in it: `agent:codex` is an agent's, `agent` each agent's. */
export function scopeOf(scope: string): { kind: "organisation" | "team" | "me" | "agent" | "session"; name: string | null } {
  const [kind = "", ...rest] = scope.split(":");
  const name = rest.length > 0 ? rest.join(":") : null;
  return { kind: kind === "organisation" || kind === "team" || kind === "agent" || kind === "session" ? kind : "me", name };
}

/** Round amounts from zero to at least `most`, four or five of them. */
export function ticks(most: number): number[] {
  if (most <= 0) return [0];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, at) => at * step);
}

export type Point = { at: number; settled: number };

/** The sum at the end of each day (or hour, within two days), for the table. */
export function steps(points: readonly { at: string; settled: number }[]): Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [];
  const hourly = Date.parse(last.at) - Date.parse(first.at) <= 48 * 3_600_000;
  const kept = new Map<string, Point>();
  for (const { at, settled } of points) {
    const when = new Date(at);
    const key = `${when.getFullYear()}-${when.getMonth()}-${when.getDate()}${hourly ? `-${when.getHours()}` : ""}`;
    kept.set(key, { at: when.getTime(), settled });
  }
  return [...kept.values()];
}
