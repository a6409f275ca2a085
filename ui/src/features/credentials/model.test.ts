import { describe, expect, it } from "vitest";
import { credential } from "../../testing/agents";
import { checks, drafts } from "../../testing/recorded/weighed";
import { rules } from "../../testing/recorded/policies";
import { answerable, askChange, askOf, askText, asGiven, hostOf, placeName, rotationDue } from "./model";

const DAY = 86_400_000;
const ADDED = Date.parse("2026-11-12T09:12:00Z");

describe("a reminder", () => {
  it("comes when the secret is as old as it says, and not before", () => {
    const one = credential("github", "GitHub token", { rotateDays: 90 });
    expect(rotationDue(one, ADDED + 90 * DAY - 1)).toBe(false);
    expect(rotationDue(one, ADDED + 90 * DAY)).toBe(true);
  });

  it("counts from the last replacement, and never comes where nobody wants it", () => {
    const replaced = credential("github", "GitHub token", { rotateDays: 30, rotatedAt: "2026-12-01T00:00:00Z" });
    expect(rotationDue(replaced, ADDED + 31 * DAY)).toBe(false);
    expect(rotationDue(credential("github", "GitHub token"), ADDED + 10_000 * DAY)).toBe(false);
  });
});

describe("a place", () => {
  const place = { agents: ["codex"], host: "api.example.com", port: 443, methods: ["GET", "POST"], path: "/v1", slot: "x-key: ‹secret›", slotTyped: "header:x-key" };

  it("is called by what it covers, and typed with its port where that is not the usual one", () => {
    expect(placeName(place)).toBe("GET POST api.example.com/v1");
    expect(placeName({ ...place, port: 8443, methods: [], path: null })).toBe("api.example.com:8443");
    expect([hostOf(place), hostOf({ ...place, host: "::1" })]).toEqual(["api.example.com", "::1:443"]);
  });

  it("is named to the engine by place and slot, for whomever it is", () => {
    expect(asGiven(place)).toEqual({ host: "api.example.com", port: 443, methods: ["GET", "POST"], path: "/v1", slot: "header:x-key" });
  });
});

describe("a rule of its own", () => {
  const written = [askText("acme-demo", "session", []), askText("acme-demo", "always", []), askText("acme-demo", "never", ["ask-first-credential"])];

  it("is a text that the engine read and would take", () => {
    for (const text of written) {
      const at = drafts.findIndex((draft) => draft.changes[0]?.text === text);
      expect(checks[at], text).toMatchObject({ problems: [], ready: true });
    }
  });

  it("is found again by its text, and said to be edited where it was", () => {
    const rule = rules.find((one) => one.id === "no-sudo");
    if (!rule) throw new Error("not recorded");
    const as = (text: string) => askOf("acme-demo", [{ ...rule, id: "use-of-acme-demo", text, lifts: ["ask-first-credential"] }]).ask;
    expect(written.map(as)).toEqual(["session", "always", "never"]);
    expect(as("permit (principal, action, resource);")).toBe("edited");
    expect(askOf("acme-demo", rules).ask).toBe("rules");
  });

  it("answers the asks about credentials that their owner lets others answer, and is no change where nothing changes", () => {
    expect(answerable(rules)).toEqual(["ask-first-credential"]);
    expect(askChange("acme-demo", "rules", rules)).toBeNull();
    expect(askChange("acme-demo", "session", rules)).toMatchObject({ file: "mine.cedar", part: { kind: "new" } });
  });
});
