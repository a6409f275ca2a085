// Opens an address on a recorded state, at one fixed moment, and waits until it is drawn.
import { expect, type Page } from "@playwright/test";

export const NOW = new Date("2026-11-20T14:03:39+01:00");

export async function open(page: Page, address: string): Promise<void> {
  await page.clock.install({ time: NOW });
  await page.goto(address);
  await expect(page.getByRole("contentinfo")).toBeVisible();
  // A place is loaded when it is first looked at.
  await expect(page.getByRole("heading", { level: 1 })).toBeAttached();
  await page.evaluate(() => document.fonts.ready);
  await page.clock.runFor(1_000);
}
