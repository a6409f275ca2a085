// What opens over a screen: axe finds nothing in it in either theme, and nothing spills out of the smallest window.
import { expect, test } from "@playwright/test";
import { spilling, violations } from "./look";
import { open } from "./open";
import { click, dialogOf, inEnglish, OPENINGS } from "./openings";

for (const [place, steps, name] of OPENINGS) {
  test(`${String(name)} over ${place}`, async ({ page }) => {
    await open(page, `${place}?fake=story`);
    for (const step of steps) await step(page, inEnglish);
    await expect(dialogOf(page, name, inEnglish)).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 960, height: 600 });
    expect(await spilling(page)).toBe(false);
  });
}

test("the answers of a card that hold for longer, and the rule that is written", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await page.locator("#card[data-armed=true]").waitFor();
  await click("Allow for longer")(page, inEnglish);
  await expect(page.getByRole("menuitem").first()).toBeVisible();
  expect(await spilling(page)).toBe(false);
  await page.getByRole("menuitem", { name: /Always allow/ }).click();
  await expect(page.getByRole("button", { name: /Write rule/ })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 960, height: 600 });
  expect(await spilling(page)).toBe(false);
});

for (const state of ["hostile", "long", "loading", "failing"]) {
  test(`the detail of an action when ${state}`, async ({ page }) => {
    await open(page, `/timeline?fake=${state}&op=op_00000000000000000000048205`);
    await expect(page.getByRole("complementary", { name: "Detail" })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 960, height: 600 });
    expect(await spilling(page)).toBe(false);
  });
}
