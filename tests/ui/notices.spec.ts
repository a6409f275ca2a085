// What happens beside actions, and calls that Reeve previewed, as the list shows them.
import { expect, test } from "@playwright/test";
import { open } from "./open";

test("an event stands between the actions, is opened by mouse and keyboard, and says what it is about", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const list = page.getByRole("grid", { name: "Actions" });
  const detail = page.getByRole("complementary", { name: "Detail" });
  await list.getByRole("row", { name: /refuses the credential/ }).click();
  await expect(detail.getByRole("heading", { name: "api.github.com refuses the credential github: it has expired" })).toBeVisible();
  await expect(detail.getByRole("link", { name: "Codex" })).toHaveAttribute("href", /\/agents\/codex/);
  await expect(detail.getByText("credential.refused")).toBeVisible();
  await list.focus();
  await page.keyboard.press("j");
  await expect(detail.getByRole("heading", { name: "tools of linear: 1 changed" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(detail).toBeHidden();
});

test("a call that Reeve previewed is one line: previewed, answered, made", async ({ page }) => {
  await open(page, "/timeline?fake=recorded");
  const list = page.getByRole("grid", { name: "Actions" });
  await expect(list.getByRole("row", { name: /office\.update_customer_records.*previewed.*approved.*made/s }).first()).toBeVisible();
  await expect(list.getByText("office.preview_customer_records")).toHaveCount(0);
  await page.getByRole("combobox", { name: "Query" }).fill("is:preview");
  await page.keyboard.press("Enter");
  await expect(list.getByText("office.preview_customer_records").first()).toBeVisible();
});
