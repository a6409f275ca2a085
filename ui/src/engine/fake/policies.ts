// Rules, as a recorded engine knows them. It reads drafts well enough to say what is missing, never what they would decide.
import { files as recordedFiles, hits, loosened, projectRules, replay, rulesOf, versions, weaker } from "../../testing/policies";
import type { ProposalDto } from "../bindings/ProposalDto";
import type { ProposeInput } from "../bindings/ProposeInput";
import type { CaseDto } from "../bindings/CaseDto";
import type { CheckedDto } from "../bindings/CheckedDto";
import type { CompletionDto } from "../bindings/CompletionDto";
import type { DifferenceDto } from "../bindings/DifferenceDto";
import type { DraftDto } from "../bindings/DraftDto";
import type { PolicyFileDto } from "../bindings/PolicyFileDto";
import type { PolicyStateDto } from "../bindings/PolicyStateDto";
import type { ProblemDto } from "../bindings/ProblemDto";
import type { ProjectProblemDto } from "../bindings/ProjectProblemDto";
import type { RuleDto } from "../bindings/RuleDto";
import type { ToolDifferenceDto } from "../bindings/ToolDifferenceDto";
import type { SideDto } from "../bindings/SideDto";
import type { VersionDto } from "../bindings/VersionDto";
import type { WaitingDto } from "../bindings/WaitingDto";
import { EngineError } from "../client";
import { demandForHigh } from "./presence";
import { type Handlers, notFound, type World } from "./world";

type Policies = { files: PolicyFileDto[]; versions: VersionDto[]; projects: ProjectProblemDto[]; waiting: WaitingDto | null; saves: number };

const KNOWN = new WeakMap<World, Policies>();

function of(world: World): Policies {
  const known = KNOWN.get(world);
  if (known) return known;
  const bare = world.agents.length === 0;
  if (world.told) {
    const heard: Policies = { files: world.told.policyFiles.map((file) => ({ ...file })), versions: [], projects: [], waiting: null, saves: 0 };
    KNOWN.set(world, heard);
    return heard;
  }
  const files = recordedFiles(world.state.rows.length > 15_000).filter((file) => !bare || file.layer === "preset");
  const made = { files, versions: bare ? [] : versions(Date.now()), projects: world.state.status.protection.state === "observing" ? weaker() : [], waiting: world.state.status.protection.state === "paused" ? loosened() : null, saves: 0 };
  KNOWN.set(world, made);
  return made;
}

const FOLDER = "/home/dana/.config/reeve/policies";

const isCases = (file: string) => file.startsWith("cases/");

const isTools = (file: string) => file === "tools.yaml" || file.endsWith("/tools.yaml");

const rulesIn = (files: readonly PolicyFileDto[]) => files.filter((file) => !isCases(file.file) && !isTools(file.file)).flatMap((file) => rulesOf(file.text, file.file, file.layer));

const all = (world: World): RuleDto[] => (world.told && of(world).saves === 0 ? world.told.rules : [...rulesIn(of(world).files), ...(of(world).versions.length === 0 ? [] : projectRules())]);

function state(world: World): PolicyStateDto {
  const damaged = world.state.status.protection.state === "degraded" ? "mine.cedar:12:3: unexpected end of input" : null;
  const { waiting } = of(world);
  const waits = waiting === null ? null : `${waiting.files.map(({ file }) => `\`${file}\``).join(", ")} changed outside Reeve and may let more pass: what was in force before stays so until a person loads the new version or takes it back`;
  return { revision: `r${of(world).saves}`, preset: "balanced", rules: all(world).length, folder: FOLDER, problem: damaged ?? waits, ...(waiting === null ? {} : { waiting }), ...(of(world).projects.length === 0 ? {} : { projects: of(world).projects }) };
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
    else files.push({ file, layer: "mine", path: `/home/dana/.config/reeve/${isTools(file) ? "" : "policies/"}${file}`, text: next, own: true });
  }
  return files;
}

const TOOL_KEYS = ["policies", "session_limits", "tool_policies", "tool_governance", "max_row_count", "timeout", "preview", "require_dry_run", "idempotency_key", "cache_ttl", "on_duplicate", "strict_mode", "arguments", "result"];

/** Keys of a tool that rules for tools do not have, with their lines. */
function toolProblemsOf(file: string, text: string): ProblemDto[] {
  return text.split("\n").flatMap((line, at): ProblemDto[] => {
    const key = /^ {4}(\w+):/.exec(line)?.[1] ?? /^(\w+):/.exec(line)?.[1];
    return key === undefined || TOOL_KEYS.includes(key) ? [] : [{ file, line: at + 1, column: line.indexOf(key) + 1, length: key.length, message: `unknown field \`${key}\``, here: true }];
  });
}

/** Rules for tools that a draft changes: its words alone do not tell which way. */
function toolDifferences(before: string, after: string): ToolDifferenceDto[] {
  const entries = (text: string) => new Map([...text.matchAll(/^ {2}"?([^\s"#][^"\n]*?)"?:\n((?: {4}.*\n?)*)/gm)].map((found) => [`tool_policies.${found[1] ?? ""}`, found[2] ?? ""]));
  const [old, fresh] = [entries(before), entries(after)];
  const names = [...new Set([...old.keys(), ...fresh.keys()])].filter((name) => old.get(name) !== fresh.get(name));
  return names.map((name) => ({ name, before: old.has(name), after: fresh.has(name), leaning: old.has(name) ? "either" : "tighter" }));
}

function problemsOf({ changes }: DraftDto): ProblemDto[] {
  return changes.filter(({ file }) => !isCases(file)).flatMap(({ file, text, part }): ProblemDto[] => {
    if (isTools(file)) return part.kind === "gone" ? [] : toolProblemsOf(file, text);
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

const KEYS = ["cases", "preset", "name", "agent", "http", "llm", "expect", "rule", "first_seen", "at"];

/** Key that no case has, with its line. */
function caseProblemsOf({ file, text }: PolicyFileDto): ProblemDto[] {
  return text.split("\n").flatMap((line, at): ProblemDto[] => {
    const key = /^[\s-]*(\w+):/.exec(line)?.[1];
    return key === undefined || KEYS.includes(key) ? [] : [{ file, line: at + 1, column: line.indexOf(key) + 1, length: key.length, message: `unknown field \`${key}\``, here: true }];
  });
}

/** What the story's rules make of the examples in a file: the rule that is named decides, as long as it enforces. */
function casesOf({ file, text }: PolicyFileDto, rules: readonly RuleDto[]): CaseDto[] {
  return text.split(/^ {2}- /m).slice(1).map((block): CaseDto => {
    const field = (key: string) => new RegExp(`^\\s*${key}: *(.*)$`, "m").exec(block)?.[1]?.trim() ?? "";
    const rule = rules.find((one) => one.id === field("rule") && one.mode === "enforce");
    const expected = field("expect") as CaseDto["expected"];
    const decided = rule === undefined ? "ask" : rule.kind === "forbid" ? "deny" : rule.kind === "ask" ? "ask" : "allow";
    return { name: field("name"), file, line: text.slice(0, text.indexOf(block)).split("\n").length, expected, decided, expectedRule: field("rule") || null, rules: rule ? [rule.id] : [], passed: expected === decided, skipped: false };
  });
}

function check(world: World, draft: DraftDto): CheckedDto {
  const problems = problemsOf(draft);
  const files = drafted(world, draft);
  const changes = files.some((file) => of(world).files.find((one) => one.file === file.file)?.text !== file.text);
  if (problems.length > 0) return { problems, notices: [], cases: [], caseProblems: [], differences: [], changes, ready: false };
  const caseFiles = files.filter((file) => isCases(file.file));
  const caseProblems = caseFiles.flatMap(caseProblemsOf);
  const rules = rulesIn(files);
  const cases = caseFiles.filter((file) => caseProblemsOf(file).length === 0).flatMap((file) => casesOf(file, rules));
  const textOf = (all: readonly PolicyFileDto[]) => all.find((file) => file.own && isTools(file.file))?.text ?? "";
  const tools = toolDifferences(textOf(of(world).files), textOf(files));
  return { problems, notices: [], cases, caseProblems, ...(tools.length === 0 ? {} : { tools }), differences: changes ? differences(rulesIn(of(world).files), rules) : [], changes, ready: changes && caseProblems.length === 0 && cases.every((one) => one.passed) };
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

/** Of a file of rules for tools, as the schema names them. */
const TOOL_WORDS: CompletionDto[] = [
  ["max_row_count: ", "Most rows that one call may change without a human."],
  ["on_exceeded: ", "What becomes of a call that would change more."],
  ["require_dry_run: ", "A preview must have run."],
  ["timeout: ", "How long a call may take."],
].map(([text, detail]) => ({ text: text ?? "", kind: "keyword", detail: detail ?? "" }));

const VERBS = { permit: "allow", ask: "ask", forbid: "no" } as const;

/** A rule of a recorded action, as the engine makes one. */
function proposal(world: World, { operation, effect, width, anyone, here }: ProposeInput): ProposalDto {
  const row = world.state.rows.find((one) => one.id === operation);
  if (!row) throw notFound(`no judged action \`${operation}\``);
  const [method = "GET", address = ""] = row.summary.split(" ");
  const host = row.host ?? row.summary;
  const path = address.slice(host.length) || "/";
  const folder = path.slice(0, path.lastIndexOf("/"));
  const conditions = [
    ...(row.kind === "http" ? [`context.method == "${method}"`] : []),
    ...(row.kind !== "http" || width === "host" ? [] : [width === "exact" || folder === "" ? `context.path == "${path}"` : `context.path like "${folder}/*"`]),
    ...(here ? ['context has cwd && (context.cwd == "/home/dana/code/api" || context.cwd like "/home/dana/code/api/*")'] : []),
  ];
  const when = conditions.length === 0 ? "" : `\nwhen {\n  ${conditions.join(" &&\n  ")}\n}`;
  const head = `@id("${VERBS[effect]}-${host.replace(/[^a-z0-9]+/gi, "-").toLowerCase()}")\n@reason("made from ${row.summary}")${effect === "ask" ? "\n@liftable" : ""}`;
  const who = anyone ? "principal" : `principal == Agent::"${row.agent}"`;
  const resource = row.kind === "llm" ? `Model::"${row.model ?? ""}"` : `Host::"${host}"`;
  const text = `${head}\n${effect === "permit" ? "permit" : "forbid"} (\n  ${who},\n  action == Action::"${row.kind === "llm" ? "llm.call" : "http.request"}",\n  resource == ${resource}\n)${when}${effect === "ask" ? "\nunless { context.approved }" : ""};\n`;
  return { text, summary: row.summary, kind: row.kind, method, agentName: row.agentName, widths: row.kind === "llm" ? ["useful"] : method === "GET" ? ["useful", "exact", "host"] : ["useful", "exact"], cwd: "/home/dana/code/api" };
}

function waitingOf(world: World, revision: string): WaitingDto {
  const { waiting } = of(world);
  if (waiting?.revision !== revision) throw new EngineError({ code: "failed", message: "the files changed since they were shown: look at them again, then agree to what is there now", hint: null });
  return waiting;
}

type Names = "policies.list" | "policies.state" | "policies.files" | "policies.hits" | "policies.check" | "policies.format" | "policies.complete" | "policies.replay" | "policies.what_if" | "policies.propose" | "policies.history" | "policies.save" | "policies.acknowledge" | "policies.take_back";

export const policies: Handlers<Names> = {
  "policies.list": all,
  "policies.state": state,
  "policies.files": (world) => of(world).files.map((file) => ({ ...file })),
  "policies.hits": (world) => world.told?.hits ?? (of(world).versions.length === 0 ? { ...hits(Date.now()), rules: [] } : hits(Date.now())),
  "policies.check": (world, { draft }) => check(world, draft),
  "policies.format": (_world, { text, file }) => (file !== undefined && isTools(file) ? { text: `${text.replace(/[ \t]+$/gm, "").replace(/\n{3,}/g, "\n\n").trimEnd()}\n`, problem: null } : /^\s*(?:permit|forbid|@|\/\/)/.test(text) ? { text: `${text.replace(/[ \t]+$/gm, "").trimEnd()}\n`, problem: null } : { text: null, problem: "unexpected token" }),
  "policies.complete": (_world, { text, offset, file }) => {
    const before = text.slice(0, offset);
    const word = /\w*$/.exec(before)?.[0] ?? "";
    if (file !== undefined && isTools(file)) return { from: offset - word.length, items: TOOL_WORDS };
    return { from: offset - word.length, items: before.slice(0, offset - word.length).endsWith("context.") ? WORDS.filter((one) => one.kind === "fact") : WORDS.filter((one) => one.kind !== "fact") };
  },
  "policies.replay": (world, { draft }) => {
    const found = check(world, draft);
    if (found.problems.length > 0) throw new EngineError({ code: "failed", message: "the policy does not load", hint: null });
    const leanings = new Set(found.differences.map((one) => one.leaning));
    return replay(Date.now(), leanings.has("looser") || leanings.has("either") ? "looser" : leanings.has("tighter") ? "tighter" : "neutral");
  },
  "policies.propose": (world, input) => {
    const at = world.told?.proposed.findIndex((one) => one.operation === input.operation && one.effect === input.effect && one.width === input.width && one.anyone === input.anyone && one.here === input.here) ?? -1;
    return world.told?.proposals[at] ?? proposal(world, input);
  },
  "policies.what_if": (world, { operation, draft }) => {
    const heard = draft === null ? world.told?.whatIfs.find((one) => one.operation === operation) : undefined;
    if (heard) return heard;
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
  "policies.acknowledge": (world, input) => {
    const known = of(world);
    if (input.folder === FOLDER) {
      const waiting = waitingOf(world, input.revision);
      demandForHigh(world, "loading rules that were loosened outside", input.proof);
      known.waiting = null;
      known.saves += 1;
      for (const { file, after } of waiting.files) known.files = known.files.map((one) => (one.own && one.file === file ? { ...one, text: after ?? "" } : one));
      return state(world);
    }
    if (!known.projects.some((one) => one.folder === input.folder && one.revision === input.revision)) throw notFound(`no weaker rules in \`${input.folder}\``);
    demandForHigh(world, "agreeing to weaker rules", input.proof);
    known.projects = known.projects.filter((one) => one.folder !== input.folder);
    return state(world);
  },
  "policies.take_back": (world, { revision }) => {
    waitingOf(world, revision);
    of(world).waiting = null;
    return state(world);
  },
  "policies.history": (world) => of(world).versions,
  "policies.save": (world, { draft, base, note, proof }) => {
    const known = of(world);
    if (base !== null && base !== state(world).revision) throw new EngineError({ code: "failed", message: "the rules changed meanwhile: look at them again", hint: null });
    const checked = check(world, draft);
    if (!checked.ready) throw new EngineError({ code: "failed", message: "a case does not come out as it says, so nothing was saved", hint: null });
    if (checked.differences.some((one) => one.leaning === "looser" || one.leaning === "either")) demandForHigh(world, "loosening the rules", proof);
    const next = drafted(world, draft);
    const changed = next.filter((file) => known.files.find((one) => one.file === file.file)?.text !== file.text);
    known.versions = [{ id: `s${known.saves}`, at: new Date().toISOString(), by: "dana", how: "saved", note, files: changed.map((file) => ({ file: file.file, before: known.files.find((one) => one.file === file.file)?.text ?? null, after: file.text })) }, ...known.versions];
    known.files = next.filter((file) => file.text !== "" || !draft.changes.some((change) => change.part.kind === "gone" && change.file === file.file));
    known.saves += 1;
    return state(world);
  },
};
