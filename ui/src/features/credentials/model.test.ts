import { describe, expect, it } from "vitest";
import { credential } from "../../testing/agents";
import { checks, drafts } from "../../testing/recorded/weighed";
import { rules } from "../../testing/recorded/policies";
import { answerable, askChange, askOf, askText, rotationDue } from "./model";

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
