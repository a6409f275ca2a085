// A made-up language for tests: every word of the message files accented and longer. What stays plain on a screen is not a message.
import i18next from "i18next";
import { en } from "../app/words/en";

const PLAIN = "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPpQqRrSsTtUuVvWwXxYyZz";
const ACCENTED = "ÅåƁƀÇçÐðÉéƑƒĜĝĤĥÎîĴĵĶķĻļṀṁÑñÖöÞþǪǫŔŕŠšŢţÛûṼṽŴŵẊẋÝýŽž";

/** Forty percent longer, as German is; placeholders and marks stay, and what a placeholder brings stands in `⦃⦄`. */
export function pseudo(message: string): string {
  const parts = message.split(/(\{\{[^}]*\}\}|<\/?\w+>)/);
  const words = parts.map((part, at) => {
    if (at % 2 === 1) return part.startsWith("{{") ? `⦃${part}⦄` : part;
    return [...part].map((letter) => ACCENTED[PLAIN.indexOf(letter)] ?? letter).join("");
  });
  const letters = message.replace(/\{\{[^}]*\}\}|<[^>]*>/g, "").length;
  return words.join("") + "~".repeat(Math.ceil(letters * 0.4));
}

function all<T>(words: T): T {
  return (typeof words === "string" ? pseudo(words) : Object.fromEntries(Object.entries(words as object).map(([key, value]) => [key, all(value)]))) as T;
}

export function speakPseudo(): void {
  i18next.addResourceBundle("en", "translation", all(en), true, true);
}
