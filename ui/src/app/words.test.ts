import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { en } from "./words/en";

function keys(words: object, prefix = ""): string[] {
  return Object.entries(words).flatMap(([key, value]) => (typeof value === "string" ? [prefix + key] : keys(value as object, `${prefix}${key}.`)));
}

const source = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !file.includes(".test."))
  .map((file) => readFileSync(`src/${file}`, "utf8"))
  .join("\n");
const literals = new Set([...source.matchAll(/"([a-zA-Z]+(?:\.[a-zA-Z_]+)+)"/g)].map((match) => match[1]));
const templates = [...source.matchAll(/`([a-zA-Z.]+\.[^`\s]*\$\{[^`]*)`/g)].map((match) => new RegExp(`^${(match[1] ?? "").replaceAll(".", "\\.").replace(/\$\{[^}]*\}/g, "[A-Za-z_.]+")}$`));

describe("the message files", () => {
  it("holds no word that no screen says", () => {
    const unsaid = keys(en).map((key) => key.replace(/_(zero|one|other)$/, "")).filter((key) => !literals.has(key) && !templates.some((template) => template.test(key)));
    expect(unsaid).toEqual([]);
  });

  it("never shouts", () => {
    expect(keys(en).filter((key) => /!|\boops/i.test(JSON.stringify(key.split(".").reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], en))))).toEqual([]);
  });
});
