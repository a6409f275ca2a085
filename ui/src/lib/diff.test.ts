import { describe, expect, it } from "vitest";
import { hunks, lineDiff } from "./diff";

const said = (before: string, after: string) => lineDiff(before, after).map((line) => `${{ same: " ", gone: "-", new: "+" }[line.kind]}${line.text}`);

describe("the difference of two texts", () => {
  it("keeps what is common and in order", () => {
    expect(said("a\nb\nc\n", "a\nx\nc\nd\n")).toEqual([" a", "-b", "+x", " c", "+d"]);
    expect(said("", "a\nb")).toEqual(["+a", "+b"]);
    expect(said("a\n", "")).toEqual(["-a"]);
    expect(said("a\nb", "a\nb\n")).toEqual([" a", " b"]);
  });

  it("gives back both texts, whatever they are", () => {
    const before = "one\ntwo\nthree\ntwo\nfour";
    const after = "two\none\nthree\nfour\nfive\ntwo";
    const lines = lineDiff(before, after);
    expect(lines.filter((line) => line.kind !== "new").map((line) => line.text).join("\n")).toBe(before);
    expect(lines.filter((line) => line.kind !== "gone").map((line) => line.text).join("\n")).toBe(after);
  });

  it("shows what changed with a little around it", () => {
    const before = Array.from({ length: 30 }, (_, at) => `line ${at}`).join("\n");
    const shown = hunks(lineDiff(before, before.replace("line 15", "changed")), 2);
    expect(shown.map((line) => line?.text ?? "…")).toEqual(["…", "line 13", "line 14", "line 15", "changed", "line 16", "line 17", "…"]);
    expect(hunks(lineDiff(before, before))).toEqual([null]);
  });
});
