// The single keys of the window: the first choice of each, and what a person put in its place. Chords stay as they are.
import { useSyncExternalStore } from "react";

const FIRST = { next: "j", previous: "k", query: "/", live: "l", pin: "p", tabBack: "[", tabOn: "]", actions: ".", views: "g", zoom: "z", below: "*", sheet: "?" } as const;

export type KeyName = keyof typeof FIRST;
export const KEY_NAMES = Object.keys(FIRST) as KeyName[];

type Chosen = Readonly<Partial<Record<KeyName, string>>>;

const STORED = "reeve.keys";

/** One letter or sign, small. */
function isKey(value: unknown): value is string {
  return typeof value === "string" && [...value].length === 1 && value.trim() === value && value === value.toLowerCase();
}

/** What was kept, as far as every key still means one thing. */
export function readKeys(text: string | null): Chosen {
  let kept: unknown = null;
  try {
    kept = JSON.parse(text ?? "null");
  } catch {
    // Somebody else's words under our name: the first choices hold.
  }
  if (typeof kept !== "object" || kept === null) return {};
  const chosen: Partial<Record<KeyName, string>> = {};
  for (const name of KEY_NAMES) {
    const key: unknown = (kept as Record<string, unknown>)[name];
    if (Object.hasOwn(kept, name) && isKey(key)) chosen[name] = key;
  }
  const all = KEY_NAMES.map((name) => chosen[name] ?? FIRST[name]);
  return new Set(all).size === all.length ? chosen : {};
}

const listeners = new Set<() => void>();
let chosen = readKeys(localStorage.getItem(STORED));

function keep(next: Chosen): void {
  chosen = next;
  localStorage.setItem(STORED, JSON.stringify(chosen));
  for (const listener of listeners) listener();
}

export function keyFor(name: KeyName): string {
  return chosen[name] ?? FIRST[name];
}

/** What already has this key; nothing where it is free, or its own. */
export function takenBy(name: KeyName, key: string): KeyName | null {
  return KEY_NAMES.find((other) => other !== name && keyFor(other) === key) ?? null;
}

/** Puts a key in the place of another. What is no single key, or taken, changes nothing. */
export function setKey(name: KeyName, key: string): void {
  if (isKey(key) && takenBy(name, key) === null) keep({ ...chosen, [name]: key });
}

export function firstKeys(): void {
  keep({});
}

/** The key as the window knows it: the first choice of what it now means. `null`: it means nothing any more. */
export function meant(pressed: string): string | null {
  const small = pressed.toLowerCase();
  const name = KEY_NAMES.find((one) => keyFor(one) === small);
  if (name !== undefined) return small === pressed ? FIRST[name] : FIRST[name].toUpperCase();
  return KEY_NAMES.some((one) => FIRST[one] === small) ? null : pressed;
}

/** The key to press for what a list of first choices names, as it stands on a keyboard. */
export function shownKey(first: string): string {
  const name = KEY_NAMES.find((one) => FIRST[one] === first.toLowerCase());
  return name === undefined ? first : keyFor(name).toUpperCase();
}

export function useKeys(): Chosen {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => chosen,
  );
}
