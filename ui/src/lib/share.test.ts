import { expect, it } from "vitest";
import { shareOf } from "./share";

it("is told in steps, from half of the limit on", () => {
  expect([0, 499, 500, 799, 800, 949, 950, 999, 1_000, 1_200].map((used) => shareOf(used, 1_000))).toEqual([null, null, 50, 50, 80, 80, 95, 95, 100, 100]);
  expect(shareOf(0, 0)).toBe(100);
});
