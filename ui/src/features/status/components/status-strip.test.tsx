import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { StateName } from "../../../engine/fake";
import { renderOn } from "../../../testing/render";
import { StatusStrip } from "./status-strip";

describe("the strip", () => {
  it.each<[StateName, RegExp]>([
    ["story", /^Protected/],
    ["stopped", /^Stopped/],
    ["degraded", /^the proxy does not run/],
    ["paused", /^Paused until \d\d:\d\d/],
    ["observing", /^Observing/],
    ["lost", /^Degraded: engine not reachable/],
  ])("says the true thing when %s", async (state, word) => {
    renderOn(state, <StatusStrip onFix={() => {}} onRecord={() => {}} />);
    expect(await screen.findByText(word)).toBeTruthy();
  });

  it("names the record where the chain broke", async () => {
    renderOn("broken", <StatusStrip onFix={() => {}} onRecord={() => {}} />);
    expect((await screen.findByText(/chain broken at #48203/)).closest("[role]")?.getAttribute("role")).toBe("alert");
  });
});
