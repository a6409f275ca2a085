import { describe, expect, it } from "vitest";
import { getView, read, setView, stepText } from "./view";

describe("the view", () => {
  it("keeps what was chosen, on the document and for the next start", () => {
    setView("theme", "dark");
    expect(document.documentElement.dataset["theme"]).toBe("dark");
    expect(read(localStorage.getItem("reeve.view")).theme).toBe("dark");
  });

  it("takes nothing that is not one of its choices", () => {
    for (const text of [null, "", "{", "7", "[]", '{"theme":"pink","__proto__":{"text":"200"},"other":1}']) {
      expect(read(text)).toEqual({ theme: "system", contrast: "system", text: "100", sidebar: "wide", singleKeys: "on", rows: "two" });
    }
    expect(read('{"theme":"light","text":"900"}')).toMatchObject({ theme: "light", text: "100" });
  });

  it("steps the text as far as it goes", () => {
    setView("text", "175");
    stepText(1);
    stepText(1);
    expect(getView().text).toBe("200");
    setView("text", "100");
    stepText(-1);
    expect(getView().text).toBe("100");
  });
});
