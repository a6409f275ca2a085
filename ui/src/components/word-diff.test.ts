// A changed text as a person reads it: whole stretches, and nothing of either text lost.
import { expect, it } from "vitest";
import { type DiffPart, stretches } from "./word-diff";

const same = (text: string): DiffPart => ({ kind: "same", text });
const gone = (text: string): DiffPart => ({ kind: "gone", text });
const came = (text: string): DiffPart => ({ kind: "new", text });

it("keeps a stretch that was rewritten together", () => {
  const parts = [same("A report of "), came("all "), same("customers"), gone("to"), came(". Before"), same(" "), gone("a"), came("you"), same(" "), gone("file"), came("use it"), same(".")];
  expect(stretches(parts)).toEqual([same("A report of "), came("all "), same("customers"), gone("to a file"), came(". Before you use it"), same(".")]);
});

it("leaves words that stayed where they are", () => {
  const parts = [gone("reads"), came("writes"), same(" one "), gone("file"), came("folder")];
  expect(stretches(parts)).toEqual(parts);
});

it("loses nothing of either text", () => {
  const parts = [same(" "), gone("a"), same(", "), gone("b"), came("c"), same("; "), came("d"), same(" ")];
  const text = (all: DiffPart[], without: string) => all.filter((one) => one.kind !== without).map((one) => one.text).join("");
  for (const without of ["gone", "new"]) expect(text(stretches(parts), without)).toBe(text(parts, without));
});
