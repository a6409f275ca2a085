// Reads and writes of questions.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { AnswerDto } from "../../engine/bindings/AnswerDto";
import type { ApprovalDto } from "../../engine/bindings/ApprovalDto";
import type { ApprovalsPage } from "../../engine/bindings/ApprovalsPage";
import type { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";
import { mergeApprovals } from "../../engine/stream";

export function useApprovals() {
  return useCall({ call: "approvals.list" });
}

/** Asking for it is what shows the card: the answer carries the nonce. */
export function useQuestion(id: string) {
  return useCall({ call: "approvals.get", input: { approval: id } });
}

type Decision = { question: ApprovalDto; answer: AnswerDto; /** When the card appeared. */ shownAt: number; stop: boolean };

export function useResolve() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<ApprovalDto, EngineError, Decision>({
    mutationFn: async ({ question, answer, shownAt, stop }) => {
      const nonce = question.arming?.nonce ?? "";
      const resolved = await engine.call({ call: "approvals.resolve", input: { approval: question.id, nonce, answer, readingMs: Date.now() - shownAt } });
      if (stop) await engine.call({ call: "agents.stop", input: { agent: question.agent } });
      return resolved;
    },
    onSuccess: (resolved) => {
      client.setQueryData<ApprovalsPage>(keyOf({ call: "approvals.list" }), (page) => page && mergeApprovals(page, [resolved]));
      client.setQueryData(keyOf({ call: "approvals.get", input: { approval: resolved.id } }), { ...resolved, arming: null });
    },
    // A spent nonce or a changed question: the card is shown anew and arms again.
    onError: (_, { question }) => void client.invalidateQueries({ queryKey: keyOf({ call: "approvals.get", input: { approval: question.id } }) }),
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
