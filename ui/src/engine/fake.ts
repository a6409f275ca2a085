// Recorded states for an ordinary browser: `?fake=story`. It answers like the engine, and remembers what was decided.
import { agents as registered, credentials as stored } from "../testing/agents";
import { lines } from "../testing/budgets";
import { live } from "../testing/live";
import { storm } from "../testing/cards";
import { servers as known } from "../testing/servers";
import { hostile, type Recorded, status as statusOf, story } from "../testing/story";
import type { ApprovalDto } from "./bindings/ApprovalDto";
import type { NoticeDto } from "./bindings/NoticeDto";
import type { OperationRowDto } from "./bindings/OperationRowDto";
import type { ProtectionDto } from "./bindings/ProtectionDto";
import type { StreamMessage } from "./bindings/StreamMessage";
import { type Answer, type Call, type CallName, type Engine, EngineError } from "./client";
import { agents } from "./fake/agents";
import { approvals } from "./fake/approvals";
import { budgets } from "./fake/budgets";
import { credentials } from "./fake/credentials";
import { data } from "./fake/data";
import { operations } from "./fake/operations";
import type { SystemAnswer } from "./fake/presence";
import { policies } from "./fake/policies";
import { servers } from "./fake/servers";
import { sessions } from "./fake/sessions";
import { settings } from "./fake/settings";
import { status } from "./fake/status";
import { type Handlers, World } from "./fake/world";

/** The states there are, by the name in the address. */
export const STATES = ["story", "recorded", "empty", "hostile", "long", "stopped", "degraded", "paused", "observing", "broken", "lost", "loading", "failing", "storm"] as const;
export type StateName = (typeof STATES)[number];

export function isState(name: string): name is StateName {
  return (STATES as readonly string[]).includes(name);
}

function recorded(name: StateName, now: number): Recorded {
  const empty: Recorded = { status: statusOf({ agentsRunning: 0, sessionsRunning: 0, costToday: 0, limitToday: null, chain: { head: 0, ok: true, brokenAt: null, problem: null } }), rows: [], open: [], resolved: [] };
  const protection = (state: ProtectionDto): Recorded => {
    const told = story(now, 60);
    return { ...told, status: { ...told.status, protection: state } };
  };
  switch (name) {
    case "empty":
      return empty;
    case "hostile":
      return hostile(now);
    case "storm": {
      const told = story(now, 60);
      return { ...told, status: { ...told.status, held: 15 }, open: storm(now) };
    }
    case "long":
      return story(now, 20_000);
    case "stopped":
      return stopped(protection({ state: "stopped" }), now);
    case "degraded":
      return protection({ state: "degraded", cause: "the record cannot be written: the disk is full" });
    case "paused":
      return { ...protection({ state: "paused", until: new Date(now + 5_820_000).toISOString() }), open: [] };
    case "observing":
      return { ...protection({ state: "observing" }), open: [] };
    case "broken": {
      const told = story(now, 60);
      return { ...told, status: { ...told.status, chain: { head: 48_210, ok: false, brokenAt: 48_203, problem: "record 48203 was changed" } } };
    }
    default:
      return story(now);
  }
}

const HANDLERS: Handlers<CallName> = { ...agents, ...approvals, ...budgets, ...credentials, ...data, ...operations, ...policies, ...servers, ...sessions, ...settings, ...status };

/** Nothing waits and nothing runs since two minutes. */
function stopped(told: Recorded, now: number): Recorded {
  return { ...told, open: [], status: { ...told.status, agentsRunning: 0, sessionsRunning: 0, stop: { at: new Date(now - 120_000).toISOString(), sessions: 5 } } };
}

/** An engine that answers from memory. */
export class FakeEngine implements Engine {
  readonly #name: StateName;
  readonly #world: World;
  /** Every call it heard, for tests. */
  readonly heard: Call[] = [];

  constructor(name: StateName, now: number = Date.now()) {
    this.#name = name;
    if (name === "recorded") {
      const { state, details, servers, told, ...register } = live(now);
      this.#world = new World(state, register, details);
      this.#world.know(servers);
      this.#world.told = told;
      return;
    }
    this.#world = new World(recorded(name, now), name === "empty" ? { agents: [], credentials: [], budgets: [] } : { agents: registered(name === "long"), credentials: stored(name === "long"), budgets: lines(now, name === "long") });
    this.#world.know(known(name === "empty" ? "none" : name === "long" ? "large" : name === "hostile" ? "hostile" : "told"));
    if (name === "empty") this.#world.guard = { passphrase: null, alsoHigh: false };
  }

  subscribe(listener: (message: StreamMessage) => void): () => void {
    this.#world.listeners.add(listener);
    const first: StreamMessage = this.#name === "lost" ? { kind: "lost", error: { code: "unreachable", message: "the engine does not answer", hint: "start it with `reeve serve`" } } : { kind: "connected" };
    queueMicrotask(() => listener(first));
    return () => this.#world.listeners.delete(listener);
  }

  /** What was answered to the question whether to quit, for tests. */
  readonly left: boolean[] = [];

  /** From now on the system asks, and its person answers so, for tests. */
  bySystem(answer: SystemAnswer): void {
    this.#world.guard.system = answer;
  }

  leave(really: boolean): void {
    this.left.push(really);
  }

  #login = false;

  async login(on: boolean | null): Promise<boolean> {
    if (this.#name === "failing") throw new EngineError({ code: "failed", message: "the system's entry cannot be written", hint: null });
    this.#login = on ?? this.#login;
    return this.#login;
  }

  /** Something new happened: it is kept and told. */
  add(change: { row?: OperationRowDto; approval?: ApprovalDto; notice?: NoticeDto }): void {
    if (change.notice) {
      this.#world.state.notices = [change.notice, ...(this.#world.state.notices ?? [])];
      this.#world.emit({ notices: [change.notice] });
    }
    if (change.row) this.#world.state.rows.unshift(change.row);
    const { open } = this.#world.state;
    const known = open.findIndex((one) => one.id === change.approval?.id);
    // The same asked again is the same question.
    if (change.approval && known >= 0) open[known] = change.approval;
    else if (change.approval) open.push(change.approval);
    this.#world.tell(change.approval ? [change.approval] : [], change.row ? [change.row] : []);
  }

  async call<C extends Call>(call: C): Promise<Answer<C>> {
    this.heard.push(call);
    if (this.#name === "loading") return new Promise(() => {});
    if (this.#name === "failing" || this.#name === "lost") {
      throw new EngineError({ code: "unreachable", message: "the engine does not answer, so nothing can be shown or decided", hint: "start it with `reeve serve`" });
    }
    const handle = HANDLERS[call.call] as (world: World, input: unknown) => Answer<C>;
    return handle(this.#world, "input" in call ? call.input : null);
  }
}
