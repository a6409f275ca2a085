import { describe, expect, it } from "vitest";
import { story } from "../../testing/story";
import { bodyBytes, exact, exactText, hostOf, sentence, shareLeft, sorted } from "./model";

const NOW = Date.parse("2026-11-20T13:03:39Z");
const { open } = story(NOW);
const question = (id: string) => open.find((one) => one.id === id)!;

describe("a question", () => {
  it("stands in the queue by risk, then by time left", () => {
    expect(sorted(open).map((one) => one.id)).toEqual(["apr_1", "apr_2", "apr_3", "apr_4", "apr_5"]);
  });

  it("has a sentence of ours and never the agent's words", () => {
    expect(open.map((one) => sentence(one).key)).toEqual(["shell", "llmBudget", "mcp", "httpRead", "mcp"]);
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
});
