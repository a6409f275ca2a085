// Agents by hand: what each did today, what is seen of it, pause and resume, its parts, and removal only after it was named.
import { expect, test } from "@playwright/test";
import { open } from "./open";

test("each agent says what it did today, and the last line adds it up", async ({ page }) => {
  await open(page, "/agents?fake=story");
  const list = page.getByRole("navigation", { name: "Registered agents" });
  await expect(list.getByRole("link", { name: /Claude Code/ })).toContainText("3 / 11");
  await expect(list.getByRole("link", { name: /Cursor/ })).toContainText("not seen");
  await expect(page.getByText("$3.18").first()).toBeVisible();
});

test("an agent is paused and resumed, and every view of it says so", async ({ page }) => {
  await open(page, "/agents/claude-code?fake=story");
  const detail = page.getByRole("region", { name: "The chosen agent" });
  await detail.getByRole("button", { name: "Pause" }).click();
  await expect(detail.getByRole("button", { name: "Resume" })).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Registered agents" }).getByRole("link", { name: /Claude Code/ })).toContainText("paused");
  await detail.getByRole("button", { name: "Resume" }).click();
  await expect(detail.getByRole("button", { name: "Pause" })).toBeVisible();
});

test("what is not covered stands there with its reason", async ({ page }) => {
  await open(page, "/agents/claude-code?fake=story");
  await expect(page.getByText("commands are not judged")).toBeVisible();
  await open(page, "/agents/nightly-triage?fake=story");
  await expect(page.getByText("MCP, shell and files are not covered")).toBeVisible();
});

test("its rules, credentials and changes are tabs that the address keeps", async ({ page }) => {
  await open(page, "/agents/claude-code?fake=story");
  await page.getByRole("tab", { name: /^Rules/ }).click();
  await expect(page).toHaveURL(/tab=rules/);
  await expect(page.getByText("ask before rewriting shared history")).toBeVisible();
  await page.getByRole("tab", { name: /^Rules/ }).press("ArrowRight");
  await expect(page.getByRole("tab", { name: /^Credentials/ })).toBeFocused();
  await expect(page.getByRole("tabpanel").getByRole("link", { name: "Anthropic API key" })).toBeVisible();
  await page.getByRole("tab", { name: "Changes we made" }).click();
  await expect(page.getByText("/home/dana/.claude/settings.json")).toBeVisible();
});

test("costs by day are a chart, and a table", async ({ page }) => {
  await open(page, "/agents/claude-code?fake=story");
  await expect(page.getByRole("img", { name: /in 14 days, at most \$1\.94/ })).toBeVisible();
  await page.getByRole("button", { name: "Show as table" }).click();
  await expect(page.getByRole("tabpanel").getByRole("row")).toHaveCount(14);
});

test("tools on the machine stand with version and command, and anything else gets a name", async ({ page }) => {
  await open(page, "/agents?fake=story");
  await page.getByRole("button", { name: "Govern another" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("reeve run -- gemini")).toBeVisible();
  await expect(dialog.getByText("version not known")).toBeVisible();
  await dialog.getByLabel("Name").fill("my-tool");
  await dialog.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("link", { name: /my-tool/ })).toBeVisible();
});

test("an agent is removed after a question that can be left", async ({ page }) => {
  await open(page, "/agents/codex?fake=story");
  const list = page.getByRole("navigation", { name: "Registered agents" });
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(list.getByRole("link", { name: /Codex/ })).toBeVisible();
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(list.getByRole("link", { name: /Codex/ })).toHaveCount(0);
});
