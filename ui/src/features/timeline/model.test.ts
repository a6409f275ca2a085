import { describe, expect, it } from "vitest";
import type { NoticeDto } from "../../engine/bindings/NoticeDto";
import { row } from "../../testing/story";
import { labelsOf, placeOf } from "./components/histogram";
import { asked, brushed, curlOf, isNotice, lines, printWindows, queryOf, split, stateOf, suggestions, windows, writtenState, zoomedIn, zoomedOut } from "./model";

const rows = [5, 4, 3, 2].map((record) => row(record, "2026-11-20T13:03:39Z", {}));

describe("the list", () => {
  it("shows all rows while it follows the newest, and counts those above a frozen top", () => {
    const all = lines(rows, []);
    expect(split(all, null)).toEqual({ shown: all, waiting: 0 });
    expect(split(all, 3)).toEqual({ shown: all.slice(2), waiting: 2 });
    expect(split(all, 1)).toEqual({ shown: all, waiting: 0 });
  });

  it("stays frozen when the line at its top becomes part of a newer one", () => {
    const call = row(8, "2026-11-20T13:03:39Z", { kind: "mcp", state: "approved" });
    const preview = row(6, "2026-11-20T13:03:38Z", { kind: "mcp", purpose: "preview", partOf: call.id });
    expect(split(lines([preview, ...rows], []), 6).waiting).toBe(0);
    expect(split(lines([call, preview, ...rows], []), 6)).toMatchObject({ waiting: 1, shown: rows.map(({ id }) => ({ id })) });
  });

  it("knows states as the grammar writes them", () => {
    expect([stateOf("would-deny"), stateOf("denied"), stateOf("nonsense")]).toEqual(["wouldDeny", "denied", null]);
  });
});

describe("lines", () => {
  const notice = (record: number): NoticeDto => ({ record, at: "2026-11-20T13:03:39Z", event: "tool.cut_off", tone: "bad", agent: null, agentName: null, session: null, operation: null, server: "files", credential: null, summary: "`files` is left alone after 5 failures", more: [] });

  it("stand in the order of their records, whatever they are", () => {
    expect(lines(rows, [notice(9), notice(3), notice(1)]).map((line) => (line.kind === "row" ? line.row.record : -line.notice.record))).toEqual([-9, 5, 4, 3, -3, 2, -1]);
    expect([isNotice("48195"), isNotice("op_1")]).toEqual([true, false]);
  });

  it("show a preview as part of the call that it was made for, and by itself where that is not in the list", () => {
    const call = row(8, "2026-11-20T13:03:39Z", { kind: "mcp", state: "approved" });
    const preview = row(6, "2026-11-20T13:03:38Z", { kind: "mcp", purpose: "preview", partOf: call.id });
    expect(lines([call, preview, ...rows], []).map((line) => line.id)).toEqual([call.id, ...rows.map((one) => one.id)]);
    expect(lines([call, preview], [])[0]).toMatchObject({ kind: "row", tried: [preview] });
    expect(lines([preview], [])).toMatchObject([{ id: preview.id, tried: [] }]);
  });
});

describe("suggestions", () => {
  const values = [{ value: "claude-code", count: 7 }, { value: "two words", count: 3 }];

  it("are keys first, then values with their counts", () => {
    expect(suggestions("ag", values).map((one) => one.text)).toEqual(["agent:"]);
    expect(suggestions("-agent:c", values)).toEqual([
      { text: "-agent:claude-code", open: false, count: 7 },
      { text: '-agent:"two words"', open: false, count: 3 },
    ]);
    expect(suggestions("", values)[0]).toEqual({ text: "agent:", open: true, count: null });
    expect(suggestions("nonsense:x", values)).toEqual([]);
  });

  it("ask for values only where a person picks one", () => {
    expect(asked("-Host:*.git")).toEqual({ key: "host", begun: ".git" });
    expect(asked('agent:"two')).toEqual({ key: "agent", begun: "two" });
    for (const open of ["", "age", "cost:>", "since:7", "nonsense:x", ":"]) expect(asked(open)).toBeNull();
  });
});

describe("the histogram's window", () => {
  const brush = { since: "2026-11-20T13:00:00Z", before: "2026-11-20T13:30:00Z" };

  it("stays as it was while a stretch of it is chosen, also a second time", () => {
    const once = brushed("kind:llm since:24h", [], brush);
    expect(once.query).toBe("kind:llm since:2026-11-20T13:00:00Z before:2026-11-20T13:30:00Z");
    expect(once.windows).toEqual([{ since: "24h", before: null }]);
    const again = brushed(once.query, once.windows, { ...brush, since: "2026-11-20T13:10:00Z" });
    expect(again.windows).toBe(once.windows);
  });

  it("zooms to what is chosen and back, step by step, to where it began", () => {
    const { query, windows: outer } = brushed("kind:llm since:24h", [], brush);
    const inner = zoomedIn(query, outer);
    expect(inner).toEqual([{ since: "24h", before: null }, brush]);
    expect(zoomedIn(query, inner)).toBe(inner);
    expect(zoomedIn("kind:llm", [])).toEqual([]);
    const back = zoomedOut(query, inner);
    expect(back).toEqual({ query, windows: outer });
    expect(zoomedOut(back.query, back.windows)).toEqual({ query: "kind:llm since:24h", windows: [] });
  });

  it("is held by an address", () => {
    for (const all of [[], [{ since: null, before: null }], [{ since: "24h", before: null }, brush]]) expect(windows(printWindows(all))).toEqual(all);
  });

  it("knows where the chosen stretch lies among the bins", () => {
    const bins = [0, 1, 2, 3].map((at) => ({ at: new Date(Date.parse(brush.since) + at * 60_000).toISOString(), allowed: 1, held: 0, denied: 0 }));
    expect(placeOf({ since: bins[1]!.at, before: bins[3]!.at }, bins, 60_000)).toEqual({ from: 1, to: 3 });
    expect(placeOf({ since: "2020-01-01T00:00:00Z", before: null }, bins, 60_000)).toEqual({ from: 0, to: 4 });
    expect(placeOf({ since: "24h", before: null }, bins, 60_000)).toBeNull();
  });
});

describe("the histogram's axis", () => {
  const NOON = new Date(2026, 10, 20, 12).getTime();
  const HOUR = 3_600_000;
  const every = (hours: number, first: number, count: number) => labelsOf(Array.from({ length: count }, (_, at) => ({ at: new Date(first + at * hours * HOUR).toISOString() })), NOON);

  it("names each day once, where it begins, and today never alone", () => {
    expect(every(1, NOON - 3 * HOUR, 3)).toEqual(["09:00", "10:00", "11:00"]);
    expect(every(6, NOON - 24 * HOUR, 5)).toEqual(["19 Nov 12:00", "18:00", "20 Nov 00:00", "06:00", "12:00"]);
  });

  it("names days alone where marks are a day apart, and seconds within minutes", () => {
    expect(every(24, NOON - 48 * HOUR, 3)).toEqual(["18 Nov", "19 Nov", "20 Nov"]);
    expect(every(1 / 60, NOON - 24 * HOUR, 2)).toEqual(["19 Nov 12:00:00", "12:01:00"]);
    expect(labelsOf([], NOON)).toEqual([]);
  });
});

describe("a row as text", () => {
  it("is one query that means it alone, in the words of the grammar", () => {
    expect(queryOf(rows[0]!)).toBe(`record:${rows[0]!.id}`);
    expect((["wouldDeny", "denied", "wouldHold"] as const).map(writtenState)).toEqual(["would-deny", "denied", "would-hold"]);
  });

  it("is a command that no shell reads anything else into", () => {
    const endpoint = { scheme: "https", host: "api.example.com", port: 8443, method: "POST", path: "/it's/$(here)" };
    expect(curlOf({ subject: "http", endpoint, query: "a=1&b=`x`", content_type: "text/plain" })).toBe(
      "curl --request POST 'https://api.example.com:8443/it'\\''s/$(here)?a=1&b=`x`' --header 'content-type: text/plain'",
    );
    for (const other of [null, "text", [], { subject: "llm", endpoint }, { subject: "http" }, { subject: "http", endpoint: { ...endpoint, path: 3 } }]) expect(curlOf(other)).toBeNull();
  });
});
