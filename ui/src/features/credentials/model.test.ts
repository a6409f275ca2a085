import { describe, expect, it } from "vitest";
import { credential } from "../../testing/agents";
import { rotationDue } from "./model";

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
