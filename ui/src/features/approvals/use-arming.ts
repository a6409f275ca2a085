// Arming: for a moment after a card appears, changes, moves or its window gains focus, nothing decides; keys that were
// down then are ignored until they are released, and so is a press that began before.
import { useEffect, useMemo, useRef, useState } from "react";

/** Keys and presses that were there before the card was armed. Pure; the hook feeds it. */
export class Guard {
  readonly #down = new Set<string>();
  readonly #stale = new Set<string>();
  #armed = false;
  #pressed = false;

  down(code: string): void {
    this.#down.add(code);
  }

  up(code: string): void {
    // A Mac does not report the release of keys that were let go under ⌘.
    if (code.startsWith("Meta")) {
      this.#down.clear();
      this.#stale.clear();
    }
    this.#down.delete(code);
    this.#stale.delete(code);
  }

  /** The window lost focus: releases will not be heard. */
  forget(): void {
    this.#down.clear();
    this.#stale.clear();
    this.#pressed = false;
  }

  disarm(): void {
    this.#armed = false;
    this.#pressed = false;
  }

  arm(): void {
    this.#armed = true;
    for (const code of this.#down) this.#stale.add(code);
  }

  press(): void {
    this.#pressed = this.#armed;
  }

  /** Whether a chord or a key on a button counts. */
  takesKeys(repeat: boolean): boolean {
    return this.#armed && !repeat && this.#stale.size === 0;
  }

  /** Whether a click counts: its press began on the armed card, or it came from the keyboard. */
  takesClick(fromPointer: boolean): boolean {
    return fromPointer ? this.#armed && this.#pressed : this.takesKeys(false);
  }
}

/** `stamp` names what is shown; a new one disarms. `ready` is false while there is nothing to decide yet. */
export function useArming(stamp: string, ready: boolean, delayMs: number): { armed: boolean; guard: Guard } {
  const guard = useMemo(() => new Guard(), []);
  const [wakes, setWakes] = useState(0);
  const [armedFor, setArmedFor] = useState<string | null>(null);
  const current = `${stamp}#${wakes}`;
  const armed = ready && armedFor === current;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  useEffect(() => {
    guard.disarm();
    if (!ready) return;
    timer.current = setTimeout(() => {
      guard.arm();
      setArmedFor(current);
    }, delayMs);
    return () => clearTimeout(timer.current);
  }, [guard, current, ready, delayMs]);

  useEffect(() => {
    const wake = () => {
      guard.disarm();
      setWakes((count) => count + 1);
    };
    const away = () => guard.forget();
    const down = (event: KeyboardEvent) => guard.down(event.code);
    const up = (event: KeyboardEvent) => guard.up(event.code);
    window.addEventListener("focus", wake);
    window.addEventListener("resize", wake);
    window.addEventListener("blur", away);
    window.addEventListener("keydown", down, true);
    window.addEventListener("keyup", up, true);
    return () => {
      window.removeEventListener("focus", wake);
      window.removeEventListener("resize", wake);
      window.removeEventListener("blur", away);
      window.removeEventListener("keydown", down, true);
      window.removeEventListener("keyup", up, true);
    };
  }, [guard]);

  return { armed, guard };
}
