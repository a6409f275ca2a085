// What a recorded engine remembers, and how it says that something changed.
import type { Told } from "../../testing/live";
import { type Recorded } from "../../testing/story";
import type { AgentDto } from "../bindings/AgentDto";
import type { ApprovalDto } from "../bindings/ApprovalDto";
import type { BudgetLineDto } from "../bindings/BudgetLineDto";
import type { CredentialDto } from "../bindings/CredentialDto";
import type { OperationDetailDto } from "../bindings/OperationDetailDto";
import type { OperationRowDto } from "../bindings/OperationRowDto";
import type { ServerDetailDto } from "../bindings/ServerDetailDto";
import type { StreamMessage } from "../bindings/StreamMessage";
import type { Guard } from "./presence";
import { type Answer, type Call, type CallName, EngineError, type InputOf } from "../client";

type Batch = Extract<StreamMessage, { kind: "batch" }>["batch"];

/** One function per call: it answers, and changes the world as the engine would. */
export type Handlers<N extends CallName> = { [K in N]: (world: World, input: InputOf<K>) => Answer<Extract<Call, { call: K }>> };

export class World {
  readonly state: Recorded;
  readonly listeners = new Set<(message: StreamMessage) => void>();

  agents: AgentDto[];
  credentials: CredentialDto[];
  budgets: BudgetLineDto[];
  servers: ServerDetailDto[] = [];
  /** Answers of a real engine; none where states are written by hand. */
  told: Told | null = null;
  guard: Guard = { passphrase: "correct horse", alsoHigh: false };
  /** Details as a real engine told them; of other rows they are made up from the row. */
  readonly details: readonly OperationDetailDto[];

  constructor(state: Recorded, register: { agents: AgentDto[]; credentials: CredentialDto[]; budgets: BudgetLineDto[] }, details: readonly OperationDetailDto[] = []) {
    this.state = state;
    this.details = details;
    this.agents = register.agents;
    this.credentials = register.credentials;
    this.budgets = register.budgets;
  }

  /** So many servers and tools wait for a person. */
  get toReview(): number {
    return this.servers.reduce((all, one) => all + one.server.toReview, 0);
  }

  know(servers: ServerDetailDto[]): void {
    this.servers = servers;
    this.state.status = { ...this.state.status, toReview: this.toReview };
  }

  /** Says something to whoever listens, as the engine does. */
  emit(batch: Partial<Batch>): void {
    for (const listener of this.listeners) listener({ kind: "batch", batch: { operations: [], approvals: [], endedSessions: [], status: null, lagged: false, ...batch } });
  }

  /** What changed is told together with the status as it is then. */
  tell(approvals: ApprovalDto[], operations: OperationRowDto[] = []): void {
    this.state.status = { ...this.state.status, held: this.state.open.length };
    this.emit({ approvals: approvals.map((one) => ({ ...one })), operations, status: this.state.status });
  }
}

export function notFound(message: string): EngineError {
  return new EngineError({ code: "notFound", message, hint: null });
}
