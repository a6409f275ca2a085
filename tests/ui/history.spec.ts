// The way back: the window of the desktop has no bar of a browser's, so its own keys, its palette and its pages have to lead there.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

const MERGE = "op_00000000000000000000048205";
const query = (page: Page) => new URL(page.url()).searchParams.get("q");
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

/** Searches, and opens what was found as a page. */
async function searchAndOpen(page: Page): Promise<void> {
  await open(page, "/timeline?fake=story");
  const field = page.getByRole("combobox", { name: "Query" });
  await field.fill("decision:denied");
  await field.press("Enter");
  await expect.poll(() => query(page)).toBe("decision:denied");
  await page.getByRole("row", { name: /812\/merge/ }).click();
  await expect(page).toHaveURL(new RegExp(`op=${MERGE}`));
  await page.getByRole("row", { name: /812\/merge/ }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Open as a page" }).click();
  await expect(heading(page, "Record #48,205")).toBeVisible();
}

test("the record page's own way back leads to the Timeline as it was left", async ({ page }) => {
  await searchAndOpen(page);
  await page.getByRole("main").getByRole("link", { name: "Timeline" }).click();
  await expect(heading(page, "Timeline")).toBeVisible();
  expect(query(page)).toBe("decision:denied");
  await expect(page.getByRole("row", { selected: true })).toContainText("812/merge");
});

test("over other pages too, and to a new Timeline where this window was at none", async ({ page }) => {
  await searchAndOpen(page);
  await page.keyboard.press("Control+3");
  await expect(heading(page, "Agents")).toBeVisible();
  await page.keyboard.press("Alt+ArrowLeft");
  await expect(heading(page, "Record #48,205")).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "Timeline" }).click();
  await expect.poll(() => query(page)).toBe("decision:denied");
  await open(page, `/record/${MERGE}?fake=story`);
  await page.getByRole("main").getByRole("link", { name: "Timeline" }).click();
  await expect(heading(page, "Timeline")).toBeVisible();
  expect(query(page)).toBeNull();
});

test("Alt with an arrow goes back and forward, also out of a field, and no further than where the window began", async ({ page }) => {
  await searchAndOpen(page);
  await page.keyboard.press("Alt+ArrowLeft");
  await expect(heading(page, "Timeline")).toBeVisible();
  expect(query(page)).toBe("decision:denied");
  await page.keyboard.press("Alt+ArrowRight");
  await expect(heading(page, "Record #48,205")).toBeVisible();
  await page.keyboard.press("Alt+ArrowLeft");
  await expect(heading(page, "Timeline")).toBeVisible();
  await page.getByRole("combobox", { name: "Query" }).focus();
  await page.keyboard.press("Alt+ArrowLeft");
  await expect.poll(() => query(page)).toBeNull();
  await page.keyboard.press("Alt+ArrowLeft");
  await page.keyboard.press("Alt+ArrowRight");
  await expect.poll(() => query(page)).toBe("decision:denied");
});

test("a list does not take the arrow for its own", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await page.keyboard.press("Control+2");
  await page.getByRole("button", { name: "Sessions", exact: true }).click();
  const tree = page.getByRole("treegrid");
  await tree.focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Alt+ArrowLeft");
  await expect(page.getByRole("button", { name: "List", exact: true })).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("Alt+ArrowLeft");
  await expect(heading(page, "Inbox")).toBeVisible();
});

test("the editor keeps its own keys: nothing that was written is left behind by one", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await page.keyboard.press("Control+5");
  await page.getByRole("button", { name: "New rule" }).click();
  await expect(page).toHaveURL(/\/policies\/new/);
  await page.locator(".cm-content").first().focus();
  await page.keyboard.press("Alt+ArrowLeft");
  await heading(page, "Policies").click();
  await page.keyboard.press("Alt+ArrowLeft");
  await expect(page).toHaveURL(/\/policies$/);
});

test("the sheet and the palette name the keys, and the palette does the same", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await page.keyboard.press("Control+3");
  await expect(heading(page, "Agents")).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog").getByText("Back and forward").locator("xpath=following-sibling::dd[1]")).toContainText("Alt←");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  for (const [name, place] of [["Back", "Inbox"], ["Forward", "Agents"]] as const) {
    await page.keyboard.press("Control+k");
    await page.keyboard.type(name);
    await page.getByRole("option", { name, exact: true }).click();
    await expect(heading(page, place)).toBeVisible();
  }
});

test("no dialog is left behind in the history: back never opens one that was done with", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await page.keyboard.press("Control+6");
  await expect(heading(page, "Credentials")).toBeVisible();
  await page.getByRole("button", { name: "Add credential" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a credential" });
  await dialog.getByLabel(/^Secret/).fill("not-a-secret-0123456789");
  await dialog.getByRole("button", { name: "Add credential" }).click();
  await expect(page).toHaveURL(/\/credentials\/anthropic-2$/);
  await expect(dialog).toHaveCount(0);
  await page.keyboard.press("Alt+ArrowLeft");
  await expect(page).toHaveURL(/\/credentials$/);
  await expect(dialog).toHaveCount(0);
  await page.keyboard.press("Alt+ArrowLeft");
  await expect(heading(page, "Inbox")).toBeVisible();
});
