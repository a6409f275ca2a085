// Recorded states for an ordinary browser: `?fake=story`. It answers like the engine, and remembers what was decided.
import { terms } from "../lib/filter/tokens";
import { arming, hostile, type Recorded, status, story } from "../testing/story";
import type { ApprovalDto } from "./bindings/ApprovalDto";
import type { BinDto } from "./bindings/BinDto";
import type { FacetGroupDto } from "./bindings/FacetGroupDto";
import type { FacetsDto } from "./bindings/FacetsDto";
import type { OperationDetailDto } from "./bindings/OperationDetailDto";
import type { OperationRowDto } from "./bindings/OperationRowDto";
import type { ProtectionDto } from "./bindings/ProtectionDto";
import type { ResolveInput } from "./bindings/ResolveInput";
import type { RowStateDto } from "./bindings/RowStateDto";
import type { SearchInput } from "./bindings/SearchInput";
import type { SearchPage } from "./bindings/SearchPage";
import type { StreamMessage } from "./bindings/StreamMessage";
import { type Answer, type Call, type Engine, EngineError } from "./client";

/** The states there are, by the name in the address. */
export const STATES = ["story", "empty", "hostile", "long", "stopped", "degraded", "paused", "observing", "broken", "lost", "loading", "failing"] as const;
export type StateName = (typeof STATES)[number];

export function isState(name: string): name is StateName {
  return (STATES as readonly string[]).includes(name);
}

function recorded(name: StateName, now: number): Recorded {
  const empty: Recorded = { status: status({ agentsRunning: 0, sessionsRunning: 0, costToday: 0, limitToday: null, chain: { head: 0, ok: true, brokenAt: null, problem: null } }), rows: [], open: [], resolved: [] };
  const protection = (state: ProtectionDto): Recorded => {
    const told = story(now, 60);
    return { ...told, status: { ...told.status, protection: state } };
  };
  switch (name) {
    case "empty":
      return empty;
    case "hostile":
      return hostile(now);
    case "long":
      return story(now, 20_000);
    case "stopped":
      return { ...protection({ state: "stopped" }), open: [] };
    case "degraded":
      return protection({ state: "degraded", cause: "the proxy does not run: port 7117 is taken" });
    case "paused":
      return { ...protection({ state: "paused", until: new Date(now + 5_820_000).toISOString() }), open: [] };
    case "observing":
      return { ...protection({ state: "observing" }), open: [] };
    case "broken": {
      const told = story(now, 60);
      return { ...told, status: { ...told.status, chain: { head: 48_210, ok: false, brokenAt: 48_203, problem: "record 48203 was changed" } } };
    }
    default:
      return story(now);
  }
}

/** An engine that answers from memory. */
export class FakeEngine implements Engine {
  readonly #name: StateName;
  readonly #state: Recorded;
  readonly #listeners = new Set<(message: StreamMessage) => void>();
  /** Every call it heard, for tests. */
  readonly heard: Call[] = [];

  constructor(name: StateName, now: number = Date.now()) {
    this.#name = name;
    this.#state = recorded(name, now);
  }

  subscribe(listener: (message: StreamMessage) => void): () => void {
    this.#listeners.add(listener);
    const first: StreamMessage = this.#name === "lost" ? { kind: "lost", error: { code: "unreachable", message: "the engine does not answer", hint: "start it with `reeve serve`" } } : { kind: "connected" };
    queueMicrotask(() => listener(first));
    return () => this.#listeners.delete(listener);
  }

  /** Says something to whoever listens, as the engine does. */
  emit(batch: Partial<Extract<StreamMessage, { kind: "batch" }>["batch"]>): void {
    for (const listener of this.#listeners) listener({ kind: "batch", batch: { operations: [], approvals: [], endedSessions: [], status: null, lagged: false, ...batch } });
  }

  /** Something new happened: it is kept and told. */
  add(change: { row?: OperationRowDto; approval?: ApprovalDto }): void {
    if (change.row) this.#state.rows.unshift(change.row);
    if (change.approval) this.#state.open.push(change.approval);
    this.#tell(change.approval ? [change.approval] : [], change.row ? [change.row] : []);
  }

  async call<C extends Call>(call: C): Promise<Answer<C>> {
    this.heard.push(call);
    if (this.#name === "loading") return new Promise(() => {});
    if (this.#name === "failing" || this.#name === "lost") {
      throw new EngineError({ code: "unreachable", message: "the engine does not answer, so nothing can be shown or decided", hint: "start it with `reeve serve`" });
    }
    return (await this.#answer(call)) as Answer<C>;
  }

  #answer(call: Call): unknown {
    switch (call.call) {
      case "status.get":
        return this.#state.status;
      case "status.stop_all":
        return this.#protect({ state: "stopped" });
      case "status.resume":
        return this.#protect({ state: "protected" });
      case "operations.search":
        return this.#search(call.input);
      case "operations.facets":
        return facets(this.#matching(call.input.query));
      case "operations.get":
        return this.#detail(call.input.operation);
      case "approvals.list":
        return { open: this.#state.open, resolved: this.#state.resolved };
      case "approvals.get": {
        const found = this.#question(call.input.approval);
        return { ...found, arming: found.resolved ? null : arming(found) };
      }
      case "approvals.resolve":
        return this.#resolve(call.input);
      case "approvals.extend": {
        const found = this.#question(call.input.approval);
        found.expiresAt = new Date(Date.parse(found.expiresAt) + 300_000).toISOString();
        this.#tell([found]);
        return { ...found };
      }
      case "agents.stop":
        return { id: call.input.agent, name: call.input.agent, tool: null, team: null, registeredAt: new Date().toISOString(), removedAt: null, running: 0, costToday: 0 };
    }
  }

  #protect(protection: ProtectionDto) {
    this.#state.status = { ...this.#state.status, protection };
    this.#tell([]);
    return this.#state.status;
  }

  #tell(approvals: ApprovalDto[], operations: OperationRowDto[] = []): void {
    this.#state.status = { ...this.#state.status, held: this.#state.open.length };
    this.emit({ approvals: approvals.map((one) => ({ ...one })), operations, status: this.#state.status });
  }

  #question(id: string): ApprovalDto {
    const found = [...this.#state.open, ...this.#state.resolved].find((one) => one.id === id);
    if (!found) throw new EngineError({ code: "notFound", message: `no question \`${id}\``, hint: null });
    return found;
  }

  #resolve(input: ResolveInput): ApprovalDto {
    const found = this.#question(input.approval);
    if (found.resolved) throw new EngineError({ code: "alreadyResolved", message: "this question has an answer already", hint: null });
    if (input.nonce !== arming(found).nonce) throw new EngineError({ code: "notArmed", message: "this card was not shown", hint: null });
    const { answer } = input;
    found.resolved = {
      resolution: answer.kind === "approve" ? { kind: "approved", scope: answer.scope } : { kind: "refused", reason: answer.reason },
      by: "dana",
      surface: "mainWindow",
      at: new Date().toISOString(),
      readingMs: input.readingMs,
    };
    this.#state.open = this.#state.open.filter((one) => one.id !== found.id);
    this.#state.resolved = [found, ...this.#state.resolved];
    const state: RowStateDto = answer.kind === "approve" ? "approved" : "refused";
    this.#state.rows = this.#state.rows.map((row) => (row.approval === found.id ? { ...row, state, settled: true } : row));
    this.#tell([found], this.#state.rows.filter((row) => row.approval === found.id));
    return { ...found };
  }

  #matching(query: string): OperationRowDto[] {
    const all = terms(query);
    return all.length === 0 ? this.#state.rows : this.#state.rows.filter((row) => all.every((term) => matches(row, term)));
  }

  #search({ query, before, limit }: SearchInput): SearchPage {
    const rows = this.#matching(query).filter((row) => before === null || row.record < Number(before));
    const page = rows.slice(0, limit);
    const unknown = terms(query).find((term) => term.key !== null && !(term.key in FIELDS));
    const problems = unknown ? [{ message: `\`${unknown.key}\` is not a key`, at: query.indexOf(unknown.text), suggestion: Object.keys(FIELDS).find((key) => key[0] === unknown.key?.[0]) ?? null }] : [];
    return { rows: page, next: rows.length > limit ? (page.at(-1)?.cursor ?? null) : null, problems };
  }

  #detail(id: string): OperationDetailDto {
    const row = this.#state.rows.find((one) => one.id === id);
    if (!row) throw new EngineError({ code: "notFound", message: `no record of \`${id}\``, hint: null });
    return detail(row, [...this.#state.open, ...this.#state.resolved].find((one) => one.id === row.approval));
  }
}

const FIELDS: Record<string, (row: OperationRowDto) => string | null> = {
  agent: (row) => row.agent,
  kind: (row) => row.kind,
  host: (row) => row.host,
  rule: (row) => row.rule,
  risk: (row) => row.risk,
  model: (row) => row.model,
  session: (row) => row.session,
  credential: (row) => row.credential,
  decision: (row) => (row.state === "wouldDeny" ? "would-deny" : row.state),
};

/** Good enough to build screens with: exact values, lists, and `*` at the ends. The engine's own parser is the truth. */
function matches(row: OperationRowDto, term: ReturnType<typeof terms>[number]): boolean {
  const field = term.key === null ? null : FIELDS[term.key];
  if (term.key !== null && !field) return true;
  const value = field ? field(row) : row.summary;
  const wanted = term.value.replace(/^\((.*)\)$/, "$1").split(",").map((one) => one.trim().replaceAll('"', "").toLowerCase());
  const hit = wanted.some((one) => {
    const pattern = one.replaceAll("*", "");
    return field ? (one.includes("*") ? (value ?? "").includes(pattern) : value === one) : (value ?? "").toLowerCase().includes(pattern);
  });
  return hit !== term.negated;
}

function facets(rows: OperationRowDto[]): FacetsDto {
  const groups: FacetGroupDto[] = ["decision", "agent", "kind", "rule", "host", "credential", "risk"].map((key) => {
    const counts = new Map<string, number>();
    for (const row of rows) {
      const value = FIELDS[key]?.(row);
      if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return { key, values: [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count) };
  });
  return { groups, matches: rows.length, capped: rows.length > 10_000, cost: rows.reduce((sum, row) => sum + (row.cost ?? 0), 0), ...histogram(rows) };
}

function histogram(rows: OperationRowDto[]): { binMs: number; bins: BinDto[] } {
  const times = rows.map((row) => Date.parse(row.at));
  if (times.length === 0) return { binMs: 60_000, bins: [] };
  const oldest = times.reduce((a, b) => Math.min(a, b));
  const newest = times.reduce((a, b) => Math.max(a, b));
  const binMs = Math.max(1_000, Math.ceil((newest - oldest + 1) / 84));
  const bins = Array.from({ length: Math.floor((newest - oldest) / binMs) + 1 }, (_, at) => ({ at: new Date(oldest + at * binMs).toISOString(), allowed: 0, held: 0, denied: 0 }));
  rows.forEach((row, at) => {
    const bin = bins[Math.floor(((times[at] ?? oldest) - oldest) / binMs)];
    if (!bin) return;
    if (row.state === "held") bin.held += 1;
    else if (["denied", "refused", "expired"].includes(row.state)) bin.denied += 1;
    else bin.allowed += 1;
  });
  return { binMs, bins };
}

function detail(row: OperationRowDto, question: ApprovalDto | undefined): OperationDetailDto {
  const hash = (seed: number) => ((seed * 2_654_435_761) >>> 0).toString(16).padStart(8, "0").repeat(8);
  const turned = ["denied", "refused", "expired"].includes(row.state);
  const event = (at: number, name: string) => ({ seq: row.record + at, at: row.at, name, prev: hash(row.record + at - 1), hash: hash(row.record + at), body: { event: name, summary: row.summary } });
  const reasons = question?.reasons ?? (row.rule ? [{ rule: row.rule, text: "agents may not merge into main", layer: "team" as const, file: "policies/team.cedar", line: 7, liftable: false }] : []);
  return {
    row,
    events: turned ? [event(0, "operation.denied")] : [event(0, row.state === "held" ? "approval.requested" : "operation.admitted"), ...(row.settled ? [event(1, "operation.settled")] : [])],
    verdict: { decision: turned ? "deny" : row.state === "held" ? "ask" : "allow", reasons, risk: row.risk ?? "low", riskReasons: row.risk === "high" ? ["writes to a shared branch"] : [], revision: "9f2c41d07a3e", liftedBy: [] },
    denial: turned ? { kind: row.state === "expired" ? "expired" : row.state === "refused" ? "refused" : "policy", message: `denied by rule ${row.rule ?? "unknown"}`, advice: "Repeating will not help. Open a pull request and ask a person to merge.", reasons } : null,
    cost: row.cost === null && row.reserved === null ? null : { reserved: row.reserved ?? 60_000_000, reservedTokens: 12_000, settled: row.cost, worth: row.cost, tokens: (row.tokensIn ?? 0) + (row.tokensOut ?? 0), estimated: row.estimated, overrun: false, price: "claude-sonnet-4-5, 18 Nov 2026", accounts: ["me:dana", "agent:claude-code"] },
    view: question?.view ?? null,
    subject: { subject: row.kind, host: row.host, model: row.model },
    outcome: row.settled && !turned ? { ending: "complete", status: row.status, total_ms: row.tookMs } : null,
  };
}
