import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { renderOn } from "../../../testing/render";
import { LimitMark, NearestLimit } from "./limit-marks";

const signOf = (words: HTMLElement) => words.parentElement?.querySelector("svg")?.getAttribute("class") ?? "";

describe("a limit in the strip", () => {
  it.each([
    [50, /over 50 %/, "lucide-gauge", "text-t2"],
    [80, /over 80 %/, "lucide-triangle-alert", "text-ask"],
    [95, /over 95 %/, "lucide-circle-alert", "text-ask"],
    [100, /limit reached/, "lucide-octagon-alert", "text-deny"],
  ])("says from %d %% on in words, by a sign of its own and in a tone how much is used", (used, said, sign, tone) => {
    renderOn("story", <LimitMark used={used} limit={100} />);
    const words = screen.getByText(said);
    expect(signOf(words)).toContain(sign);
    expect(words.parentElement?.className).toContain(tone);
  });

  it("says nothing under half", () => {
    renderOn("story", <LimitMark used={49} limit={100} />);
    expect(screen.queryByText(/%|reached/)).toBeNull();
  });

  it("is also the nearest of those that the strip has no sum of, by its name", async () => {
    renderOn("story", <NearestLimit />);
    const words = await screen.findByText(/limit reached/);
    expect(words.textContent).toContain("tokens");
    expect(signOf(words)).toContain("lucide-octagon-alert");
  });
});
