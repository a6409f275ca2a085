// For everybody: words only from the message files, room for longer ones and for lines from the right, text at twice its size, no
// movement where none is wanted.
import { expect, type Page, test } from "@playwright/test";
import { spilling } from "./look";
import { open } from "./open";
import { dialogOf, inPseudo, OPENINGS } from "./openings";
import { addressOf, placesIn } from "./places";

/** Also at twice the text's size. */
const TWICE = ["/inbox", "/timeline", "/agents/claude-code", "/servers/office", "/budgets", "/policies", "/credentials", "/settings/general", "/settings/protection", "/settings/notifications", "/settings/data", "/settings/shortcuts", "/settings/doctor", "/settings/about"];

/** Plain Latin words on the page: text and names of controls, without what is foreign, code, a key or brought by a placeholder. */
function plainWords(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const FOREIGN = "bdi, code, pre, kbd, .mono, [translate=no], [aria-hidden=true], script, style";
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

/** Words that do not fit into their box, and are said whole nowhere else. */
function cut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    // Foreign text is cut by design, and so are rows, which lead to the whole.
    const ELSEWHERE = "bdi, code, .mono, [title], button[aria-label], a[href], tr, [role=row], [role=option]";
    const saysOwn = (one: Element) => one.matches("button, a, h1, h2, label, [role=tab]") || [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && (node.textContent ?? "").trim() !== "");
    return [...document.body.querySelectorAll<HTMLElement>("*:not(select, select *, svg, svg *, textarea)")]
      .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1 && one.checkVisibility() && !one.closest(".sr-only"))
      .filter((one) => {
        const { display, overflowX, textOverflow } = getComputedStyle(one);
        if (display === "inline" || (overflowX !== "hidden" && overflowX !== "clip")) return false;
        return textOverflow === "ellipsis" ? !one.closest(ELSEWHERE) && !one.querySelector("bdi, code, [title]") : saysOwn(one);
      })
      .map((one) => one.outerHTML.slice(0, 160));
  });
}

/** Controls of the bars above and below that lie on each other. */
function overlapping(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const bars = document.querySelectorAll("header:has(> h1), footer[data-state]");
    return [...bars].flatMap((bar) => {
      const all = [...bar.querySelectorAll<HTMLElement>("a, button, input, select")].filter((one) => one.checkVisibility() && !one.closest(".sr-only"));
      const lies = (one: HTMLElement, other: HTMLElement) => {
        if (one.contains(other) || other.contains(one)) return false;
        const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
        return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
      };
      return all.flatMap((one, at) => all.slice(at + 1).filter((other) => lies(one, other)).map((other) => `${one.outerHTML.slice(0, 120)} on ${other.outerHTML.slice(0, 120)}`));
    });
  });
}

/** Words only from the message files with room for longer ones, and then the same page from the right. */
async function speaks(page: Page): Promise<void> {
  expect(await plainWords(page)).toEqual([]);
  expect(await cut(page)).toEqual([]);
  expect(await spilling(page)).toBe(false);
  await page.evaluate(() => (document.documentElement.dir = "rtl"));
  expect(await spilling(page)).toBe(false);
  expect(await overlapping(page)).toEqual([]);
}

for (const place of new Set([...placesIn("story"), ...TWICE])) {
  test(`${place} says nothing that is not in the message files, has room for longer words, and for words from the right`, async ({ page }) => {
    await page.setViewportSize({ width: 960, height: 600 });
    await open(page, `${addressOf(place, "story")}&pseudo`);
    await speaks(page);
  });
}

for (const [place, steps, name] of OPENINGS) {
  test(`${String(name)} over ${place} in longer words, and in words from the right`, async ({ page }) => {
    await open(page, `${place}?fake=story&pseudo`);
    for (const step of steps) await step(page, inPseudo);
    await expect(dialogOf(page, name, inPseudo)).toBeVisible();
    await page.setViewportSize({ width: 960, height: 600 });
    await speaks(page);
  });
}

test("a language from the right has its places on the right, and code, marks of time and foreign text still from the left", async ({ page }) => {
  await open(page, "/timeline?fake=story&pseudo=rtl&view=flow");
  const [places, content] = [await page.locator("aside nav").first().boundingBox(), await page.locator("#content").boundingBox()];
  expect(places?.x).toBeGreaterThan(content?.x ?? Infinity);
  const turned = await page.evaluate(() => [...document.querySelectorAll("bdi, code, kbd, .mono, svg")].filter((one) => getComputedStyle(one).direction === "rtl").map((one) => one.outerHTML.slice(0, 160)));
  expect(turned).toEqual([]);
  // Arrows go the way that the tabs stand.
  await open(page, "/timeline?fake=story&pseudo=rtl&op=op_00000000000000000000048205");
  await page.locator("#tab-summary").focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator("#tab-request")).toHaveAttribute("aria-selected", "true");
});

for (const place of TWICE) {
  test(`${place} with text at twice its size loses nothing`, async ({ browser, baseURL }) => {
    // Twice the text in a window of 1280 × 800 is a window of half of each, as the web view's own zoom lays it out.
    const context = await browser.newContext({ viewport: { width: 640, height: 400 }, deviceScaleFactor: 2, ...(baseURL === undefined ? {} : { baseURL }) });
    const page = await context.newPage();
    await open(page, `${place}?fake=story`);
    expect(await spilling(page)).toBe(false);
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
