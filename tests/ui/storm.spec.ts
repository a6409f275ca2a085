// While hundreds of different actions arrive, the window hears keys and clicks and draws; what somebody reads stays where it is.
import { expect, type Page, test } from "@playwright/test";
import { arrived, calm, type Kind, rage } from "./storm";

/** A storm brings at least so many, and goes on until the window has answered, */
const LEAST = 300;
/** but ends here: what has no answer by then was frozen. */
const MOST = 1_500;
/** A window that is drawn only when all is over is without a frame for most of the storm; a breath of a slow machine is a small part of it. */
const SHARE = 1 / 3;

async function rages(page: Page, kind: Kind): Promise<void> {
  await rage(page, kind, LEAST, MOST);
  await expect.poll(() => arrived(page)).toBeGreaterThan(40);
}

/** It still raged when the last answer was seen, and frames were drawn all along. */
async function wasAnswered(page: Page): Promise<number> {
  expect(await arrived(page)).toBeLessThan(MOST);
  const storm = await calm(page);
  expect(storm.arrived).toBeGreaterThanOrEqual(LEAST);
  expect(storm.longest / storm.took).toBeLessThan(SHARE);
  return storm.arrived;
}

test("a storm of different questions leaves keys and clicks alone", async ({ page }) => {
  await page.goto("/inbox?fake=story");
  await expect(page.locator("#card")).toBeVisible();
  const held = page.getByRole("region", { name: "Held now" });
  await held.getByRole("link", { name: /Run a command/ }).focus();
  await rages(page, "approval");
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/apr_2/);
  await page.getByRole("button", { name: "What decides" }).click();
  await expect(page.getByRole("row", { name: /claude-code-tokens/ })).toBeVisible();
  const all = await wasAnswered(page);
  await expect(held.getByRole("link", { name: /storm-/ })).toHaveCount(all);
  await expect(page.getByText(new RegExp(`^${all + 5} questions`))).toBeVisible();
  // Whoever reads a question still reads it.
  await expect(page).toHaveURL(/apr_2/);
  await expect(page.getByRole("row", { name: /claude-code-tokens/ })).toBeVisible();
});

test("a storm of records leaves keys and clicks of the timeline alone", async ({ page }) => {
  await page.goto("/timeline?fake=story");
  await expect(page.getByRole("row", { name: /storm-/ })).toHaveCount(0);
  await expect(page.getByRole("row").first()).toBeVisible();
  await rages(page, "row");
  await expect(page.getByRole("row", { name: /storm-/ }).first()).toBeVisible();
  await page.getByRole("button", { name: "Live" }).click();
  const paused = page.getByRole("button", { name: "Paused" });
  await expect(paused).toBeVisible();
  await page.getByRole("row", { name: /storm-/ }).first().click();
  await expect(page).toHaveURL(/op_storm_/);
  const opened = page.url();
  await page.keyboard.press("j");
  await expect.poll(() => page.url()).not.toBe(opened);
  await wasAnswered(page);
});
