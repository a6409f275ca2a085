// When the use of a credential asks: a rule of its own, shown and weighed before it is written, changed and taken away again.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Saved = { call: string; input?: { draft: { changes: { file: string; part: object; text: string }[] } } };

const saved = (page: Page): Promise<Saved[]> => page.evaluate(() => (window as unknown as { fakeEngine: { heard: Saved[] } }).fakeEngine.heard.filter((one) => one.call === "policies.save"));
const ask = (page: Page, name: string) => page.getByRole("radio", { name, exact: true });

test("a credential asks once per session, every time, or as the rules say", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await expect(ask(page, "as the rules say")).toBeChecked();
  await expect(page.getByRole("link", { name: "ask-first-credential" })).toBeVisible();
  await ask(page, "once per session").click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("@liftable")).toBeVisible();
  await expect(dialog.getByText(/more actions would have been asked about/)).toBeVisible();
  await dialog.getByRole("button", { name: "Write rule" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(ask(page, "once per session")).toBeChecked();
  await expect(page.getByRole("link", { name: "use-of-github" }).first()).toBeVisible();

  await ask(page, "every time").click();
  await dialog.getByRole("button", { name: "Write rule" }).click();
  await expect(ask(page, "every time")).toBeChecked();
  await ask(page, "as the rules say").click();
  await expect(dialog.getByText("Goes from")).toBeVisible();
  await dialog.getByRole("button", { name: "Remove rule" }).click();
  await expect(ask(page, "as the rules say")).toBeChecked();

  const changes = (await saved(page)).map((one) => one.input?.draft.changes[0]);
  expect(changes.map((one) => one?.part)).toEqual([{ kind: "new" }, { kind: "rule", id: "use-of-github" }, { kind: "rule", id: "use-of-github" }]);
  expect(changes[0]?.text).toContain('context.credential == "github"');
  expect(changes[1]?.text).not.toContain("@liftable");
  expect(changes[2]?.text).toBe("");
});

test("leaving the dialog writes nothing and changes nothing", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await ask(page, "not about it").click();
  await expect(page.getByRole("dialog").getByText('@lifts')).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(ask(page, "as the rules say")).toBeChecked();
  expect(await saved(page)).toEqual([]);
});
