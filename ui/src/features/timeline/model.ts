// What a row says, from the row alone.
import type { Shape } from "../../components/glyph";
import type { OperationRowDto } from "../../engine/bindings/OperationRowDto";
import type { RowStateDto } from "../../engine/bindings/RowStateDto";

export const STATE_LOOKS: Record<RowStateDto, { shape: Shape; colour: string }> = {
  allowed: { shape: "allowed", colour: "text-allow" },
  approved: { shape: "approved", colour: "text-allow" },
  held: { shape: "held", colour: "text-ask" },
  refused: { shape: "refused", colour: "text-deny" },
  denied: { shape: "denied", colour: "text-deny" },
  expired: { shape: "expired", colour: "text-t3" },
  withdrawn: { shape: "expired", colour: "text-t3" },
  wouldDeny: { shape: "would", colour: "text-info" },
  wouldHold: { shape: "would", colour: "text-info" },
};

/** As the query grammar writes a state. */
const WRITTEN: Record<string, RowStateDto> = { "would-deny": "wouldDeny", "would-hold": "wouldHold", would_deny: "wouldDeny", would_hold: "wouldHold" };

export function stateOf(written: string): RowStateDto | null {
  const state = WRITTEN[written] ?? written;
  return state in STATE_LOOKS ? (state as RowStateDto) : null;
}

/** States worth their word in the second line; that something was allowed is not. */
export function isWordy(state: RowStateDto): boolean {
  return state !== "allowed" && state !== "denied";
}

/** Rows from the frozen top on, and how many newer ones wait above it. */
export function split(rows: readonly OperationRowDto[], frozenTop: string | null): { shown: readonly OperationRowDto[]; waiting: number } {
  const at = frozenTop === null ? 0 : rows.findIndex((row) => row.id === frozenTop);
  return at <= 0 ? { shown: rows, waiting: 0 } : { shown: rows.slice(at), waiting: at };
}

/** Keys of the grammar, for suggestions before anything is typed. */
export const KEYS = ["agent", "session", "kind", "decision", "rule", "risk", "host", "method", "path", "model", "provider", "status", "credential", "cost", "tokens.in", "tokens.out", "latency", "since", "before", "tool", "error", "is", "has"] as const;

/** A path as one word of a shell, for a command to copy. */
export function shellWord(path: string): string {
  return /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
