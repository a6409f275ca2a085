import { describe, expect, it } from "vitest";
import { add, chosen, exclude, only, print, quote, terms, withKey } from "./tokens";

describe("the query bar", () => {
  it("keeps quotes and brackets whole, and gives the query back", () => {
    const query = 'agent:claude-code -host:"a b" tool:github.* (status:>=400 OR error:*) "two words" -program:(ls, cat)';
    expect(terms(query).map((one) => one.text)).toEqual(["agent:claude-code", '-host:"a b"', "tool:github.*", "(status:>=400 OR error:*)", '"two words"', "-program:(ls, cat)"]);
    expect(print(terms(query))).toBe(query);
  });

  it("survives what was not finished", () => {
    for (const query of ["", "   ", "agent:", '"open', "(a OR", "-", ":", "a))) b", '\\" "\\']) expect(() => terms(query)).not.toThrow();
    expect(print(terms("  a   b "))).toBe("a b");
  });

  it("knows keys, values and minus", () => {
    expect(terms("-Host:*.github.com")[0]).toEqual({ text: "-Host:*.github.com", negated: true, key: "host", value: "*.github.com" });
    expect(terms("merge")[0]).toEqual({ text: "merge", negated: false, key: null, value: "merge" });
  });
});

describe("facets write the query", () => {
  it("click means only this", () => {
    expect(only("agent:codex kind:llm", "agent", "claude-code")).toBe("kind:llm agent:claude-code");
  });

  it("alt-click means not this", () => {
    expect(exclude("kind:llm agent:codex", "agent", "codex")).toBe("kind:llm -agent:codex");
    expect(exclude("-agent:codex", "agent", "codex")).toBe("-agent:codex");
  });

  it("shift-click means this too", () => {
    expect(add("decision:denied", "decision", "held")).toBe("decision:(denied,held)");
    expect(add("decision:(denied,held)", "decision", "held")).toBe("decision:(denied,held)");
    expect(chosen("decision:(denied,held)", "decision", "held")).toBe(true);
    expect(chosen("-decision:denied", "decision", "denied")).toBe(false);
  });

  it("quotes what the grammar would read", () => {
    expect(quote("acme/api")).toBe("acme/api");
    expect(quote('say "hi"')).toBe('"say \\"hi\\""');
    expect(quote("-x")).toBe('"-x"');
  });

  it("replaces a time range", () => {
    expect(withKey("kind:llm since:7d", "since", "2026-11-20T13:10:00Z")).toBe("kind:llm since:2026-11-20T13:10:00Z");
    expect(withKey("kind:llm since:7d", "since", null)).toBe("kind:llm");
  });

  it("takes every value as itself, whatever stands in it", () => {
    const pieces = ["a", "-", ",", '"', "\\", "*", "(", ")", " ", ":", "..", "or", "ü", "/"];
    // Every value of up to three pieces, beside another one and behind a minus.
    for (const one of pieces)
      for (const two of ["", ...pieces])
        for (const three of ["", ...pieces]) {
          const value = one + two + three;
          const both = add(only("kind:llm", "path", value), "path", "b,c");
          expect(print(terms(both)), value).toBe(both);
          expect(terms(both), value).toHaveLength(2);
          expect(chosen(both, "path", value), value).toBe(true);
          expect(chosen(both, "path", "b,c"), value).toBe(true);
          expect(add(both, "path", value), value).toBe(both);
          expect(terms(exclude("kind:llm", "path", value))[1], value).toMatchObject({ key: "path", negated: true, value: quote(value) });
        }
  });

  it("quotes words and ranges of the grammar, and escapes its wildcard", () => {
    expect(["or", "a..b", "a*b", "..", "not"].map(quote)).toEqual(['"or"', '"a..b"', '"a\\*b"', '".."', '"not"']);
  });
});
