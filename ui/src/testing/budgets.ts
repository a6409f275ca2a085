// Budgets as a recorded engine has them: the sums agree with each other and with the rest of the story.
import type { BudgetAccountDto } from "../engine/bindings/BudgetAccountDto";
import type { BudgetDetailDto } from "../engine/bindings/BudgetDetailDto";
import type { BudgetLineDto } from "../engine/bindings/BudgetLineDto";
import type { ForecastDto } from "../engine/bindings/ForecastDto";
import type { PricesDto } from "../engine/bindings/PricesDto";
import type { SpendPointDto } from "../engine/bindings/SpendPointDto";
import { pick } from "./from";
import { budgets as recorded, prices as recordedPrices } from "./recorded/state";

const usd = (dollars: number) => Math.round(dollars * 1_000_000_000);

const LINE = pick(recorded, (one) => one.accounts.length > 0);
const ACCOUNT = pick(LINE.accounts);

export function account(name: string, change: Partial<BudgetAccountDto> = {}): BudgetAccountDto {
  return { ...ACCOUNT, account: name, agent: null, agentName: null, session: null, windowStart: "1970-01-01T00:00:00Z", windowEnd: null, settled: 0, reserved: 0, free: 0, forecast: null, ...change };
}

export function line(id: string, scope: string, change: Partial<BudgetLineDto> = {}): BudgetLineDto {
  return { ...LINE, id, scope, agentName: null, window: "day", limit: usd(5), onExhausted: "askUnderFloor", file: "mine.limits.yaml", line: 2, editable: true, accounts: [], ...change };
}

const forecast = (expected: number, low: number, high: number, change: Partial<ForecastDto> = {}): ForecastDto => ({ perHour: usd(0.37), expected: usd(expected), low: usd(low), high: usd(high), reachedAt: null, calls: 412, ...change });

type Time = { windowStart: string; windowEnd: string };

/** The windows that `now` lies in. */
function windows(now: number): { day: Time; week: Time; month: Time } {
  const at = new Date(now);
  const [year, month, date] = [at.getFullYear(), at.getMonth(), at.getDate()];
  const monday = date - ((at.getDay() + 6) % 7);
  const span = (from: Date, to: Date): Time => ({ windowStart: from.toISOString(), windowEnd: to.toISOString() });
  return {
    day: span(new Date(year, month, date), new Date(year, month, date + 1)),
    week: span(new Date(year, month, monday), new Date(year, month, monday + 7)),
    month: span(new Date(year, month, 1), new Date(year, month + 1, 1)),
  };
}

const claude = { agent: "claude-code", agentName: "Claude Code" } as const;
const codex = { agent: "codex", agentName: "Codex" } as const;

const told = (name: string, limit: number, settled: number, reserved: number, change: Partial<BudgetAccountDto> = {}) => account(name, { settled: usd(settled), reserved: usd(reserved), free: usd(limit) - usd(settled) - usd(reserved), ...change });

export function lines(now: number, large = false): BudgetLineDto[] {
  const { day, week, month } = windows(now);
  const session = (number: number) => ({ session: `ses_${String(number).padStart(26, "0")}` });
  const story = [
    line("monthly", "me", { window: "month", limit: usd(400), line: 2, accounts: [told("me:dana", 400, 212.18, 0.22, { ...month, forecast: forecast(301, 274, 332) })] }),
    line("daily", "me", { limit: usd(20), line: 8, accounts: [told("me:dana", 20, 2.96, 0.22, { ...day, forecast: forecast(6, 4.1, 9.2) })] }),
    line("claude-day", "agent:claude-code", { agentName: "Claude Code", line: 14, accounts: [told("agent:claude-code", 5, 1.78, 0.16, { ...claude, ...day, forecast: forecast(3.7, 2.9, 4.6) })] }),
    line("claude-session", "session:claude-code", {
      agentName: "Claude Code",
      window: "total",
      onExhausted: "deny",
      line: 21,
      accounts: [told("session:1", 5, 0.84, 0, { ...claude, ...session(1) }), told("session:4", 5, 0.5, 0.12, { ...claude, ...session(4) }), told("session:5", 5, 0.17, 0, { ...claude, ...session(5) })],
    }),
    line("opus-per-day", "me", { model: "claude-opus-*", limit: usd(1.5), onExhausted: "ask", line: 28, accounts: [told("me:dana model:claude-opus-*", 1.5, 1.08, 0.12, day)] }),
    line("codex-day", "agent:codex", { agentName: "Codex", limit: usd(1.2), line: 35, accounts: [told("agent:codex", 1.2, 0.92, 0.06, { ...codex, ...day, forecast: forecast(1.61, 1.3, 1.94, { reachedAt: new Date(now + 7_600_000).toISOString() }) })] }),
    line("triage", "session:nightly-triage", { agentName: "nightly \u202Etriage\u001B[31m", window: "total", limit: usd(0.5), onExhausted: "deny", line: 42 }),
    line("team-web", "team:web", { window: "week", limit: usd(2_000), editable: false, file: "/etc/reeve/limits.yaml", line: 6, accounts: [told("team:web", 2_000, 1_302.4, 7.6, { ...week, forecast: forecast(1_990, 1_810, 2_170) })] }),
    line("tokens", "agent", { unit: "tokens", limit: 2_000_000, line: 49, accounts: [account("agent:codex", { ...codex, ...day, settled: 2_041_300, free: -41_300 }), account("agent:claude-code", { ...claude, ...day, settled: 614_000, reserved: 12_000, free: 1_374_000 })] }),
  ];
  const more = large ? Array.from({ length: 91 }, (_, at) => line(`limit-${at}`, "agent", { accounts: Array.from({ length: 80 }, (_none, one) => told(`agent:agent-${one}`, 5, one / 20, 0, { agent: `agent-${one}`, agentName: `Agent ${one}`, ...day })) })) : [];
  return [...story, ...more];
}

/** A sum that grows by working hours up to what is settled. */
function points(from: number, to: number, settled: number): SpendPointDto[] {
  const count = 40;
  const weights = Array.from({ length: count }, (_, at) => 0.15 + Math.max(0, Math.sin(at / 2.1)) + (at % 7 === 3 ? 0.8 : 0));
  const whole = weights.reduce((sum, one) => sum + one, 0);
  let sum = 0;
  return [{ at: new Date(from).toISOString(), settled: 0 }, ...weights.map((one, at) => ({ at: new Date(from + ((to - from) * (at + 1)) / count).toISOString(), settled: Math.round((settled * (sum += one)) / whole) }))];
}

export function detail(known: BudgetLineDto, wanted: string | null, all: readonly BudgetLineDto[], now: number): BudgetDetailDto {
  const chosen = known.accounts.find((one) => one.account === wanted) ?? known.accounts[0];
  if (!chosen) return { line: known, account: null, points: [], agents: [], next: null };
  const start = chosen.windowEnd === null ? now - 3_900_000 : Date.parse(chosen.windowStart);
  const shares = chosen.agent === null ? ([["claude-code", "Claude Code", 0.61], ["codex", "Codex", 0.29], ["nightly-triage", "Nightly triage", 0.1]] as const) : ([[chosen.agent, chosen.agentName ?? chosen.agent, 1]] as const);
  const limits = all.flatMap((one) => (one.unit === "money" && one.accounts[0] && ["opus-per-day", "claude-day", "claude-session", "daily", "monthly"].includes(one.id) ? [{ budget: one.id, account: one.accounts[0].account, unit: one.unit, free: one.accounts[0].free, needed: usd(0.41), output: 2_980, decides: false }] : [])).sort((a, b) => a.free - b.free);
  return {
    line: known,
    account: chosen.account,
    points: points(start, now, chosen.settled),
    agents: shares.map(([agent, agentName, share]) => ({ agent, agentName, calls: Math.round(412 * share), amount: Math.round(chosen.settled * share) })),
    next: limits.length === 0 ? null : { operation: "op_00000000000000000000048195", agent: "claude-code", agentName: "Claude Code", session: "ses_00000000000000000000000004", model: "claude-opus-4-1", limits: limits.map((one, at) => ({ ...one, decides: at === 0 })) },
  };
}

export function prices(find: string): PricesDto {
  const rows = [
    { model: "claude-opus-4-1", provider: "anthropic", input: "15", output: "75", cacheRead: "1.5", cacheWrite: "18.75" },
    { model: "claude-sonnet-4-5", provider: "anthropic", input: "3", output: "15", cacheRead: "0.3", cacheWrite: "3.75" },
    { model: "gpt-5-codex", provider: "openai", input: "1.25", output: "10", cacheRead: "0.125", cacheWrite: null },
  ].filter((row) => row.model.includes(find.toLowerCase()) || row.provider.includes(find.toLowerCase()));
  return { ...recordedPrices, date: "2026-11-18", file: null, models: 3, matches: rows.length, rows };
}
