// A made-up language for tests: every word of the message files accented and longer. What stays plain on a screen is not a message.
import i18next from "i18next";
import { en } from "../app/words/en";
import { pseudo } from "./accents";

function all<T>(words: T): T {
  return (typeof words === "string" ? pseudo(words) : Object.fromEntries(Object.entries(words as object).map(([key, value]) => [key, all(value)]))) as T;
}

/** `rtl`: from the right, as Arabic and Hebrew are. */
export function speakPseudo(direction: string): void {
  i18next.addResourceBundle("en", "translation", all(en), true, true);
  if (direction === "rtl") document.documentElement.dir = "rtl";
}
