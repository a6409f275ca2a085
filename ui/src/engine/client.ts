// What the console may ask of the engine, whoever answers: the real one through Tauri, or a recorded state.
import type { AgentDetailDto } from "./bindings/AgentDetailDto";
import type { AgentDto } from "./bindings/AgentDto";
import type { AgentsCall } from "./bindings/AgentsCall";
import type { AnsweredPage } from "./bindings/AnsweredPage";
import type { ApiCode } from "./bindings/ApiCode";
import type { ApiError } from "./bindings/ApiError";
import type { ApprovalDto } from "./bindings/ApprovalDto";
import type { ApprovalsCall } from "./bindings/ApprovalsCall";
import type { ApprovalsPage } from "./bindings/ApprovalsPage";
import type { AuditCall } from "./bindings/AuditCall";
import type { BudgetDetailDto } from "./bindings/BudgetDetailDto";
import type { BudgetDto } from "./bindings/BudgetDto";
import type { BudgetLineDto } from "./bindings/BudgetLineDto";
import type { BudgetsCall } from "./bindings/BudgetsCall";
import type { CheckDto } from "./bindings/CheckDto";
import type { ChangesDto } from "./bindings/ChangesDto";
import type { CheckedDto } from "./bindings/CheckedDto";
import type { ConfirmedDto } from "./bindings/ConfirmedDto";
import type { CompletionsDto } from "./bindings/CompletionsDto";
import type { CredentialDto } from "./bindings/CredentialDto";
import type { CredentialsCall } from "./bindings/CredentialsCall";
import type { CredentialTestDto } from "./bindings/CredentialTestDto";
import type { DataDto } from "./bindings/DataDto";
import type { EnvFileDto } from "./bindings/EnvFileDto";
import type { ExportedDto } from "./bindings/ExportedDto";
import type { FacetsDto } from "./bindings/FacetsDto";
import type { FormattedDto } from "./bindings/FormattedDto";
import type { HitsDto } from "./bindings/HitsDto";
import type { FlowDto } from "./bindings/FlowDto";
import type { ImportedDto } from "./bindings/ImportedDto";
import type { KeepingDto } from "./bindings/KeepingDto";
import type { OperationDetailDto } from "./bindings/OperationDetailDto";
import type { OperationRowDto } from "./bindings/OperationRowDto";
import type { OperationsCall } from "./bindings/OperationsCall";
import type { RecordDto } from "./bindings/RecordDto";
import type { RemovableDto } from "./bindings/RemovableDto";
import type { PoliciesCall } from "./bindings/PoliciesCall";
import type { PolicyFileDto } from "./bindings/PolicyFileDto";
import type { PolicyStateDto } from "./bindings/PolicyStateDto";
import type { PricesDto } from "./bindings/PricesDto";
import type { PresenceDto } from "./bindings/PresenceDto";
import type { ProposalDto } from "./bindings/ProposalDto";
import type { PreviewDto } from "./bindings/PreviewDto";
import type { ReplayDto } from "./bindings/ReplayDto";
import type { RuleDto } from "./bindings/RuleDto";
import type { SearchPage } from "./bindings/SearchPage";
import type { ServerDetailDto } from "./bindings/ServerDetailDto";
import type { ServersCall } from "./bindings/ServersCall";
import type { ServersDto } from "./bindings/ServersDto";
import type { SessionDto } from "./bindings/SessionDto";
import type { SessionsCall } from "./bindings/SessionsCall";
import type { SessionsPage } from "./bindings/SessionsPage";
import type { SettingsCall } from "./bindings/SettingsCall";
import type { SettingsDto } from "./bindings/SettingsDto";
import type { SuggestionsDto } from "./bindings/SuggestionsDto";
import type { StartedDto } from "./bindings/StartedDto";
import type { StatusCall } from "./bindings/StatusCall";
import type { StatusDto } from "./bindings/StatusDto";
import type { StreamMessage } from "./bindings/StreamMessage";
import type { ToolDto } from "./bindings/ToolDto";
import type { ToolStatsDto } from "./bindings/ToolStatsDto";
import type { ValuesDto } from "./bindings/ValuesDto";
import type { VerificationDto } from "./bindings/VerificationDto";
import type { VersionDto } from "./bindings/VersionDto";
import type { WhatIfDto } from "./bindings/WhatIfDto";
import type { ViewsDto } from "./bindings/ViewsDto";

/** What each call of the window answers. */
type Answers = {
  "operations.search": SearchPage;
  "operations.costliest": SearchPage;
  "operations.facets": FacetsDto;
  "operations.get": OperationDetailDto;
  "operations.export": ExportedDto;
  "operations.values": ValuesDto;
  "operations.views": ViewsDto;
  "operations.save_view": ViewsDto;
  "operations.remove_view": ViewsDto;
  "operations.annotate": OperationRowDto;
  "approvals.list": ApprovalsPage;
  "approvals.answered": AnsweredPage;
  "approvals.get": ApprovalDto;
  "approvals.resolve": ApprovalDto;
  "approvals.extend": ApprovalDto;
  "approvals.preview": PreviewDto;
  "approvals.undo": ApprovalDto;
  "approvals.allow_late": ApprovalDto;
  "approvals.raise": ApprovalDto;
  "approvals.suggestions": SuggestionsDto;
  "approvals.presence": PresenceDto;
  "approvals.set_presence": PresenceDto;
  "approvals.confirm": ConfirmedDto;
  "status.set_mark": StatusDto;
  "status.get": StatusDto;
  "status.stop_all": StatusDto;
  "status.resume": StatusDto;
  "status.pause": StatusDto;
  "status.doctor": CheckDto[];
  "status.repair": StatusDto;
  "agents.list": AgentDto[];
  "agents.get": AgentDetailDto;
  "agents.tools": ToolDto[];
  "agents.start": StartedDto;
  "agents.changes": ChangesDto;
  "agents.add": AgentDto;
  "agents.remove": AgentDto;
  "agents.stop": AgentDto;
  "agents.pause": AgentDto;
  "agents.resume": AgentDto;
  "sessions.list": SessionDto[];
  "sessions.search": SessionsPage;
  "sessions.flow": FlowDto;
  "audit.record": RecordDto;
  "audit.weigh_removal": RemovableDto;
  "audit.set_retention": DataDto;
  "audit.wipe": DataDto;
  "audit.verify": VerificationDto;
  "budgets.lines": BudgetLineDto[];
  "budgets.get": BudgetDetailDto;
  "budgets.prices": PricesDto;
  "budgets.set": BudgetDto[];
  "budgets.remove": BudgetDto[];
  "settings.get": SettingsDto;
  "settings.set": SettingsDto;
  "policies.list": RuleDto[];
  "policies.state": PolicyStateDto;
  "policies.files": PolicyFileDto[];
  "policies.hits": HitsDto;
  "policies.check": CheckedDto;
  "policies.format": FormattedDto;
  "policies.complete": CompletionsDto;
  "policies.replay": ReplayDto;
  "policies.what_if": WhatIfDto;
  "policies.propose": ProposalDto;
  "policies.history": VersionDto[];
  "policies.save": PolicyStateDto;
  "policies.acknowledge": PolicyStateDto;
  "policies.take_back": PolicyStateDto;
  "servers.list": ServersDto;
  "servers.get": ServerDetailDto;
  "servers.approve": ServerDetailDto;
  "servers.forget": ServersDto;
  "servers.stats": ToolStatsDto;
  "credentials.list": CredentialDto[];
  "credentials.add": CredentialDto[];
  "credentials.replace": CredentialDto[];
  "credentials.bind": CredentialDto[];
  "credentials.unbind": CredentialDto[];
  "credentials.remove": CredentialDto[];
  "credentials.remind": CredentialDto[];
  "credentials.test": CredentialTestDto;
  "credentials.scan": EnvFileDto;
  "credentials.import": ImportedDto;
  "credentials.keeping": KeepingDto;
};

/** The calls the window makes: a part of the contract, in its own types. */
export type Call = Extract<OperationsCall | AuditCall | ApprovalsCall | StatusCall | AgentsCall | SessionsCall | BudgetsCall | CredentialsCall | PoliciesCall | ServersCall | SettingsCall, { call: keyof Answers }>;

export type CallName = keyof Answers;

export type Answer<C extends Call> = Answers[C["call"]];

/** What a call of this name carries. */
export type InputOf<N extends CallName> = Extract<Call, { call: N }> extends { input: infer Input } ? Input : null;

export type Engine = {
  /** Rejects with an `EngineError`. */
  call: <C extends Call>(call: C) => Promise<Answer<C>>;
  /** Hears everything from now on; the returned function ends it. */
  subscribe: (listener: (message: StreamMessage) => void) => () => void;
  /** The answer to the question whether the window is to end; else it goes on in the tray. */
  leave: (really: boolean) => void;
  /** Whether the window opens when the person logs in; `on` sets it first. Rejects with an `EngineError` where that cannot be. */
  login: (on: boolean | null) => Promise<boolean>;
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
