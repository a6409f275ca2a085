// Budgets by hand: what is spent and free, which limit decides, a new one, a raise, an end, and the price table.
import { expect, test } from "@playwright/test";
import { open } from "./open";

const list = "Budgets";

test("each limit says what is settled, held and free, and where it is heading", async ({ page }) => {
  await open(page, "/budgets?fake=story");
  const rows = page.getByRole("navigation", { name: list });
  await expect(rows.getByRole("link", { name: /^Me November/ })).toContainText("settled 212.18 · reserved 0.22 · free 187.60");
  await expect(rows.getByRole("link", { name: /^Me November/ })).toContainText("forecast $301 (274 to 332), under pace");
  await expect(rows.getByRole("link", { name: /opus/ })).toContainText("1 call held, asks $0.41");
  await expect(rows.getByRole("link", { name: /^Codex/ })).toContainText("reaches the limit about 16:10");
  await expect(rows.getByRole("link", { name: /^Team web/ })).toContainText("read only");
});

test("the detail names the limit that decides the next call, and leads to it", async ({ page }) => {
  await open(page, "/budgets/monthly?fake=story");
  const detail = page.getByRole("region", { name: "The chosen budget" }).last();
  await expect(detail.getByRole("img", { name: "decides" })).toBeVisible();
  await detail.getByRole("link", { name: /claude-opus-\*/ }).click();
  await expect(page).toHaveURL(/\/budgets\/opus-per-day/);
});

test("the chart is a table too, and the address keeps which", async ({ page }) => {
  await open(page, "/budgets/monthly?fake=story");
  await expect(page.getByRole("img", { name: /^Spending: \$212\.18 settled of \$400\.00/ })).toBeVisible();
  await page.getByRole("button", { name: "Show as table" }).click();
  await expect(page).toHaveURL(/view=table/);
  await expect(page.getByRole("table").getByRole("row").last()).toContainText("$212.18");
});

test("of sessions each has its account, and one is chosen in the address", async ({ page }) => {
  await open(page, "/budgets/claude-session?fake=story");
  const accounts = page.getByRole("region", { name: "The chosen budget" }).getByRole("button", { name: /free \$4\.83/ });
  await accounts.click();
  await expect(page).toHaveURL(/account=session/);
  await expect(accounts).toHaveAttribute("aria-pressed", "true");
});

test("a limit is made, raised and removed", async ({ page }) => {
  await open(page, "/budgets?fake=story");
  await page.getByRole("button", { name: "New budget" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("weekly");
  await dialog.getByRole("combobox", { name: /^Over/ }).selectOption("week");
  await dialog.getByRole("spinbutton", { name: "Dollars" }).fill("30");
  await dialog.getByRole("button", { name: "Create budget" }).click();
  await expect(dialog).toHaveCount(0);
  const row = page.getByRole("navigation", { name: list }).getByRole("link", { name: /of \$30\.00/ });
  await row.click();
  await expect(page).toHaveURL(/\/budgets\/weekly/);
  await page.getByRole("button", { name: "Raise" }).click();
  await dialog.getByRole("spinbutton", { name: "Dollars" }).fill("12.50");
  await dialog.getByRole("button", { name: "Raise limit" }).click();
  await expect(page.getByRole("navigation", { name: list }).getByRole("link", { name: /of \$42\.50/ })).toBeVisible();
  await page.getByRole("button", { name: "Remove" }).click();
  await dialog.getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("No such budget")).toBeVisible();
});

test("a limit of another file is not changed here", async ({ page }) => {
  await open(page, "/budgets/team-web?fake=story");
  await expect(page.getByText("/etc/reeve/limits.yaml")).toBeVisible();
  await expect(page.getByRole("button", { name: "Edit" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Remove" })).toHaveCount(0);
});

test("prices have a date, and are found by name", async ({ page }) => {
  await open(page, "/budgets?fake=story");
  await expect(page.getByText("Prices of 18 Nov 2026, 2 days old")).toBeVisible();
  await page.getByRole("button", { name: "Price table" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Model or provider").fill("openai");
  await expect(dialog.getByRole("row", { name: /gpt-5-codex/ })).toContainText("$1.25");
  await expect(dialog.getByRole("row", { name: /claude/ })).toHaveCount(0);
});

test("where there is no limit yet, the page itself offers the first one", async ({ page }) => {
  await open(page, "/budgets?fake=empty");
  await page.getByRole("button", { name: "Set a first limit…" }).click();
  await expect(page.getByRole("dialog", { name: "New budget" })).toBeVisible();
});
