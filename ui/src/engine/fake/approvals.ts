// Questions and answers, as a recorded engine keeps them.
import { arming } from "../../testing/story";
import type { ApprovalDto } from "../bindings/ApprovalDto";
import type { ResolveInput } from "../bindings/ResolveInput";
import type { RowStateDto } from "../bindings/RowStateDto";
import { EngineError } from "../client";
import { type Handlers, notFound, type World } from "./world";

function question(world: World, id: string): ApprovalDto {
  const found = [...world.state.open, ...world.state.resolved].find((one) => one.id === id);
  if (!found) throw notFound(`no question \`${id}\``);
  return found;
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

export const approvals: Handlers<"approvals.list" | "approvals.get" | "approvals.resolve" | "approvals.extend"> = {
  "approvals.list": (world) => ({ open: world.state.open, resolved: world.state.resolved }),
  "approvals.get": (world, input) => {
    const found = question(world, input.approval);
    return { ...found, arming: found.resolved ? null : arming(found) };
  },
  "approvals.resolve": resolve,
  "approvals.extend": (world, input) => {
    const found = question(world, input.approval);
    found.expiresAt = new Date(Date.parse(found.expiresAt) + 300_000).toISOString();
    world.tell([found]);
    return { ...found };
  },
};
