import { describe, expect, it } from "vitest";
import { flows } from "../testing/recorded/flows";
import { rules } from "../testing/recorded/policies";
import { previewed, previews, proposed, proposals, whatIfs } from "../testing/recorded/weighed";
import { FakeEngine } from "./fake";

describe("the recorded state", () => {
  it("answers about rules and sessions what the engine answered", async () => {
    const engine = new FakeEngine("recorded", Date.now());
    expect(previews.length).toBeGreaterThan(3);
    for (const [at, input] of previewed.entries()) expect(await engine.call({ call: "approvals.preview", input })).toMatchObject({ text: previews[at]?.text, allowed: previews[at]?.allowed });
    for (const [at, input] of proposed.entries()) expect(await engine.call({ call: "policies.propose", input })).toEqual(proposals[at]);
    for (const { operation, recorded, now } of whatIfs) expect(await engine.call({ call: "policies.what_if", input: { operation, draft: null } })).toMatchObject({ recorded, now: { decision: now.decision } });
    for (const { session, nodes } of flows) expect((await engine.call({ call: "sessions.flow", input: { session: session.id, query: "" } })).nodes).toEqual(nodes);
    expect((await engine.call({ call: "policies.list" })).map((rule) => rule.id)).toEqual(rules.map((rule) => rule.id));
  });
});
