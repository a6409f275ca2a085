// The passphrase of a recorded engine, and what it is asked for, as the engine weighs it.
import type { PresenceDto } from "../bindings/PresenceDto";
import { EngineError } from "../client";
import type { World } from "./world";

export type Guard = { passphrase: string | null; alsoHigh: boolean };

export function presence(world: World): PresenceDto {
  return { set: world.guard.passphrase !== null, alsoHigh: world.guard.alsoHigh };
}

function refused(message: string): EngineError {
  return new EngineError({ code: "needsProof", message, hint: "give it where you are asked for it: in the console, or on a terminal of your own" });
}

/** Fails unless it is the passphrase. */
export function demand(world: World, what: string, proof: string | null | undefined): void {
  const { passphrase } = world.guard;
  if (!proof) throw refused(`${what} needs your passphrase${passphrase === null ? ", and none is set yet" : ""}`);
  if (proof !== passphrase) throw refused("this is not the passphrase");
}

/** What is as grave as high needs it only where that was chosen. */
export function demandForHigh(world: World, what: string, proof: string | null | undefined): void {
  if (world.guard.alsoHigh) demand(world, what, proof);
}
