// The keys that work everywhere: places by their digit, back and forward, *Stop all*, text size, the shortcut sheet. And, where
// a person turned single keys off, the guard that no lone letter does anything.
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useEffectEvent } from "react";
import { chordKey, historyStep } from "../components/keys";
import { meant } from "../lib/keys";
import { getView, setView, stepText } from "../lib/view";
import { PLACES } from "./places";

/** A key that would type a letter here must stay a letter, also inside a shadow root such as the editor's. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** The editor has a meaning of its own for most chords: there they are its. */
function isEditor(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.isContentEditable;
}

/** A key that a person chose for something goes on as the one that lists know; one that lost its meaning goes nowhere. */
function translate(event: KeyboardEvent): void {
  const key = meant(event.key);
  event.stopPropagation();
  event.preventDefault();
  if (key !== null) event.composedPath()[0]?.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: event.shiftKey, bubbles: true, cancelable: true, composed: true }));
}

type Keys = { stopAll: () => void; showShortcuts: () => void };

export function useWindowKeys({ stopAll, showShortcuts }: Keys): void {
  const navigate = useNavigate();
  const { history } = useRouter();
  const chord = (event: KeyboardEvent): (() => void) | null => {
    if (event.altKey) return null;
    if (event.shiftKey && event.code === "Period") return stopAll;
    if (event.key === "+" || event.key === "=") return () => stepText(1);
    if (event.key === "-") return () => stepText(-1);
    if (event.shiftKey) return null;
    if (event.code === "Digit0") return () => setView("text", "100");
    const place = PLACES.find(({ digit }) => event.code === `Digit${digit}`);
    return place ? () => void navigate({ to: place.to }) : null;
  };
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    const step = historyStep(event);
    if (step !== 0 && !isEditor(event.composedPath()[0] ?? event.target)) {
      // Arrows and brackets mean something in lists and tabs: with this key they do not.
      event.preventDefault();
      event.stopPropagation();
      if (step === 1 || history.canGoBack()) history.go(step);
      return;
    }
    const lone = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.composedPath()[0] ?? event.target);
    if (lone && getView().singleKeys === "off") event.stopPropagation();
    else if (lone && event.isTrusted && meant(event.key) !== event.key) translate(event);
    else if (lone && event.key === "?") showShortcuts();
    const run = chordKey(event) ? chord(event) : null;
    if (run === null) return;
    event.preventDefault();
    run();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKeyDown(event);
    // Before any list hears it.
    window.addEventListener("keydown", listener, { capture: true });
    return () => window.removeEventListener("keydown", listener, { capture: true });
  }, []);
}
