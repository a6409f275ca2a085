// What a person set, as a recorded engine has it.
import { settings as recorded } from "../../testing/settings";
import type { DataDto } from "../bindings/DataDto";
import type { SettingsDto } from "../bindings/SettingsDto";
import { demand, demandForHigh } from "./presence";
import type { Handlers, World } from "./world";

const changed = new WeakMap<World, SettingsDto>();

function of(world: World): SettingsDto {
  const { status, rows } = world.state;
  const known = changed.get(world);
  if (known) return known;
  const told = recorded(rows.length > 10_000);
  const data = { ...told.data, ...(rows.length === 0 ? { bytes: 94_000, records: 0, since: null } : {}), problem: status.chain.ok ? null : `nothing is removed while the record does not verify: ${status.chain.problem ?? ""}` };
  return { ...told, mode: status.mode, preset: status.preset, data };
}

/** What the record holds. */
export function dataOf(world: World): DataDto {
  return of(world).data;
}

/** The same after a change. */
export function changeData(world: World, data: Partial<DataDto>): DataDto {
  const old = of(world);
  const next = { ...old.data, ...data };
  changed.set(world, { ...old, data: next });
  return next;
}

export const settings: Handlers<"settings.get" | "settings.set"> = {
  "settings.get": of,
  "settings.set": (world, input) => {
    const old = of(world);
    if (old.mode === "enforce" && input.mode === "observe") demand(world, "only observing", input.proof);
    else if (old.preset === "strict" && input.preset === "balanced") demandForHigh(world, "starting from a weaker policy", input.proof);
    const next = { ...old, mode: input.mode ?? old.mode, preset: input.preset ?? old.preset, notifications: input.notifications ?? old.notifications };
    changed.set(world, next);
    const { protection } = world.state.status;
    const follows = protection.state === "protected" || protection.state === "observing";
    world.state.status = { ...world.state.status, mode: next.mode, preset: next.preset, protection: follows ? { state: next.mode === "observe" ? "observing" : "protected" } : protection };
    world.tell([]);
    return next;
  },
};
