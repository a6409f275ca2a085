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

/** `color-mix(in srgb, var(--one) n%, other)` over a ground, as the browser draws it. */
const mixes = new Map([...css.matchAll(/--([\w-]+): color-mix\(in srgb, var\(--([\w-]+)\) (\d+)%, (transparent|var\(--([\w-]+)\))\)/g)].map((match) => [match[1], { of: match[2] ?? "", share: Number(match[3]) / 100, on: match[5] ?? null }] as const));

function mixed(name: string, theme: number, ground: string): string {
  const mix = mixes.get(name);
  if (!mix) throw new Error(`no mix ${name}`);
  const [above, below] = [hex(mix.of, theme), mix.on === null ? ground : hex(mix.on, theme)];
  const channel = (at: number) => Math.round(Number.parseInt(above.slice(at, at + 2), 16) * mix.share + Number.parseInt(below.slice(at, at + 2), 16) * (1 - mix.share));
  return `#${[1, 3, 5].map((at) => channel(at).toString(16).padStart(2, "0")).join("")}`;
}

function hex(name: string, theme: number): string {
  const value = pairs.get(name)?.[theme];
  if (!value) throw new Error(`no token ${name}`);
  return value;
}

const GROUNDS = ["canvas", "surface", "inset", "selected"];
const MEANINGS = ["allow", "deny", "ask", "info", "budget"];

describe.each([["light", 0], ["dark", 1]] as const)("contrast in %s", (_, theme) => {
  it.each(["text-1", "text-2", "text-3"])("%s reads on every ground, also under the pointer", (text) => {
    for (const ground of GROUNDS) {
      expect(contrast(hex(text, theme), hex(ground, theme)), ground).toBeGreaterThanOrEqual(4.5);
    }
    for (const ground of ["canvas", "surface"]) expect(contrast(hex(text, theme), mixed("hover", theme, hex(ground, theme))), `hover on ${ground}`).toBeGreaterThanOrEqual(4.5);
  });

  it.each(["text-1", "text-2"])("%s reads on a badge and on every tint", (text) => {
    for (const ground of ["canvas", "surface"]) expect(contrast(hex(text, theme), mixed("fill", theme, hex(ground, theme))), `fill on ${ground}`).toBeGreaterThanOrEqual(4.5);
    for (const meaning of MEANINGS) expect(contrast(hex(text, theme), hex(`${meaning}-tint`, theme)), meaning).toBeGreaterThanOrEqual(4.5);
  });

  it.each(MEANINGS)("%s reads on surface and on its own tint", (colour) => {
    for (const ground of ["surface", "canvas", "selected", `${colour}-tint`]) expect(contrast(hex(colour, theme), hex(ground, theme)), ground).toBeGreaterThanOrEqual(4.5);
    expect(contrast(hex(colour, theme), mixed("hover", theme, hex("surface", theme))), "hover").toBeGreaterThanOrEqual(4.5);
  });

  it("controls and the focus ring stand out", () => {
    for (const ground of GROUNDS) {
      expect(contrast(hex("border-control", theme), hex(ground, theme)), ground).toBeGreaterThanOrEqual(2.99);
      expect(contrast(hex("accent", theme), hex(ground, theme)), ground).toBeGreaterThanOrEqual(3);
    }
    expect(contrast(hex("on-accent", theme), hex("accent", theme))).toBeGreaterThanOrEqual(4.5);
  });

  it("the accent reads as a link, and the mark is seen", () => {
    for (const ground of ["surface", "canvas"]) expect(contrast(hex("accent", theme), hex(ground, theme)), ground).toBeGreaterThanOrEqual(4.5);
    expect(contrast(hex("mark", theme), hex("surface", theme))).toBeGreaterThanOrEqual(3);
  });
});

describe("more contrast", () => {
  const swaps = (block: string) => [...block.matchAll(/--([\w-]+): var\(--([\w-]+)\)/g)].map((match) => [match[1] ?? "", match[2] ?? ""] as const);
  const bySystem = swaps(/prefers-contrast: more\) \{([^}]*)\}/.exec(css)?.[1] ?? "");
  const byWish = swaps(/data-contrast="more"\] \{([^}]*)\}/.exec(css)?.[1] ?? "");

  it("is the same by wish of the system and of the person", () => {
    expect(bySystem).toHaveLength(4);
    expect(byWish).toEqual(bySystem);
  });

  it("makes what it swaps stronger, never weaker", () => {
    for (const theme of [0, 1]) {
      for (const [name, by] of byWish) {
        const surface = hex("surface", theme);
        const before = pairs.has(name) ? hex(name, theme) : null;
        const ordinary = before ?? (name === "border-row" ? hex("border", theme) : mixed(name, theme, surface));
        expect(contrast(hex(by, theme), surface), name).toBeGreaterThan(contrast(ordinary, surface));
      }
    }
  });
});
