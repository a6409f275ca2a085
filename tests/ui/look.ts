// What axe finds on a page, and whether anything sticks out of the window.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type Violation = { id: string; nodes: { html: string; failureSummary?: string }[] };

/** The rules that a theme can break: whatever else axe looks at is the same in both. */
const OF_COLOUR = { type: "rule", values: ["color-contrast", "link-in-text-block"] };
const ALL_RULES = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };

/** What axe finds, in one theme after the other on the same page. */
export async function violations(page: Page, themes: readonly ("dark" | "light")[] = ["dark", "light"]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const all: string[] = [];
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme });
    // Colours on their way to a new state are nobody's to judge: they arrive at once.
    await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
    const found = await page.evaluate(async (runOnly) => {
      const { axe } = window as unknown as { axe: { run: (options: object) => Promise<{ violations: Violation[] }> } };
      return (await axe.run({ runOnly, resultTypes: ["violations"] })).violations;
    }, colorScheme === themes[0] ? ALL_RULES : OF_COLOUR);
    all.push(...found.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary ?? ""}`));
  }
  return all;
}

/** Elements that stick out of the window. */
export async function spilling(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth || document.documentElement.scrollHeight > window.innerHeight);
}
