// The timeline's range menu, export and broken chain, by mouse and by keyboard, on recorded states.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const exports = async (page: Page) => {
  const all = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard);
  return all.filter((call) => call.call === "operations.export").map((call) => call.input);
};

test("a query is exported by keyboard alone, and the dialog says how to check the file", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=decision:denied");
  const button = page.getByRole("button", { name: "Export…" });
  await button.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Export actions" });
  await expect(dialog).toContainText("decision:denied");
  await dialog.getByLabel("Write to").fill("denied.jsonl");
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("alert")).toContainText("is not an absolute path");
  await dialog.getByLabel("Write to").fill("/tmp/it's denied.jsonl");
  await page.keyboard.press("Enter");
  await expect(dialog).toContainText("/tmp/it's denied.jsonl.manifest.json");
  await expect(dialog).toContainText("reeve verify '/tmp/it'\\''s denied.jsonl'");
  expect((await exports(page)).at(-1)).toEqual({ query: "decision:denied", format: "jsonl", path: "/tmp/it's denied.jsonl" });
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
});

test("nothing is written without a path, nor when the dialog is cancelled", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await page.getByRole("button", { name: "Export…" }).click();
  const dialog = page.getByRole("dialog", { name: "Export actions" });
  await expect(dialog.getByRole("button", { name: "Export" })).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel("Write to").fill("/tmp/all.csv");
  await dialog.getByRole("radio", { name: /CSV/ }).check();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  expect(await exports(page)).toEqual([]);
});

test("nothing matches: there is nothing to export", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=nothing-has-this-word");
  await expect(page.getByRole("button", { name: "Export…" })).toHaveAttribute("aria-disabled", "true");
});

test("the range menu writes the query, by keyboard alone, and back leads to the range before", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=kind:llm");
  await page.getByRole("button", { name: /Time range/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Last 7 days" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Time range: Last 7 days" })).toBeVisible();
  expect(new URL(page.url()).searchParams.get("q")).toBe("kind:llm since:7d");
  await page.goBack();
  await expect(page.getByRole("button", { name: "Time range: All time" })).toBeVisible();
});

test("what cost the most comes first, and the address keeps it", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await page.getByRole("button", { name: /By cost, the most first/ }).click();
  await expect(page).toHaveURL(/sort=cost/);
  await expect(page.getByText("The 200 that cost the most")).toBeVisible();
  const costs = await page.getByRole("row").evaluateAll((rows) => rows.slice(0, 12).map((row) => Number(/\$([\d.]+)/.exec(row.textContent ?? "")?.[1] ?? Number.NaN)));
  expect(costs).toEqual(costs.toSorted((a, b) => b - a));
  await page.getByRole("button", { name: "One line per action" }).click();
  const header = page.getByRole("button", { name: "Cost", exact: true });
  await expect(header).toHaveAttribute("aria-pressed", "true");
  await page.getByRole("button", { name: "Time", exact: true }).click();
  await expect(page).not.toHaveURL(/sort=/);
  await page.goBack();
  await expect(page.getByText("The 200 that cost the most")).toBeVisible();
});

test("yesterday is a range to choose, with both its edges in the query", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await page.getByRole("button", { name: /Time range/ }).click();
  await page.getByRole("menuitem", { name: "Yesterday" }).click();
  // The person's own calendar, written as the query reads it.
  await expect(page).toHaveURL((url) => url.searchParams.get("q") === "since:2026-11-18T23:00Z before:2026-11-19T23:00Z");
  await expect(page.getByRole("button", { name: "Time range: Yesterday" })).toBeVisible();
  await page.getByRole("button", { name: /Time range/ }).click();
  await page.getByRole("menuitem", { name: "Today" }).click();
  await expect(page).toHaveURL((url) => url.searchParams.get("q") === "since:2026-11-19T23:00Z before:2026-11-20T23:00Z");
  await expect(page.getByText("1,204 actions")).toBeVisible();
});
