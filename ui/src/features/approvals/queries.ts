// Reads and writes of questions.
import { type InfiniteData, keepPreviousData, useInfiniteQuery, useMutation, useQueries, useQueryClient } from "@tanstack/react-query";
import { useSettled } from "../../components/use-settled";
import type { AnswerDto } from "../../engine/bindings/AnswerDto";
import type { AnsweredPage } from "../../engine/bindings/AnsweredPage";
import type { ApprovalDto } from "../../engine/bindings/ApprovalDto";
import type { ApprovalsPage } from "../../engine/bindings/ApprovalsPage";
import type { DraftDto } from "../../engine/bindings/DraftDto";
import type { FileChangeDto } from "../../engine/bindings/FileChangeDto";
import type { PolicyStateDto } from "../../engine/bindings/PolicyStateDto";
import type { PresenceDto } from "../../engine/bindings/PresenceDto";
import type { PreviewDto } from "../../engine/bindings/PreviewDto";
import type { ProblemDto } from "../../engine/bindings/ProblemDto";
import type { RuleChoiceDto } from "../../engine/bindings/RuleChoiceDto";
import type { RuleDto } from "../../engine/bindings/RuleDto";
import type { ScopeDto } from "../../engine/bindings/ScopeDto";
import type { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";
import { mergeApprovals } from "../../engine/stream";
import type { Tab } from "./model";

/** The file that *Always* writes to. */
const STANDING_FILE = "standing.cedar";

export function useApprovals() {
  return useCall({ call: "approvals.list" });
}

/** Asking for it is what shows the card: the answer carries the nonce. */
export function useQuestion(id: string) {
  return useCall({ call: "approvals.get", input: { approval: id } });
}

/** Typing settles before the engine is asked. */
const CHECK_MS = 250;

/**
 * The rule with these choices, and what it would have changed of the last days. A text that a person edits is read first: what does
 * not load is not weighed. `text` is there only while it is the very text that would be written.
 */
export function useProposed(id: string, rule: RuleChoiceDto, enabled: boolean): { preview: PreviewDto | undefined; text: string | undefined; problems: readonly ProblemDto[]; error: EngineError | null } {
  const settled = useSettled(rule.text, CHECK_MS);
  const isEdited = rule.text !== undefined;
  const draft: DraftDto = { changes: [{ file: STANDING_FILE, part: { kind: "new" }, text: settled ?? "" }], complete: false };
  const checked = useCall({ call: "policies.check", input: { draft } }, { enabled: enabled && isEdited && settled === rule.text, gcTime: 0, placeholderData: keepPreviousData });
  const problems = isEdited ? (checked.data?.problems ?? NO_PROBLEMS) : NO_PROBLEMS;
  const isRead = !isEdited || (settled === rule.text && checked.data !== undefined && !checked.isPlaceholderData && problems.length === 0);
  const preview = useCall({ call: "approvals.preview", input: { approval: id, rule } }, { enabled: enabled && isRead, gcTime: 0, placeholderData: keepPreviousData });
  const isShown = isRead && !preview.isPlaceholderData && (!isEdited || preview.data?.text.trim() === rule.text?.trim());
  return { preview: preview.data, text: isShown ? preview.data?.text : undefined, problems, error: (isEdited ? checked.error : null) ?? (isRead ? preview.error : null) };
}

const NO_PROBLEMS: readonly ProblemDto[] = [];

/** What the editor of a rule asks while somebody types. */
export function useAssist() {
  const engine = useEngine();
  return {
    format: (text: string) => engine.call({ call: "policies.format", input: { text } }),
    complete: (text: string, offset: number) => engine.call({ call: "policies.complete", input: { text, offset } }),
  };
}

export function useSuggestions(enabled: boolean) {
  return useCall({ call: "approvals.suggestions" }, { enabled, gcTime: 0 });
}

/** Actions that one page of the answered looks at. */
const ANSWERED = 100;

/** What was answered, or what nobody answered, of the actions that a query finds: page by page, however long ago. */
export function useAnswered(tab: Tab, query: string) {
  const engine = useEngine();
  return useInfiniteQuery<AnsweredPage, EngineError, InfiniteData<AnsweredPage, string | null>, readonly [string, Tab, string], string | null>({
    queryKey: ["approvals.answered", tab, query],
    queryFn: ({ pageParam }) => engine.call({ call: "approvals.answered", input: { query, expired: tab === "expired", before: pageParam, limit: ANSWERED } }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
    enabled: tab === "decided" || tab === "expired",
    staleTime: 0,
    gcTime: 0,
    placeholderData: (before, last) => (last?.queryKey[1] === tab ? before : undefined),
  });
}

type Decision = {
  question: ApprovalDto;
  answer: AnswerDto;
  /** When the card appeared. */
  shownAt: number;
  stop: boolean;
  rule: RuleChoiceDto | null;
  proof: string | null;
};

/** What every change of one question does to what is known here. */
function useChange<Input>(change: (input: Input) => Promise<ApprovalDto>, idOf: (input: Input) => string) {
  const client = useQueryClient();
  return useMutation<ApprovalDto, EngineError, Input>({
    mutationFn: change,
    gcTime: 0,
    onSuccess: (changed) => {
      client.setQueryData<ApprovalsPage>(keyOf({ call: "approvals.list" }), (page) => page && mergeApprovals(page, [changed]));
      void client.invalidateQueries({ queryKey: ["approvals.suggestions"] });
      void client.invalidateQueries({ queryKey: ["approvals.answered"] });
      // What is over has a card of its own, with tickets of its own.
      void client.invalidateQueries({ queryKey: keyOf({ call: "approvals.get", input: { approval: changed.id } }) });
    },
    // A spent nonce or a changed question: the card is shown anew and arms again.
    onError: (_, input) => void client.invalidateQueries({ queryKey: keyOf({ call: "approvals.get", input: { approval: idOf(input) } }) }),
  });
}

export function useResolve() {
  const engine = useEngine();
  return useChange<Decision>(
    async ({ question, answer, shownAt, stop, rule, proof }) => {
      const nonce = question.arming?.nonce ?? "";
      const resolved = await engine.call({ call: "approvals.resolve", input: { approval: question.id, nonce, answer, readingMs: Date.now() - shownAt, rule, proof } });
      if (stop) await engine.call({ call: "agents.stop", input: { agent: question.agent } });
      return resolved;
    },
    ({ question }) => question.id,
  );
}

/** Raises one budget for the session, and lets the call through. */
export function useRaise() {
  const engine = useEngine();
  return useChange<{ question: ApprovalDto; budget: string; by: number; shownAt: number; proof: string | null }>(
    ({ question, budget, by, shownAt, proof }) => engine.call({ call: "approvals.raise", input: { approval: question.id, nonce: question.arming?.nonce ?? "", budget, by, readingMs: Date.now() - shownAt, proof } }),
    ({ question }) => question.id,
  );
}

/** A yes after the answer: once, or a rule. */
export function useAllowLate() {
  const engine = useEngine();
  return useChange<{ question: ApprovalDto; scope: ScopeDto; rule: RuleChoiceDto | null; proof: string | null }>(
    ({ question, scope, rule, proof }) => engine.call({ call: "approvals.allow_late", input: { approval: question.id, nonce: question.arming?.nonce ?? "", scope, rule, proof } }),
    ({ question }) => question.id,
  );
}

/** Lets the system ask; what its human proved goes to the field that it is given to, and is kept nowhere else. */
export function useConfirm() {
  const engine = useEngine();
  return useMutation<undefined, EngineError, (proof: string) => void>({
    gcTime: 0,
    mutationFn: async (take) => {
      const { proof } = await engine.call({ call: "approvals.confirm" });
      take(proof);
      return undefined;
    },
  });
}

export function useUndo() {
  const engine = useEngine();
  return useChange<string>((approval) => engine.call({ call: "approvals.undo", input: { approval } }), (approval) => approval);
}

type Way = { kind: "replace"; rules: readonly RuleDto[] } | { kind: "keep"; text: string };

/** The ways out where rules that are there still decide: they go, or the new one is written beside them. */
export function useConflict(approval: string) {
  const engine = useEngine();
  const client = useQueryClient();
  const { data: rules = [] } = useCall({ call: "policies.list" }, { gcTime: 0 });
  const save = useMutation<PolicyStateDto, EngineError, Way>({
    mutationFn: async (way) => {
      const { revision } = await engine.call({ call: "policies.state" });
      const changes: FileChangeDto[] = way.kind === "replace" ? way.rules.map((rule) => ({ file: rule.file, part: { kind: "rule", id: rule.id }, text: "" })) : [{ file: STANDING_FILE, part: { kind: "new" }, text: way.text }];
      return engine.call({ call: "policies.save", input: { draft: { changes, complete: false }, base: revision, note: null } });
    },
    onSuccess: () => {
      for (const call of ["policies.list", "policies.state", "policies.files", "policies.history"] as const) void client.invalidateQueries({ queryKey: keyOf({ call }) });
      // The ticket was used up: the card is shown anew, and arms again.
      void client.invalidateQueries({ queryKey: keyOf({ call: "approvals.get", input: { approval } }) });
    },
  });
  return { rules, save };
}

export function useSetPassphrase() {
  const engine = useEngine();
  return useMutation<PresenceDto, EngineError, string>({ gcTime: 0, mutationFn: (typed) => engine.call({ call: "approvals.set_presence", input: { old: null, new: typed, alsoHigh: null } }) });
}

/** Shows each of these questions and hands out their tickets: they arm together. */
export function useShown(ids: readonly string[]) {
  const engine = useEngine();
  return useQueries({
    queries: ids.map((id) => {
      const call = { call: "approvals.get", input: { approval: id } } as const;
      return { queryKey: keyOf(call), queryFn: () => engine.call(call) };
    }),
    combine: (results) => results.flatMap(({ data }) => (data?.arming && !data.resolved ? [data] : [])),
  });
}

/** The same answer to several questions, one after the other; the first that fails ends it. */
export function useResolveAll() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<number, EngineError, { questions: readonly ApprovalDto[]; answer: AnswerDto; shownAt: number; stop?: string }>({
    mutationFn: async ({ questions, answer, shownAt, stop }) => {
      for (const question of questions) {
        await engine.call({ call: "approvals.resolve", input: { approval: question.id, nonce: question.arming?.nonce ?? "", answer, readingMs: Date.now() - shownAt, rule: null, proof: null } });
      }
      if (stop !== undefined) await engine.call({ call: "agents.stop", input: { agent: stop } });
      return questions.length;
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keyOf({ call: "approvals.list" }) });
      void client.invalidateQueries({ queryKey: ["approvals.get"] });
    },
  });
}

export function useExtend() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<ApprovalDto, EngineError, string>({
    mutationFn: (approval) => engine.call({ call: "approvals.extend", input: { approval } }),
    onSuccess: (extended) => client.setQueryData<ApprovalsPage>(keyOf({ call: "approvals.list" }), (page) => page && mergeApprovals(page, [extended])),
  });
}
