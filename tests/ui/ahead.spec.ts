// Once the first screen stands, what other places need is loaded without being asked for.
import { expect, test } from "@playwright/test";

const PLACES = ["Agents", "Budgets", "Policies", "Credentials", "Settings"];
/** What no link of the sidebar leads to. */
const DEEPER = ["/servers", "/record/48203", "/timeline?view=sessions", "/timeline?view=flow"];

test("every place and the editor are there without one more script, once the window was idle", async ({ page }) => {
  const scripts: string[] = [];
  page.on("request", (request) => {
    if (/\.js$/.test(request.url())) scripts.push(request.url());
  });
  // The editor is the last of them.
  const last = page.waitForResponse(/\/source-editor-/);
  await page.goto("/timeline?fake=story");
  await expect(page.getByRole("row").first()).toBeVisible();
  await (await last).finished();
  const loaded = scripts.length;
  for (const place of PLACES) {
    await page.getByRole("navigation").getByRole("link", { name: place }).click();
    await expect(page.getByRole("heading", { level: 1, name: place })).toBeVisible();
  }
  for (const place of DEEPER) {
    await page.goto(`${place}${place.includes("?") ? "&" : "?"}fake=story`);
    await expect(page.getByRole("main")).toBeVisible();
    await page.waitForLoadState("networkidle");
  }
  await page.goto("/policies/new?fake=story");
  await expect(page.getByRole("textbox", { name: "Source" })).toBeVisible();
  expect(loaded).toBeGreaterThan(20);
  expect(new Set(scripts).size).toBe(loaded);
});
