// The subscription: batches from the engine go into the cache, by key.
import type { QueryClient } from "@tanstack/react-query";
import type { ApprovalDto } from "./bindings/ApprovalDto";
import type { ApprovalsPage } from "./bindings/ApprovalsPage";
import type { SearchPage } from "./bindings/SearchPage";
import type { StreamBatch } from "./bindings/StreamBatch";
import type { Engine } from "./client";
import { CONNECTION, type Connection, keyOf, TIMED } from "./query";
import { type Pages, replaceNewest, upsert, withNotices } from "./rows";

/** Rows of one page. */
export const PAGE = 100;
/** Counts and filtered searches are asked for again at most this often, in milliseconds. */
const CALM = 400;
/** Sessions and waterfalls, which are larger, at most this often. */
const SLOW = 2_000;
const RESOLVED_KEPT = 200;
/** What the engine counts when it is asked: asked again when something was recorded, as far as a screen shows it, but for what a timer asks. */
const COUNTED = ["operations.facets", "agents.list", "agents.get", "sessions.list", "servers.list", "servers.get", "budgets.lines", "budgets.get"];

export const searchKey = (query: string) => ["operations.search", query] as const;

export function startStream(engine: Engine, client: QueryClient): () => void {
  const calm = throttled(() => refreshCounted(engine, client));
  // Cards on screen that somebody joined: who asks, and what it costs, may be otherwise now.
  const joined = new Set<string>();
  const around = throttled(() => refreshFacts(engine, client, joined), SLOW);
  // Sessions that something happened in since their waterfalls were last asked for.
  const stirred = new Set<string>();
  const slow = throttled(() => refreshSessions(client, stirred), SLOW);
  const end = engine.subscribe((message) => {
    if (message.kind === "batch") {
      for (const id of joinedCards(client, message.batch.approvals)) joined.add(id);
      applyBatch(client, message.batch);
      if (joined.size > 0) around.run();
      calm.run();
      for (const row of message.batch.operations) stirred.add(row.session);
      for (const session of message.batch.endedSessions) stirred.add(session);
      if (stirred.size > 0) slow.run();
      return;
    }
    const now: Connection = message.kind === "connected" ? { kind: "connected" } : { kind: "lost", error: message.error };
    client.setQueryData<Connection>(CONNECTION, now);
  });
  return () => {
    end();
    calm.cancel();
    around.cancel();
    slow.cancel();
  };
}

export function applyBatch(client: QueryClient, batch: StreamBatch): void {
  if (batch.lagged) {
    void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== CONNECTION[0] });
  }
  if (batch.status) client.setQueryData(keyOf({ call: "status.get" }), batch.status);
  for (const noun of batch.changed ?? []) void client.invalidateQueries({ predicate: ({ queryKey: [name] }) => typeof name === "string" && name.startsWith(`${noun}.`) });
  if (batch.approvals.length > 0) {
    client.setQueryData<ApprovalsPage>(keyOf({ call: "approvals.list" }), (page) => page && mergeApprovals(page, batch.approvals));
    for (const approval of batch.approvals) refreshCard(client, approval);
  }
  const { notices = [] } = batch;
  if (notices.length > 0) client.setQueryData<Pages>(searchKey(""), (pages) => pages && withNotices(pages, notices));
  if (batch.operations.length === 0) return;
  for (const [key, pages] of client.getQueriesData<Pages>({ queryKey: ["operations.search"] })) {
    // Other searches are asked under the call's own key, and hold one page that nothing is merged into.
    if (pages && typeof key[1] === "string") client.setQueryData(key, upsert(pages, batch.operations, key[1] === ""));
  }
  for (const row of batch.operations) {
    void client.invalidateQueries({ queryKey: keyOf({ call: "operations.get", input: { operation: row.id } }) });
  }
}

export function mergeApprovals(page: ApprovalsPage, changed: readonly ApprovalDto[]): ApprovalsPage {
  const ids = new Set(changed.map((one) => one.id));
  const open = [...page.open.filter((one) => !ids.has(one.id)), ...changed.filter((one) => one.resolved === null)];
  const resolved = [...changed.filter((one) => one.resolved !== null), ...page.resolved.filter((one) => !ids.has(one.id))];
  resolved.sort((a, b) => (b.resolved?.at ?? "").localeCompare(a.resolved?.at ?? ""));
  return { open, resolved: resolved.slice(0, RESOLVED_KEPT) };
}

const cardKey = (id: string) => keyOf({ call: "approvals.get", input: { approval: id } });

/** A card keeps the nonce it was shown with, and what is known around it, unless what it asks has changed: then it is shown anew. */
function refreshCard(client: QueryClient, approval: ApprovalDto): void {
  const key = cardKey(approval.id);
  const shown = client.getQueryData<ApprovalDto>(key);
  if (!shown) return;
  if (shown.fingerprint !== approval.fingerprint) void client.invalidateQueries({ queryKey: key });
  else client.setQueryData<ApprovalDto>(key, { ...approval, facts: shown.facts, arming: approval.resolved ? null : shown.arming });
}

/** The cards on screen that more wait for than before. */
function joinedCards(client: QueryClient, changed: readonly ApprovalDto[]): string[] {
  const grew = (one: ApprovalDto) => one.joined > (client.getQueryData<ApprovalDto>(cardKey(one.id))?.joined ?? Infinity);
  return changed.filter((one) => one.resolved === null && grew(one)).map((one) => one.id);
}

/** Only what is around the question: with a new nonce the card would be armed anew by every repeat. */
async function refreshFacts(engine: Engine, client: QueryClient, joined: Set<string>): Promise<void> {
  const ids = [...joined];
  joined.clear();
  for (const id of ids) {
    const fresh = await engine.call({ call: "approvals.get", input: { approval: id } }).catch((): ApprovalDto | null => null);
    if (fresh) client.setQueryData<ApprovalDto>(cardKey(id), (shown) => (shown && shown.fingerprint === fresh.fingerprint ? { ...shown, facts: fresh.facts } : shown));
  }
}

async function refreshCounted(engine: Engine, client: QueryClient): Promise<void> {
  for (const name of COUNTED) void client.invalidateQueries({ queryKey: [name], predicate: ({ queryKey }) => queryKey.at(-1) !== TIMED });
  const filtered = client.getQueryCache().findAll({ queryKey: ["operations.search"], type: "active" });
  for (const { queryKey } of filtered) {
    const query = queryKey[1];
    if (typeof query !== "string" || query === "") continue;
    const fresh = await engine.call({ call: "operations.search", input: { query, before: null, limit: PAGE } }).catch((): SearchPage | null => null);
    if (fresh) client.setQueryData<Pages>(queryKey, (pages) => pages && replaceNewest(pages, fresh));
  }
}

/** Sums of sessions, and the waterfalls of those in which something happened. */
async function refreshSessions(client: QueryClient, stirred: Set<string>): Promise<void> {
  const now = new Set(stirred);
  stirred.clear();
  void client.invalidateQueries({ queryKey: ["sessions.search"] });
  void client.invalidateQueries({
    queryKey: ["sessions.flow"],
    predicate: ({ queryKey: [, input] }) => typeof input === "object" && input !== null && "session" in input && now.has(String(input.session)),
  });
}

/** Runs at once, then at most every so many ms, and once more after the last call. */
function throttled(work: () => Promise<void>, every = CALM): { run: () => void; cancel: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const run = (): void => {
    if (timer !== undefined) {
      again = true;
      return;
    }
    void work();
    timer = setTimeout(() => {
      timer = undefined;
      if (again) {
        again = false;
        run();
      }
    }, every);
  };
  return { run, cancel: () => clearTimeout(timer) };
}
