// How a person wants to see the console: kept by the web view itself, and on the document before the first paint.
import { useSyncExternalStore } from "react";

const CHOICES = {
  theme: ["system", "light", "dark"],
  contrast: ["system", "more"],
  text: ["100", "125", "150", "175", "200"],
  sidebar: ["wide", "rail"],
  singleKeys: ["on", "off"],
  rows: ["two", "one"],
} as const;

export type ViewKey = keyof typeof CHOICES;
export type ViewValue<K extends ViewKey> = (typeof CHOICES)[K][number];
type View = { readonly [K in ViewKey]: ViewValue<K> };

const STORED = "reeve.view";
const FIRST: View = { theme: "system", contrast: "system", text: "100", sidebar: "wide", singleKeys: "on", rows: "two" };

export function choicesOf<K extends ViewKey>(key: K): (typeof CHOICES)[K] {
  return CHOICES[key];
}

/** What was kept, as far as it is one of our choices. */
export function read(text: string | null): View {
  let kept: unknown = null;
  try {
    kept = JSON.parse(text ?? "null");
  } catch {
    // Somebody else's words under our name: the first choices hold.
  }
  if (typeof kept !== "object" || kept === null) return FIRST;
  const known = Object.entries(kept).filter(([key, value]) => Object.hasOwn(CHOICES, key) && (CHOICES[key as ViewKey] as readonly unknown[]).includes(value));
  return { ...FIRST, ...(Object.fromEntries(known) as Partial<View>) };
}

const listeners = new Set<() => void>();
let view = read(localStorage.getItem(STORED));

/** The document says what holds; the styles do the rest. */
function show(): void {
  const { dataset } = document.documentElement;
  dataset["theme"] = view.theme;
  dataset["contrast"] = view.contrast;
  dataset["sidebar"] = view.sidebar;
}
show();

export function setView<K extends ViewKey>(key: K, value: ViewValue<K>): void {
  view = { ...view, [key]: value };
  localStorage.setItem(STORED, JSON.stringify(view));
  show();
  for (const listener of listeners) listener();
}

export function getView(): View {
  return view;
}

/** Text one step larger or smaller, as far as it goes. */
export function stepText(by: 1 | -1): void {
  const steps = CHOICES.text;
  const next = steps[steps.indexOf(view.text) + by];
  if (next !== undefined) setView("text", next);
}

/** Calls `apply` with the view as it is, and with every later one. */
export function followView(apply: (view: View) => void): void {
  apply(view);
  listeners.add(() => apply(view));
}

export function useView(): View {
  return useSyncExternalStore(subscribe, getView);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
