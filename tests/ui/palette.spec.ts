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
  await expect(page.getByRole("option")).toHaveText(["Search the timeline for “allow”"]);
  await page.keyboard.press("Escape");
  await expect(input).toHaveCount(0);
  await choose("stop all");
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "stopped");
});
