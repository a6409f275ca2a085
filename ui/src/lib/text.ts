// Foreign text made visible: what would move, hide or restyle itself becomes a token that a person can read.

export type Piece = { kind: "text" | "token"; text: string };

/** Names of the characters that a terminal, a browser or an eye would act on instead of show. */
const NAMES: Record<number, string> = {
  0x00: "NUL", 0x07: "BEL", 0x08: "BS", 0x09: "TAB", 0x0b: "VT", 0x0c: "FF", 0x0d: "CR", 0x1b: "ESC", 0x7f: "DEL", 0x85: "NEL",
  0xad: "SHY", 0x34f: "CGJ", 0x61c: "ALM", 0x115f: "HCF", 0x1160: "HJF", 0x17b4: "KIV", 0x17b5: "KIV", 0x180e: "MVS",
  0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM", 0x200f: "RLM", 0x2028: "LS", 0x2029: "PS",
  0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2060: "WJ", 0x2066: "LRI", 0x2067: "RLI",
  0x2068: "FSI", 0x2069: "PDI", 0x2800: "BLANK", 0x3164: "HF", 0xfeff: "BOM", 0xfff9: "IAA", 0xfffa: "IAS", 0xfffb: "IAT",
  0xfffc: "OBJ", 0xffa0: "HHF",
};

/** Everything that does not show itself: controls, formats, private use, lone surrogates, odd spaces, tags, long runs of spaces. */
const ODD = / {9,}|\n|[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]|(?! )\p{Zs}/gu;

/** Splits text so that nothing in it can act: tokens are drawn as marks, the rest as it is. Runs of one token are counted. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let last = 0;
  const run = { name: "", times: 0 };
  const close = () => {
    if (run.times > 0) found.push({ kind: "token", text: run.times > 1 ? `⟨${run.name}×${run.times}⟩` : `⟨${run.name}⟩` });
    run.times = 0;
  };
  for (const match of text.matchAll(ODD)) {
    if (match.index > last) {
      close();
      found.push({ kind: "text", text: text.slice(last, match.index) });
    }
    last = match.index + match[0].length;
    if (match[0] === "\n") {
      close();
      found.push({ kind: "token", text: "⏎" }, { kind: "text", text: "\n" });
      continue;
    }
    const spaces = match[0].length > 2 && match[0].startsWith(" ");
    const name = spaces ? "·" : nameOf(match[0]);
    const times = spaces ? match[0].length : 1;
    if (run.name !== name) close();
    run.name = name;
    run.times += times;
  }
  close();
  if (last < text.length) found.push({ kind: "text", text: text.slice(last) });
  return found;
}

/** Foreign text as one plain line, for accessible names and titles. */
export function plain(text: string): string {
  return pieces(text)
    .map((piece) => (piece.text === "\n" ? "" : piece.text))
    .join("");
}

/** Cut from the middle, so that both ends of a path, a host or a name stay readable. Counts code points. */
export function cutMiddle(text: string, max: number): string {
  const points = [...text];
  if (points.length <= max) return text;
  const tail = Math.floor((max - 1) * 0.4);
  return `${points.slice(0, max - 1 - tail).join("")}…${tail > 0 ? points.slice(-tail).join("") : ""}`;
}

/** The part of a host that somebody registered, and what is in front of it. Addresses and single names are whole. */
export function registrable(host: string): { rest: string; domain: string } {
  if (/^[\d.]+$/.test(host) || host.includes(":")) return { rest: "", domain: host };
  const labels = host.split(".");
  const [second, top] = [labels.at(-2) ?? "", labels.at(-1) ?? ""];
  const wide = top.length === 2 && /^(ac|co|com|edu|gov|net|or|org)$/.test(second);
  const keep = wide ? 3 : 2;
  if (labels.length <= keep) return { rest: "", domain: host };
  return { rest: `${labels.slice(0, -keep).join(".")}.`, domain: labels.slice(-keep).join(".") };
}

/** Whether a name is written in punycode: it can look like another one. */
export function looksAlike(host: string): boolean {
  return host.split(".").some((label) => label.startsWith("xn--"));
}

/** The name itself, or with the first number that makes it another one. */
export function freeName(wanted: string, taken: readonly string[]): string {
  for (let at = 1; ; at += 1) {
    const name = at === 1 ? wanted : `${wanted}-${at}`;
    if (!taken.includes(name)) return name;
  }
}

function nameOf(char: string): string {
  const point = char.codePointAt(0) ?? 0;
  return NAMES[point] ?? `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}
