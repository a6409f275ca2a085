// The proof of a human of a recorded engine: its passphrase, the system's method where a test sets one, and what it is asked for, as the
// engine weighs it.
import type { ConfirmedDto } from "../bindings/ConfirmedDto";
import type { PresenceDto } from "../bindings/PresenceDto";
import { EngineError } from "../client";
import type { World } from "./world";

/** What the person does when the system asks them; `nobody`: nothing is there to ask. */
export type SystemAnswer = "confirms" | "closes" | "nobody";

export type Guard = { passphrase: string | null; alsoHigh: boolean; system?: SystemAnswer; given?: string };

const NOBODY = "nothing in this session shows polkit's questions";

export function presence(world: World): PresenceDto {
  const { passphrase, alsoHigh, system } = world.guard;
  return { set: passphrase !== null, alsoHigh, system: system ? { name: "polkit", problem: null } : null };
}

/** What is found out when it is asked counts from then on. */
export function confirm(world: World): ConfirmedDto {
  const { guard } = world;
  if (guard.system === "closes") throw new EngineError({ code: "notPermitted", message: "the system's question was closed", hint: null });
  if (guard.system !== "confirms") {
    delete guard.system;
    throw new EngineError({ code: "failed", message: `the system cannot ask here: ${NOBODY}`, hint: null });
  }
  guard.given = crypto.randomUUID();
  return { proof: guard.given };
}

function refused(message: string): EngineError {
  return new EngineError({ code: "needsProof", message, hint: "give it where you are asked for it: in the console, or on a terminal of your own" });
}

/** Fails unless it is the passphrase, or what the system confirmed, once. */
export function demand(world: World, what: string, proof: string | null | undefined): void {
  const { passphrase, system, given } = world.guard;
  if (!proof) throw refused(system ? `${what} needs your confirmation` : `${what} needs your passphrase${passphrase === null ? ", and none is set yet" : ""}`);
  delete world.guard.given;
  if (proof !== given && proof !== passphrase) throw refused("this is not the passphrase");
}

/** What is as grave as high needs it only where that was chosen. */
export function demandForHigh(world: World, what: string, proof: string | null | undefined): void {
  if (world.guard.alsoHigh) demand(world, what, proof);
}
