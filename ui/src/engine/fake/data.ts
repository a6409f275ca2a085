// What the record holds, how long it is kept, and wiping it, as a recorded engine has it.
import type { DataDto } from "../bindings/DataDto";
import type { RemovableDto } from "../bindings/RemovableDto";
import type { RetentionDto } from "../bindings/RetentionDto";
import { EngineError } from "../client";
import { demandForHigh } from "./presence";
import { changeData, dataOf } from "./settings";
import type { Handlers, World } from "./world";

const DAY = 86_400_000;

/** What is older than so many days, or more than so many megabytes: a share of what there is. */
function going(data: DataDto, keep: RetentionDto, now: number): RemovableDto {
  const nothing = { records: 0, operations: 0, bytes: 0, until: null };
  if (data.since === null) return nothing;
  const since = Date.parse(data.since);
  const byAge = keep.days === 0 ? 0 : (now - keep.days * DAY - since) / (now - since);
  const bySize = keep.megabytes === 0 ? 0 : 1 - (keep.megabytes * 900_000) / data.bytes;
  const share = Math.min(Math.max(byAge, bySize, 0), (now - DAY - since) / (now - since));
  const records = Math.floor(data.records * share);
  if (records <= 0) return nothing;
  return { records, operations: Math.floor(records / 2.4), bytes: Math.floor(data.bytes * share), until: new Date(since + (now - since) * share).toISOString() };
}

function latest(world: World): number {
  const { rows } = world.state;
  return rows[0] ? Date.parse(rows[0].at) : Date.now();
}

function less(before: number, after: number): boolean {
  return after > 0 && (before === 0 || after < before);
}

export const data: Handlers<"audit.weigh_removal" | "audit.set_retention" | "audit.wipe"> = {
  "audit.weigh_removal": (world, keep) => going(dataOf(world), keep, latest(world)),
  "audit.set_retention": (world, { keep, proof }) => {
    const old = dataOf(world);
    if (less(old.keep.days, keep.days) || less(old.keep.megabytes, keep.megabytes)) demandForHigh(world, "keeping less of the record", proof);
    const gone = going(old, keep, latest(world));
    const head = world.state.status.chain.head;
    return changeData(world, { keep, ...(gone.until === null ? {} : { records: old.records - gone.records, since: gone.until, removedTo: head - (old.records - gone.records), removedAt: new Date(latest(world)).toISOString() }) });
  },
  "audit.wipe": (world, { confirm, credentials, proof }) => {
    if (confirm !== "wipe the record") throw new EngineError({ code: "invalid", message: "nothing was wiped: the words are `wipe the record`", hint: null });
    const running = world.agents.filter((agent) => agent.running > 0);
    if (running.length > 0) throw new EngineError({ code: "failed", message: `the record is not wiped while sessions run: ${running.map((agent) => agent.id).join(", ")}`, hint: null });
    demandForHigh(world, "wiping the record", proof);
    if (credentials) world.credentials = [];
    const head = world.state.status.chain.head + 1;
    Object.assign(world.state, { rows: [], notices: [], resolved: [], open: [], status: { ...world.state.status, held: 0, chain: { head, ok: true, brokenAt: null, problem: null } } });
    world.emit({ status: world.state.status, lagged: true });
    const at = new Date().toISOString();
    return changeData(world, { records: 1, bytes: 94_000, since: at, removedTo: head - 1, removedAt: at, problem: null });
  },
};
