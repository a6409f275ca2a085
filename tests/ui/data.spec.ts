// The record's data by hand: what would go is said before it is saved, and wiping takes its words and nothing that runs.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };
type Fake = { fakeEngine: { heard: Heard[]; call: (call: Heard) => Promise<{ id: string; running: number }[]> } };

const heard = async (page: Page, call: string) => {
  const all = await page.evaluate(() => (window as unknown as Fake).fakeEngine.heard);
  return all.filter((one) => one.call === call).map((one) => one.input);
};

const keep = (page: Page) => page.getByRole("group", { name: "Keep" });

test("what goes with fewer days is said before it is saved, and gone afterwards", async ({ page }) => {
  await open(page, "/settings/data?fake=story");
  await expect(page.getByText("48,210", { exact: true })).toBeVisible();
  await keep(page).getByRole("radio", { name: "30 days" }).click();
  await expect(page.getByText(/With this, [\d,]+ actions with [\d,]+ records, made until .* go for good: about [\d.]+ MB\./)).toBeVisible();
  expect(await heard(page, "audit.set_retention")).toEqual([]);
  await page.getByRole("button", { name: "Save and remove" }).click();
  await expect(page.getByText("Saved. The record is kept 30 days.")).toBeVisible();
  expect(await heard(page, "audit.set_retention")).toEqual([{ keep: { days: 30, megabytes: 0 } }]);
  await expect(page.getByText(/up to record #[\d,]+, on /)).toBeVisible();
  await expect(page.getByText("48,210", { exact: true })).toHaveCount(0);
  await expect(page.getByRole("button", { name: /^Save/ })).toHaveCount(0);
});

test("keeping more takes nothing, and going back to what holds leaves nothing to save", async ({ page }) => {
  await open(page, "/settings/data?fake=story");
  await keep(page).getByRole("radio", { name: "for ever" }).click();
  await expect(page.getByText("Nothing that is recorded now goes with this.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save", exact: true })).toBeVisible();
  await keep(page).getByRole("radio", { name: "90 days" }).click();
  await expect(page.getByRole("button", { name: /^Save/ })).toHaveCount(0);
});

test("a limit of room that somebody wrote into the file is offered too", async ({ page }) => {
  await open(page, "/settings/data?fake=long");
  await expect(page.getByRole("group", { name: "At most" }).getByRole("radio", { name: "5,000 MB" })).toBeChecked();
  await expect(page.getByText("Older records are being removed right now.")).toBeVisible();
});

test("why nothing is removed is said beside the record", async ({ page }) => {
  await open(page, "/settings/data?fake=broken");
  await expect(page.getByText(/nothing is removed while the record does not verify/i)).toBeVisible();
});

test("wiping takes the very words, and is refused while sessions run", async ({ page }) => {
  await open(page, "/settings/data?fake=story");
  await page.getByRole("button", { name: "Wipe the record…" }).click();
  const dialog = page.getByRole("dialog", { name: "Wipe the record" });
  const wipe = dialog.getByRole("button", { name: "Wipe", exact: true });
  await expect(wipe).toHaveAttribute("aria-disabled", "true");
  await dialog.getByRole("textbox").fill("wipe it");
  await page.keyboard.press("Enter");
  expect(await heard(page, "audit.wipe")).toEqual([]);
  await dialog.getByRole("textbox").fill("wipe the record");
  await wipe.click();
  await expect(dialog.getByRole("alert")).toContainText("the record is not wiped while sessions run: claude-code");
  await page.keyboard.press("Escape");
  await expect(page.getByText("48,210", { exact: true })).toBeVisible();
});

test("after wiping, every place shows the new record", async ({ page }) => {
  await open(page, "/settings/data?fake=story");
  await page.evaluate(async () => {
    const { fakeEngine } = window as unknown as Fake;
    for (const { id } of await fakeEngine.call({ call: "agents.list" })) await fakeEngine.call({ call: "agents.stop", input: { agent: id } });
  });
  await page.getByRole("button", { name: "Wipe the record…" }).click();
  const dialog = page.getByRole("dialog", { name: "Wipe the record" });
  await dialog.getByRole("checkbox", { name: /Credentials too/ }).click();
  await dialog.getByRole("textbox").fill("wipe the record");
  await dialog.getByRole("button", { name: "Wipe", exact: true }).click();
  await expect(page.getByText("The record was wiped.")).toBeVisible();
  await expect(dialog).toHaveCount(0);
  expect(await heard(page, "audit.wipe")).toEqual([{ confirm: "wipe the record", credentials: true }]);
  await expect(page.getByRole("contentinfo")).toContainText("48,211");
  await page.getByRole("link", { name: "Timeline" }).click();
  await expect(page.getByRole("row")).toHaveCount(0);
});
