// Sessions of the recorded afternoon and what they did, made of the same rows as the list.
import type { FlowDto } from "../engine/bindings/FlowDto";
import type { FlowNodeDto } from "../engine/bindings/FlowNodeDto";
import type { FlowTurnDto } from "../engine/bindings/FlowTurnDto";
import type { OperationRowDto } from "../engine/bindings/OperationRowDto";
import type { SessionDto } from "../engine/bindings/SessionDto";
import type { SessionSumDto } from "../engine/bindings/SessionSumDto";
import { pick } from "./from";
import { sessions } from "./recorded/state";

/** A turn begins with a model call after nothing ran for so long, in milliseconds. */
const SILENCE = 30_000;

const KNOWN: Record<string, Partial<SessionDto>> = {
  ses_1: { cwd: "/home/dana/code/api", command: ["claude", "fix flaky tests"] },
  ses_2: { cwd: "/home/dana/code/web", command: ["codex", "exec", "clean up test users"] },
  ses_3: { cwd: "/home/dana/code/web", command: [] },
  ses_4: { cwd: "/home/dana/code/billing", command: ["claude", "migrate billing webhooks"] },
};

export function sessionOf(rows: readonly OperationRowDto[], id: string): SessionDto | null {
  const mine = rows.filter((row) => row.session === id);
  const [newest, oldest] = [mine[0], mine.at(-1)];
  if (!newest || !oldest) return null;
  const ended = id === "ses_3";
  return {
    ...pick(sessions),
    id,
    agent: newest.agent,
    agentName: newest.agentName,
    cwd: "/home/dana",
    command: [],
    mode: null,
    openedAt: new Date(Date.parse(oldest.at) - 2_000).toISOString(),
    expiresAt: null,
    endedAt: ended ? new Date(Date.parse(newest.at) + 1_000).toISOString() : null,
    endedBecause: ended ? "exited" : null,
    ...KNOWN[id],
  };
}

const isDenied = (state: string) => state === "denied" || state === "refused" || state === "expired";

export function sums(all: readonly OperationRowDto[], matching: readonly OperationRowDto[]): SessionSumDto[] {
  const ids = [...new Set(matching.map((row) => row.session))];
  const found = ids.flatMap((id): SessionSumDto[] => {
    const session = sessionOf(all, id);
    const mine = matching.filter((row) => row.session === id);
    if (!session) return [];
    return [
      {
        session,
        actions: mine.length,
        denied: mine.filter((row) => isDenied(row.state)).length,
        held: mine.filter((row) => row.state === "held").length,
        cost: mine.reduce((sum, row) => sum + (row.cost ?? 0), 0),
        capped: false,
      },
    ];
  });
  return found.sort((a, b) => Number(b.session.endedAt === null) - Number(a.session.endedAt === null));
}

export function flow(session: SessionDto, matching: readonly OperationRowDto[]): FlowDto {
  const rows = matching.filter((row) => row.session === session.id).toSorted((a, b) => a.at.localeCompare(b.at));
  const began = rows[0]?.at ?? null;
  const nodes: FlowNodeDto[] = [];
  const turns: FlowTurnDto[] = [];
  let busy = 0;
  rows.forEach((row, at) => {
    const start = Date.parse(row.at) - Date.parse(began ?? row.at);
    const tool = rows[at - 1];
    const depth = row.kind === "http" && tool?.kind === "mcp" ? 1 : 0;
    const held = row.state === "held" || row.state === "approved" || row.state === "refused" || row.state === "expired";
    const wait = held ? Math.max(400, Math.min(60_000, row.tookMs ?? 30_000)) : 0;
    const sent = !isDenied(row.state) && row.state !== "held";
    const last = nodes.at(-1);
    if (depth === 1 && last && last.depth === 0) last.below = 1;
    const node: FlowNodeDto = {
      id: row.id,
      kind: row.kind,
      summary: row.summary.slice(0, 80),
      state: row.state,
      depth,
      below: 0,
      start,
      wait,
      open: !row.settled,
      injected: row.credential !== null && sent,
      failed: row.error !== null || (row.status ?? 0) >= 400,
      ...(sent && row.tookMs !== null ? { work: held ? 300 : row.tookMs } : {}),
      ...(row.cost === null ? {} : { cost: row.cost }),
      ...(row.tokensIn === null ? {} : { tokensIn: row.tokensIn }),
      ...(row.tokensOut === null ? {} : { tokensOut: row.tokensOut }),
      ...(row.rule !== null && !sent ? { rule: row.rule } : {}),
    };
    nodes.push(node);
    if (turns.length === 0 || (depth === 0 && row.kind === "llm" && start - busy >= SILENCE)) turns.push({ first: at, actions: 0, denied: 0, start, end: start, wait: 0, cost: 0 });
    busy = Math.max(busy, start + wait + (node.work ?? 0));
    const turn = turns.at(-1);
    if (!turn) return;
    turn.actions += 1;
    turn.denied += isDenied(row.state) ? 1 : 0;
    turn.end = Math.max(turn.end, start + wait + (node.work ?? 0));
    turn.wait += wait;
    turn.cost += row.cost ?? 0;
  });
  return { session, beganAt: began, turns, nodes, capped: false };
}
