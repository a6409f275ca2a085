import { describe, expect, it } from "vitest";
import { clock, countdown, dated, exact, took } from "./time";

describe("durations", () => {
  it("count down in whole seconds and stop at zero", () => {
    expect([107_000, 106_001, 490_000, 3_723_000, 0, -5_000].map(countdown)).toEqual(["1:47", "1:47", "8:10", "1:02:03", "0:00", "0:00"]);
  });

  it("grow from milliseconds to minutes", () => {
    expect([4, 99, 612, 11_400, 125_000].map(took)).toEqual(["4 ms", "99 ms", "0.6 s", "11.4 s", "2:05"]);
  });
});

describe("instants", () => {
  it("name their day where it is not known already", () => {
    const noon = (day: number) => new Date(2026, 10, day, 12).toISOString();
    expect([dated(noon(20), noon(20)), dated(noon(21), noon(20))]).toEqual(["12:00", "21 Nov 12:00"]);
  });

  it("show milliseconds apart and carry the offset when exact", () => {
    expect(clock("2026-11-20T14:03:22.118Z").fraction).toBe(".118");
    expect(exact("2026-11-20T14:03:22.118Z")).toMatch(/^2026-11-2\d \d\d:\d\d:22\.118 [+-]\d\d:\d\d$/);
  });
});
