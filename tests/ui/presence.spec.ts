// Proof of a human by hand: what loosens protection waits for the passphrase, a wrong one changes nothing, and a first one is chosen where
// none is set.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const heard = async (page: Page, call: string) => {
  const all = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard);
  return all.filter((one) => one.call === call);
};

const question = (page: Page) => page.getByRole("dialog", { name: "Is it you?" });

/** From now on what is as grave as high needs it too. */
async function alsoHigh(page: Page, state: string): Promise<void> {
  await open(page, `/settings/protection?fake=${state}`);
  const toggle = page.getByRole("checkbox", { name: /higher limits and looser rules/ });
  await toggle.click();
  await expect(toggle).toBeChecked();
}

async function raise(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Raise" }).click();
  const form = page.getByRole("dialog", { name: /Raise/ });
  await form.getByRole("spinbutton", { name: "Dollars" }).fill("12.50");
  await form.getByRole("button", { name: "Raise limit" }).click();
}

async function make(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Budgets" }).click();
  await page.getByRole("button", { name: "New budget" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("weekly");
  await dialog.getByRole("combobox", { name: /^Over/ }).selectOption("week");
  await dialog.getByRole("spinbutton", { name: "Dollars" }).fill("30");
  await dialog.getByRole("button", { name: "Create budget" }).click();
  await expect(dialog).toHaveCount(0);
  await page.getByRole("link", { name: /of \$30\.00/ }).click();
  await expect(page).toHaveURL(/\/budgets\/weekly/);
}

test("a limit is raised with the passphrase, and a wrong one raises nothing", async ({ page }) => {
  await alsoHigh(page, "story");
  await make(page);
  await raise(page);
  const field = question(page).getByLabel("Passphrase");
  await expect(field).toBeFocused();
  await expect(question(page)).toContainText("raising the limit weekly needs your passphrase.");
  await field.fill("wrong horse");
  await question(page).getByRole("button", { name: "Go on" }).click();
  await expect(question(page).getByRole("alert")).toContainText("this is not the passphrase");
  await expect(field).toHaveValue("");
  await expect(page.getByText("$42.50")).toHaveCount(0);
  await field.fill("correct horse");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("link", { name: /of \$42\.50/ })).toBeVisible();
  expect(await heard(page, "budgets.set")).toHaveLength(4);
});

test("Escape gives up the question and keeps the form below it", async ({ page }) => {
  await alsoHigh(page, "story");
  await make(page);
  await raise(page);
  await expect(question(page)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(question(page)).toHaveCount(0);
  const form = page.getByRole("dialog", { name: /Raise/ });
  await expect(form.getByRole("alert")).toContainText("needs your passphrase");
  await expect(form.getByRole("spinbutton", { name: "Dollars" })).toHaveValue("12.50");
});

test("where none is set a first one is chosen, and what was asked for is done", async ({ page }) => {
  await alsoHigh(page, "empty");
  await make(page);
  await raise(page);
  const first = page.getByRole("dialog", { name: "Choose a passphrase" });
  await expect(first).toContainText("none is set yet");
  await first.getByLabel("New passphrase").fill("battery staple");
  await first.getByRole("button", { name: "Set it and go on" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("link", { name: /of \$42\.50/ })).toBeVisible();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("link", { name: "Protection" }).click();
  await expect(page.getByLabel("Present one")).toBeVisible();
});

test("a pause without an end needs the passphrase, one of an hour does not", async ({ page }) => {
  await open(page, "/settings/protection?fake=story");
  const strip = page.getByRole("contentinfo");
  await page.getByRole("button", { name: "Until resumed" }).click();
  await question(page).getByRole("button", { name: "Cancel" }).click();
  await expect(strip).toHaveAttribute("data-state", "protected");
  await page.getByRole("button", { name: "Until resumed" }).click();
  await question(page).getByLabel("Passphrase").fill("correct horse");
  await page.keyboard.press("Enter");
  await expect(strip).toHaveAttribute("data-state", "paused");
  await strip.getByRole("button", { name: "Resume now" }).click();
  await expect(strip).toHaveAttribute("data-state", "protected");
  await page.getByRole("button", { name: "60 minutes" }).click();
  await expect(strip).toHaveAttribute("data-state", "paused");
  await expect(question(page)).toHaveCount(0);
  await expect(strip).toContainText("Paused until");
});

test("a rule that only observes from now on needs it where high risk does", async ({ page }) => {
  await alsoHigh(page, "story");
  await page.getByRole("link", { name: "Policies" }).click();
  await page.getByRole("link", { name: /ask-issue-write/ }).click();
  await page.getByRole("radio", { name: /^Observe/ }).check();
  await page.clock.runFor(1_000);
  await page.getByRole("checkbox", { name: /I have looked at the 2 newly allowed/ }).check();
  const save = page.getByRole("button", { name: "Save", exact: true });
  await expect(save).not.toHaveAttribute("aria-disabled", "true");
  await save.click();
  await question(page).getByLabel("Passphrase").fill("correct horse");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^Saved\./)).toBeVisible();
});

type Fake = { fakeEngine: { bySystem: (answer: "confirms" | "closes" | "nobody") => void } };

const bySystem = (page: Page, answer: "confirms" | "closes" | "nobody") => page.evaluate((how) => (window as unknown as Fake).fakeEngine.bySystem(how), answer);

test("where the system asks nothing is typed, and the call is made again with what it confirmed", async ({ page }) => {
  await open(page, "/settings/protection?fake=story");
  await bySystem(page, "confirms");
  await page.getByRole("button", { name: "Until resumed" }).click();
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "paused");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect(await heard(page, "approvals.confirm")).toHaveLength(1);
  const [bare, proven] = await heard(page, "status.pause");
  expect(bare?.input?.["proof"] ?? null).toBeNull();
  expect(String(proven?.input?.["proof"])).toMatch(/^[0-9a-f-]{36}$/);
});

test("a question of the system that was closed changes nothing, and can be put again or answered with the passphrase", async ({ page }) => {
  await open(page, "/settings/protection?fake=story");
  await bySystem(page, "closes");
  await page.getByRole("button", { name: "Until resumed" }).click();
  await expect(question(page).getByRole("alert")).toContainText("the system's question was closed");
  await expect(question(page).getByLabel("Passphrase")).toHaveCount(0);
  expect(await heard(page, "status.pause")).toHaveLength(1);
  await question(page).getByRole("button", { name: "Ask again" }).click();
  await expect(question(page).getByRole("alert")).toContainText("was closed");
  expect(await heard(page, "approvals.confirm")).toHaveLength(2);
  await question(page).getByRole("button", { name: "Use the passphrase" }).click();
  await question(page).getByLabel("Passphrase").fill("correct horse");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "paused");
});

test("where the system finds nobody to ask the passphrase is asked for instead, and why is said", async ({ page }) => {
  await open(page, "/settings/protection?fake=story");
  await bySystem(page, "nobody");
  await page.getByRole("button", { name: "Until resumed" }).click();
  await expect(question(page).getByRole("alert")).toContainText("nothing in this session shows polkit's questions");
  await question(page).getByLabel("Passphrase").fill("correct horse");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "paused");
});

test("a critical card is confirmed where the system asks, and the confirmation counts for one answer", async ({ page }) => {
  await open(page, "/timeline?fake=storm");
  await bySystem(page, "confirms");
  await page.getByRole("link", { name: /^Inbox/ }).click();
  await page.locator('a[href*="apr_c"]').first().click();
  await page.clock.runFor(1_000);
  const card = page.locator("#card");
  await expect(card).toHaveAttribute("data-armed", "true");
  await expect(card).toContainText("Allowing this needs your confirmation. polkit asks for it in a window of its own.");
  await expect(card.getByLabel("Passphrase")).toHaveCount(0);
  await card.getByRole("button", { name: "Confirm it is you" }).click();
  await expect(card.getByText("It counts for one answer within a minute.")).toBeVisible();
  await card.getByRole("button", { name: /Allow once/ }).click();
  await expect(page).not.toHaveURL(/apr_c/);
  expect(await heard(page, "approvals.confirm")).toHaveLength(1);
});
