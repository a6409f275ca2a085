// The waterfall as a flat list: what is collapsed is left out, once per change and never per row.
import type { FlowDto } from "../../engine/bindings/FlowDto";
import type { FlowNodeDto } from "../../engine/bindings/FlowNodeDto";
import type { FlowTurnDto } from "../../engine/bindings/FlowTurnDto";
import type { SessionDto } from "../../engine/bindings/SessionDto";

export type FlowRow =
  | { kind: "turn"; key: string; turn: FlowTurnDto; number: number; open: boolean }
  | { kind: "node"; key: string; node: FlowNodeDto; open: boolean }
  /** Of a call that was tried first: the question about it, and the call itself. */
  | { kind: "part"; key: string; node: FlowNodeDto; part: "asked" | "made"; open: boolean };

/** Turns by their number, nodes by their id. */
export type Closed = ReadonlySet<string>;

export const turnKey = (number: number) => `turn-${number}`;

/** Rows that are seen. `sought`: only nodes that hold this text, whatever is closed. */
export function flat(flow: FlowDto, closed: Closed, sought = ""): FlowRow[] {
  const rows: FlowRow[] = [];
  const wanted = sought.trim().toLowerCase();
  flow.turns.forEach((turn, at) => {
    const key = turnKey(at + 1);
    const end = flow.turns[at + 1]?.first ?? flow.nodes.length;
    const nodes: FlowRow[] = [];
    let hidden: number | null = null;
    for (let place = turn.first; place < end; place += 1) {
      const node = flow.nodes[place];
      if (!node) continue;
      if (wanted !== "") {
        if (node.summary.toLowerCase().includes(wanted) || node.kind === wanted) nodes.push({ kind: "node", key: node.id, node, open: true });
        continue;
      }
      if (hidden !== null && node.depth > hidden) continue;
      hidden = null;
      const open = !closed.has(node.id);
      if (!open) hidden = node.depth;
      nodes.push({ kind: "node", key: node.id, node, open });
    }
    if (wanted !== "" && nodes.length === 0) return;
    const open = wanted !== "" || !closed.has(key);
    rows.push({ kind: "turn", key, turn, number: at + 1, open });
    if (open) for (const row of nodes) rows.push(row);
  });
  return rows;
}

/** A call that Reeve tried first, as one span: below it what was tried, then the question, then the call itself. */
export function spans(rows: readonly FlowRow[]): FlowRow[] {
  const found: FlowRow[] = [];
  // The last node at each depth: the parents of what follows.
  const above: FlowNodeDto[] = [];
  rows.forEach((row, at) => {
    found.push(row);
    if (row.kind !== "node") return;
    const { depth } = row.node;
    above.splice(depth, above.length, row.node);
    const next = rows[at + 1];
    const parent = depth > 0 ? above[depth - 1] : undefined;
    if (row.node.purpose !== "preview" || parent === undefined || (next?.kind === "node" && next.node.depth >= depth && next.node.purpose === "preview")) return;
    const part = (part: "asked" | "made"): FlowRow => ({ kind: "part", key: `${parent.id}/${part}`, node: parent, part, open: false });
    if (parent.asked === true) found.push(part("asked"));
    if (parent.work !== undefined) found.push(part("made"));
  });
  return found;
}

/** Only the turn that holds this operation, or the last one, is open at first. */
export function firstClosed(flow: FlowDto, operation: string | null): Closed {
  const at = operation === null ? -1 : flow.nodes.findIndex((node) => node.id === operation);
  const holding = flow.turns.findLastIndex((turn) => turn.first <= at);
  const open = at < 0 ? flow.turns.length : holding + 1;
  return new Set(flow.turns.map((_, turn) => turnKey(turn + 1)).filter((key) => key !== turnKey(open)));
}

/** Everything below a row opened. */
export function openBelow(flow: FlowDto, closed: Closed, row: FlowRow): Closed {
  const below = new Set<string>([row.key]);
  const first = row.kind === "turn" ? row.turn.first : flow.nodes.findIndex((node) => node.id === row.node.id);
  const last = row.kind === "turn" ? (flow.turns[row.number]?.first ?? flow.nodes.length) : first + 1 + row.node.below;
  for (const node of flow.nodes.slice(first, last)) below.add(node.id);
  return new Set([...closed].filter((key) => !below.has(key)));
}

export type Scale = { from: number; span: number; step: number };

/** The stretch of time that the bars of a turn are drawn on, and a round step for its marks; five fit. */
export function scaleOf(turn: FlowTurnDto | undefined): Scale {
  const span = Math.max(1_000, (turn?.end ?? 0) - (turn?.start ?? 0));
  const rough = span / 4;
  const step = STEPS.find((one) => one >= rough) ?? Math.ceil(rough / DAY) * DAY;
  return { from: turn?.start ?? 0, span: step * 5, step };
}

const MINUTE = 60_000;
const DAY = 86_400_000;
const STEPS = [250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, 60 * MINUTE, 120 * MINUTE, 240 * MINUTE, 480 * MINUTE, DAY];

/** What to call a session: what was started, else where. */
export function titleOf(session: SessionDto): string {
  const [program, ...rest] = session.command;
  if (program === undefined) return placeOf(session.cwd);
  return [program.split(/[\\/]/).at(-1) ?? program, ...rest].join(" ");
}

/** The last part of a path. */
export function placeOf(cwd: string): string {
  return cwd.split(/[\\/]/).filter(Boolean).at(-1) ?? cwd;
}

/** How long it runs or ran, in milliseconds. */
export function lastedMs(session: SessionDto, now: number): number {
  return Math.max(0, (session.endedAt === null ? now : Date.parse(session.endedAt)) - Date.parse(session.openedAt));
}
