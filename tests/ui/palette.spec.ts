// The palette by keyboard alone: it navigates, searches and stops, and never answers a question.
import { expect, test } from "@playwright/test";
import { open } from "./open";

test("the palette goes to places, searches, opens ids, stops, and knows no Allow", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  const input = page.getByRole("combobox", { name: "Commands and search" });
  const choose = async (text: string) => {
    await page.keyboard.press("Control+k");
    await expect(input).toBeFocused();
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
    await expect(input).toHaveCount(0);
  };
  await choose("timel");
  await expect(page).toHaveURL(/\/timeline$/);
  await choose("github token");
  await expect(page).toHaveURL(/\/timeline\?q=github/);
  await choose("apr_4");
  await expect(page).toHaveURL(/\/inbox\/apr_4/);
  await page.keyboard.press("Control+k");
  await expect(input).toBeFocused();
  await page.keyboard.type("allow");
  // A rule may be named so; nothing that can be run allows.
  await expect(page.getByRole("group", { name: "Commands" }).getByRole("option")).toHaveText(["Search the timeline for “allow”"]);
  await page.keyboard.press("Escape");
  await expect(input).toHaveCount(0);
  await choose("stop all");
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "stopped");
});

test("what is typed right after the shortcut reaches the palette and never the page behind", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  const card = page.locator("#card");
  await card.focus();
  await expect(card).toHaveAttribute("data-armed", "true");
  // In one task of the page: no look in between, no time for an effect.
  const focused = await page.evaluate(() => {
    const press = (key: string, code: string, more: KeyboardEventInit = {}) => document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...more }));
    press("k", "KeyK", { ctrlKey: true });
    const role = document.activeElement?.getAttribute("role");
    press("Enter", "Enter", { ctrlKey: true });
    press("Backspace", "Backspace", { ctrlKey: true });
    return role;
  });
  expect(focused).toBe("combobox");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("jk allow");
  await expect(page.getByRole("combobox", { name: "Commands and search" })).toHaveValue("jk allow");
  await expect(page).toHaveURL(/apr_4/);
  const answers = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: { call: string }[] } }).fakeEngine.heard.filter((one) => one.call === "approvals.resolve"));
  expect(answers).toEqual([]);
});
