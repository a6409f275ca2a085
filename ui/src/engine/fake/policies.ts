// Rules, as a recorded engine knows them. It reads drafts well enough to say what is missing, never what they would decide.
import { files as recordedFiles, hits, projectRules, replay, rulesOf, versions } from "../../testing/policies";
import type { CaseDto } from "../bindings/CaseDto";
import type { CheckedDto } from "../bindings/CheckedDto";
import type { CompletionDto } from "../bindings/CompletionDto";
import type { DifferenceDto } from "../bindings/DifferenceDto";
import type { DraftDto } from "../bindings/DraftDto";
import type { PolicyFileDto } from "../bindings/PolicyFileDto";
import type { PolicyStateDto } from "../bindings/PolicyStateDto";
import type { ProblemDto } from "../bindings/ProblemDto";
import type { RuleDto } from "../bindings/RuleDto";
import type { SideDto } from "../bindings/SideDto";
import type { VersionDto } from "../bindings/VersionDto";
import { EngineError } from "../client";
import { type Handlers, notFound, type World } from "./world";

type Policies = { files: PolicyFileDto[]; versions: VersionDto[]; saves: number };

const KNOWN = new WeakMap<World, Policies>();

function of(world: World): Policies {
  const known = KNOWN.get(world);
  if (known) return known;
  const bare = world.agents.length === 0;
  const files = recordedFiles(world.state.rows.length > 15_000).filter((file) => !bare || file.layer === "preset");
  const made = { files, versions: bare ? [] : versions(Date.now()), saves: 0 };
  KNOWN.set(world, made);
  return made;
}

const rulesIn = (files: readonly PolicyFileDto[]) => files.flatMap((file) => rulesOf(file.text, file.file, file.layer));

const all = (world: World): RuleDto[] => [...rulesIn(of(world).files), ...(of(world).versions.length === 0 ? [] : projectRules())];

function state(world: World): PolicyStateDto {
  const damaged = world.state.status.protection.state === "degraded" ? "mine.cedar:12:3: unexpected end of input" : null;
  return { revision: `r${of(world).saves}`, preset: "balanced", rules: all(world).length, folder: "/home/dana/.config/reeve/policies", problem: damaged };
}

/** The files as a draft would leave them. */
function drafted(world: World, draft: DraftDto): PolicyFileDto[] {
  const files = of(world).files.map((file) => ({ ...file }));
  for (const { file, part, text } of draft.changes) {
    const known = files.find((one) => one.own && one.file === file);
    const old = known?.text ?? "";
    const found = part.kind === "rule" ? rulesOf(old, file, "mine").find((rule) => rule.id === part.id) : undefined;
    if (part.kind === "rule" && !found) throw notFound(`no rule of yours \`${part.id}\``);
    const next = part.kind === "gone" ? "" : part.kind === "file" ? text : part.kind === "new" ? `${old.trimEnd()}${old === "" ? "" : "\n\n"}${text.trimEnd()}\n` : old.replace(found?.text ?? "", () => text.trimEnd());
    if (known) known.text = next;
    else files.push({ file, layer: "mine", path: `/home/dana/.config/reeve/policies/${file}`, text: next, own: true });
  }
  return files;
}

function problemsOf({ changes }: DraftDto): ProblemDto[] {
  return changes.flatMap(({ file, text, part }): ProblemDto[] => {
    const lines = text.split("\n");
    const at = (line: number, column: number, length: number, message: string): ProblemDto => ({ file, line, column, length, message, here: true });
    const bare = text.replace(/\/\/.*/g, "").replace(/"(?:[^"\\]|\\.)*"/g, "").trim();
    if (part.kind === "gone" || bare === "") return [];
    if ((bare.match(/[({[]/g) ?? []).length !== (bare.match(/[)}\]]/g) ?? []).length || !bare.endsWith(";")) return [at(lines.length, (lines.at(-1) ?? "").length, 1, "unexpected end of input: expected `;` or a condition")];
    const unknown = lines.findIndex((line) => /context\.(?:hots|pth|metod)\b/.test(line));
    if (unknown >= 0) return [at(unknown + 1, (lines[unknown] ?? "").search(/context\./) + 1, 12, "for rule: attribute `hots` in the context for Action::\"http.request\" not found (did you mean `host`?)")];
    if (rulesOf(text, file, "mine").length > 0 && !text.includes("@reason(")) return [at(1, 1, 0, "`@reason(\"…\")` is missing: one plain sentence that says why")];
    return rulesOf(text, file, "mine").length === 0 ? [at(1, 1, 0, "`@id(\"…\")` is missing: every rule has a name of its own")] : [];
  });
}

function differences(before: readonly RuleDto[], after: readonly RuleDto[]): DifferenceDto[] {
  const opens = (rule: RuleDto) => rule.kind === "permit" || rule.kind === "standingApproval";
  const leaning = (old: RuleDto | null, fresh: RuleDto | null): DifferenceDto["leaning"] => {
    const comes = fresh === null || fresh.mode === "observe" ? null : opens(fresh) ? "looser" : "tighter";
    const goes = old === null || old.mode === "observe" ? null : opens(old) ? "tighter" : "looser";
    return comes === null ? (goes ?? "neutral") : goes === null || goes === comes ? comes : "either";
  };
  const ids = [...new Set([...before, ...after].map((rule) => rule.id))].toSorted();
  return ids.flatMap((id) => {
    const [old, fresh] = [before.find((rule) => rule.id === id) ?? null, after.find((rule) => rule.id === id) ?? null];
    return old?.text === fresh?.text ? [] : [{ before: old, after: fresh, leaning: leaning(old, fresh) }];
  });
}

const example = (name: string, line: number, expected: CaseDto["expected"], decided: CaseDto["decided"], rule: string): CaseDto => ({ name, file: "mine.yaml", line, expected, decided, expectedRule: null, rules: [rule], passed: expected === decided, skipped: false });

function check(world: World, draft: DraftDto): CheckedDto {
  const problems = problemsOf(draft);
  const files = drafted(world, draft);
  const changes = files.some((file) => of(world).files.find((one) => one.file === file.file)?.text !== file.text);
  if (problems.length > 0) return { problems, notices: [], cases: [], caseProblems: [], differences: [], changes, ready: false };
  const merges = rulesIn(files).some((rule) => rule.id === "no-merge" && rule.mode === "enforce");
  const cases = of(world).versions.length === 0 ? [] : [example("merging is denied", 2, "deny", merges ? "deny" : "ask", merges ? "no-merge" : "ask-first-write"), example("reading a repository is allowed", 6, "allow", "allow", "github-read")];
  return { problems, notices: [], cases, caseProblems: [], differences: differences(rulesIn(of(world).files), rulesIn(files)), changes, ready: changes && cases.every((one) => one.passed) };
}

function side(rule: RuleDto | undefined, decision: SideDto["decision"]): SideDto {
  const reasons = rule ? [{ rule: rule.id, text: rule.reason, layer: rule.layer, file: rule.file, line: rule.line, liftable: rule.liftable }] : [];
  return { decision, reasons, risk: "medium", riskReasons: ["first time this agent sends something here"], liftedBy: [], observed: [], considered: rule ? [{ rule, matched: true, determined: true, error: null }] : [] };
}

const WORDS: CompletionDto[] = [
  ["permit", "keyword", "allow what the head and the conditions describe"],
  ["principal", "keyword", "the agent"],
  ["host", "fact", "String. Lower-case name or canonical address."],
  ["host_parent", "fact", "String. The name without its first label"],
  ["method", "fact", "String. Upper case."],
].map(([text, kind, detail]) => ({ text: text ?? "", kind: kind ?? "", detail: detail ?? "" }));

type Names = "policies.list" | "policies.state" | "policies.files" | "policies.hits" | "policies.check" | "policies.format" | "policies.complete" | "policies.replay" | "policies.what_if" | "policies.history" | "policies.save";

export const policies: Handlers<Names> = {
  "policies.list": all,
  "policies.state": state,
  "policies.files": (world) => of(world).files.map((file) => ({ ...file })),
  "policies.hits": (world) => (of(world).versions.length === 0 ? { ...hits(Date.now()), rules: [] } : hits(Date.now())),
  "policies.check": (world, { draft }) => check(world, draft),
  "policies.format": (_world, { text }) => (/^\s*(?:permit|forbid|@|\/\/)/.test(text) ? { text: `${text.replace(/[ \t]+$/gm, "").trimEnd()}\n`, problem: null } : { text: null, problem: "unexpected token" }),
  "policies.complete": (_world, { text, offset }) => {
    const before = text.slice(0, offset);
    const word = /\w*$/.exec(before)?.[0] ?? "";
    return { from: offset - word.length, items: before.slice(0, offset - word.length).endsWith("context.") ? WORDS.filter((one) => one.kind === "fact") : WORDS.filter((one) => one.kind !== "fact") };
  },
  "policies.replay": (world, { draft }) => {
    const found = check(world, draft);
    if (found.problems.length > 0) throw new EngineError({ code: "failed", message: "the policy does not load", hint: null });
    const leanings = new Set(found.differences.map((one) => one.leaning));
    return replay(Date.now(), leanings.has("looser") || leanings.has("either") ? "looser" : leanings.has("tighter") ? "tighter" : "neutral");
  },
  "policies.what_if": (world, { operation, draft }) => {
    const row = world.state.rows.find((one) => one.id === operation);
    if (!row) throw notFound(`no judged action \`${operation}\``);
    const deciding = all(world).find((rule) => rule.id === row.rule);
    const decision = row.state === "denied" ? "deny" : row.state === "allowed" ? "allow" : "ask";
    const changed = draft === null ? [] : check(world, draft).differences;
    const drafts = changed[0]?.after ?? deciding;
    return {
      operation,
      at: row.at,
      agentName: row.agentName,
      summary: row.summary,
      recorded: decision,
      now: side(deciding, decision),
      draft: draft === null ? null : side(drafts, drafts && drafts.mode === "enforce" ? (drafts.kind === "forbid" ? "deny" : drafts.kind === "ask" ? "ask" : "allow") : decision),
      draftProblem: null,
      facts: [
        { name: "host", value: row.host ?? "" },
        { name: "risk", value: row.risk ?? "low" },
        { name: "first_write", value: "true" },
      ],
    };
  },
  "policies.history": (world) => of(world).versions,
  "policies.save": (world, { draft, base, note }) => {
    const known = of(world);
    if (base !== null && base !== state(world).revision) throw new EngineError({ code: "failed", message: "the rules changed meanwhile: look at them again", hint: null });
    if (!check(world, draft).ready) throw new EngineError({ code: "failed", message: "a case does not come out as it says, so nothing was saved", hint: null });
    const next = drafted(world, draft);
    const changed = next.filter((file) => known.files.find((one) => one.file === file.file)?.text !== file.text);
    known.versions = [{ id: `s${known.saves}`, at: new Date().toISOString(), by: "dana", how: "saved", note, files: changed.map((file) => ({ file: file.file, before: known.files.find((one) => one.file === file.file)?.text ?? null, after: file.text })) }, ...known.versions];
    known.files = next.filter((file) => file.text !== "" || !draft.changes.some((change) => change.part.kind === "gone" && change.file === file.file));
    known.saves += 1;
    return state(world);
  },
};
