// Words of the made-up language, also for tests in a browser, which have to find what they press.
const PLAIN = "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPpQqRrSsTtUuVvWwXxYyZz";
const ACCENTED = "ÅåƁƀÇçÐðÉéƑƒĜĝĤĥÎîĴĵĶķĻļṀṁÑñÖöÞþǪǫŔŕŠšŢţÛûṼṽŴŵẊẋÝýŽž";

export function accented(words: string): string {
  return [...words].map((letter) => ACCENTED[PLAIN.indexOf(letter)] ?? letter).join("");
}

/** Forty percent longer, as German is; placeholders and marks stay, and what a placeholder brings stands in `⦃⦄`. */
export function pseudo(message: string): string {
  const parts = message.split(/(\{\{[^}]*\}\}|<\/?\w+>)/);
  const words = parts.map((part, at) => {
    if (at % 2 === 1) return part.startsWith("{{") ? `⦃${part}⦄` : part;
    return accented(part);
  });
  const letters = message.replace(/\{\{[^}]*\}\}|<[^>]*>/g, "").length;
  return words.join("") + "~".repeat(Math.ceil(letters * 0.4));
}
