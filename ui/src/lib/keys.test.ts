import { afterEach, describe, expect, it } from "vitest";
import { firstKeys, keyFor, meant, readKeys, setKey, shownKey, takenBy } from "./keys";

afterEach(firstKeys);

describe("single keys", () => {
  it("mean what they always meant until somebody chooses others", () => {
    for (const key of ["j", "/", "Z", "?", "x", "A"]) expect(meant(key)).toBe(key);
    expect(shownKey("J")).toBe("J");
  });

  it("mean what they were chosen for, and the old key means nothing", () => {
    setKey("next", "n");
    setKey("zoom", "y");
    expect([meant("n"), meant("j"), meant("y"), meant("Y"), meant("z"), meant("Z")]).toEqual(["j", null, "z", "Z", null, null]);
    expect([shownKey("J"), shownKey("Z"), shownKey("mod")]).toEqual(["N", "Y", "mod"]);
    expect(readKeys(localStorage.getItem("reeve.keys"))).toEqual({ next: "n", zoom: "y" });
    firstKeys();
    expect(meant("j")).toBe("j");
  });

  it("never mean two things", () => {
    expect(takenBy("next", "k")).toBe("previous");
    setKey("next", "k");
    setKey("next", "");
    setKey("next", "ab");
    setKey("next", "N");
    expect(keyFor("next")).toBe("j");
    setKey("next", "n");
    setKey("live", "j");
    expect([meant("j"), meant("l")]).toEqual(["l", null]);
  });

  it("pin too: its key is taken like every other, and pins when it is another one", () => {
    expect(takenBy("next", "p")).toBe("pin");
    setKey("next", "p");
    expect([keyFor("next"), meant("p")]).toEqual(["j", "p"]);
    setKey("pin", "i");
    setKey("next", "p");
    expect([meant("i"), meant("p"), meant("j"), shownKey("P")]).toEqual(["p", "j", null, "I"]);
  });

  it("take nothing that was not kept by us", () => {
    for (const text of [null, "", "{", "7", "[]", '{"next":"k"}', '{"next":"","__proto__":{"live":"q"}}', '{"next":5,"other":"q"}']) expect(readKeys(text)).toEqual({});
  });
});
