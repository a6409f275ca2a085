import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { HOSTILE } from "../testing/story";
import { JsonView } from "./json-view";
import { Untrusted, UntrustedBlock } from "./untrusted";

/** Characters that would act on a screen instead of being shown. */
const ACTING = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;

describe("foreign text", () => {
  it.each(HOSTILE)("acts on nothing: %j", (text) => {
    const line = render(<Untrusted text={text} />).container;
    const block = render(<UntrustedBlock text={text} />).container;
    const tree = render(<JsonView value={{ [text]: [text] }} />).container;
    for (const { textContent } of [line, block, tree]) expect((textContent ?? "").replaceAll("\n", "")).not.toMatch(ACTING);
    expect(document.querySelector("script, img, b")).toBeNull();
  });

  it("is forty kinds of it, and each shows all that can be shown, in its order", () => {
    expect(HOSTILE).toHaveLength(40);
    const shown = (text: string) => text.replace(/⟨[^⟩]*⟩|⏎|\s|\u034f/gu, "");
    for (const text of HOSTILE) {
      const { container, unmount } = render(<UntrustedBlock text={text} />);
      expect(shown(container.textContent ?? "")).toBe(shown(text.replace(new RegExp(ACTING, "gu"), "")));
      unmount();
    }
  });

  it("is complete in a block, whatever its length", () => {
    const { container } = render(<UntrustedBlock text={"A".repeat(100_000)} />);
    expect(container.textContent).toHaveLength(100_000);
  });

  it("draws a swarm of tokens only as far as asked", () => {
    const { container } = render(<UntrustedBlock text={"a\u200b".repeat(50_000)} />);
    expect(container.querySelectorAll("span").length).toBeLessThan(2_100);
    expect(container.querySelector("button")?.textContent).toContain("96000");
  });

  it("is cut from the middle on one line", () => {
    const { container } = render(<Untrusted text="POST api.github.com/repos/acme/api/pulls/812/merge" max={30} />);
    expect(container.textContent).toMatch(/^POST api\.github.+….+812\/merge$/);
  });
});
