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
