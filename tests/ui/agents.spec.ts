// Agents by hand: what is seen of each, pause and resume, removal only after it was named.
import { expect, test } from "@playwright/test";
import { open } from "./open";

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

test("an agent is removed after a question that can be left", async ({ page }) => {
  await open(page, "/agents/codex?fake=story");
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("link", { name: /Codex/ })).toBeVisible();
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("link", { name: /Codex/ })).toHaveCount(0);
});
