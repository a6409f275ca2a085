// The timeline, as a recorded engine answers it.
import { print, terms } from "../../lib/filter/tokens";
import type { ApprovalDto } from "../bindings/ApprovalDto";
import type { BinDto } from "../bindings/BinDto";
import type { NoticeDto } from "../bindings/NoticeDto";
import type { FacetGroupDto } from "../bindings/FacetGroupDto";
import type { FacetsDto } from "../bindings/FacetsDto";
import type { OperationDetailDto } from "../bindings/OperationDetailDto";
import type { OperationRowDto } from "../bindings/OperationRowDto";
import type { SearchInput } from "../bindings/SearchInput";
import type { SearchPage } from "../bindings/SearchPage";
import { EngineError } from "../client";
import { type Handlers, notFound, type World } from "./world";

export const operations: Handlers<"operations.search" | "operations.costliest" | "operations.facets" | "operations.get" | "operations.export" | "operations.annotate"> = {
  "operations.search": search,
  "operations.costliest": (world, { query, limit }) => {
    const paid = matching(world, query).filter((row) => row.cost !== null && row.cost > 0);
    return { rows: paid.toSorted((a, b) => (b.cost ?? 0) - (a.cost ?? 0) || b.record - a.record).slice(0, limit), next: null, problems: [] };
  },
  "operations.facets": (world, { query, binsOf }) => facets(matching(world, query), matching(world, binsOf ?? query), matching(world, print(terms(query).filter((term) => term.key === "since" || term.key === "before"))).length),
  "operations.get": (world, { operation }) => {
    const row = world.state.rows.find((one) => one.id === operation);
    if (!row) throw notFound(`no record of \`${operation}\``);
    const told = world.details.find((one) => one.row.id === operation);
    if (told) return told;
    return detail(row, [...world.state.open, ...world.state.resolved].find((one) => one.id === row.approval));
  },
  "operations.annotate": (world, { operation, pinned, note }) => {
    const at = world.state.rows.findIndex((one) => one.id === operation);
    const found = world.state.rows[at];
    if (!found) throw notFound(`no action \`${operation}\``);
    if (note !== null && /\bsk-|\bghp_/.test(note)) throw new EngineError({ code: "invalid", message: "the note holds what is or looks like a secret", hint: "leave it out: notes are recorded and exported as they are" });
    const row: OperationRowDto = { ...found };
    delete row.pinned;
    delete row.note;
    if (pinned) row.pinned = true;
    if (note !== null) row.note = note;
    world.state.rows[at] = row;
    world.tell([], [row]);
    return row;
  },
  "operations.export": (world, { query, path }) => {
    if (!path.startsWith("/")) throw new EngineError({ code: "invalid", message: `\`${path}\` is not an absolute path`, hint: null });
    const count = matching(world, query).length;
    return { path, manifest: `${path}.manifest.json`, count, bytes: count * 640, redacted: 0 };
  },
};

export function matching(world: World, query: string): OperationRowDto[] {
  const all = terms(query);
  const now = Date.now();
  return all.length === 0 ? world.state.rows : world.state.rows.filter((row) => all.every((term) => matches(row, term, now)));
}

export function search(world: World, { query, before, limit }: SearchInput): SearchPage {
  const rows = matching(world, query).filter((row) => before === null || row.record < Number(before));
  const page = rows.slice(0, limit);
  const unknown = terms(query).find((term) => term.key !== null && !(term.key in FIELDS));
  const problems = unknown ? [{ message: `\`${unknown.key}\` is not a key`, at: query.indexOf(unknown.text), suggestion: Object.keys(FIELDS).find((key) => key[0] === unknown.key?.[0]) ?? null }] : [];
  const found = before === null ? world.state.notices?.filter((one) => terms(query).every((term) => isTold(one, term, Date.now()))) : undefined;
  return { ...(found ? { notices: found } : {}), rows: page, next: rows.length > limit ? (page.at(-1)?.cursor ?? null) : null, problems };
}

/** Whether an event is what a term means. It has few of an action's fields: a term for any other finds actions alone. */
function isTold(notice: NoticeDto, { key, value, negated }: ReturnType<typeof terms>[number], now: number): boolean {
  if (key === "since" || key === "before") return (Date.parse(notice.at) >= moment(value, now)) === (key === "since");
  const wanted = wantedOf(value);
  if (key === null) return wanted.some((one) => notice.summary.toLowerCase().includes(one)) !== negated;
  const fields: Record<string, string | null> = { kind: "event", agent: notice.agent, server: notice.server, credential: notice.credential, record: String(notice.record) };
  return key in fields && wanted.includes(fields[key]?.toLowerCase() ?? "") !== negated;
}

export const FIELDS: Record<string, (row: OperationRowDto) => string | null> = {
  agent: (row) => row.agent,
  kind: (row) => row.kind,
  host: (row) => row.host,
  rule: (row) => row.rule,
  risk: (row) => row.risk,
  model: (row) => row.model,
  session: (row) => row.session,
  credential: (row) => row.credential,
  record: (row) => row.id,
  status: (row) => (row.status === null ? null : String(row.status)),
  error: (row) => row.error,
  is: (row) => (row.pinned ? "pinned" : (row.purpose ?? null)),
  has: (row) => (row.note === undefined ? null : "note"),
  since: (row) => row.at,
  before: (row) => row.at,
  cost: (row) => String(row.cost),
  decision: (row) => (row.state === "wouldDeny" ? "would-deny" : row.state),
};

/** Good enough to build screens with: exact values, lists, and `*` at the ends. The engine's own parser is the truth. */
function matches(row: OperationRowDto, term: ReturnType<typeof terms>[number], now: number): boolean {
  if (term.key === "since" || term.key === "before") return (Date.parse(row.at) >= moment(term.value, now)) === (term.key === "since");
  if (term.key === "cost") return (row.cost ?? -1) > Number(term.value.replace(/^>/, "")) * 1e9 !== term.negated;
  const field = term.key === null ? null : FIELDS[term.key];
  if (term.key !== null && !field) return true;
  const value = field ? field(row) : row.summary;
  const wanted = wantedOf(term.value);
  const hit = wanted.some((one) => {
    const pattern = one.replaceAll("*", "");
    return field ? (one.includes("*") ? (value ?? "").toLowerCase().includes(pattern) : value?.toLowerCase() === one) : (value ?? "").toLowerCase().includes(pattern);
  });
  return hit !== term.negated;
}

/** The values of a term, which may be a list. */
function wantedOf(value: string): string[] {
  return value.replace(/^\((.*)\)$/, "$1").split(",").map((one) => one.trim().replaceAll('"', "").toLowerCase());
}

/** `7d` before now, or an instant. */
function moment(text: string, now: number): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return count === undefined ? Date.parse(text) : now - Number(count) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[unit ?? ""] ?? 86_400_000);
}

function facets(rows: OperationRowDto[], drawn: OperationRowDto[], total: number): FacetsDto {
  const groups: FacetGroupDto[] = ["decision", "agent", "kind", "rule", "host", "credential", "risk"].map((key) => {
    const counts = new Map<string, number>();
    for (const row of rows) {
      const value = FIELDS[key]?.(row);
      if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return { key, values: [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count) };
  });
  return { groups, matches: rows.length, total, capped: rows.length > 10_000, cost: rows.reduce((sum, row) => sum + (row.cost ?? 0), 0), p95Ms: p95(rows), ...histogram(drawn) };
}

function p95(rows: OperationRowDto[]): number | null {
  const times = rows.flatMap((row) => row.tookMs ?? []).sort((a, b) => a - b);
  return times[Math.ceil(times.length * 0.95) - 1] ?? null;
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

export function detail(row: OperationRowDto, question: ApprovalDto | undefined): OperationDetailDto {
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
    seal: turned || row.settled ? { seq: row.record + 7, at: row.at, signature: hash(row.record + 7).repeat(2) } : null,
    ip: row.host === null || turned ? null : "140.82.121.6",
    parent: null,
    subject: row.kind === "http" && row.host !== null ? httpOf(row.summary, row.host) : { subject: row.kind, host: row.host, model: row.model },
    outcome: row.settled && !turned ? { ending: "complete", status: row.status, total_ms: row.tookMs } : null,
  };
}

function httpOf(summary: string, host: string) {
  const [method = "GET", address = ""] = summary.split(" ");
  return { subject: "http", endpoint: { scheme: "https", host, port: 443, method, path: address.slice(host.length) || "/" }, content_type: method === "GET" ? undefined : "application/json" };
}
