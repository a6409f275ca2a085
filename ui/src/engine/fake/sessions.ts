// Sessions with their sums and waterfalls, saved views and single records, as a recorded engine answers them.
import { flow, sessionOf, sums } from "../../testing/flow";
import type { RecordDto } from "../bindings/RecordDto";
import type { ViewDto } from "../bindings/ViewDto";
import { EngineError } from "../client";
import { detail, FIELDS, matching } from "./operations";
import { type Handlers, notFound, type World } from "./world";

const FILE = "/home/dana/.config/reeve/views.toml";
const first = (): ViewDto[] => [
  { name: "Denied this week", query: "decision:denied since:7d" },
  { name: "Dear calls", query: "kind:llm cost:>0.05" },
];
/** One list for each recorded world, so that two engines in one test do not share it. */
const kept = new WeakMap<World, ViewDto[]>();

function views(world: World): ViewDto[] {
  const known = kept.get(world) ?? (world.state.rows.length === 0 ? [] : first());
  kept.set(world, known);
  return known;
}

const answer = (world: World) => ({ views: [...views(world)], file: FILE });

export const sessions: Handlers<
  "sessions.search" | "sessions.flow" | "operations.values" | "operations.views" | "operations.save_view" | "operations.remove_view" | "audit.record" | "audit.verify"
> = {
  "sessions.search": (world, { query, before }) => ({ rows: before === null ? sums(world.state.rows, matching(world, query)) : [], next: null, problems: [] }),
  "sessions.flow": (world, { session, query }) => {
    const heard = query === "" ? world.told?.flows.find((one) => one.session.id === session) : undefined;
    if (heard) return heard;
    const found = sessionOf(world.state.rows, session);
    if (!found) throw notFound(`no session \`${session}\``);
    return flow(found, matching(world, query));
  },
  "operations.values": (world, { query, key, begun }) => {
    const counts = new Map<string, number>();
    for (const row of matching(world, query)) {
      const value = FIELDS[key]?.(row);
      if (value?.toLowerCase().includes(begun.toLowerCase())) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const values = [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count);
    return { values: values.slice(0, 20), capped: false };
  },
  "operations.views": answer,
  "operations.save_view": (world, view) => {
    if (view.name.length > 60) throw new EngineError({ code: "invalid", message: "a view has a name of 1 to 60 characters on one line", hint: null });
    const all = views(world);
    const same = all.find((one) => one.name === view.name);
    if (same) same.query = view.query;
    else all.push({ ...view });
    return answer(world);
  },
  "operations.remove_view": (world, { name }) => {
    const all = views(world);
    if (!all.some((one) => one.name === name)) throw notFound(`no view \`${name}\``);
    kept.set(world, all.filter((one) => one.name !== name));
    return answer(world);
  },
  "audit.record": (world, { record }): RecordDto => {
    const { chain } = world.state.status;
    if (record < 1 || record > chain.head) throw notFound(`no record \`${record}\``);
    const notice = world.state.notices?.find((one) => one.record === record);
    if (notice) {
      const event = { seq: record, at: notice.at, name: notice.event, prev: "0".repeat(64), hash: "1".repeat(64), body: { event: notice.event } };
      return { record, event, text: null, operation: notice.operation, notice, seal: null, problem: null };
    }
    const row = world.state.rows.find((one) => one.record === record || (one.settled && one.record + 1 === record));
    const event = row ? (detail(row, undefined).events.find((one) => one.seq === record) ?? null) : null;
    const broken = chain.brokenAt === record;
    return {
      record,
      event,
      text: null,
      operation: row?.id ?? null,
      seal: null,
      problem: broken ? `record ${record} was changed: its hash is not that of its content` : event === null ? `record ${record} is missing` : null,
    };
  },
  "audit.verify": (world) => {
    const { head, ok, brokenAt, problem } = world.state.status.chain;
    return { ok, events: head, sealedTo: head - 10, removedTo: 0, redacted: 0, keyTrusted: true, keychain: null, brokenAt, problem };
  },
};
