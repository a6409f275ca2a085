// Twelve things a person does, by keyboard alone: no mouse, no focus set from outside. Where a key has to wait, it waits for what is seen.
import { expect, type Locator, type Page, test } from "@playwright/test";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const heard = async (page: Page, call: string) => {
  const all = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard);
  return all.filter((one) => one.call === call).map((one) => one.input ?? null);
};

/** Tab until it has the focus: what cannot be reached that way is lost to the keyboard. */
async function tabTo(page: Page, target: Locator, key = "Tab"): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 80; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  await expect(target).toBeFocused();
}

async function goTo(page: Page, digit: string, place: string): Promise<void> {
  await page.keyboard.press(`Control+${digit}`);
  await expect(page).toHaveURL(new RegExp(place));
}

test("1: from place to place by digits", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  for (const [digit, place] of [["2", "/timeline"], ["3", "/agents"], ["4", "/budgets"], ["5", "/policies"], ["6", "/credentials"], ["8", "/settings"], ["1", "/inbox"]] as const) await goTo(page, digit, place);
});

test("2: a question is found in the queue, read and allowed once", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await tabTo(page, page.getByRole("link", { name: /Run a command/ }));
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/apr_2/);
  await page.keyboard.press("Enter");
  await expect(page.locator("#card")).toBeFocused();
  await page.clock.runFor(800);
  await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
  await page.keyboard.press("Control+Enter");
  await expect.poll(() => heard(page, "approvals.resolve")).toHaveLength(1);
});

test("3: a question is denied with a reason that the agent hears", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await tabTo(page, page.getByRole("link", { name: /Run a command/ }));
  await page.keyboard.press("Enter");
  await expect(page.locator("#card")).toBeFocused();
  await page.clock.runFor(800);
  await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
  await tabTo(page, page.getByRole("button", { name: /^Deny(?! and)/ }));
  await page.keyboard.press("Enter");
  const reason = page.getByLabel(/What the agent hears/);
  await tabTo(page, reason);
  await page.keyboard.type("use a branch");
  await expect(reason).toHaveValue("use a branch");
  await tabTo(page, page.getByRole("button", { name: "Deny", exact: true }));
  await page.keyboard.press("Enter");
  await expect.poll(() => heard(page, "approvals.resolve")).toHaveLength(1);
  expect((await heard(page, "approvals.resolve"))[0]?.["answer"]).toEqual({ kind: "refuse", reason: "use a branch" });
});

test("4: a word is searched for through the palette, and the first hit opened", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("merge");
  await expect(page.getByRole("option").last()).toContainText("Search the timeline");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/q=merge/);
  await tabTo(page, page.getByRole("grid"));
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/op=op_/);
  await expect(page.getByRole("complementary", { name: "Detail" })).toBeVisible();
});

test("5: everything is stopped, and resumed after a question", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const strip = page.getByRole("contentinfo");
  await page.keyboard.press("Control+Shift+Period");
  await expect(strip).toHaveAttribute("data-state", "stopped");
  await tabTo(page, strip.getByRole("button", { name: "Resume…" }));
  await page.keyboard.press("Enter");
  await tabTo(page, strip.getByRole("button", { name: "Resume", exact: true }));
  await page.keyboard.press("Enter");
  await expect(strip).toHaveAttribute("data-state", "protected");
});

test("6: an agent is paused", async ({ page }) => {
  await open(page, "/agents?fake=story");
  await tabTo(page, page.getByRole("link", { name: /Claude Code/ }).first());
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/agents\/claude-code/);
  await tabTo(page, page.getByRole("main").getByRole("button", { name: "Pause" }));
  await page.keyboard.press("Enter");
  await expect.poll(() => heard(page, "agents.pause")).toEqual([{ agent: "claude-code" }]);
});

test("7: a secret is replaced", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await tabTo(page, page.getByRole("main").getByRole("button", { name: "Replace" }));
  await page.keyboard.press("Enter");
  const field = page.getByRole("textbox", { name: /^Secret/ });
  await tabTo(page, field);
  await page.keyboard.type("not-a-secret-0123456789");
  await expect(field).toHaveValue("not-a-secret-0123456789");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect(await heard(page, "credentials.replace")).toHaveLength(1);
});

test("8: observing is chosen in the settings", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await goTo(page, "8", "/settings");
  await tabTo(page, page.getByRole("link", { name: "Protection" }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("radio", { name: /^Enforce/ }));
  await page.keyboard.press("ArrowDown");
  // It loosens everything, so a human is proven first.
  await expect(page.getByRole("dialog", { name: "Is it you?" }).getByLabel("Passphrase")).toBeFocused();
  await page.keyboard.type("correct horse");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "observing");
});

test("9: the sheet of shortcuts opens, closes, and gives the focus back", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const grid = page.getByRole("grid");
  await tabTo(page, grid);
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(sheet).toContainText("Allow once");
  await page.keyboard.press("Escape");
  await expect(sheet).toHaveCount(0);
  await expect(grid).toBeFocused();
});

test("10: what the strip says is opened, read and left", async ({ page }) => {
  await open(page, "/timeline?fake=paused");
  const word = page.getByRole("contentinfo").getByRole("button", { name: /^Paused until/ });
  await tabTo(page, word, "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toContainText("Nothing is held or denied");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(word).toBeFocused();
});

test("11: a changed tool is found, read and approved", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await tabTo(page, page.getByRole("link", { name: /held until you review/ }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/servers/);
  const main = page.getByRole("main");
  await tabTo(page, page.getByRole("navigation", { name: "Servers" }).getByRole("link", { name: /office/ }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/servers\/office/);
  await tabTo(page, main.getByRole("link", { name: /export_report/ }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/tool=export_report/);
  await tabTo(page, main.getByRole("button", { name: "Approve this tool…" }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("dialog").getByRole("button", { name: "Approve 1 tool" }));
  await page.keyboard.press("Enter");
  await expect.poll(() => heard(page, "servers.approve")).toHaveLength(1);
});

test("12: a limit is set", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await goTo(page, "4", "/budgets");
  await tabTo(page, page.getByRole("button", { name: "New budget" }));
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await tabTo(page, dialog.getByLabel(/^Name/));
  await page.keyboard.type("by-keyboard");
  await tabTo(page, dialog.getByRole("spinbutton", { name: "Dollars" }));
  await page.keyboard.type("30");
  await page.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("main").getByRole("link", { name: /of \$30\.00/ })).toBeVisible();
});
