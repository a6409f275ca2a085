import { describe, expect, it } from "vitest";
import { bytes, money, moneyShort, tokens } from "./money";

describe("money", () => {
  it("keeps its sign and never shows a false zero", () => {
    const table: [number, string][] = [
      [0, "$0"],
      [1, "<$0.00001"],
      [18_000, "$0.00002"],
      [420_000, "$0.00042"],
      [1_000_000, "$0.001"],
      [4_149_000, "$0.0041"],
      [9_990_000, "$0.01"],
      [41_000_000, "$0.041"],
      [410_000_000, "$0.41"],
      [3_180_000_000, "$3.18"],
      [-1_000_000_000, "-$1.00"],
      [1_310_000_000_000, "$1,310.00"],
    ];
    for (const [nano, text] of table) expect(money(nano)).toBe(text);
  });

  it("drops cents from whole limits only", () => {
    expect(moneyShort(20_000_000_000)).toBe("$20");
    expect(moneyShort(3_180_000_000)).toBe("$3.18");
    expect(moneyShort(4_000_000)).toBe("$0.004");
  });
});

describe("counts", () => {
  it("are short and keep their unit", () => {
    expect([tokens(999), tokens(8_140), tokens(41_200), tokens(168_000), tokens(1_200_000)]).toEqual(["999", "8.1k", "41.2k", "168k", "1.2M"]);
    expect([bytes(1), bytes(28), bytes(14_200), bytes(3_100_000)]).toEqual(["1 byte", "28 bytes", "14.2 kB", "3.1 MB"]);
  });
});
