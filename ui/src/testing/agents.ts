// Agents, sessions and credentials as a recorded engine has them, by the name of the state.
import type { AgentDto } from "../engine/bindings/AgentDto";
import type { CoverageDto } from "../engine/bindings/CoverageDto";
import type { CredentialDto } from "../engine/bindings/CredentialDto";
import type { SessionDto } from "../engine/bindings/SessionDto";

const SINCE = "2026-11-12T09:12:00Z";
const LOCAL_MCP = "servers reached over the network are seen as http; local ones are not seen";
const SHELL = "commands are not judged; what they do on the network is";

const coverage: CoverageDto[] = [
  { kind: "llm", sight: "full", note: null },
  { kind: "http", sight: "full", note: null },
  { kind: "mcp", sight: "partial", note: LOCAL_MCP },
  { kind: "shell", sight: "none", note: SHELL },
];

export function agent(id: string, name: string, change: Partial<AgentDto> = {}): AgentDto {
  return { id, name, tool: id, team: null, registeredAt: SINCE, pausedAt: null, removedAt: null, running: 0, costToday: 0, coverage, ...change };
}

export function credential(id: string, name: string, change: Partial<CredentialDto> = {}): CredentialDto {
  return {
    id,
    name,
    placeholder: `reeve-${id}`,
    variables: [],
    bindings: [{ agents: [], host: "api.example.com", port: 443, methods: [], path: null, slot: "Authorization: Bearer ‹secret›" }],
    addedAt: SINCE,
    rotatedAt: null,
    ...change,
  };
}

export function agents(large: boolean): AgentDto[] {
  const told = [
    agent("claude-code", "Claude Code", { running: 1, costToday: 1_940_000_000 }),
    agent("codex", "Codex", { costToday: 980_000_000 }),
    agent("nightly-triage", "nightly \u202Etriage\u001B[31m", { tool: null, coverage: [], pausedAt: "2026-11-20T11:00:00Z" }),
  ];
  const more = large ? Array.from({ length: 197 }, (_, at) => agent(`agent-${at}`, `Agent ${at}`, { tool: null, coverage: [] })) : [];
  return [...told, ...more];
}

export function sessions(): SessionDto[] {
  const ended: Pick<SessionDto, "endedAt" | "endedBecause"> = { endedAt: "2026-11-20T10:31:00Z", endedBecause: "exited" };
  const one = (id: string, command: string[]): SessionDto => ({ id, agent: "claude-code", agentName: "Claude Code", user: "dana", cwd: "/home/dana/api", command, openedAt: "2026-11-20T10:02:00Z", mode: null, expiresAt: null, endedAt: null, endedBecause: null });
  return [one("ses_00000000000000000000000001", ["claude"]), { ...one("ses_00000000000000000000000002", []), ...ended }];
}

export function credentials(large: boolean): CredentialDto[] {
  const told = [
    credential("anthropic", "Anthropic API key", { variables: ["ANTHROPIC_API_KEY"], bindings: [{ agents: ["claude-code"], host: "api.anthropic.com", port: 443, methods: [], path: null, slot: "x-api-key: ‹secret›" }] }),
    credential("github", "GitHub token", { rotatedAt: "2026-11-18T08:00:00Z", bindings: [{ agents: [], host: "api.github.com", port: 443, methods: ["GET", "POST"], path: "/repos/acme", slot: "Authorization: Bearer ‹secret›" }] }),
    credential("look-alike", "to\u202Eken <b>", { bindings: [{ agents: ["codex"], host: "xn--pple-43d.com", port: 8443, methods: [], path: `/${"a".repeat(300)}`, slot: "?key=‹secret›" }] }),
  ];
  const more = large ? Array.from({ length: 197 }, (_, at) => credential(`key-${at}`, `Key ${at}`)) : [];
  return [...told, ...more];
}
