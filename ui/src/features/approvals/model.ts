// What a card says of a question: pure, from the question alone.
import type { ApprovalDto } from "../../engine/bindings/ApprovalDto";
import type { CardAccountDto } from "../../engine/bindings/CardAccountDto";
import type { RiskDto } from "../../engine/bindings/RiskDto";
import type { SuggestionsDto } from "../../engine/bindings/SuggestionsDto";
import { type Asked, askedOf, type Claim, commandOf, type Effect, EFFECTS, toolOf } from "../../lib/action";
import { money, tokens } from "../../lib/money";

const ORDER: Record<RiskDto, number> = { critical: 0, high: 1, medium: 2, low: 3 };

/** By risk, then by time left; the id breaks ties, so that the order never flickers. */
export function sorted(open: readonly ApprovalDto[]): ApprovalDto[] {
  return [...open].sort((a, b) => ORDER[a.risk] - ORDER[b.risk] || a.expiresAt.localeCompare(b.expiresAt) || a.id.localeCompare(b.id));
}

/** Share of the time that is left, 0 to 1. */
export function shareLeft(question: ApprovalDto, now: number): number {
  const asked = Date.parse(question.askedAt);
  const whole = Date.parse(question.expiresAt) - asked;
  return whole <= 0 ? 0 : Math.min(1, Math.max(0, (Date.parse(question.expiresAt) - now) / whole));
}

export function msLeft(question: ApprovalDto, now: number): number {
  return Date.parse(question.expiresAt) - now;
}

/** Under a minute and three quarters a person should look now. */
export function isSoon(question: ApprovalDto, now: number): boolean {
  return msLeft(question, now) < 110_000;
}

export type SentenceKey = "llm" | "llmBudget" | "httpRead" | "httpSend" | "httpDelete" | "httpUpgrade" | "mcp" | `ask.${Asked["wants"]}` | `tool.${Exclude<Claim, "silent">}` | "shell" | `command.${Effect}` | "file";

/** The fixed sentence of the action's kind; never a word of the agent's. */
export function sentence(question: ApprovalDto): { key: SentenceKey; method: string } {
  const method = methodOf(question);
  const plain = (key: SentenceKey) => ({ key, method });
  switch (question.kind) {
    case "llm":
      return plain(question.unaffordable === null ? "llm" : "llmBudget");
    case "mcp": {
      const asked = askedOf(question.view);
      if (asked !== null) return plain(`ask.${asked.wants}`);
      const claim = toolOf(question.view)?.claim ?? "silent";
      return plain(claim === "silent" ? "mcp" : `tool.${claim}`);
    }
    case "shell":
      return plain(shellSentence(question));
    case "file":
      return plain("file");
    default:
      if (text(question.view, "upgrade") !== null) return plain("httpUpgrade");
      if (/^(GET|HEAD|OPTIONS)$/.test(method)) return plain("httpRead");
      return plain(method === "DELETE" ? "httpDelete" : "httpSend");
  }
}

/** By the gravest thing the command is known to do; only what is understood may be said to read. */
function shellSentence(question: ApprovalDto): SentenceKey {
  const command = commandOf(question.view);
  const told = SENTENCES.find((effect) => command?.effects.includes(effect));
  if (command === null || told === undefined) return "shell";
  return told === "reads" && (!command.understood || command.unknown || command.effects.length > 1) ? "shell" : `command.${told}`;
}

const SENTENCES: readonly Effect[] = ["deletes_tree", "privilege", "pushes", ...EFFECTS];

type Preset = "safer" | "ask" | "notHere" | "notHost" | "notTool" | "cheaper";

/** Words that a person may send with a denial, as they fit what is denied. */
export function presetsOf({ kind }: Pick<ApprovalDto, "kind">): readonly Preset[] {
  switch (kind) {
    case "shell":
      return ["safer", "ask", "notHere"];
    case "http":
      return ["ask", "notHost"];
    case "mcp":
      return ["ask", "notTool"];
    case "llm":
      return ["ask", "cheaper"];
    default:
      return ["ask", "notHere"];
  }
}

/** The method as shown in our own sentence: a short word in capitals, else none of it. */
export function methodOf(question: ApprovalDto): string {
  const method = text(question.view, "method") ?? question.summary.split(" ", 1)[0] ?? "";
  return /^[A-Z]{3,10}$/.test(method) ? method : "";
}

/** What will be sent, in the parts a card shows. */
export type Exact = {
  /** Request line and host, or the tool: drawn line by line. */
  head: string[];
  /** Text below the head. */
  body: string | null;
  /** Structure below the head. */
  tree: unknown;
};

export function exact(question: ApprovalDto): Exact {
  const { view } = question;
  switch (question.kind) {
    case "shell":
      return { head: [], body: text(view, "command") ?? question.summary, tree: undefined };
    case "http":
      return exactRequest(question);
    case "mcp":
      if (askedOf(view) !== null) return { head: [text(view, "server") ?? question.summary], body: text(view, "message"), tree: field(view, "params") };
      return { head: [[text(view, "server"), text(view, "tool")].filter(Boolean).join(".") || question.summary], body: null, tree: field(view, "arguments") };
    default:
      return { head: [], body: null, tree: view ?? question.summary };
  }
}

function exactRequest(question: ApprovalDto): Exact {
  const { view } = question;
  const method = text(view, "method");
  const path = text(view, "path");
  if (method === null || path === null) return { head: [question.summary], body: null, tree: view ?? undefined };
  const query = text(view, "query");
  const host = hostOf(question);
  const port = field(view, "port");
  const scheme = text(view, "scheme");
  const odd = typeof port === "number" && port !== (scheme === "http" ? 80 : 443) ? `:${port}` : "";
  const head = [`${method} ${path}${query === null ? "" : `?${query}`}`, ...(host === null ? [] : [`host: ${host}${odd}`])];
  const sent = field(view, "body");
  // A body of no bytes is none.
  const body = field(sent, "bytes") === 0 ? null : sent;
  const words = text(body, "text");
  const tree = field(body, "json");
  // What is neither text nor JSON is named by its size and hash.
  return words === null && tree === undefined ? { head, body: null, tree: body ?? undefined } : { head, body: words, tree };
}

/** The whole exact text, for *Copy* and for its length. */
export function exactText(question: ApprovalDto): string {
  const { head, body, tree } = exact(question);
  const rest = body ?? (tree === undefined ? null : typeof tree === "string" ? tree : JSON.stringify(tree, null, 2));
  return [...head, ...(rest === null ? [] : [rest])].join("\n");
}

export function hostOf(question: ApprovalDto): string | null {
  return text(question.view, "host");
}

/** Bytes of body that leave this computer; null where the view does not say. */
export function bodyBytes(question: ApprovalDto): number | null {
  const body = field(question.view, "body");
  if (question.kind === "http" && body === null) return 0;
  const counted = field(body, "bytes");
  return typeof counted === "number" && question.kind === "http" ? counted : null;
}

/** What the action changes, as far as its kind and method tell; what is not known is said to be unknown. */
export function effectOf(question: ApprovalDto): "reads" | "deletes" | "unknown" | null {
  if (question.kind === "llm") return null;
  if (question.kind !== "http") return "unknown";
  const { key } = sentence(question);
  return key === "httpRead" ? "reads" : key === "httpDelete" ? "deletes" : "unknown";
}

/** High and above are allowed only after the whole text was in view. */
export function mustBeSeen(risk: RiskDto): boolean {
  return risk === "high" || risk === "critical";
}

export function field(view: unknown, key: string): unknown {
  return typeof view === "object" && view !== null && !Array.isArray(view) ? (view as Record<string, unknown>)[key] : undefined;
}

export function text(view: unknown, key: string): string | null {
  const value = field(view, key);
  return typeof value === "string" && value !== "" ? value : null;
}

/** An amount as its budget counts it. */
export function amountOf({ unit }: Pick<CardAccountDto, "unit">, amount: number): string {
  return unit === "money" ? money(amount) : tokens(amount);
}

/** What is missing for this call; 0 where it fits. */
export function shortOf(account: CardAccountDto): number {
  return Math.max(0, account.needed - Math.max(0, account.free));
}

const RAISE = { money: 5_000_000_000, tokens: 100_000 };

/** One click raises by $5 or 100k tokens, or by what this call needs where that is more. */
export function raiseBy(account: CardAccountDto): number {
  const step = RAISE[account.unit];
  return Math.max(step, Math.ceil(shortOf(account) / step) * step);
}

/** Questions of one session that differ only in their parameters. */
export type Group = { first: ApprovalDto; all: ApprovalDto[] };

/** Fewer than this many are decided one by one. */
const ALIKE = 3;

/** The queue with what is alike put together; a group stands where its first one stood. */
export function grouped(open: readonly ApprovalDto[]): Group[] {
  const groups: Group[] = [];
  const byShape = new Map<string, Group>();
  for (const one of sorted(open)) {
    const key = `${one.session}\n${one.shape}\n${one.risk}`;
    const known = byShape.get(key);
    if (known) {
      known.all.push(one);
      continue;
    }
    const group = { first: one, all: [one] };
    byShape.set(key, group);
    groups.push(group);
  }
  return groups.flatMap((group) => (group.all.length >= ALIKE ? [group] : group.all.map((one) => ({ first: one, all: [one] }))));
}

/** High and Critical are decided one by one; of the others at most so many with one click. */
export const TICKED_AT_ONCE = 20;

export function mayTick(risk: RiskDto): boolean {
  return risk === "low" || risk === "medium";
}

const STORM = { count: 10, withinMs: 60_000 };

/** Agents with more than ten questions put within one minute that all wait still. */
export function storms(open: readonly ApprovalDto[]): { agent: string; agentName: string; session: string; questions: ApprovalDto[] }[] {
  const bySession = new Map<string, ApprovalDto[]>();
  for (const one of open) bySession.set(one.session, [...(bySession.get(one.session) ?? []), one]);
  return [...bySession.values()].flatMap((questions) => {
    const times = questions.map((one) => Date.parse(one.askedAt)).sort((a, b) => a - b);
    const dense = times.some((at, index) => (times[index + STORM.count] ?? Number.POSITIVE_INFINITY) - at <= STORM.withinMs);
    const first = questions[0];
    return dense && first ? [{ agent: first.agent, agentName: first.agentName, session: first.session, questions }] : [];
  });
}

export type Tab = "held" | "decided" | "expired" | "suggestions";

export function inTab(tab: "decided" | "expired", resolved: readonly ApprovalDto[]): ApprovalDto[] {
  const late = (one: ApprovalDto) => one.resolved?.resolution.kind === "expired" || one.resolved?.resolution.kind === "withdrawn";
  return resolved.filter((one) => (tab === "expired" ? late(one) : !late(one)));
}

/** The answered of a tab, newest answer first: what was sought page by page, as it is known by now; without a filter with what came since. */
export function listedOf(tab: "decided" | "expired", live: readonly ApprovalDto[], sought: readonly ApprovalDto[], isFiltered: boolean): ApprovalDto[] {
  const known = new Map(live.map((one) => [one.id, one]));
  const all = new Map([...(isFiltered ? [] : live), ...sought].map((one) => [one.id, known.get(one.id) ?? one]));
  return inTab(tab, [...all.values()]).toSorted((a, b) => (b.resolved?.at ?? "").localeCompare(a.resolved?.at ?? ""));
}

export function today(resolved: readonly ApprovalDto[], now: number): ApprovalDto[] {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  return inTab("decided", resolved).filter((one) => Date.parse(one.resolved?.at ?? "") >= midnight);
}

/** A median under this is faster than anybody reads a card. */
const QUICK_MS = 1_500;

/** How fast half of the last answers came, where that is too fast to have read what was asked. */
export function quickOf({ readingMedianMs }: Pick<SuggestionsDto, "readingMedianMs">): number | null {
  return readingMedianMs !== null && readingMedianMs < QUICK_MS ? readingMedianMs : null;
}
