import { createMemoryHistory } from "@tanstack/react-router";
import { expect, it } from "vitest";
import { followTrail, stepsBackTo } from "./trail";

it("knows how far back a place lies, and forgets what was left behind", () => {
  const history = createMemoryHistory({ initialEntries: ["/timeline"] });
  followTrail(history);
  expect(stepsBackTo("/timeline")).toBeNull();
  history.replace("/timeline?q=merge");
  history.push("/record/op_1");
  history.push("/record/op_2");
  expect([stepsBackTo("/timeline"), stepsBackTo("/inbox")]).toEqual([2, null]);
  history.go(-2);
  expect([history.location.href, stepsBackTo("/timeline")]).toEqual(["/timeline?q=merge", null]);
  history.push("/inbox");
  expect([stepsBackTo("/timeline"), stepsBackTo("/record/op_1")]).toEqual([1, null]);
});

it("begins with what it sees: what lies before a reload is unknown", () => {
  const history = createMemoryHistory({ initialEntries: ["/timeline", "/record/op_1"] });
  followTrail(history);
  expect(stepsBackTo("/timeline")).toBeNull();
});
