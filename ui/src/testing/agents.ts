// Agents, sessions and credentials as a recorded engine has them, by the name of the state.
import type { AgentDetailDto } from "../engine/bindings/AgentDetailDto";
import type { AgentDto } from "../engine/bindings/AgentDto";
import type { ChangesDto } from "../engine/bindings/ChangesDto";
import type { CoverageDto } from "../engine/bindings/CoverageDto";
import type { CredentialDto } from "../engine/bindings/CredentialDto";
import type { CredentialTestDto } from "../engine/bindings/CredentialTestDto";
import type { EnvFileDto } from "../engine/bindings/EnvFileDto";
import type { KeepingDto } from "../engine/bindings/KeepingDto";
import type { SessionDto } from "../engine/bindings/SessionDto";
import type { ToolDto } from "../engine/bindings/ToolDto";
import { pick } from "./from";
import { agent as recordedDetail, agents as recorded, credentials as stored, sessions as held } from "./recorded/state";

const SINCE = "2026-11-12T09:12:00Z";
const { coverage } = pick(recorded, (one) => one.id === "claude-code");

const DESKTOP = "a desktop app; not tried under Reeve so far";
const untried: CoverageDto[] = (["llm", "http", "mcp", "shell"] as const).map((kind) => ({ kind, sight: "unknown", note: DESKTOP }));

export function agent(id: string, name: string, change: Partial<AgentDto> = {}): AgentDto {
  return { ...pick(recorded), id, name, tool: id, registeredAt: SINCE, running: 0, costToday: 0, sessionsToday: 0, actionsToday: 0, heldToday: 0, deniedToday: 0, lastSeen: null, coverage, ...change };
}

export function credential(id: string, name: string, change: Partial<CredentialDto> = {}): CredentialDto {
  const base = { ...pick(stored) };
  // Never used and never to be reminded of, unless the change says so.
  delete base.rotateDays;
  delete base.lastUsedAt;
  const place = { ...pick(base.bindings), agents: [], host: "api.example.com", methods: [], path: null, slot: "Authorization: Bearer ‹secret›", slotTyped: "bearer" };
  return { ...base, id, name, placeholder: `reeve-${id}`, variables: [], bindings: [place], addedAt: SINCE, rotatedAt: null, ...change };
}

export function agents(large: boolean): AgentDto[] {
  const told = [
    agent("claude-code", "Claude Code", { running: 3, costToday: 1_940_000_000, sessionsToday: 7, actionsToday: 712, heldToday: 3, deniedToday: 11, lastSeen: "2026-11-20T13:03:30Z" }),
    agent("codex", "Codex", { running: 1, costToday: 980_000_000, sessionsToday: 3, actionsToday: 341, heldToday: 4, deniedToday: 4, lastSeen: "2026-11-20T13:02:50Z" }),
    agent("cursor", "Cursor", { coverage: untried, sessionsToday: 4, running: 1, lastSeen: "2026-11-20T13:03:28Z" }),
    agent("nightly-triage", "nightly \u202Etriage\u001B[31m", { tool: null, coverage: [], pausedAt: "2026-11-20T11:00:00Z", sessionsToday: 1, costToday: 260_000_000, deniedToday: 2, actionsToday: 71, lastSeen: "2026-11-20T03:12:00Z" }),
  ];
  const more = large ? Array.from({ length: 197 }, (_, at) => agent(`agent-${at}`, `Agent ${at}`, { tool: null, coverage: [] })) : [];
  return [...told, ...more];
}

export function sessions(): SessionDto[] {
  const ended: Pick<SessionDto, "endedAt" | "endedBecause"> = { endedAt: "2026-11-20T10:31:00Z", endedBecause: "exited" };
  const one = (id: string, command: string[]): SessionDto => ({ ...pick(held), id, agent: "claude-code", agentName: "Claude Code", cwd: "/home/dana/api", command, openedAt: "2026-11-20T10:02:00Z", expiresAt: null, endedAt: null, endedBecause: null });
  return [one("ses_00000000000000000000000001", ["claude"]), { ...one("ses_00000000000000000000000002", []), ...ended }];
}

export function credentials(large: boolean): CredentialDto[] {
  const told = [
    credential("anthropic", "Anthropic API key", { addedAt: "2026-08-19T09:12:00Z", rotateDays: 90, lastUsedAt: "2026-11-20T13:03:30Z", variables: ["ANTHROPIC_API_KEY"], bindings: [{ agents: ["claude-code"], host: "api.anthropic.com", port: 443, methods: [], path: null, slot: "x-api-key: ‹secret›", slotTyped: "header:x-api-key" }] }),
    credential("github", "GitHub token", { rotatedAt: "2026-11-18T08:00:00Z", rotateDays: 90, lastUsedAt: "2026-11-20T13:03:22Z", bindings: [{ agents: [], host: "api.github.com", port: 443, methods: ["GET", "POST"], path: "/repos/acme", slot: "Authorization: Bearer ‹secret›", slotTyped: "bearer" }] }),
    credential("look-alike", "to\u202Eken <b>", { bindings: [{ agents: ["codex"], host: "xn--pple-43d.com", port: 8443, methods: [], path: `/${"a".repeat(300)}`, slot: "?key=‹secret›", slotTyped: "query:key" }] }),
  ];
  const more = large ? Array.from({ length: 197 }, (_, at) => credential(`key-${at}`, `Key ${at}`)) : [];
  return [...told, ...more];
}

/** Tools on the machine: two are agents here already. */
export function tools(): ToolDto[] {
  return [
    { key: "claude-code", name: "Claude Code", program: "/usr/local/bin/claude", version: "2.1.14", measured: "2.1.197", command: "reeve run -- claude", registered: true, coverage },
    { key: "codex", name: "Codex CLI", program: "/usr/local/bin/codex", version: "0.169.0", measured: "0.169.0", command: "reeve run -- codex", registered: true, coverage },
    { key: "gemini-cli", name: "Gemini CLI", program: "/home/dana/.local/bin/gemini", version: null, measured: "0.9.0", command: "reeve run -- gemini", registered: false, coverage },
    { key: "cursor", name: "Cursor", program: "/usr/bin/cursor", version: "1.9.2", measured: null, command: "reeve run -- cursor", registered: true, coverage: untried },
  ];
}

export function detail(of: AgentDto, now: number): AgentDetailDto {
  const costs = [0.84, 1.31, 1.12, 1.55, 0.63, 0.11, 0.06, 1.24, 1.02, 1.13, 0.87, 0.2, 0.07];
  const share = of.costToday / 1_940_000_000;
  return {
    ...recordedDetail,
    agent: { ...of },
    days: [...costs.map((dollars) => Math.round(dollars * share * 1_000_000_000)), of.costToday].map((cost, at) => ({ day: new Date(now - (13 - at) * 86_400_000).toISOString().slice(0, 10), cost })),
    rules: [
      { id: "no-merge-main", reason: "agents may not merge into main", kind: "forbid", layer: "team", named: false },
      { id: "ask-force-push", reason: "ask before rewriting shared history", kind: "ask", layer: "team", named: true },
      { id: "ask-first-host", reason: "ask the first time an agent talks to a host", kind: "ask", layer: "preset", named: false },
      { id: "github-read", reason: "reading from GitHub is fine", kind: "permit", layer: "mine", named: false },
    ],
    found: tools().find((tool) => tool.key === of.tool) ?? null,
  };
}

export function changes(): ChangesDto {
  return {
    changes: [
      { kind: "environment", place: "ses_00000000000000000000000001", agent: "claude-code", undo: "reeve stop" },
      { kind: "trustBundle", place: "/run/user/1000/reeve/trust/ses_00000000000000000000000001.pem", agent: "claude-code", undo: "reeve stop" },
      { kind: "folder", place: "/home/dana/.config/reeve", agent: null, undo: null },
    ],
    settings: [{ tool: "claude-code", name: "Claude Code", file: "/home/dana/.claude/settings.json", mentionsReeve: false }],
  };
}

export function test(of: CredentialDto, sent: boolean): CredentialTestDto {
  const place = of.bindings[0];
  const path = of.id === "github" ? "/user" : "/";
  return {
    credential: of.id,
    checks: [
      { name: "secret", ok: true, evidence: "kept in the system keychain", fix: null },
      { name: "place", ok: place !== undefined, evidence: place ? `https://${place.host}` : "no place", fix: null },
    ],
    requests: place ? [{ place: 0, agent: place.agents[0] ?? "claude-code", method: "GET", url: `https://${place.host}${path}` }] : [],
    answer: sent && place ? { status: 200, milliseconds: 180, ok: true, text: "the place takes it", record: "op_00000000000000000000048205" } : null,
  };
}

export function keeping(): KeepingDto {
  return { store: "keychain", problem: null, advice: null };
}

/** What an environment file gives away, by name only. */
export function scanned(): EnvFileDto {
  return {
    lines: [
      { line: 3, variable: "OPENAI_API_KEY", kind: "openai", host: "api.openai.com", sign: "shape", id: "openai", known: null },
      { line: 4, variable: "ANTHROPIC_API_KEY", kind: "anthropic", host: "api.anthropic.com", sign: "variable", id: "anthropic-2", known: "anthropic" },
      { line: 9, variable: "LINEAR_TOKEN", kind: null, host: null, sign: "name", id: "linear-token", known: null },
    ],
  };
}
