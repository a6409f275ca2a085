import { describe, expect, it } from "vitest";
import { destination } from "./links";

const UNKNOWN = { to: "/timeline", search: { link: "unknown" } };

describe("a link from outside", () => {
  it.each([
    ["reeve://inbox", { to: "/inbox" }],
    ["/inbox", { to: "/inbox" }],
    ["reeve://inbox/apr_1", { to: "/inbox/$approval", params: { approval: "apr_1" } }],
    ["reeve://record/op_48210", { to: "/timeline", search: { op: "op_48210" } }],
    ["reeve://session/ses_7", { to: "/timeline", search: { q: "session:ses_7" } }],
    ["reeve://agents/claude-code", { to: "/agents/$agent", params: { agent: "claude-code" } }],
    ["reeve://servers", { to: "/servers" }],
    ["reeve://credentials", { to: "/credentials" }],
    ["reeve://policies", { to: "/policies" }],
    ["reeve://settings/protection", { to: "/settings/$tab", params: { tab: "protection" } }],
    ["reeve://timeline/", { to: "/timeline", search: {} }],
  ])("%s leads to its place", (link, place) => {
    expect(destination(link)).toEqual(place);
  });

  it.each([
    "", "reeve://", "reeve://record", "reeve://inbox/apr_1/allow", "reeve://inbox/apr_1?answer=allow", "reeve://inbox/../settings", "reeve://settings", "reeve://settings/protection/pause",
    "reeve://status.resume", "javascript:alert(1)", "https://example.com/inbox", "//example.com/inbox", "reeve://session/a b", "reeve://inbox/%61", null, 7, {},
  ])("%j names nothing we know", (link) => {
    expect(destination(link)).toEqual(UNKNOWN);
  });

  it("however it is mangled, carries nothing but a known place and a plain id", () => {
    // A small generator with a fixed seed: the same links on every machine.
    let seed = 20_261_120;
    const next = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const parts = ["reeve://", "/", "inbox", "record", "session", "timeline", "agents", "settings", "apr_1", "..", "?", "&answer=allow", "#", "%2f", ":", "\u202e", "\0", "\n", "\"", "status.resume", "x".repeat(90), " "];
    let known = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const place = destination(Array.from({ length: 1 + next(6) }, () => parts[next(parts.length)]).join(""));
      if ("search" in place && place.search.link === "unknown") {
        expect(place).toEqual(UNKNOWN);
        continue;
      }
      known += 1;
      expect(["/inbox", "/inbox/$approval", "/timeline", "/agents", "/agents/$agent", "/settings/$tab"]).toContain(place.to);
      const carried = "params" in place ? Object.values(place.params) : "search" in place ? Object.values(place.search) : [];
      for (const value of carried) expect(value).toMatch(/^(session:)?[A-Za-z0-9_-]{1,64}$/);
    }
    expect(known).toBeGreaterThan(10);
  });
});
