// For everybody: words only from the message files, room for longer ones, text at twice its size, no movement where none is wanted.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

const PLACES = ["/inbox", "/timeline", "/agents/claude-code", "/servers/office", "/budgets", "/policies", "/credentials", "/settings/general", "/settings/protection", "/settings/notifications", "/settings/data", "/settings/shortcuts", "/settings/doctor", "/settings/about"];

/** Plain Latin words on the page: text and names of controls, without what is foreign, code, a key or brought by a placeholder. */
function plainWords(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const FOREIGN = "bdi, code, pre, kbd, .mono, [aria-hidden=true], script, style";
    // Names, codes and units that no language translates, the mark that is the person's own, and months, which come from the locale.
    const KEPT = /\b(amber|heron|(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|Reeve|Ctrl|Esc|Apache|llm|http|mcp|shell|file|bytes?|[kMG]?B|ms|[smhdk]|USD|GET|POST|PUT|PATCH|DELETE)\b/g;
    const texts: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.parentElement && !node.parentElement.closest(FOREIGN)) texts.push(node.textContent ?? "");
    }
    for (const element of document.querySelectorAll("[aria-label], [placeholder]")) {
      if (!element.closest(FOREIGN)) texts.push(element.getAttribute("aria-label") ?? "", element.getAttribute("placeholder") ?? "");
    }
    const left = texts.map((text) => text.replace(/⦃[^⦄]*⦄/g, "").replace(KEPT, ""));
    return [...new Set(left.flatMap((text) => text.match(/[A-Za-z]{3,}/g) ?? []))];
  });
}

/** Controls whose words do not fit into them. */
function cut(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, a, h1, h2, label, [role=tab]")]
      .filter((one) => one.checkVisibility() && !one.closest(".sr-only"))
      .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline" && getComputedStyle(one).overflowX !== "visible" && getComputedStyle(one).textOverflow !== "ellipsis")
      .map((one) => one.outerHTML.slice(0, 160)),
  );
}

const spills = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth || document.documentElement.scrollHeight > window.innerHeight);

for (const place of PLACES) {
  test(`${place} says nothing that is not in the message files, and has room for longer words`, async ({ page }) => {
    await page.setViewportSize({ width: 960, height: 600 });
    await open(page, `${place}?fake=story&pseudo`);
    expect(await plainWords(page)).toEqual([]);
    expect(await cut(page)).toEqual([]);
    expect(await spills(page)).toBe(false);
  });

  test(`${place} with text at twice its size loses nothing`, async ({ browser, baseURL }) => {
    // Twice the text in a window of 1280 × 800 is a window of half of each, as the web view's own zoom lays it out.
    const context = await browser.newContext({ viewport: { width: 640, height: 400 }, deviceScaleFactor: 2, ...(baseURL === undefined ? {} : { baseURL }) });
    const page = await context.newPage();
    await open(page, `${place}?fake=story`);
    expect(await spills(page)).toBe(false);
    // Whatever can be pressed lies inside everything around it that does not scroll.
    const lost = await page.evaluate(() => {
      const beyond = (one: HTMLElement, axis: "x" | "y") => {
        const box = one.getBoundingClientRect();
        for (let around = one.parentElement; around; around = around.parentElement) {
          const overflow = getComputedStyle(around)[axis === "x" ? "overflowX" : "overflowY"];
          if (overflow === "auto" || overflow === "scroll") return false;
          const edge = around.getBoundingClientRect();
          if (overflow === "hidden" && (axis === "x" ? box.right > edge.right + 2 || box.left < edge.left - 2 : box.top > edge.bottom - 8)) return true;
        }
        return false;
      };
      const pressable = [...document.querySelectorAll<HTMLElement>("main button, main a, main input, aside button, aside a")].filter((one) => one.checkVisibility() && !one.closest(".sr-only"));
      return pressable.filter((one) => beyond(one, "x") || beyond(one, "y")).map((one) => one.outerHTML.slice(0, 160));
    });
    expect(lost).toEqual([]);
    await context.close();
  });
}

test("where less movement is wanted nothing moves", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await open(page, "/inbox?fake=story");
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((one) => {
    const { transitionDuration, animationDuration } = getComputedStyle(one);
    return [...transitionDuration.split(","), ...animationDuration.split(",")].some((time) => Number.parseFloat(time) > 0);
  }).length);
  expect(moving).toBe(0);
});

test("the first stop of the keyboard skips to the content", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await page.evaluate(() => (document.activeElement instanceof HTMLElement ? document.activeElement.blur() : undefined));
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("#content")).toBeFocused();
});
