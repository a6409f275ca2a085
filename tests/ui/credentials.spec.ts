// Credentials by hand: a secret goes in once and stays nowhere; removing says what will fail.
import { expect, test } from "@playwright/test";
import { open } from "./open";

const SECRET = "not-a-secret-0123456789";

test("a secret that was typed is nowhere on the page once it was sent", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: "Replace" }).click();
  const field = page.getByRole("textbox", { name: /^Secret/ });
  await expect(field).toHaveAttribute("type", "password");
  await field.fill(SECRET);
  await page.getByRole("dialog").getByRole("button", { name: "Replace" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const kept = await page.evaluate((secret) => [document.documentElement.outerHTML, location.href, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })].some((text) => text.includes(secret)), SECRET);
  expect(kept).toBe(false);
});

test("a refused secret leaves its field all the same", async ({ page }) => {
  await open(page, "/credentials?fake=story");
  await page.getByRole("button", { name: "Add credential" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("github");
  await dialog.getByRole("textbox", { name: /^Secret/ }).fill(SECRET);
  await dialog.getByRole("button", { name: "Add credential" }).click();
  await expect(dialog.getByRole("alert")).toContainText("already");
  await expect(dialog.getByRole("textbox", { name: /^Secret/ })).toHaveValue("");
});

test("removing names the places that will fail", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: "Remove" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("/repos/acme");
  await dialog.getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("link", { name: /GitHub token/ })).toHaveCount(0);
});

test("a test says what is known, shows what it would send, and sends it only then", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: "Test" }).click();
  await expect(page.getByText("GET https://api.github.com/user")).toBeVisible();
  await expect(page.getByText("in 0.2 s")).toHaveCount(0);
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("in 0.2 s")).toBeVisible();
});

test("keys are taken from a file by name, what only looks like one after a tick, and the copy is named", async ({ page }) => {
  await open(page, "/credentials?fake=story");
  await page.getByRole("button", { name: "Import from a file" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("File").fill("/home/dana/api/.env");
  await dialog.getByRole("button", { name: "Look for keys" }).click();
  await expect(dialog.getByRole("checkbox", { name: /OPENAI_API_KEY/ })).toBeChecked();
  await expect(dialog.getByRole("checkbox", { name: /ANTHROPIC_API_KEY/ })).not.toBeChecked();
  await dialog.getByRole("checkbox", { name: /LINEAR_TOKEN/ }).check();
  await dialog.getByLabel("Host").fill("api.linear.app");
  await dialog.getByRole("checkbox", { name: /Put placeholders/ }).check();
  await dialog.getByRole("button", { name: "Take ticked keys" }).click();
  await expect(dialog.getByText("/home/dana/.local/share/reeve/backups/env-1")).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await expect(page.getByRole("link", { name: /LINEAR_TOKEN/ })).toContainText("api.linear.app");
});

test("pasted text is nowhere on the page once its keys were taken", async ({ page }) => {
  await open(page, "/credentials?fake=story");
  await page.getByRole("button", { name: "Import from a file" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/or its text/).fill(`OPENAI_API_KEY=${SECRET}`);
  await dialog.getByRole("button", { name: "Look for keys" }).click();
  await dialog.getByRole("button", { name: "Take ticked keys" }).click();
  await expect(dialog.getByRole("status")).toContainText("openai");
  expect(await page.evaluate((secret) => document.documentElement.outerHTML.includes(secret), SECRET)).toBe(false);
});

test("where there is no credential yet, the page itself offers the first one", async ({ page }) => {
  await open(page, "/credentials?fake=empty");
  await page.getByRole("button", { name: "Add a first credential…" }).click();
  await expect(page.getByRole("dialog", { name: "Add a credential" })).toBeVisible();
});
