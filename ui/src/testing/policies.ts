// Rules as a recorded engine has them: every layer, every kind, one that only observes, one that a stranger wrote.
import type { HitsDto } from "../engine/bindings/HitsDto";
import type { PolicyFileDto } from "../engine/bindings/PolicyFileDto";
import type { ProjectProblemDto } from "../engine/bindings/ProjectProblemDto";
import type { ReplayDto } from "../engine/bindings/ReplayDto";
import type { RuleDto } from "../engine/bindings/RuleDto";
import type { VersionDto } from "../engine/bindings/VersionDto";
import type { WaitingDto } from "../engine/bindings/WaitingDto";
import { pick } from "./from";
import { hits as recordedHits, rules as recordedRules } from "./recorded/policies";
import { replays } from "./recorded/weighed";

export const MINE = `// What Dana decided for this machine.

@id("ask-issue-write")
@reason("ask before creating issues")
@liftable
@risk("medium")
forbid (
  principal,
  action == Action::"http.request",
  resource == Host::"api.github.com"
)
when { context.method == "POST" && context.path like "/repos/*/issues" }
unless { context.approved };

@id("no-merge")
@reason("agents may not merge pull requests")
forbid (
  principal,
  action == Action::"http.request",
  resource == Host::"api.github.com"
)
when { context.method == "PUT" && context.path like "*/merge" };

@id("github-read")
@reason("reads of acme/* on GitHub")
permit (
  principal,
  action in [Action::"read"],
  resource == Host::"api.github.com"
)
when { context.path like "/repos/acme/*" };

@id("no-large-uploads")
@mode("observe")
@reason("nothing over 5 MB leaves without somebody knowing")
forbid (
  principal,
  action == Action::"http.request",
  resource
)
when { context has body_bytes && context.body_bytes > 5000000 };
`;

export const STANDING = `@id("grt_00000000000000000000000012")
@reason("approved by hand for POST api.github.com/repos/acme/api/issues")
@lifts("ask-issue-write")
@expires("2026-12-20T15:12:00Z")
permit (
  principal == Agent::"claude-code",
  action == Action::"http.request",
  resource == Host::"api.github.com"
)
when {
  context.scheme == "https" &&
  context.port == 443 &&
  context.method == "POST" &&
  context.path like "/repos/acme/api/*"
};
`;

const ORGANISATION = `@id("no-drop-sites")
@reason("no anonymous drop boxes")
@risk("high")
forbid (
  principal,
  action,
  resource in HostGroup::"drop-sites"
);

@id("ask-credential-write")
@reason("ask before a credential changes something")
@risk("high")
forbid (
  principal,
  action in [Action::"write", Action::"destructive"],
  resource
)
when { context.uses_credential }
unless { context.approved };
`;

/** Of the recorded preset what the story's actions meet, word for word. */
const MET = ["allow-known-llm", "ask-first-write", "ask-destructive", "ask-first-credential", "allow-read"];

const PRESET = `${MET.map((id) => pick(recordedRules, (rule) => rule.id === id).text).join("\n\n")}\n`;

/** Written by whoever wrote the project: nothing in it may act on the screen. */
const PROJECT = `@id("project-no-staging")
@reason("\u202Egnigats on\u202C <img src=x onerror=alert(1)> \u0007 no staging")
forbid (
  principal,
  action,
  resource == Host::"staging.acme.example"
);
`;

const annotation = (text: string, name: string) => new RegExp(`@${name}\\("((?:[^"\\\\]|\\\\.)*)"\\)`).exec(text)?.[1];

/** The rules of a text as far as a recorded engine needs them: one per `;`. */
export function rulesOf(text: string, file: string, layer: RuleDto["layer"], project: string | null = null): RuleDto[] {
  const found: RuleDto[] = [];
  for (const match of text.matchAll(/(?:@\w+(?:\("(?:[^"\\]|\\.)*"\))?\s*)+(?:permit|forbid)\b(?:"(?:[^"\\]|\\.)*"|[^;"])*;/g)) {
    const rule = match[0];
    const lifts = annotation(rule, "lifts")?.split(/,\s*/) ?? [];
    const forbids = /\bforbid\b/.test(rule.replace(/"(?:[^"\\]|\\.)*"/g, ""));
    found.push({
      id: annotation(rule, "id") ?? "",
      kind: forbids ? (rule.includes("context.approved") ? "ask" : "forbid") : lifts.length > 0 ? "standingApproval" : "permit",
      reason: annotation(rule, "reason") ?? "",
      layer,
      file,
      line: text.slice(0, match.index).split("\n").length,
      liftable: /@liftable\b/.test(rule),
      mode: annotation(rule, "mode") === "observe" ? "observe" : "enforce",
      risk: (annotation(rule, "risk") ?? null) as RuleDto["risk"],
      expires: annotation(rule, "expires") ?? null,
      lifts,
      project,
      text: rule,
    });
  }
  return found;
}

const FOLDER = "/home/dana/.config/reeve/policies";

const CASES = `cases:
  - name: merging is denied
    agent: claude-code
    http: { method: PUT, url: "https://api.github.com/repos/acme/api/pulls/812/merge" }
    expect: deny
    rule: no-merge
  - name: reading a repository is allowed
    agent: codex
    http: { method: GET, url: "https://api.github.com/repos/acme/api" }
    expect: allow
    rule: github-read
`;

const SHARED_TOOLS = `tool_policies:
  "postgres/*":
    max_row_count: 500
    timeout: "1m"
`;
const TOOLS = `# Rules for tools of this machine.
tool_policies:
  "sqlite/write_query":
    max_row_count: 100
    preview: { sql: query, reader: read_query, dialect: sqlite }
    timeout: "15s"
  update_customer_records:
    max_row_count: 100
    arguments: { query: redact }
tool_governance:
  send_notification_email:
    idempotency_key: "request_id"
    cache_ttl: "24h"
    on_duplicate: "return_cached"
    strict_mode: true
`;
const PROJECT_TOOLS = `tool_policies:
  "postgres/write_query":
    max_row_count: 20
    preview: { tool: count_rows }
`;

export function files(large: boolean): PolicyFileDto[] {
  const many = Array.from({ length: 1_500 }, (_, at) => `@id("host-${at}")\n@reason("host ${at} ${at % 40 === 0 ? "with a reason that goes on and on because somebody had a lot to say about it ".repeat(4) : "is fine"}")\npermit (\n  principal,\n  action,\n  resource == Host::"host-${at}.acme.example"\n);\n`).join("\n");
  return [
    { file: "presets/balanced.cedar", layer: "preset", path: null, text: PRESET, own: false },
    { file: "acme.cedar", layer: "organisation", path: "/etc/reeve/policies/acme.cedar", text: ORGANISATION, own: false },
    { file: "mine.cedar", layer: "mine", path: `${FOLDER}/mine.cedar`, text: MINE, own: true },
    { file: "standing.cedar", layer: "mine", path: `${FOLDER}/standing.cedar`, text: STANDING, own: true },
    { file: "organisation/tools.yaml", layer: "organisation", path: "/etc/reeve/tools.yaml", text: SHARED_TOOLS, own: false },
    { file: "tools.yaml", layer: "mine", path: FOLDER.replace(/policies$/, "tools.yaml"), text: TOOLS, own: true, notices: [{ file: "tools.yaml", line: 7, column: 3, length: 0, message: "without `preview` nobody can count the rows that a call would change, so a human is asked about each; what the agent says of it is no count", here: true }] },
    { file: "/home/dana/code/web/.reeve/policies/tools.yaml", layer: "project", path: "/home/dana/code/web/.reeve/policies/tools.yaml", text: PROJECT_TOOLS, own: false, notices: [{ file: ".reeve/policies/tools.yaml", line: 4, column: 14, length: 0, message: "a project's `preview` is not used: what counts rows decides what passes, and a project can only tighten", here: true }] },
    { file: "cases/mine.yaml", layer: "mine", path: `${FOLDER}/cases/mine.yaml`, text: CASES, own: true },
    ...(large ? [{ file: "generated-by-a-tool-with-a-very-long-name-indeed-and-then-some.cedar", layer: "mine" as const, path: `${FOLDER}/generated.cedar`, text: many, own: true }] : []),
  ];
}

export const projectRules = (): RuleDto[] => rulesOf(PROJECT, "rules.cedar", "project", "/home/dana/code/web");

/** Projects whose rules became weaker while somebody works there. */
export const weaker = (): ProjectProblemDto[] => [{ folder: "/home/dana/code/web", problem: "/home/dana/code/web: its rules on disk are weaker than before, so `no-drop-sites` binds on until you agree", revision: "7f2a19c0" }];

/** The person's own rules with one more that lets something pass, written in an editor. */
export const loosened = (): WaitingDto => ({ revision: "4d1f0b77a2c3e915", files: [{ file: "mine.cedar", before: MINE, after: `${MINE.trimEnd()}\n\n@id("github-write")\n@reason("small fixes need no question")\npermit (\n  principal,\n  action == Action::"http.request",\n  resource == Host::"api.github.com"\n);\n` }] });

export function rules(large: boolean): RuleDto[] {
  return [...files(large).filter((file) => file.file.endsWith(".cedar")).flatMap((file) => rulesOf(file.text, file.file, file.layer)), ...projectRules()];
}

export function hits(now: number): HitsDto {
  const counted: [string, number][] = [["allow-known-llm", 6_214], ["allow-read", 1_042], ["github-read", 688], ["ask-first-write", 41], ["ask-destructive", 3], ["ask-issue-write", 15], ["no-merge", 17], ["no-large-uploads", 9], ["no-drop-sites", 2]];
  return { ...recordedHits, since: new Date(now - 7 * 86_400_000).toISOString(), rules: counted.map(([rule, number]) => ({ rule, hits: number })) };
}

export function versions(now: number): VersionDto[] {
  const at = (hours: number) => new Date(now - hours * 3_600_000).toISOString();
  const before = MINE.replace('@mode("observe")\n', "");
  return [
    { id: "3", at: at(2), by: "dana", how: "saved", note: "watch uploads before they are stopped", files: [{ file: "mine.cedar", before, after: MINE }] },
    { id: "2", at: at(27), by: null, how: "outside", note: null, files: [{ file: "standing.cedar", before: null, after: STANDING }] },
    { id: "1", at: at(170), by: "dana", how: "applied", note: null, files: [{ file: "mine.cedar", before: before.replace(/@id\("no-merge"\)[^;]*;\n\n/, ""), after: before }] },
    { id: "0", at: at(400), by: null, how: "found", note: null, files: [{ file: "mine.cedar", before: null, after: before.replace(/@id\("no-merge"\)[^;]*;\n\n/, "") }] },
  ];
}

const nothing = { count: 0, grave: 0 };

/** What a draft would have changed: an allow loosens, a deny and an ask tighten. */
export function replay(now: number, leaning: "looser" | "tighter" | "neutral"): ReplayDto {
  const base: ReplayDto = { ...pick(replays), since: new Date(now - 7 * 86_400_000).toISOString(), judged: 8_431, complete: true, newlyAllowed: nothing, newlyAsked: nothing, newlyDenied: nothing, same: 8_431, changes: [], tookMs: 1_900 };
  const change = (agentName: string, summary: string, risk: RuleDto["risk"], times: number, before: "allow" | "ask" | "deny", after: "allow" | "ask" | "deny", record: number) => ({ agent: agentName.toLowerCase().replace(" ", "-"), agentName, kind: "http", summary, before, after, risk: risk ?? ("low" as const), reasons: [], times, operation: `op_${String(record).padStart(26, "0")}` });
  if (leaning === "looser") {
    return {
      ...base,
      newlyAllowed: { count: 17, grave: 2 },
      same: 8_414,
      changes: [change("Claude Code", "DELETE api.github.com/repos/acme/web/git/refs/heads/fix", "high", 2, "ask", "allow", 48_195), change("Claude Code", "POST api.github.com/repos/acme/api/issues", "medium", 9, "ask", "allow", 48_205), change("Codex", "POST api.github.com/repos/acme/web/issues", "medium", 6, "ask", "allow", 48_209)],
    };
  }
  if (leaning === "tighter") return { ...base, newlyDenied: { count: 5, grave: 0 }, same: 8_426, changes: [change("Codex", "POST api.github.com/repos/acme/web/pulls", "medium", 5, "allow", "deny", 48_209)] };
  return base;
}
