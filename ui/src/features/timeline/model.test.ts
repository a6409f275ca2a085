import { describe, expect, it } from "vitest";
import { row } from "../../testing/story";
import { suggestions } from "./components/query-bar";
import { split, stateOf } from "./model";

const rows = [5, 4, 3, 2].map((record) => row(record, "2026-11-20T13:03:39Z", {}));

describe("the list", () => {
  it("shows all rows while it follows the newest, and counts those above a frozen top", () => {
    expect(split(rows, null)).toEqual({ shown: rows, waiting: 0 });
    expect(split(rows, rows[2]!.id)).toEqual({ shown: rows.slice(2), waiting: 2 });
    expect(split(rows, "op_gone")).toEqual({ shown: rows, waiting: 0 });
  });

  it("knows states as the grammar writes them", () => {
    expect([stateOf("would-deny"), stateOf("denied"), stateOf("nonsense")]).toEqual(["wouldDeny", "denied", null]);
  });
});

describe("suggestions", () => {
  const groups = [{ key: "agent", values: [{ value: "claude-code", count: 7 }, { value: "codex", count: 3 }] }];

  it("are keys first, then values with their counts", () => {
    expect(suggestions("ag", groups).map((one) => one.text)).toEqual(["agent:"]);
    expect(suggestions("-agent:codex", groups)).toEqual([{ text: "-agent:codex", open: false, count: 3 }]);
    expect(suggestions("", groups)).toEqual([]);
    expect(suggestions("nonsense:x", groups)).toEqual([]);
  });
});
