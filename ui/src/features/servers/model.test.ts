import { describe, expect, it } from "vitest";
import { pick } from "../../testing/from";
import { serverDetails } from "../../testing/recorded/servers";
import { approval, badEnds, callsQuery, claimsOf, inOrder, problemOf, short, toReview } from "./model";

const of = (name: string) => structuredClone(pick(serverDetails, (one) => one.server.name === name));

describe("what waits for a review", () => {
  it("is named with the digest that was shown, and nothing else is", () => {
    const office = of("office");
    const changed = pick(office.tools, (tool) => tool.standing === "changed");
    expect(approval(office, null)).toEqual({ server: "office", identity: null, tools: [{ name: changed.name, digest: changed.digest }] });
    expect(approval(office, "update_customer_records").tools).toEqual([]);
  });

  it("is never a tool without its server, where that waits too", () => {
    const weather = of("weather");
    const one = pick(weather.tools);
    expect(toReview(weather).server).toBe(true);
    expect(approval(weather, one.name)).toEqual({ server: "weather", identity: weather.identity?.digest, tools: [{ name: one.name, digest: one.digest }] });
  });

  it("comes first, then what is left alone, then by name", () => {
    const [office, weather, github] = [of("office").server, of("weather").server, of("github").server];
    const off = { ...github, name: "zeta", cutOff: [{ tool: null, why: "it is gone", since: "2026-11-20T12:00:00Z", nextTrial: "2026-11-20T12:01:00Z", failures: 5 }] };
    expect(inOrder([github, off, weather, office]).map((one) => one.name)).toEqual(["office", "weather", "zeta", "github"]);
    expect([office, weather, off, github].map(problemOf)).toEqual([{ kind: "tools", count: 1 }, { kind: "new", count: 2 }, { kind: "cutOff", count: 1 }, null]);
  });
});

describe("a tool", () => {
  const tool = pick(of("github").tools);

  it("claims what its annotations say, and nothing where they are silent", () => {
    const claims = (annotations: Record<string, boolean>) => claimsOf({ ...tool, annotations });
    expect(claims({})).toEqual(["silent"]);
    expect(claims({ readOnlyHint: true, destructiveHint: true })).toEqual(["reads"]);
    expect(claims({ readOnlyHint: false })).toEqual(["destroys"]);
    expect(claims({ destructiveHint: false, idempotentHint: true, openWorldHint: true })).toEqual(["writes", "repeats", "outside"]);
  });

  it("tells only those ends that there were", () => {
    expect(badEnds({ ok: 9, toolError: 0, schemaFailure: 2, timeout: 0, refused: 1, unknown: 0 })).toEqual([{ end: "schemaFailure", count: 2 }, { end: "refused", count: 1 }]);
  });

  it("is found in the Timeline whatever its name is", () => {
    expect(callsQuery("office", "send_mail")).toBe("server:office tool:send_mail");
    expect(callsQuery('a "b" OR c')).toBe('server:"a b OR c"');
    expect([short("abc"), short(`sha256:${"0123456789abcdef".repeat(4)}`)]).toEqual(["abc", "012345…cdef"]);
  });
});
