// Key hints: small, without a box, with icons for what has no letter. `⌘` is `Ctrl` elsewhere.
import { ArrowBigUp, Command, CornerDownLeft, Delete } from "lucide-react";
import { useTranslation } from "react-i18next";

const onMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Whether the key that opens every chord is down: ⌘ on a Mac, Ctrl elsewhere. */
export function chordKey(event: { metaKey: boolean; ctrlKey: boolean }): boolean {
  return onMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
}

/** The chords that go back and forward through where the window was: with ⌥ an arrow moves the caret by a word on a Mac. */
export const HISTORY = onMac ? ({ back: ["mod", "["], forward: ["mod", "]"] } as const) : ({ back: ["alt", "←"], forward: ["alt", "→"] } as const);

type Pressed = Pick<KeyboardEvent, "key" | "code" | "metaKey" | "ctrlKey" | "altKey" | "shiftKey">;

/** One step back or forward, where the keys of `HISTORY` are pressed; else none. */
export function historyStep(event: Pressed): -1 | 0 | 1 {
  if (event.shiftKey) return 0;
  if (onMac) return !chordKey(event) || event.altKey ? 0 : event.code === "BracketLeft" ? -1 : event.code === "BracketRight" ? 1 : 0;
  return !event.altKey || event.ctrlKey || event.metaKey ? 0 : event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
}

/** A step along the lines: 1 the way that they run, -1 against it, 0 for other keys. */
export function along({ key, currentTarget }: { key: string; currentTarget: Element }): -1 | 0 | 1 {
  const [ahead, back] = getComputedStyle(currentTarget).direction === "rtl" ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
  return key === ahead ? 1 : key === back ? -1 : 0;
}

const ICON = { size: 11, strokeWidth: 1.75, "aria-hidden": true } as const;

type KeyName = "mod" | "alt" | "shift" | "enter" | "backspace";

/** `<Keys of={["mod", "enter"]} />`: an icon each; letters as they are. */
export function Keys({ of }: { of: readonly (KeyName | (string & {}))[] }) {
  return (
    <kbd className="inline-flex items-center gap-px font-sans text-badge font-medium text-current opacity-80" aria-hidden="true">
      {of.map((key) => {
        if (key === "mod") return onMac ? <Command key={key} {...ICON} /> : <span key={key} className="pe-0.5">{"Ctrl"}</span>;
        if (key === "alt") return <span key={key} className="pe-0.5">{"Alt"}</span>;
        if (key === "shift") return <ArrowBigUp key={key} {...ICON} />;
        if (key === "enter") return <CornerDownLeft key={key} {...ICON} />;
        if (key === "backspace") return <Delete key={key} {...ICON} />;
        return <span key={key}>{key}</span>;
      })}
    </kbd>
  );
}

/** The same keys in words, for whoever hears the page. */
export function useSpokenKeys(): (keys: readonly string[]) => string {
  const { t } = useTranslation();
  const names: Record<string, string> = { mod: onMac ? t("keys.command") : t("keys.control"), alt: t("keys.alt"), shift: t("keys.shift"), enter: t("keys.enter"), backspace: t("keys.backspace") };
  return (keys) => keys.map((key) => names[key] ?? key).join(" ");
}
