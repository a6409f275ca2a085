// What opens over a screen: axe finds nothing in it in either theme, and nothing spills out of the smallest window.
import { expect, type Page, test } from "@playwright/test";
import { spilling, violations } from "./look";
import { open } from "./open";

type Step = (page: Page) => Promise<void>;

const click =
  (name: string | RegExp): Step =>
  (page) =>
    page.getByRole("button", { name, exact: typeof name === "string" }).first().click();
const press =
  (keys: string): Step =>
  (page) =>
    page.keyboard.press(keys);
const choose =
  (name: string | RegExp): Step =>
  (page) =>
    page.getByRole("menuitem", { name }).click();

/** Where, how it is opened, and what stands then. */
const OPENINGS: readonly [string, readonly Step[], string | RegExp][] = [
  ["/timeline", [press("Control+k")], "dialog"],
  ["/timeline", [press("?")], "Keyboard shortcuts"],
  ["/budgets", [click("New budget")], "New budget"],
  ["/budgets/claude-session", [click("Raise")], /Raise/],
  ["/budgets/claude-session", [click("Edit")], /budget/],
  ["/budgets/claude-session", [click("Remove")], /Remove/],
  ["/credentials", [click("Add credential")], "Add a credential"],
  ["/credentials", [click("Import from a file")], /Import/],
  ["/credentials/github", [click("Replace")], /Replace/],
  ["/credentials/github", [click("Add place")], /place/],
  ["/agents/codex", [click("Remove")], /Remove/],
  ["/servers/weather", [click("Approve…")], /Approve/],
  ["/servers/office", [click("Forget")], /Forget/],
  ["/policies/github-read", [click("What if")], "What if"],
];

for (const [place, steps, name] of OPENINGS) {
  test(`${String(name)} over ${place}`, async ({ page }) => {
    await open(page, `${place}?fake=story`);
    for (const step of steps) await step(page);
    await expect(name === "dialog" ? page.getByRole("dialog") : page.getByRole("dialog", { name })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 960, height: 600 });
    expect(await spilling(page)).toBe(false);
  });
}

test("the answers of a card that hold for longer, and the rule that is written", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await page.locator("#card[data-armed=true]").waitFor();
  await click("Allow for longer")(page);
  await expect(page.getByRole("menuitem").first()).toBeVisible();
  expect(await spilling(page)).toBe(false);
  await choose(/Always allow/)(page);
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
