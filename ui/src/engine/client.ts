// What the console may ask of the engine, whoever answers: the real one through Tauri, or a recorded state.
import type { AgentDto } from "./bindings/AgentDto";
import type { AgentsCall } from "./bindings/AgentsCall";
import type { ApiCode } from "./bindings/ApiCode";
import type { ApiError } from "./bindings/ApiError";
import type { ApprovalDto } from "./bindings/ApprovalDto";
import type { ApprovalsCall } from "./bindings/ApprovalsCall";
import type { ApprovalsPage } from "./bindings/ApprovalsPage";
import type { CredentialDto } from "./bindings/CredentialDto";
import type { CredentialsCall } from "./bindings/CredentialsCall";
import type { ExportedDto } from "./bindings/ExportedDto";
import type { FacetsDto } from "./bindings/FacetsDto";
import type { OperationDetailDto } from "./bindings/OperationDetailDto";
import type { OperationsCall } from "./bindings/OperationsCall";
import type { SearchPage } from "./bindings/SearchPage";
import type { SessionDto } from "./bindings/SessionDto";
import type { SessionsCall } from "./bindings/SessionsCall";
import type { StatusCall } from "./bindings/StatusCall";
import type { StatusDto } from "./bindings/StatusDto";
import type { StreamMessage } from "./bindings/StreamMessage";

/** What each call of the window answers. */
type Answers = {
  "operations.search": SearchPage;
  "operations.facets": FacetsDto;
  "operations.get": OperationDetailDto;
  "operations.export": ExportedDto;
  "approvals.list": ApprovalsPage;
  "approvals.get": ApprovalDto;
  "approvals.resolve": ApprovalDto;
  "approvals.extend": ApprovalDto;
  "status.get": StatusDto;
  "status.stop_all": StatusDto;
  "status.resume": StatusDto;
  "agents.list": AgentDto[];
  "agents.add": AgentDto;
  "agents.remove": AgentDto;
  "agents.stop": AgentDto;
  "agents.pause": AgentDto;
  "agents.resume": AgentDto;
  "sessions.list": SessionDto[];
  "credentials.list": CredentialDto[];
  "credentials.add": CredentialDto[];
  "credentials.replace": CredentialDto[];
  "credentials.bind": CredentialDto[];
  "credentials.remove": CredentialDto[];
};

/** The calls the window makes: a part of the contract, in its own types. */
export type Call = Extract<OperationsCall | ApprovalsCall | StatusCall | AgentsCall | SessionsCall | CredentialsCall, { call: keyof Answers }>;

export type CallName = keyof Answers;

export type Answer<C extends Call> = Answers[C["call"]];

/** What a call of this name carries. */
export type InputOf<N extends CallName> = Extract<Call, { call: N }> extends { input: infer Input } ? Input : null;

export type Engine = {
  /** Rejects with an `EngineError`. */
  call: <C extends Call>(call: C) => Promise<Answer<C>>;
  /** Hears everything from now on; the returned function ends it. */
  subscribe: (listener: (message: StreamMessage) => void) => () => void;
};

/** Why a call did not work: what happened, and the next step. */
export class EngineError extends Error {
  readonly code: ApiCode;
  readonly hint: string | null;

  constructor(error: ApiError) {
    super(error.message);
    this.name = "EngineError";
    this.code = error.code;
    this.hint = error.hint;
  }

  /** Whatever was thrown, as one of ours. */
  static from(thrown: unknown): EngineError {
    if (thrown instanceof EngineError) return thrown;
    if (isApiError(thrown)) return new EngineError(thrown);
    return new EngineError({ code: "failed", message: thrown instanceof Error ? thrown.message : String(thrown), hint: null });
  }
}

function isApiError(thrown: unknown): thrown is ApiError {
  return typeof thrown === "object" && thrown !== null && "code" in thrown && "message" in thrown;
}
