import { describe, expect, it, vi } from "vitest";
import { facts } from "../testing/cards";
import { arming, row, status, story } from "../testing/story";
import type { ApprovalDto } from "./bindings/ApprovalDto";
import type { ApprovalsPage } from "./bindings/ApprovalsPage";
import { FakeEngine } from "./fake";
import { CONNECTION, createQueryClient, keyOf, TIMED } from "./query";
import { type Pages, replaceNewest, upsert } from "./rows";
import { applyBatch, mergeApprovals, searchKey, startStream } from "./stream";

const at = "2026-11-20T13:03:39Z";
const rows = (...records: number[]) => records.map((record) => row(record, at, {}));
const pages = (...all: number[][]): Pages => ({ pages: all.map((records, index) => ({ rows: rows(...records), next: index < all.length - 1 ? "x" : null, problems: [] })), pageParams: all.map(() => null) });
const records = ({ pages: all }: Pages) => all.map((page) => page.rows.map((one) => one.record));

describe("rows", () => {
  it("that are new come to the front, newest first, and known ones change in place", () => {
    const changed = [...rows(12, 13), row(8, at, { state: "denied" })];
    const next = upsert(pages([10, 9], [8, 7]), changed, true);
    expect(records(next)).toEqual([[13, 12, 10, 9], [8, 7]]);
    expect(next.pages[1]!.rows[0]!.state).toBe("denied");
  });

  it("that are new wait for the engine's word under a query", () => {
    expect(records(upsert(pages([10, 9]), rows(12), false))).toEqual([[10, 9]]);
  });

  it("older than a fresh first page stay, and what the page covers is replaced", () => {
    const fresh = { rows: rows(14, 12, 9), next: "9", problems: [] };
    expect(records(replaceNewest(pages([10, 9], [8, 7]), fresh))).toEqual([[14, 12, 9], [8, 7]]);
    expect(records(replaceNewest(pages([10, 9], [8]), { ...fresh, next: null }))).toEqual([[14, 12, 9]]);
  });
});

describe("sessions", () => {
  it("are asked for again where something happened in them, and nowhere else", async () => {
    const client = createQueryClient();
    const engine = new FakeEngine("story", Date.parse(at));
    const end = startStream(engine, client);
    const flowOf = (session: string) => keyOf({ call: "sessions.flow", input: { session, query: "" } });
    for (const key of [flowOf("ses_1"), flowOf("ses_2"), ["sessions.search", ""]]) client.setQueryData(key, {});
    engine.add({ row: row(60_000, at, { session: "ses_1" }) });
    await vi.waitFor(() => expect(client.getQueryState(flowOf("ses_1"))?.isInvalidated).toBe(true), { timeout: 15_000 });
    expect(client.getQueryState(["sessions.search", ""])?.isInvalidated).toBe(true);
    expect(client.getQueryState(flowOf("ses_2"))?.isInvalidated).toBe(false);
    end();
  });
});

describe("counts", () => {
  it("are asked for again when something was recorded, but for those that the clock asks for", async () => {
    const client = createQueryClient();
    const engine = new FakeEngine("story", Date.parse(at));
    const end = startStream(engine, client);
    const counted = keyOf({ call: "operations.facets", input: { query: "since:24h" } });
    for (const key of [counted, [...counted, TIMED]]) client.setQueryData(key, {});
    engine.add({ row: row(60_000, at, {}) });
    await vi.waitFor(() => expect(client.getQueryState(counted)?.isInvalidated).toBe(true), { timeout: 15_000 });
    expect(client.getQueryState([...counted, TIMED])?.isInvalidated).toBe(false);
    end();
  });
});

describe("a batch", () => {
  const told = story(Date.parse(at), 5);
  const [first, second] = told.open as [(typeof told.open)[0], (typeof told.open)[0]];

  it("moves an answered question from open to resolved", () => {
    const answered = { ...first, resolved: { resolution: { kind: "expired" as const }, by: "Reeve", surface: "engine" as const, at: "2026-11-20T13:59:00Z", readingMs: null } };
    const page: ApprovalsPage = mergeApprovals({ open: told.open, resolved: told.resolved }, [answered]);
    expect(page.open.map((one) => one.id)).not.toContain(first.id);
    expect(page.resolved[0]?.id).toBe(first.id);
  });

  it("lets a card keep the nonce it was shown with, until what it asks has changed", () => {
    const client = createQueryClient();
    const key = keyOf({ call: "approvals.get", input: { approval: second.id } });
    client.setQueryData(key, { ...second, arming: arming(second), facts: facts(second) });
    const batch = { operations: [], endedSessions: [], status: null, lagged: false };
    // The stream does not know what is around a question.
    applyBatch(client, { ...batch, approvals: [{ ...second, joined: 9, facts: null }] });
    expect(client.getQueryData(key)).toMatchObject({ joined: 9, arming: { nonce: `n-${second.id}` }, facts: facts(second) });
    applyBatch(client, { ...batch, approvals: [{ ...second, fingerprint: "0".repeat(64) }] });
    expect(client.getQueryState(key)?.isInvalidated).toBe(true);
  });

  it("sets the status, and a lagged one asks for everything again", () => {
    const client = createQueryClient();
    client.setQueryData(searchKey(""), pages([1]));
    applyBatch(client, { operations: [], approvals: [], endedSessions: [], status: status({ held: 3 }), lagged: true });
    expect(client.getQueryData(keyOf({ call: "status.get" }))).toMatchObject({ held: 3 });
    expect(client.getQueryState(searchKey(""))?.isInvalidated).toBe(true);
  });
});

describe("the stream", () => {
  it("asks again what is around a card that somebody joined, and leaves it armed as it was", async () => {
    const client = createQueryClient();
    const engine = new FakeEngine("story", Date.parse(at));
    const end = startStream(engine, client);
    const [card] = story(Date.parse(at), 5).open as [ApprovalDto];
    const key = keyOf({ call: "approvals.get", input: { approval: card.id } });
    client.setQueryData(key, { ...card, arming: { ...arming(card), nonce: "as it was shown" }, facts: null });
    engine.add({ approval: { ...card, joined: card.joined + 1, facts: null } });
    await vi.waitFor(() => expect(client.getQueryData(key)).toMatchObject({ facts: { command: expect.any(Array) }, arming: { nonce: "as it was shown" } }), { timeout: 15_000 });
    end();
  });

  it("tells when the engine is lost, and when it answers", async () => {
    const client = createQueryClient();
    const end = startStream(new FakeEngine("lost"), client);
    await vi.waitFor(() => expect(client.getQueryData(CONNECTION)).toMatchObject({ kind: "lost" }), { timeout: 15_000 });
    end();
    startStream(new FakeEngine("story"), client);
    await vi.waitFor(() => expect(client.getQueryData(CONNECTION)).toEqual({ kind: "connected" }), { timeout: 15_000 });
  });
});
