// *Always*, edited: the proposed rule in the editor of the policies, read and weighed again, written as it is shown; keys typed in it decide nothing.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const heard = (page: Page, name: string): Promise<Heard[]> => page.evaluate((call) => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard.filter((one) => one.call === call), name);
const armed = async (page: Page) => {
  await page.clock.runFor(800);
  await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
};
const editor = (page: Page) => page.getByRole("textbox", { name: "The rule as you edit it" });
const write = (page: Page) => page.getByRole("button", { name: /Write rule and allow/ });

async function edit(page: Page, address = "/inbox/apr_4?fake=story"): Promise<void> {
  await open(page, address);
  await armed(page);
  await page.getByRole("button", { name: "Allow for longer" }).click();
  await page.getByRole("menuitem", { name: /Always allow/ }).click();
  await expect(page.getByText("@lifts").first()).toBeVisible();
  await page.getByRole("radio", { name: "edit…" }).check();
  await expect(editor(page)).toContainText("permit");
}

/** The text between two marks of the rule that is in the editor, typed anew. */
async function retype(page: Page, from: string, to: string): Promise<string> {
  const shown = (await editor(page).locator(".cm-line").allTextContents()).join("\n");
  expect(shown).toContain(from);
  const text = shown.replace(from, to);
  await editor(page).fill(text);
  await page.clock.runFor(300);
  return text;
}

test("the shown rule is edited, weighed again and written as it stands", async ({ page }) => {
  await edit(page);
  await expect(page.getByText("weighed, would be written")).toBeVisible();
  for (const name of ["any agent in this project", "forever", "only in this project"]) await expect(page.getByRole("radio", { name })).toHaveCount(0);
  const text = await retype(page, '"/webhooks/*"', '"/*"');
  await expect(page.getByText("weighed, would be written")).toBeVisible();
  await armed(page);
  await write(page).click();
  expect(await heard(page, "approvals.resolve")).toMatchObject([{ input: { approval: "apr_4", answer: { kind: "approve", scope: { kind: "always" } }, rule: { text } } }]);
  const weighed = (await heard(page, "approvals.preview")).at(-1);
  expect(weighed).toMatchObject({ input: { rule: { text } } });
});

test("what does not load is said where it is wrong, is not weighed and cannot be written", async ({ page }) => {
  await edit(page);
  await retype(page, "};", "}");
  await expect(page.getByText("unexpected end of input")).toBeVisible();
  await expect(page.getByText("does not load")).toBeVisible();
  await armed(page);
  await expect(write(page)).toHaveAttribute("aria-disabled", "true");
  await page.locator("#card").press("Control+Enter");
  expect(await heard(page, "approvals.resolve")).toEqual([]);
});

test("another rule beside it, or one that forbids, is refused by the engine and cannot be written", async ({ page }) => {
  await edit(page);
  const text = await retype(page, "permit (", "forbid (");
  await expect(page.getByText(/what is written here is one permit/)).toBeVisible();
  await expect(write(page)).toHaveAttribute("aria-disabled", "true");
  await editor(page).fill(`${text.replace("forbid (", "permit (")}\n\n@id("all")\n@reason("x")\npermit (principal, action, resource);`);
  await page.clock.runFor(300);
  await expect(page.getByText(/what is written here is one permit/)).toBeVisible();
  await expect(write(page)).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("radio", { name: "GET from this host" }).check();
  await expect(page.getByText("9 more actions would have been allowed")).toBeVisible();
  await armed(page);
  await expect(write(page)).not.toHaveAttribute("aria-disabled", "true");
});

test("chords typed in the editor write text and decide nothing", async ({ page }) => {
  await edit(page);
  await armed(page);
  await editor(page).focus();
  for (const chord of ["Control+Enter", "Control+Backspace", "Control+Shift+Backspace", "Control+Shift+Enter"]) {
    await page.keyboard.press(chord);
    await page.clock.runFor(800);
  }
  expect(await heard(page, "approvals.resolve")).toEqual([]);
  await expect(editor(page)).toBeVisible();
});

test("while it is typed nothing that was weighed before can be written", async ({ page }) => {
  await edit(page);
  await armed(page);
  await editor(page).press("End");
  await page.keyboard.type(" ");
  await expect(page.locator("#card")).toHaveAttribute("data-armed", "false");
  await page.keyboard.type("// wider");
  await expect(write(page)).toHaveAttribute("aria-disabled", "true");
});

test("hostile text of an address stays inside its quotes, and what hides in typed text is drawn", async ({ page }) => {
  await edit(page);
  const text = await retype(page, '"/webhooks/*"', '"/web\u202Ehooks\u200B/*"');
  expect(text).toContain("\u202E");
  await expect(editor(page).locator(".cm-specialChar")).toHaveText(["⟨RLO⟩", "⟨ZWSP⟩"]);
  await expect(page.locator("#card img[src], #card script")).toHaveCount(0);
});
