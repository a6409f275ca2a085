import { describe, expect, it } from "vitest";
import { facts, storm } from "../../testing/cards";
import { story } from "../../testing/story";
import { bodyBytes, effectOf, exact, exactText, grouped, hostOf, raiseBy, sentence, shareLeft, shortOf, sorted, storms } from "./model";

const NOW = Date.parse("2026-11-20T13:03:39Z");
const { open } = story(NOW);
const question = (id: string) => open.find((one) => one.id === id)!;

describe("a question", () => {
  it("stands in the queue by risk, then by time left", () => {
    expect(sorted(open).map((one) => one.id)).toEqual(["apr_1", "apr_2", "apr_3", "apr_4", "apr_5"]);
  });

  it("has a sentence of ours and never the agent's words", () => {
    expect(open.map((one) => sentence(one).key)).toEqual(["command.pushes", "llmBudget", "tool.destroys", "httpRead", "tool.writes"]);
    const odd = { ...question("apr_4"), view: { method: "GET\u202e<b>", path: "/", host: "x" } };
    expect(sentence(odd)).toEqual({ key: "httpSend", method: "" });
  });

  it("shows the request as it will be sent", () => {
    expect(exact(question("apr_4"))).toEqual({ head: ["GET /webhooks/signatures", "host: docs.stripe.com"], body: null, tree: undefined });
    const sent = { ...question("apr_4"), view: { method: "POST", scheme: "https", host: "api.github.com", port: 8443, path: "/merge", query: "x=1", body: { bytes: 7, json: { a: 1 } } } };
    expect(exact(sent)).toEqual({ head: ["POST /merge?x=1", "host: api.github.com:8443"], body: null, tree: { a: 1 } });
    expect(bodyBytes(sent)).toBe(7);
    expect(hostOf(sent)).toBe("api.github.com");
  });

  it("names a body that cannot be shown", () => {
    const opaque = { ...question("apr_4"), view: { method: "PUT", scheme: "https", host: "x.dev", port: 443, path: "/f", query: null, body: { bytes: 9, sha256: "ab" } } };
    expect(exactText(opaque)).toContain("sha256");
  });

  it("never runs out of bounds with its time", () => {
    expect(shareLeft(question("apr_1"), NOW)).toBeGreaterThan(0);
    expect(shareLeft(question("apr_1"), NOW + 10_000_000)).toBe(0);
  });

  it("says of its effect what its kind and method tell, and else that it is unknown", () => {
    expect(open.map(effectOf)).toEqual(["unknown", null, "unknown", "reads", "unknown"]);
  });

  it("stands with those that are alike, from three on, and never with another risk", () => {
    const waiting = storm(NOW);
    expect(grouped(waiting).map(({ all }) => all.length)).toEqual([1, 14]);
    expect(grouped(waiting.slice(0, 3)).map(({ all }) => all.length)).toEqual([1, 1, 1]);
    expect(grouped(open).every(({ all }) => all.length === 1)).toBe(true);
  });

  it("is part of a storm when more than ten came within a minute", () => {
    expect(storms(storm(NOW)).map(({ agent, questions }) => [agent, questions.length])).toEqual([["claude-code", 15]]);
    expect(storms(storm(NOW).slice(0, 10))).toEqual([]);
    const slow = storm(NOW).map((one, at) => ({ ...one, askedAt: new Date(NOW + at * 30_000).toISOString() }));
    expect(storms(slow)).toEqual([]);
  });

  it("knows what is short of a budget, and raises by no less", () => {
    const [opus, daily] = facts(question("apr_2")).accounts;
    expect([shortOf(opus!), shortOf(daily!)]).toEqual([110_000_000, 0]);
    expect(raiseBy(opus!)).toBe(5_000_000_000);
    expect(raiseBy({ ...opus!, needed: 12_000_000_000 })).toBe(15_000_000_000);
    expect(raiseBy({ ...opus!, unit: "tokens", needed: 50_000, free: 10 })).toBe(100_000);
  });
});
