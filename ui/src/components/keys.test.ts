import { afterEach, describe, expect, it, vi } from "vitest";

/** The keys as a window on that system knows them. */
async function keysOn(userAgent: string) {
  vi.resetModules();
  vi.stubGlobal("navigator", { userAgent });
  return import("./keys");
}

afterEach(() => vi.unstubAllGlobals());

const press = (key: string, code: string, held: Partial<Record<"metaKey" | "ctrlKey" | "altKey" | "shiftKey", boolean>> = {}) => ({ key, code, metaKey: false, ctrlKey: false, altKey: false, shiftKey: false, ...held });

describe("back and forward", () => {
  it("are Alt with an arrow, and nothing that holds another key too", async () => {
    const { HISTORY, historyStep } = await keysOn("X11; Linux x86_64");
    const step = (held: Parameters<typeof press>[2]) => [historyStep(press("ArrowLeft", "ArrowLeft", held)), historyStep(press("ArrowRight", "ArrowRight", held))];
    expect(step({ altKey: true })).toEqual([-1, 1]);
    for (const held of [{}, { altKey: true, shiftKey: true }, { altKey: true, ctrlKey: true }, { ctrlKey: true }, { altKey: true, metaKey: true }]) expect(step(held)).toEqual([0, 0]);
    expect(historyStep(press("ArrowUp", "ArrowUp", { altKey: true }))).toBe(0);
    expect(historyStep(press("[", "BracketLeft", { metaKey: true }))).toBe(0);
    expect(HISTORY.back).toEqual(["alt", "←"]);
  });

  it("are ⌘ with a bracket on a Mac, where ⌥ with an arrow moves the caret", async () => {
    const { HISTORY, historyStep } = await keysOn("Macintosh; Intel Mac OS X 10_15_7");
    expect([historyStep(press("[", "BracketLeft", { metaKey: true })), historyStep(press("]", "BracketRight", { metaKey: true }))]).toEqual([-1, 1]);
    expect(historyStep(press("ArrowLeft", "ArrowLeft", { altKey: true }))).toBe(0);
    expect(historyStep(press("{", "BracketLeft", { metaKey: true, shiftKey: true }))).toBe(0);
    expect(HISTORY.forward).toEqual(["mod", "]"]);
  });
});
