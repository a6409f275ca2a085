import { describe, expect, it } from "vitest";
import { rules } from "../../testing/policies";
import { addressOf, freeId, inTab, isDirty, listed, targetOfFile, targetOfRule, template, withMode } from "./model";

describe("a rule's mode", () => {
  it("is one annotation after the id, put in and taken out without touching the rest", () => {
    const text = template("a", "why");
    const observing = withMode(text, "observe");
    expect(observing).toBe(text.replace('@id("a")\n', '@id("a")\n@mode("observe")\n'));
    expect(withMode(observing, "enforce")).toBe(text);
    expect(withMode(observing, "observe")).toBe(observing);
  });

  it("is also put into a rule that is written on one line", () => {
    const line = '@id("a") @reason("b") permit (principal, action, resource);';
    expect(withMode(line, "observe")).toBe('@id("a") \n@mode("observe")\n@reason("b") permit (principal, action, resource);');
  });
});

describe("the list of rules", () => {
  it("puts every rule into one tab beside All, and what can be changed first", () => {
    const all = rules(false);
    for (const rule of all) expect(["mine", "standing", "shared", "preset"].filter((tab) => inTab(tab as "mine", rule))).toHaveLength(1);
    const shown = listed(all, "all", "");
    expect(shown[0]?.layer).toBe("mine");
    expect(shown.at(-1)?.layer).toBe("preset");
    expect(listed(all, "all", "no rule is called like this")).toEqual([]);
    expect(listed(all, "all", shown[0]?.id ?? "")[0]?.id).toBe(shown[0]?.id);
  });

  it("offers a free name for a new rule", () => {
    const [first] = rules(false);
    expect(freeId([])).toBe("new-rule");
    expect(freeId([{ ...first!, id: "new-rule" }])).toBe("new-rule-2");
  });
});

describe("what is drafted", () => {
  it("is the person's own only in their own layer and files", () => {
    const all = rules(false);
    const mine = all.find((rule) => rule.layer === "mine")!;
    const files = [{ file: mine.file, layer: "mine" as const, path: "/x", text: mine.text, own: true }];
    expect(targetOfRule(mine, files).own).toBe(true);
    expect(targetOfRule({ ...mine, layer: "organisation" }, files).own).toBe(false);
    expect(isDirty(targetOfRule(mine, files), `${mine.text}\n`)).toBe(false);
    expect(targetOfFile(mine.file, files, null).part).toEqual({ kind: "gone" });
    expect(isDirty(targetOfFile(mine.file, files, null), "")).toBe(true);
  });

  it("is the file that was chosen, where two layers have one of the same name", () => {
    const files = ["organisation", "team", "mine"].map((layer) => ({ file: "acme.cedar", layer: layer as "mine", path: `/${layer}/acme.cedar`, text: `// of ${layer}`, own: layer === "mine" }));
    expect(new Set(files.map(addressOf)).size).toBe(3);
    for (const file of files) expect(targetOfFile(addressOf(file), files)).toMatchObject({ file: "acme.cedar", original: file.text, own: file.own });
    expect(targetOfFile("acme.cedar", files).original).toBe("// of mine");
  });
});
