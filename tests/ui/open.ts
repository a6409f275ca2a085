// Opens an address on a recorded state, at one fixed moment, and waits until it is drawn.
import type { Page } from "@playwright/test";

export const NOW = new Date("2026-11-20T14:03:39+01:00");

export async function open(page: Page, address: string): Promise<void> {
  await page.clock.install({ time: NOW });
  await page.goto(address, { waitUntil: "commit" });
  // A place is loaded when it is first looked at. Asked often: what waits in growing steps waits a quarter of a second too long,
  // hundreds of times.
  await page.waitForFunction(() => document.querySelector("footer")?.checkVisibility() && document.querySelector("h1") !== null, undefined, { polling: 20, timeout: 20_000 });
  await page.evaluate(() => document.fonts.ready);
  await page.clock.runFor(1_000);
}
