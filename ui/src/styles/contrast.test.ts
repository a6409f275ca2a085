import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** The two values of every `--name: light-dark(#…, #…)`. */
const css = readFileSync("src/styles/tokens.css", "utf8");
const pairs = new Map([...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map((match) => [match[1], [match[2], match[3]]] as const));

function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function hex(name: string, theme: number): string {
  const value = pairs.get(name)?.[theme];
  if (!value) throw new Error(`no token ${name}`);
  return value;
}

describe.each([["light", 0], ["dark", 1]] as const)("contrast in %s", (_, theme) => {
  it.each(["text-1", "text-2", "text-3"])("%s reads on every surface", (text) => {
    for (const ground of ["canvas", "surface", "inset", "selected"]) expect(contrast(hex(text, theme), hex(ground, theme)), ground).toBeGreaterThanOrEqual(4.5);
  });

  it.each(["allow", "deny", "ask", "info", "budget"])("%s reads on surface and on its own tint", (colour) => {
    for (const ground of ["surface", "canvas", "selected", `${colour}-tint`]) expect(contrast(hex(colour, theme), hex(ground, theme)), ground).toBeGreaterThanOrEqual(4.5);
  });

  it("controls and the focus ring stand out", () => {
    for (const ground of ["surface", "canvas", "inset", "selected"]) {
      expect(contrast(hex("border-control", theme), hex(ground, theme)), ground).toBeGreaterThanOrEqual(2.99);
      expect(contrast(hex("accent", theme), hex(ground, theme)), ground).toBeGreaterThanOrEqual(3);
    }
    expect(contrast(hex("on-accent", theme), hex("accent", theme))).toBeGreaterThanOrEqual(4.5);
  });
});
