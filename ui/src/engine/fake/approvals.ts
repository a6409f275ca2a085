// Questions and answers, as a recorded engine keeps them.
import { facts, preview, suggestions } from "../../testing/cards";
import type { Told } from "../../testing/live";
import { rulesOf } from "../../testing/policies";
import { arming } from "../../testing/story";
import type { ApprovalDto } from "../bindings/ApprovalDto";
import type { LateInput } from "../bindings/LateInput";
import type { PreviewDto } from "../bindings/PreviewDto";
import type { ResolveInput } from "../bindings/ResolveInput";
import type { RuleChoiceDto } from "../bindings/RuleChoiceDto";
import type { RowStateDto } from "../bindings/RowStateDto";
import { EngineError } from "../client";
import { search } from "./operations";
import { confirm, demand, presence } from "./presence";
import { type Handlers, notFound, type World } from "./world";

function question(world: World, id: string): ApprovalDto {
  const found = [...world.state.open, ...world.state.resolved].find((one) => one.id === id) ?? suggested(id);
  if (!found) throw notFound(`no question \`${id}\``);
  return found;
}

/** The question of an action, where its answer is one of those. */
function answeredBy(world: World, id: string | null, expired: boolean): ApprovalDto | undefined {
  const found = world.state.resolved.find((one) => one.id === id);
  const kind = found?.resolved?.resolution.kind;
  return (kind === "expired" || kind === "withdrawn") === expired ? found : undefined;
}

function suggested(id: string): ApprovalDto | undefined {
  const found = suggestions(Date.now()).suggestions.find((one) => one.kind === "makeRule" && one.question.id === id);
  return found?.kind === "makeRule" ? found.question : undefined;
}

function resolve(world: World, input: ResolveInput): ApprovalDto {
  const { state } = world;
  const found = question(world, input.approval);
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
  state.open = state.open.filter((one) => one.id !== found.id);
  state.resolved = [found, ...state.resolved];
  const now: RowStateDto = answer.kind === "approve" ? "approved" : "refused";
  state.rows = state.rows.map((row) => (row.approval === found.id ? { ...row, state: now, settled: true } : row));
  world.tell([found], state.rows.filter((row) => row.approval === found.id));
  return { ...found };
}

/** Answers again what was over: allowed late, or a rule written later. */
function late(world: World, input: LateInput): ApprovalDto {
  const found = question(world, input.approval);
  if (input.nonce !== arming(found).nonce) throw new EngineError({ code: "notArmed", message: "this card was not shown", hint: null });
  if (input.scope.kind === "always") found.left = { kind: "rule", id: `grt_${found.id}`, text: preview(found, input.rule ?? PROPOSED).text };
  if (found.resolved?.resolution.kind === "expired") found.resolved = { ...found.resolved, resolution: { kind: "approved", scope: input.scope }, by: "dana", surface: "mainWindow", at: new Date().toISOString() };
  world.tell([found]);
  return { ...found };
}

const PROPOSED: RuleChoiceDto = { width: "useful", lasting: { kind: "days30" } };

/** What the engine proposed for the same choices. */
function heardPreview(told: Told, found: ApprovalDto, { text, ...choices }: RuleChoiceDto): PreviewDto {
  const same = told.previewed.findIndex((one) => one.approval === found.id && sameChoice(one.rule, choices));
  const first = told.previewed.findIndex((one) => one.approval === found.id);
  const heard = told.previews[text === undefined ? same : first];
  if (heard === undefined) throw new EngineError({ code: "failed", message: "this was not recorded with these choices", hint: null });
  return text === undefined ? heard : { ...heard, text: `${text.trim()}\n` };
}

function sameChoice(a: RuleChoiceDto, b: RuleChoiceDto): boolean {
  return a.width === b.width && a.lasting.kind === b.lasting.kind && (a.anyone ?? false) === (b.anyone ?? false) && (a.here ?? false) === (b.here ?? false);
}

/** The proposed text, which carries the name that the rule keeps. */
function heardId(world: World, found: ApprovalDto): string {
  const at = world.told?.previewed.findIndex((one) => one.approval === found.id) ?? -1;
  return world.told?.previews[at]?.text ?? preview(found, PROPOSED).text;
}

/** Of what a person edited the engine takes one permit of the question's own name, and nothing around it. */
function proposed(world: World, found: ApprovalDto, rule: RuleChoiceDto): PreviewDto {
  const told = world.told === null ? preview(found, rule) : heardPreview(world.told, found, rule);
  const id = rulesOf(heardId(world, found), "standing.cedar", "mine")[0]?.id ?? "";
  const [only] = rulesOf(told.text, "standing.cedar", "mine");
  if (only?.text !== told.text.trim() || only.id !== id || only.mode === "observe" || !(only.kind === "permit" || only.kind === "standingApproval")) {
    throw new EngineError({ code: "failed", message: `what is written here is one permit with \`@id("${id}")\` and nothing before or after it: write other rules in your own files`, hint: null });
  }
  return { ...told, needsProof: told.needsProof || (rule.text !== undefined && world.guard.alsoHigh) };
}

/** What the engine demands before it allows what is critical. */
function prove(world: World, found: ApprovalDto, proof: string | null | undefined): void {
  if (facts(found).needsProof) demand(world, `allowing \`${found.id}\``, proof);
}

type Names = "list" | "answered" | "get" | "resolve" | "extend" | "preview" | "undo" | "allow_late" | "raise" | "suggestions" | "presence" | "set_presence" | "confirm";

export const approvals: Handlers<`approvals.${Names}`> = {
  "approvals.list": (world) => ({ open: world.state.open, resolved: world.state.resolved }),
  "approvals.answered": (world, input) => {
    const found = search(world, { query: input.query, before: input.before, limit: Number.MAX_SAFE_INTEGER });
    const asked = found.rows.filter((row) => answeredBy(world, row.approval, input.expired) !== undefined);
    const page = asked.slice(0, input.limit);
    const ids = [...new Set(page.map((row) => row.approval))];
    return { approvals: ids.flatMap((id) => answeredBy(world, id, input.expired) ?? []), next: asked.length > page.length ? (page.at(-1)?.cursor ?? null) : null, problems: found.problems };
  },
  "approvals.get": (world, input) => {
    const found = question(world, input.approval);
    const kind = found.resolved?.resolution.kind;
    const may = kind === undefined || kind === "expired" || kind === "approved";
    return { ...found, arming: may ? (found.arming ?? arming(found)) : null, facts: may ? (found.facts ?? facts(found)) : null };
  },
  "approvals.resolve": (world, input) => {
    const asked = question(world, input.approval);
    if (input.answer.kind === "approve") prove(world, asked, input.proof);
    if (input.answer.kind === "approve" && input.answer.scope.kind === "always" && input.rule && proposed(world, asked, input.rule).needsProof) demand(world, `allowing \`${asked.id}\``, input.proof);
    const resolved = resolve(world, input);
    if (input.answer.kind !== "approve" || input.answer.scope.kind !== "always") return resolved;
    question(world, input.approval).left = { kind: "rule", id: `grt_${resolved.id}`, text: preview(resolved, input.rule ?? PROPOSED).text };
    return { ...question(world, input.approval) };
  },
  "approvals.extend": (world, input) => {
    const found = question(world, input.approval);
    found.expiresAt = new Date(Date.parse(found.expiresAt) + 300_000).toISOString();
    world.tell([found]);
    return { ...found };
  },
  "approvals.preview": (world, input) => proposed(world, question(world, input.approval), input.rule),
  "approvals.undo": (world, input) => {
    const found = question(world, input.approval);
    if (!found.left) throw new EngineError({ code: "failed", message: "nothing that this answer wrote is in force any more", hint: null });
    found.left = null;
    world.tell([found]);
    return { ...found };
  },
  "approvals.allow_late": late,
  "approvals.raise": (world, input) => resolve(world, { approval: input.approval, nonce: input.nonce, answer: { kind: "approve", scope: { kind: "once" } }, readingMs: input.readingMs, rule: null, proof: null }),
  "approvals.suggestions": (world) => world.told?.suggestions ?? (world.state.resolved.length === 0 ? { suggestions: [], readingMedianMs: null } : suggestions(Date.now())),
  "approvals.presence": presence,
  "approvals.confirm": confirm,
  "approvals.set_presence": (world, input) => {
    const { guard } = world;
    if (input.alsoHigh === false && guard.alsoHigh) demand(world, "asking for it less often", input.old);
    if (input.new !== null && guard.passphrase !== null) demand(world, "changing your passphrase", input.old);
    if (input.new !== null && input.new.length < 8) throw new EngineError({ code: "failed", message: "the passphrase needs at least 8 characters", hint: null });
    world.guard = { ...guard, passphrase: input.new ?? guard.passphrase, alsoHigh: input.alsoHigh ?? guard.alsoHigh };
    return presence(world);
  },
};
