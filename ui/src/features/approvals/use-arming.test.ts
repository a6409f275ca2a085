import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Guard, useArming } from "./use-arming";

describe("the guard", () => {
  it("takes nothing before it is armed", () => {
    const guard = new Guard();
    guard.press();
    expect([guard.takesKeys(false), guard.takesClick(true), guard.takesClick(false)]).toEqual([false, false, false]);
  });

  it("ignores keys that were down when it was armed, until they are released", () => {
    const guard = new Guard();
    guard.down("ControlLeft");
    guard.down("Enter");
    guard.arm();
    expect(guard.takesKeys(false)).toBe(false);
    guard.up("Enter");
    expect(guard.takesKeys(false)).toBe(false);
    guard.up("ControlLeft");
    expect(guard.takesKeys(false)).toBe(true);
  });

  it("ignores repeats of a held key", () => {
    const guard = new Guard();
    guard.arm();
    expect(guard.takesKeys(true)).toBe(false);
  });

  it("ignores a press that began before it was armed", () => {
    const guard = new Guard();
    guard.press();
    guard.arm();
    expect(guard.takesClick(true)).toBe(false);
    guard.press();
    expect(guard.takesClick(true)).toBe(true);
  });

  it("forgets keys when the window loses focus, because their release is not heard", () => {
    const guard = new Guard();
    guard.down("KeyA");
    guard.arm();
    guard.forget();
    expect(guard.takesKeys(false)).toBe(true);
  });

  it("lets keys go that a Mac released under ⌘ without a word", () => {
    const guard = new Guard();
    guard.down("MetaLeft");
    guard.down("KeyK");
    guard.arm();
    guard.up("MetaLeft");
    expect(guard.takesKeys(false)).toBe(true);
  });

  it("decides nothing in ten thousand random sequences of keys while a card appears", () => {
    const codes = ["ControlLeft", "MetaLeft", "ShiftLeft", "Enter", "Backspace", "KeyA", "Space"];
    let seed = 42;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let run = 0; run < 10_000; run += 1) {
      const guard = new Guard();
      const down = new Set<string>();
      for (let step = 0; step < 12; step += 1) {
        const code = codes[random(codes.length)]!;
        if (down.has(code)) {
          down.delete(code);
          if (code === "MetaLeft") down.clear();
          guard.up(code);
        } else {
          down.add(code);
          guard.down(code);
        }
        expect(guard.takesKeys(false)).toBe(false);
      }
      if (down.size > 0) {
        guard.arm();
        expect(guard.takesKeys(false)).toBe(false);
      }
    }
  });
});

describe("arming", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("takes its time after the card appears, changes, and after its window gains focus", () => {
    const { result, rerender } = renderHook(({ stamp }) => useArming(stamp, true, 700), { initialProps: { stamp: "a" } });
    expect(result.current.armed).toBe(false);
    act(() => vi.advanceTimersByTime(699));
    expect(result.current.armed).toBe(false);
    act(() => vi.advanceTimersByTime(1));
    expect(result.current.armed).toBe(true);

    rerender({ stamp: "b" });
    expect(result.current.armed).toBe(false);
    act(() => vi.advanceTimersByTime(700));
    expect(result.current.armed).toBe(true);

    act(() => void window.dispatchEvent(new Event("focus")));
    expect(result.current.armed).toBe(false);
    expect(result.current.guard.takesKeys(false)).toBe(false);
    act(() => vi.advanceTimersByTime(700));
    expect(result.current.armed).toBe(true);
  });

  it("never arms before there is a nonce", () => {
    const { result } = renderHook(() => useArming("a", false, 700));
    act(() => vi.advanceTimersByTime(10_000));
    expect(result.current.armed).toBe(false);
  });
});
