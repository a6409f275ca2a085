// What a policy screen shows, as pure functions: which rules a tab lists, what a draft is, and what it may do.
import type { DecisionDto } from "../../engine/bindings/DecisionDto";
import type { DraftDto } from "../../engine/bindings/DraftDto";
import type { PartDto } from "../../engine/bindings/PartDto";
import type { PolicyFileDto } from "../../engine/bindings/PolicyFileDto";
import type { RuleDto } from "../../engine/bindings/RuleDto";
import type { RuleModeDto } from "../../engine/bindings/RuleModeDto";
import { freeName } from "../../lib/text";

export const TABS = ["all", "mine", "standing", "shared", "preset"] as const;
export type Tab = (typeof TABS)[number] | "files" | "cases" | "history";

export function inTab(tab: Tab, rule: RuleDto): boolean {
  switch (tab) {
    case "mine":
      return rule.layer === "mine" && rule.kind !== "standingApproval";
    case "standing":
      return rule.kind === "standingApproval";
    case "shared":
      return rule.layer === "organisation" || rule.layer === "team" || rule.layer === "project";
    case "preset":
      return rule.layer === "preset";
    default:
      return true;
  }
}

/** Order of layers on the screen: what the person can change first. */
const ORDER = ["mine", "project", "team", "organisation", "preset", "reeve"];

export function listed(rules: readonly RuleDto[], tab: Tab, filter: string): RuleDto[] {
  const wanted = filter.trim().toLowerCase();
  const matches = (rule: RuleDto) => wanted === "" || `${rule.id} ${rule.reason} ${rule.file}`.toLowerCase().includes(wanted);
  return rules.filter((rule) => inTab(tab, rule) && matches(rule)).toSorted((a, b) => ORDER.indexOf(a.layer) - ORDER.indexOf(b.layer) || a.file.localeCompare(b.file) || a.line - b.line);
}

/** A rule's own key: projects may bring the same name twice. */
export function keyOfRule(rule: RuleDto): string {
  return rule.project === null ? rule.id : `${rule.id}@${rule.project}`;
}

/** What is being looked at or changed. */
export type Target = {
  key: string;
  file: string;
  part: PartDto;
  /** As it is now. */
  original: string;
  /** What the editor begins with, where that is not the original. */
  start: string | null;
  /** One of the person's own. */
  own: boolean;
  /** Number of its first line in its file. */
  firstLine: number;
};

/** The file that new rules go to. */
export const OWN_FILE = "mine.cedar";

/** The file that new cases go to. */
export const OWN_CASES = "cases/mine.yaml";

/** Examples with what is expected of them, beside the rules. */
export function isCaseFile(file: string): boolean {
  return file.startsWith("cases/");
}

/** Rules for tools; each layer has a file of this name, and the person's own is the plain one. */
export const OWN_TOOLS = "tools.yaml";

export function isToolsFile(file: string): boolean {
  return file === OWN_TOOLS || file.endsWith(`/${OWN_TOOLS}`);
}

/** What the first rules for tools begin with: nothing is loosened by them. */
export const FIRST_TOOLS = `tool_policies:
  # A tool is named \`name\` or \`server/name\`; a \`*\` may stand at the end of either.
  "database/write_query":
    max_row_count: 100
    timeout: "30s"
`;

/** The files of rules in the order of their layers; cases have a place of their own. */
export function listedFiles(files: readonly PolicyFileDto[]): PolicyFileDto[] {
  return files.filter((one) => !isCaseFile(one.file)).toSorted((a, b) => ORDER.indexOf(a.layer) - ORDER.indexOf(b.layer) || a.file.localeCompare(b.file));
}

/** What an address calls a file: the person's own by its name, another by where it is, because each layer may have one of that name. */
export function addressOf(one: PolicyFileDto): string {
  return one.own ? one.file : (one.path ?? one.file);
}

/** The file that an address names; a bare name is the person's own where they have one. */
export function fileAt(address: string, files: readonly PolicyFileDto[]): PolicyFileDto | undefined {
  return files.find((one) => addressOf(one) === address) ?? files.find((one) => one.file === address);
}

/** What a first case file begins with: it says what the preset does anyway. */
export const FIRST_CASE = `cases:
  - name: reading from a known host is allowed
    agent: claude-code
    http: { method: GET, url: "https://api.github.com/repos/acme/api" }
    expect: allow
`;

export function targetOfRule(rule: RuleDto, files: readonly PolicyFileDto[]): Target {
  const own = rule.layer === "mine" && files.some((file) => file.own && file.file === rule.file);
  return { key: `rule ${keyOfRule(rule)}`, file: rule.file, part: { kind: "rule", id: rule.id }, original: rule.text, start: null, own, firstLine: rule.line };
}

export function targetOfNew(start: string): Target {
  return { key: "new", file: OWN_FILE, part: { kind: "new" }, original: "", start, own: true, firstLine: 1 };
}

/** A whole file by its address; `start` is the text of an earlier version, `null` within it that the file was not there. */
export function targetOfFile(address: string, files: readonly PolicyFileDto[], start?: string | null): Target {
  const known = fileAt(address, files);
  const part: PartDto = start === null ? { kind: "gone" } : { kind: "file" };
  return { key: `file ${address} ${start === undefined ? "" : "version"}`, file: known?.file ?? address, part, original: known?.text ?? "", start: start ?? null, own: known?.own ?? true, firstLine: 1 };
}

export function draftOf(target: Target, text: string): DraftDto {
  return { changes: [{ file: target.file, part: target.part, text }], complete: false };
}

export function isDirty(target: Target, text: string): boolean {
  return target.part.kind === "gone" || text.trimEnd() !== target.original.trimEnd();
}

const MODE = /^([ \t]*)@mode\("(?:[^"\\]|\\.)*"\)[ \t]*\n?/m;

/** The text of one rule with another mode. The engine's check says what mode it then has. */
export function withMode(text: string, mode: RuleModeDto): string {
  const plain = text.replace(MODE, "");
  if (mode === "enforce") return plain;
  const afterId = /^([ \t]*@id\("(?:[^"\\]|\\.)*"\)[ \t]*)\n?/m;
  return afterId.test(plain) ? plain.replace(afterId, (_all, id: string) => `${id}\n@mode("observe")\n`) : `@mode("observe")\n${plain}`;
}

export const DECISION_SHAPE = { allow: "allowed", ask: "held", deny: "denied" } as const;
export const DECISION_TEXT: Record<DecisionDto, string> = { allow: "text-allow", ask: "text-ask", deny: "text-deny" };

/** What a rule does when it matches, as a decision. */
export function decisionOf(rule: RuleDto): DecisionDto {
  return rule.kind === "forbid" ? "deny" : rule.kind === "ask" ? "ask" : "allow";
}

/** A count for people. */
export function number(count: number): string {
  return count.toLocaleString("en-US");
}

/** A free id for a new rule. */
export function freeId(rules: readonly RuleDto[]): string {
  return freeName("new-rule", rules.map((rule) => rule.id));
}

/** What the editor of a new rule begins with: it loads, and asks rather than allows. */
export function template(id: string, reason: string): string {
  return `@id("${id}")\n@reason("${reason}")\n@liftable\nforbid (\n  principal,\n  action == Action::"http.request",\n  resource == Host::"example.com"\n)\nunless { context.approved };`;
}
