import { act, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { StateName } from "../../../engine/fake";
import { renderOn } from "../../../testing/render";
import { StatusStrip } from "./status-strip";

describe("the strip", () => {
  it.each<[StateName, RegExp]>([
    ["story", /^Protected/],
    ["stopped", /^Stopped/],
    ["degraded", /^the record cannot be written: the disk is full/],
    ["paused", /^Paused until \d\d:\d\d/],
    ["observing", /^Observing/],
    ["lost", /^Degraded: engine not reachable/],
  ])("says the true thing when %s", async (state, word) => {
    renderOn(state, <StatusStrip onFix={() => {}} onRecord={() => {}} />);
    expect(await screen.findByText(word)).toBeTruthy();
  });

  it.each<[StateName, boolean]>([
    ["stopped", true],
    ["paused", false],
  ])("asks before it resumes where the tray wants it and it is %s", async (state, asks) => {
    renderOn(state, <StatusStrip onFix={() => {}} onRecord={() => {}} />);
    await screen.findByRole("button", { name: asks ? "Resume…" : "Resume now" });
    act(() => void window.dispatchEvent(new CustomEvent("reeve:resume")));
    expect(screen.queryByText("Resume? Agents may act again.") !== null).toBe(asks);
  });

  it("names the record where the chain broke", async () => {
    renderOn("broken", <StatusStrip onFix={() => {}} onRecord={() => {}} />);
    expect((await screen.findByText(/chain broken at #48203/)).closest("[role]")?.getAttribute("role")).toBe("alert");
  });
});
