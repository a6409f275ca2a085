// Settings by hand: what is chosen holds at once, what was refused stands as it was, and the look is kept. What the engine keeps shows
// as chosen once the engine said so: it is clicked and waited for, not checked.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const changes = async (page: Page) => {
  const all = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard);
  return all.filter((one) => one.call === "settings.set").map((one) => one.input);
};

test("observing is chosen, said in the strip, and taken back from there", async ({ page }) => {
  await open(page, "/settings/protection?fake=story");
  const strip = page.getByRole("contentinfo");
  await page.getByRole("radio", { name: /^Observe/ }).click();
  const question = page.getByRole("dialog", { name: "Is it you?" });
  await question.getByLabel("Passphrase").fill("correct horse");
  await question.getByRole("button", { name: "Go on" }).click();
  await expect(strip).toHaveAttribute("data-state", "observing");
  await page.getByRole("link", { name: "Inbox" }).click();
  await strip.getByRole("button", { name: "Ready to enforce?" }).click();
  await expect(page).toHaveURL(/\/settings\/protection/);
  await page.getByRole("radio", { name: /^Enforce/ }).click();
  await expect(strip).toHaveAttribute("data-state", "protected");
  expect(await changes(page)).toEqual([
    { mode: "observe", preset: null, notifications: null },
    { mode: "observe", preset: null, notifications: null, proof: "correct horse" },
    { mode: "enforce", preset: null, notifications: null },
  ]);
});

test("what Reeve put on this machine stands there, with the way to be rid of it", async ({ page }) => {
  await open(page, "/settings/protection?fake=story");
  const part = page.locator("section").filter({ has: page.getByRole("heading", { name: "What Reeve put on this machine" }) });
  await expect(part.getByRole("listitem").first()).toBeVisible();
  await expect(part.getByRole("button", { name: "Copy" }).first()).toBeVisible();
});

test("the window opens at login when that is wished, and says when it cannot be", async ({ page }) => {
  await open(page, "/settings/general?fake=story");
  const wish = page.getByRole("checkbox", { name: /^Open when I log in/ });
  await wish.click();
  await expect(wish).toBeChecked();
  await wish.click();
  await expect(wish).not.toBeChecked();
  await open(page, "/settings/general?fake=failing");
  await expect(page.getByRole("alert")).toContainText("cannot be written");
  await expect(page.getByRole("checkbox", { name: /^Open when I log in/ })).toBeDisabled();
});

test("a pause is begun here and ended here", async ({ page }) => {
  await open(page, "/settings/protection?fake=story");
  await page.getByRole("button", { name: "15 minutes" }).click();
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "paused");
  await page.getByRole("main").getByRole("button", { name: "Resume now" }).click();
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "protected");
});

test("each kind of notification is turned off by itself, but not that protection is lost", async ({ page }) => {
  await open(page, "/settings/notifications?fake=story");
  await page.getByRole("checkbox", { name: /limit is nearly used/ }).click();
  await expect.poll(() => changes(page)).toEqual([{ mode: null, preset: null, notifications: { waiting: true, budget: false, deniedHigh: true } }]);
  await expect(page.getByRole("checkbox", { name: /limit is nearly used/ })).not.toBeChecked();
  await expect(page.getByRole("checkbox", { name: /Protection is lost/ })).toBeDisabled();
});

test("the theme holds at once and after a reload", async ({ page }) => {
  await open(page, "/settings/general?fake=story");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(await ground()).toBe("rgb(246, 247, 249)");
  await page.getByRole("group", { name: "Theme" }).getByRole("radio", { name: "Dark" }).check();
  expect(await ground()).toBe("rgb(13, 16, 21)");
  await page.reload();
  await expect(page.getByRole("group", { name: "Theme" }).getByRole("radio", { name: "Dark" })).toBeChecked();
  expect(await ground()).toBe("rgb(13, 16, 21)");
});

test("more contrast is a wish of the person too", async ({ page }) => {
  await open(page, "/settings/general?fake=story");
  const line = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--border").trim());
  const before = await line();
  await page.getByRole("group", { name: "Contrast" }).getByRole("radio", { name: "More" }).check();
  expect(await line()).not.toBe(before);
});

test("single keys that are off do nothing, and shortcuts with Control still work", async ({ page }) => {
  await open(page, "/settings/shortcuts?fake=story");
  await page.getByRole("checkbox", { name: /Letters and signs/ }).uncheck();
  await page.getByRole("link", { name: "Timeline" }).click();
  await expect(page).toHaveURL(/\/timeline/);
  await page.getByRole("grid").focus();
  await page.keyboard.press("j");
  await page.keyboard.press("?");
  await page.keyboard.press("ArrowDown");
  await expect(page).toHaveURL(/op=op_0*48209/);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.press("Control+1");
  await expect(page).toHaveURL(/\/inbox/);
});

test("a single key is chosen anew, works in lists, and never means two things", async ({ page }) => {
  await open(page, "/settings/shortcuts?fake=story");
  const next = page.getByRole("textbox", { name: "Next row" });
  await next.click();
  await page.keyboard.press("k");
  await expect(page.getByRole("alert")).toContainText("Previous row");
  await expect(next).toHaveValue("J");
  await page.keyboard.press("n");
  await expect(next).toHaveValue("N");
  await page.getByRole("link", { name: "Timeline" }).click();
  await expect(page).toHaveURL(/\/timeline/);
  await page.getByRole("grid").focus();
  await page.keyboard.press("j");
  expect(new URL(page.url()).searchParams.has("op")).toBe(false);
  await page.keyboard.press("n");
  await expect(page).toHaveURL(/op=op_0*48209/);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog").getByText("Next and previous row").locator("xpath=following-sibling::dd[1]")).toContainText("N");
});

test("the key that pins is nobody else's, and another one pins as well", async ({ page }) => {
  await open(page, "/settings/shortcuts?fake=story");
  const next = page.getByRole("textbox", { name: "Next row" });
  await next.click();
  await page.keyboard.press("p");
  await expect(page.getByRole("alert")).toContainText("Pin the chosen action");
  await expect(next).toHaveValue("J");
  const pin = page.getByRole("textbox", { name: "Pin the chosen action", exact: true });
  await pin.click();
  await page.keyboard.press("i");
  await expect(pin).toHaveValue("I");
  await page.getByRole("link", { name: "Timeline" }).click();
  await page.getByRole("row", { name: /812\/merge/ }).click();
  await expect(page.getByRole("button", { name: "Pin", exact: true })).toBeVisible();
  await page.getByRole("grid").focus();
  await page.keyboard.press("p");
  await page.keyboard.press("i");
  await expect(page.getByRole("button", { name: "Unpin" })).toBeVisible();
  const pinned = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard.filter((one) => one.call === "operations.annotate").length);
  expect(pinned).toBe(1);
});

test("the mark is one's own, and the cards show it", async ({ page }) => {
  await open(page, "/settings/general?fake=story");
  await page.getByRole("textbox", { name: "Two words" }).fill("quiet plover");
  await page.getByRole("radio", { name: "Colour 3" }).check();
  await page.getByRole("button", { name: "Save the mark" }).click();
  await expect(page.getByRole("button", { name: "Save the mark" })).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("link", { name: "Inbox" }).click();
  await expect(page.locator("#card")).toContainText("quiet plover");
});

test("the doctor looks only when asked, and says what mends", async ({ page }) => {
  await open(page, "/settings/doctor?fake=story");
  await expect(page.getByRole("listitem")).toHaveCount(0);
  await page.getByRole("button", { name: "Run all checks" }).click();
  await expect(page.getByText("3 of 14 checks found something.")).toBeVisible();
  const row = (name: string) => page.getByRole("listitem").filter({ hasText: name });
  // A command is there to be copied, an advice to be read.
  await expect(row("trust: node")).toContainText("see README, trust per runtime.");
  await expect(row("trust: node").getByRole("button")).toHaveCount(0);
  await expect(row("policy").getByRole("button", { name: "Copy" })).toBeVisible();
  await expect(row("web view")).toContainText("WebKitGTK");
});

test("a repair is shown step by step before it is done, by the keyboard alone, and the list is fresh after it", async ({ page }) => {
  const repairs = () => page.evaluate(() => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard.filter((one) => one.call === "status.repair"));
  await open(page, "/settings/doctor?fake=story");
  const run = page.getByRole("button", { name: "Run all checks" });
  await run.focus();
  await page.keyboard.press("Enter");
  const row = page.getByRole("main").getByRole("listitem").filter({ hasText: "left over" });
  const offer = row.getByRole("button", { name: /^Repair…/ });
  const dialog = page.getByRole("dialog", { name: "Repair" });
  await offer.focus();
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("listitem")).toHaveCount(2);
  // The whole of it, however long.
  await expect(dialog).toContainText("remove the trust file /run/user/1000/reeve/trust/trust-ses_00000000000000000000000007.pem of a session that is over");
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(offer).toBeFocused();
  expect(await repairs()).toEqual([]);
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Repair", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("2 of 14 checks found something.")).toBeVisible();
  await expect(row).toContainText("nothing of engines and sessions that are gone");
  await expect(offer).toHaveCount(0);
  await expect(run).toBeFocused();
  const [asked, ...others] = await repairs();
  expect(others).toEqual([]);
  expect(asked?.input?.steps).toHaveLength(2);
});

test("a repair that does not work is said where it was asked for, and the checks run again after it", async ({ page }) => {
  await open(page, "/settings/doctor?fake=story");
  await page.evaluate(() => {
    const { fakeEngine } = window as unknown as { fakeEngine: { call: (call: { call: string }) => Promise<unknown> } };
    const asked = fakeEngine.call.bind(fakeEngine);
    fakeEngine.call = (call) => (call.call === "status.repair" ? Promise.reject({ code: "failed", message: "remove the trust file: permission denied", hint: null }) : asked(call));
  });
  await page.getByRole("button", { name: "Run all checks" }).click();
  await page.getByRole("button", { name: /^Repair…/ }).click();
  const dialog = page.getByRole("dialog", { name: "Repair" });
  await dialog.getByRole("button", { name: "Repair", exact: true }).click();
  await expect(dialog.getByRole("alert")).toContainText("permission denied");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("3 of 14 checks found something.")).toBeVisible();
  const looked = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard.filter((one) => one.call === "status.doctor").length);
  expect(looked).toBe(2);
});

test("a setting that was refused stands as it was, and is said", async ({ page }) => {
  await open(page, "/settings/protection?fake=story");
  await page.evaluate(() => {
    const { fakeEngine } = window as unknown as { fakeEngine: { call: (call: { call: string }) => Promise<unknown> } };
    const asked = fakeEngine.call.bind(fakeEngine);
    fakeEngine.call = (call) => (call.call === "settings.set" ? Promise.reject({ code: "failed", message: "config.toml is not writable", hint: null }) : asked(call));
  });
  await page.getByRole("radio", { name: /^Strict/ }).click();
  await expect(page.getByText("config.toml is not writable")).toBeVisible();
  await expect(page.getByRole("radio", { name: /^Balanced/ })).toBeChecked();
});

test("quitting says what stops; staying is the answer of Enter and of Escape", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  const left = () => page.evaluate(() => (window as unknown as { fakeEngine: { left: boolean[] } }).fakeEngine.left);
  const ask = () => page.evaluate(() => window.dispatchEvent(new CustomEvent("reeve:quit")));
  const dialog = page.getByRole("dialog", { name: "Quit Reeve?" });
  await ask();
  await expect(dialog).toContainText("5 sessions go on, governed by the engine.");
  await expect(dialog).toContainText("5 questions wait. They end in denied");
  await expect(dialog.getByRole("button", { name: "Keep running in the tray" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await ask();
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await ask();
  await dialog.getByRole("button", { name: "Quit anyway" }).click();
  await expect(dialog).toHaveCount(0);
  expect(await left()).toEqual([false, false, true]);
});

test("the strip's word opens what is behind it, with one thing to do", async ({ page }) => {
  await open(page, "/timeline?fake=degraded");
  await page.getByRole("contentinfo").getByRole("button", { name: /^Degraded/ }).click();
  const details = page.getByRole("dialog");
  await expect(details).toContainText("the record cannot be written: the disk is full");
  await details.getByRole("button", { name: "Open the doctor" }).click();
  await expect(page).toHaveURL(/\/settings\/doctor/);
});
