// Links from outside lead to a place, and to nothing else.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

const follow = (page: Page, link: string) => page.evaluate((detail) => window.dispatchEvent(new CustomEvent("reeve:navigate", { detail })), link);

test("a link opens what it names; one that names nothing says so on Timeline, until the view changes", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await follow(page, "reeve://inbox/apr_4");
  await expect(page).toHaveURL(/\/inbox\/apr_4/);
  await follow(page, "reeve://inbox/apr_4/allow?answer=once");
  await expect(page).toHaveURL(/\/timeline\?link=unknown/);
  await expect(page.getByText("The link names nothing that Reeve knows")).toBeVisible();
  await page.getByRole("link", { name: "Inbox" }).click();
  await expect(page.getByText("The link names nothing that Reeve knows")).toHaveCount(0);
  const calls = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: { call: string }[] } }).fakeEngine.heard.map((one) => one.call));
  expect(calls.filter((call) => /resolve|extend|stop|resume/.test(call))).toEqual([]);
});
