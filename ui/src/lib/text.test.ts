import { describe, expect, it } from "vitest";
import { cutMiddle, freeName, looksAlike, pieces, plain, registrable } from "./text";

const tokensOf = (text: string) => pieces(text).filter((piece) => piece.kind === "token").map((piece) => piece.text);

describe("a free name", () => {
  it("is the wanted one, or the first with a number that nobody has", () => {
    expect(freeName("daily", [])).toBe("daily");
    expect(freeName("daily", ["daily", "daily-2"])).toBe("daily-3");
  });
});

describe("foreign text", () => {
  it("draws what would act as a token", () => {
    const table: [string, string[]][] = [
      ["a\u001b[2Kb", ["⟨ESC⟩"]],
      ["\u202emoc.elpmaxe", ["⟨RLO⟩"]],
      ["pass\u200bword", ["⟨ZWSP⟩"]],
      ["a\tb", ["⟨TAB⟩"]],
      ["a\r\nb", ["⟨CR⟩", "⏎"]],
      ["a\u00a0b", ["⟨U+00A0⟩"]],
      ["x\ue000", ["⟨U+E000⟩"]],
      ["x\u{e0041}y", ["⟨U+E0041⟩"]],
      ["\ud800", ["⟨U+D800⟩"]],
      ["\u0000\u0000\u0000", ["⟨NUL×3⟩"]],
      [`done${" ".repeat(120)}&& rm`, ["⟨·×120⟩"]],
      ["\u2066\u2069", ["⟨LRI⟩", "⟨PDI⟩"]],
      ["\u3164", ["⟨HF⟩"]],
      ["a\ufe0f", ["⟨U+FE0F⟩"]],
    ];
    for (const [text, tokens] of table) expect(tokensOf(text), JSON.stringify(text)).toEqual(tokens);
  });

  it("leaves ordinary text, eight spaces and other scripts alone", () => {
    for (const text of ["git push origin main", "a        b", "ключ 鍵 مفتاح", "naïve café"]) expect(pieces(text)).toEqual([{ kind: "text", text }]);
  });

  it("keeps every character that it does not name", () => {
    const text = `POST /x\n{"a":"\u202e${"y".repeat(100_000)}"}`;
    const shown = pieces(text).filter((piece) => piece.kind === "text").map((piece) => piece.text).join("");
    expect(shown).toBe(text.replace("\u202e", ""));
  });

  it("becomes one line for accessible names", () => {
    expect(plain("a\nb\u001b")).toBe("a⏎b⟨ESC⟩");
  });
});

describe("names", () => {
  it("are cut from the middle and keep both ends", () => {
    const cut = cutMiddle("POST api.github.com/repos/acme/api/pulls/812/merge", 32);
    expect([...cut]).toHaveLength(32);
    expect(cut.startsWith("POST api.github.com")).toBe(true);
    expect(cut.endsWith("/812/merge")).toBe(true);
    expect(cutMiddle("short", 32)).toBe("short");
  });

  it("show the part that somebody registered", () => {
    expect(registrable("api.github.com")).toEqual({ rest: "api.", domain: "github.com" });
    expect(registrable("a.b.example.co.uk")).toEqual({ rest: "a.b.", domain: "example.co.uk" });
    expect(registrable("127.0.0.1")).toEqual({ rest: "", domain: "127.0.0.1" });
    expect(registrable("localhost")).toEqual({ rest: "", domain: "localhost" });
  });

  it("in punycode are flagged", () => {
    expect(looksAlike("api.xn--gthub-zsa.com")).toBe(true);
    expect(looksAlike("api.github.com")).toBe(false);
  });
});
