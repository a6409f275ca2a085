// What a person set, as a recorded engine has it.
import { settings as recorded } from "../../testing/settings";
import type { SettingsDto } from "../bindings/SettingsDto";
import type { Handlers, World } from "./world";

const changed = new WeakMap<World, SettingsDto>();

function of(world: World): SettingsDto {
  const { status, rows } = world.state;
  return changed.get(world) ?? { ...recorded(rows.length > 10_000), mode: status.mode, preset: status.preset, ...(rows.length === 0 ? { data: { database: "/home/dana/.local/share/reeve/reeve.db", bytes: 94_000, records: 0, since: null } } : {}) };
}

export const settings: Handlers<"settings.get" | "settings.set"> = {
  "settings.get": of,
  "settings.set": (world, input) => {
    const old = of(world);
    const next = { ...old, mode: input.mode ?? old.mode, preset: input.preset ?? old.preset, notifications: input.notifications ?? old.notifications };
    changed.set(world, next);
    const { protection } = world.state.status;
    const follows = protection.state === "protected" || protection.state === "observing";
    world.state.status = { ...world.state.status, mode: next.mode, preset: next.preset, protection: follows ? { state: next.mode === "observe" ? "observing" : "protected" } : protection };
    world.tell([]);
    return next;
  },
};
