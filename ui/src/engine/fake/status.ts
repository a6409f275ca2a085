// Protection, as a recorded engine has it.
import { checks, LEFT_OVER } from "../../testing/settings";
import type { ProtectionDto } from "../bindings/ProtectionDto";
import type { StatusDto } from "../bindings/StatusDto";
import { demand } from "./presence";
import type { Handlers, World } from "./world";

function protect(world: World, protection: ProtectionDto): StatusDto {
  world.state.status = { ...world.state.status, protection };
  world.tell([]);
  return world.state.status;
}

/** Where the doctor's repair was done. */
const repaired = new WeakSet<World>();

export const status: Handlers<"status.get" | "status.stop_all" | "status.resume" | "status.pause" | "status.doctor" | "status.repair" | "status.set_mark"> = {
  "status.get": (world) => world.state.status,
  "status.stop_all": (world) => {
    world.state.status = { ...world.state.status, stop: { at: new Date().toISOString(), sessions: world.state.status.sessionsRunning }, sessionsRunning: 0, agentsRunning: 0 };
    return protect(world, { state: "stopped" });
  },
  "status.resume": (world) => protect(world, { state: "protected" }),
  "status.pause": (world, { minutes, proof }) => {
    if (minutes === null || minutes > 60) demand(world, "pausing for longer than an hour", proof);
    return protect(world, { state: "paused", until: minutes === null ? null : new Date(Date.now() + minutes * 60_000).toISOString() });
  },
  "status.set_mark": (world, { words, stripe }) => {
    world.state.status = { ...world.state.status, mark: words, markStripe: stripe };
    world.tell([]);
    return world.state.status;
  },
  "status.doctor": (world) => checks(repaired.has(world)),
  "status.repair": (world, { steps }) => {
    if (LEFT_OVER.every((step) => steps.includes(step))) repaired.add(world);
    return world.state.status;
  },
};
