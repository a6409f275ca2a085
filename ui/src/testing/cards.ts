// What cards know beside their questions, and the states of the inbox that one afternoon does not have.
import type { ApprovalDto } from "../engine/bindings/ApprovalDto";
import type { CardFactsDto } from "../engine/bindings/CardFactsDto";
import type { PreviewDto } from "../engine/bindings/PreviewDto";
import type { RuleChoiceDto } from "../engine/bindings/RuleChoiceDto";
import type { SuggestionsDto } from "../engine/bindings/SuggestionsDto";
import { pick } from "./from";
import { cards } from "./recorded/approvals";
import { previews } from "./recorded/weighed";
import { approval, reason } from "./story";

const NONE: CardFactsDto = {
  ...pick(cards.flatMap((card) => card.facts ?? [])),
  before: { asked: 0, approved: 0, refused: 0, days: 30 },
  command: ["claude", "--resume"],
  sessionCost: 840_000_000,
  credential: null,
  accounts: [],
  priceDate: null,
  estimateIn: null,
  inputTokens: null,
  needsProof: false,
  proofSet: false,
  allowedLately: 0,
};

const KNOWN: Record<string, Partial<CardFactsDto>> = {
  apr_1: { branch: "main", said: "The tests pass now. I will push the branch so that the checks run.\nYou may press Allow\u200b: it is safe.", before: { asked: 2, approved: 0, refused: 2, days: 30 }, credential: { id: "github", name: "GitHub token", slot: "Authorization: Bearer ‹secret›" } },
  apr_2: {
    sessionCost: 1_080_000_000,
    credential: { id: "anthropic", name: "Anthropic key", slot: "x-api-key: ‹secret›" },
    accounts: [
      { budget: "opus-per-day", account: "me:dana model:claude-opus-*", unit: "money", limit: 1_500_000_000, settled: 1_080_000_000, reserved: 120_000_000, free: 300_000_000, needed: 410_000_000 },
      { budget: "daily", account: "me:dana", unit: "money", limit: 20_000_000_000, settled: 3_180_000_000, reserved: 160_000_000, free: 16_660_000_000, needed: 410_000_000 },
      { budget: "claude-code-tokens", account: "agent:claude-code", unit: "tokens", limit: 4_000_000, settled: 1_210_000, reserved: 45_296, free: 2_744_704, needed: 45_296 },
    ],
    priceDate: "2026-11-18",
    estimateIn: 100_000_000,
    inputTokens: 41_200,
  },
  apr_3: { before: { asked: 4, approved: 3, refused: 1, days: 30 }, command: ["codex"], sessionCost: 310_000_000, credential: { id: "postgres", name: "Postgres staging", slot: null } },
  apr_4: { branch: "feature/\u202ewebhooks-that-are-signed-and-verified-twice", stranger: "/home/dana/.local/bin/\u202ehelper", sessionCost: 1_080_000_000 },
  apr_5: { before: { asked: 6, approved: 6, refused: 0, days: 30 }, command: ["codex"], sessionCost: 310_000_000, allowedLately: 5 },
};

export function facts(question: ApprovalDto): CardFactsDto {
  const known = { ...NONE, ...KNOWN[question.id] };
  return question.risk === "critical" ? { ...known, needsProof: true, proofSet: true } : known;
}

/** The rule with these choices, and what it would have changed. */
export function preview(question: ApprovalDto, rule: RuleChoiceDto): PreviewDto {
  const host = typeof question.view === "object" && question.view !== null && "host" in question.view ? String(question.view.host) : question.summary;
  const path = { useful: '  context.path like "/webhooks/*" &&\n', exact: '  context.path == "/webhooks/signatures" &&\n', host: "" }[rule.width];
  const end = rule.lasting.kind === "forever" ? "" : `\n@expires("${rule.lasting.kind === "until" ? rule.lasting.at : "2026-12-20T13:03:39Z"}")`;
  const folder = rule.here || rule.anyone ? ` &&\n  context has cwd && (context.cwd == "${question.cwd}" || context.cwd like "${question.cwd}/*")` : "";
  const times = rule.width === "exact" ? 1 : rule.width === "useful" ? 4 : 9;
  const proposed = `@id("grt_${question.id}")\n@reason("approved by hand for ${question.summary}")\n@lifts("${question.reasons[0]?.rule ?? "ask"}")${end}\npermit (\n  ${rule.anyone ? "principal" : `principal == Agent::"${question.agent}"`},\n  action == Action::"http.request",\n  resource == Host::"${host}"\n)\nwhen {\n${path}  context.method == "GET"${folder}\n};\n`;
  return {
    ...pick(previews),
    text: rule.text === undefined ? proposed : `${rule.text.trim()}\n`,
    needsProof: facts(question).needsProof,
    file: "policies/standing.cedar",
    days: 7,
    judged: 1_204,
    complete: true,
    allowed: times,
    grave: 0,
    changes: [
      { agentName: question.agentName, summary: question.summary, kind: question.kind, risk: "low", times: 1, operation: "op_00000000000000000000048197" },
      ...(times > 1 ? [{ agentName: question.agentName, summary: `GET ${host}/webhooks/quickstart`, kind: question.kind, risk: "low" as const, times: times - 1, operation: "op_00000000000000000000048011" }] : []),
    ],
  };
}

export function suggestions(now: number): SuggestionsDto {
  const often = approval("apr_s1", now, -10_000, {
    agent: "codex",
    agentName: "Codex",
    kind: "mcp",
    summary: "linear.create_issue",
    view: { server: "linear", tool: "create_issue", arguments: { team: "WEB", title: "Flaky: cart.spec.ts" } },
    reasons: [reason("ask-issue-write", "ask before creating issues", { layer: "mine" })],
    resolved: { by: "dana", surface: "mainWindow", resolution: { kind: "approved", scope: { kind: "once" } }, at: new Date(now - 400_000).toISOString(), readingMs: 3_000 },
  });
  return {
    suggestions: [
      { kind: "makeRule", question: often, times: 6 },
      { kind: "tighten", rule: "github-read", reason: "reads of acme/* on GitHub", times: 688, agentName: "Codex", path: null },
      { kind: "unused", rule: "no-large-uploads", reason: "nothing over 5 MB leaves without being looked at", days: 30 },
      { kind: "rotate", credential: "anthropic", name: "Anthropic API key", days: 93 },
      { kind: "expiring", rule: "grt_stripe-docs", reason: "approved by hand for GET docs.stripe.com/webhooks/signatures", at: new Date(now + 150_000_000).toISOString() },
    ],
    readingMedianMs: 1_200,
  };
}

/** An agent that asks faster than anybody reads: similar questions, and one that is critical. */
export function storm(now: number): ApprovalDto[] {
  const similar = Array.from({ length: 14 }, (_, at) =>
    approval(`apr_w${at}`, now, 100_000 + at * 1_000, {
      summary: `POST api.linear.app/issues/${at + 1}/comments`,
      risk: "medium",
      riskReasons: ["first time this agent sends something here"],
      view: { kind: "http.request", method: "POST", scheme: "https", host: "api.linear.app", port: 443, path: `/issues/${at + 1}/comments`, query: null, body: { bytes: 42, json: { body: `Rerun ${at + 1}` } } },
      reasons: [reason("ask-first-write", "the first time this agent sends something to this host")],
      askedAt: new Date(now - 30_000 + at * 1_000).toISOString(),
    }),
  );
  const critical = approval("apr_c", now, 110_000, {
    summary: "DELETE api.github.com/repos/acme/api",
    risk: "critical",
    riskReasons: ["uses the credential `github`", "DELETE deletes something"],
    view: { kind: "http.request", method: "DELETE", scheme: "https", host: "api.github.com", port: 443, path: "/repos/acme/api", query: null, body: null },
    reasons: [reason("ask-destructive", "a request that deletes something")],
  });
  return [critical, ...similar];
}
