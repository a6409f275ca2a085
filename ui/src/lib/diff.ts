// Two texts line by line: what stayed, what went, what came. Exact up to a size that nobody waits for.

export type DiffLine = { kind: "same" | "gone" | "new"; text: string };

/** Pairs of lines that are compared at most; beyond that everything between the common ends counts as replaced. */
const MOST_PAIRS = 2_000_000;

const linesOf = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

export function lineDiff(before: string, after: string): DiffLine[] {
  const old = linesOf(before);
  const fresh = linesOf(after);
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < fresh.length - start && old[old.length - 1 - end] === fresh[fresh.length - 1 - end]) end += 1;
  const same = (lines: string[]): DiffLine[] => lines.map((text) => ({ kind: "same", text }));
  return [...same(old.slice(0, start)), ...middle(old.slice(start, old.length - end), fresh.slice(start, fresh.length - end)), ...same(old.slice(old.length - end))];
}

function middle(old: string[], fresh: string[]): DiffLine[] {
  const gone = (text: string): DiffLine => ({ kind: "gone", text });
  const come = (text: string): DiffLine => ({ kind: "new", text });
  if (old.length * fresh.length > MOST_PAIRS) return [...old.map(gone), ...fresh.map(come)];
  const width = fresh.length + 1;
  const longest = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = fresh.length - 1; j >= 0; j -= 1) longest[i * width + j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const out: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    const [a, b] = [old[i], fresh[j]];
    if (a !== undefined && a === b) {
      out.push({ kind: "same", text: a });
      i += 1;
      j += 1;
    } else if (a !== undefined && (b === undefined || at(i + 1, j) >= at(i, j + 1))) {
      out.push(gone(a));
      i += 1;
    } else {
      if (b !== undefined) out.push(come(b));
      j += 1;
    }
  }
  return out;
}

/** Only what changed, with some lines around it; `null` stands for lines left out. */
export function hunks(lines: readonly DiffLine[], around = 3): (DiffLine | null)[] {
  const near = new Set<number>();
  lines.forEach((line, at) => {
    if (line.kind !== "same") for (let n = at - around; n <= at + around; n += 1) near.add(n);
  });
  return lines.flatMap((line, at) => (near.has(at) ? [line] : near.has(at - 1) || at === 0 ? [null] : []));
}
