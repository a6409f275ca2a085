// Tool calls and commands as the engine recorded them: their cards, and what the Timeline says of them.
import { expect, test } from "@playwright/test";
import type { ApprovalDto } from "../../ui/src/engine/bindings/ApprovalDto";
import { cards } from "../../ui/src/testing/recorded/approvals";
import { open } from "./open";

const card = (summary: string): ApprovalDto => {
  const found = cards.find((one) => one.summary.startsWith(summary));
  if (!found) throw new Error(`the recording holds no question that begins with ${summary}`);
  return found;
};

test("a command says what it does before it is allowed", async ({ page }) => {
  await open(page, `/inbox/${card("git push --force").id}?fake=recorded`);
  const shown = page.locator("#card");
  await expect(shown.getByRole("heading", { name: "Run a command that pushes to a remote" })).toBeVisible();
  await expect(shown.getByText("git push --force origin main").first()).toBeVisible();
  await expect(shown.getByText("not reversible from here")).toBeVisible();
  await expect(shown.getByText("ask-force-push", { exact: true }).first()).toBeVisible();
  await expect(shown).toHaveAttribute("data-armed", "true");
  await expect(shown.getByRole("button", { name: /^Deny(?! and)/ })).toBeEnabled();
});

test("a tool call shows its arguments as a tree and what its server claims", async ({ page }) => {
  await open(page, `/inbox/${card("postgres.execute").id}?fake=recorded`);
  const shown = page.locator("#card");
  await expect(shown.getByText("May delete or overwrite, as its server says")).toBeVisible();
  await expect(shown.getByText("3 arguments", { exact: false })).toBeVisible();
  await expect(shown.getByText("timeout_ms").first()).toBeVisible();
});

test("arguments that do not fit say where, and a secret in them is on no screen", async ({ page }) => {
  await open(page, `/inbox/${card("chat.post_message").id}?fake=recorded`);
  const shown = page.locator("#card");
  await expect(shown.getByText("options.limit")).toBeVisible();
  await expect(shown.getByText("over the network")).toBeVisible();
  await expect(shown.getByText("A part looks like a secret", { exact: false })).toBeVisible();
  expect(await page.content()).not.toContain("ghp_16C7e42F292c");
});

test("a line that builds its programs while it runs is said not to be understood", async ({ page }) => {
  await open(page, `/inbox/${card("for f in").id}?fake=recorded`);
  await expect(page.locator("#card").getByText("Reeve cannot read all of it")).toBeVisible();
});

test("what a command does to a terminal is drawn and never done", async ({ page }) => {
  const question = card('echo "done"');
  await open(page, `/inbox/${question.id}?fake=recorded`);
  const text = (await page.locator("#card").textContent()) ?? "";
  expect(text).toContain("ESC");
  expect(text).not.toMatch(/[\u001b\u202e]/);
});

test("the Timeline finds commands and tells how they ended", async ({ page }) => {
  await open(page, "/timeline?fake=recorded&q=kind:shell");
  await expect(page.getByText("exit 1").first()).toBeVisible();
  await page.getByText("npm test -- --run orders").first().click();
  await expect(page.getByText("ended with 1")).toBeVisible();
});
