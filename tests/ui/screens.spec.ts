// Every screen in every recorded state, in both themes and at the smallest window: axe finds nothing, nothing spills.
import { expect, test } from "@playwright/test";
import { spilling, violations } from "./look";
import { open } from "./open";
import { addressOf, PLACES, placesIn } from "./places";

const STATES = ["story", "recorded", "empty", "hostile", "long", "stopped", "degraded", "paused", "observing", "broken", "lost", "loading", "failing"];

for (const state of STATES) {
  for (const place of placesIn(state)) {
    test(`${place} when ${state}`, async ({ page }) => {
      await open(page, addressOf(place, state));
      expect(await violations(page)).toEqual([]);
      expect(await spilling(page)).toBe(false);
      await page.setViewportSize({ width: 960, height: 600 });
      expect(await spilling(page)).toBe(false);
      if (state !== "story") return;
      expect(await violations(page, ["light"])).toEqual([]);
      if (!PLACES.includes(place)) return;
      // Text at twice its size is a window of half of each side.
      await page.setViewportSize({ width: 640, height: 400 });
      expect(await violations(page, ["light"])).toEqual([]);
    });
  }
}

for (const id of ["apr_1", "apr_2", "apr_3", "apr_4", "apr_5"]) {
  test(`the card of ${id}`, async ({ page }) => {
    await open(page, `/inbox/${id}?fake=story`);
    await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
    for (const disclosure of await page.getByRole("button", { name: /Everything that is sent|All details|What decides|What the agent said/ }).all()) await disclosure.click();
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 960, height: 600 });
    await expect(page.getByRole("button", { name: /Allow once|Allow this call/ })).toBeInViewport();
    await expect(page.getByRole("button", { name: /^Deny(?! and)/ })).toBeInViewport();
  });
}

for (const [what, id] of [["questions that are alike", "apr_w0"], ["what is critical", "apr_c"]] as const) {
  test(`the card of ${what}, in a storm`, async ({ page }) => {
    await open(page, `/inbox/${id}?fake=storm`);
    await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 960, height: 600 });
    expect(await spilling(page)).toBe(false);
    await expect(page.getByRole("button", { name: /^Deny all from/ })).toBeInViewport();
  });
}

for (const tab of ["summary", "request", "response", "decision", "cost", "chain", "raw"]) {
  test(`the detail's ${tab}`, async ({ page }) => {
    for (const record of ["48205", "48195", "48209"]) {
      await open(page, `/timeline?fake=story&op=op_${record.padStart(26, "0")}&tab=${tab}`);
      await expect(page.getByRole("tab", { selected: true })).toHaveText(new RegExp(tab, "i"));
      expect(await violations(page)).toEqual([]);
    }
  });
}

test("the rule before it is written, and the reason for the agent", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
  await page.getByRole("button", { name: /^Deny(?! and)/ }).click();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Allow for longer" }).click();
  await page.getByRole("menuitem", { name: /Always allow/ }).click();
  await expect(page.getByText("Will be written to")).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test("an answered card", async ({ page }) => {
  await open(page, "/inbox/apr_d2?fake=story");
  await expect(page.getByText("Not in this repository")).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test("the range menu, the export dialog and what it wrote", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=decision:denied");
  await page.getByRole("button", { name: /Time range/ }).click();
  await expect(page.getByRole("menuitem", { name: "Last hour" })).toBeVisible();
  expect(await spilling(page)).toBe(false);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Export…" }).click();
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 960, height: 600 });
  expect(await spilling(page)).toBe(false);
  await page.getByLabel("Write to").fill(`/tmp/${"long-name-".repeat(30)}.jsonl`);
  await page.keyboard.press("Enter");
  await expect(page.getByText("reeve verify", { exact: false })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  expect(await spilling(page)).toBe(false);
  // A path of many lines scrolls inside the dialog; the way out stays in view.
  await expect(page.getByRole("dialog").getByRole("button", { name: "Close" }).first()).toBeInViewport();
});

for (const state of ["story", "empty", "hostile", "long", "broken", "loading", "failing"]) {
  for (const place of ["/timeline?view=sessions", "/timeline?view=flow", "/record/48203", "/record/op_00000000000000000000048205"]) {
    test(`${place} when ${state}`, async ({ page }) => {
      await open(page, addressOf(place, state));
      expect(await violations(page)).toEqual([]);
      expect(await spilling(page)).toBe(false);
      await page.setViewportSize({ width: 960, height: 600 });
      expect(await spilling(page)).toBe(false);
    });
  }
}

for (const [state, title] of [["story", "Is it you?"], ["empty", "Choose a passphrase"]] as const) {
  test(`the question for the passphrase when ${state}`, async ({ page }) => {
    await open(page, `/settings/protection?fake=${state}`);
    await page.getByRole("button", { name: "Until resumed" }).click();
    await expect(page.getByRole("dialog", { name: title })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 960, height: 600 });
    expect(await spilling(page)).toBe(false);
  });
}

for (const state of ["story", "hostile", "long", "empty"]) {
  test(`/timeline in one line per action when ${state}`, async ({ page }) => {
    await open(page, `/timeline?fake=${state}${state === "story" ? "&op=op_00000000000000000000048205" : ""}`);
    await page.getByRole("button", { name: "One line per action" }).click();
    for (const [width, height] of [[1280, 800], [960, 600]] as const) {
      await page.setViewportSize({ width, height });
      expect(await violations(page)).toEqual([]);
      expect(await spilling(page)).toBe(false);
    }
  });
}

test("one-line rows, row actions, the dialog of a view and its menu", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=kind:http");
  await page.getByRole("button", { name: "One line per action" }).click();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("row").first().click({ button: "right" });
  await expect(page.getByRole("menuitem", { name: "Copy link" })).toBeVisible();
  expect(await spilling(page)).toBe(false);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("dialog", { name: "Save as a view" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 960, height: 600 });
  expect(await spilling(page)).toBe(false);
});

test("a pinned action with a note, weighed again, and its dialogs", async ({ page }) => {
  await open(page, "/timeline?fake=story&op=op_00000000000000000000048205&tab=decision");
  await page.getByRole("button", { name: "Weigh again" }).click();
  await page.getByText(/facts? that they saw/).click();
  await page.getByRole("button", { name: "Pin", exact: true }).click();
  await page.getByRole("complementary", { name: "Detail" }).getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Add a note…" }).click();
  await page.getByLabel("Your note").fill("a note of several words, ".repeat(30));
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Write note" }).click();
  await page.getByRole("tab", { name: "Summary" }).click();
  await expect(page.getByRole("region", { name: "Your note" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 960, height: 600 });
  expect(await spilling(page)).toBe(false);
});

test("starting an agent, and removing a credential", async ({ page }) => {
  await open(page, "/agents/claude-code?fake=story");
  await page.getByRole("button", { name: "Govern another" }).click();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("dialog").getByRole("button", { name: "Start…" }).first().click();
  await expect(page.getByRole("dialog", { name: /^Start / })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 960, height: 600 });
  expect(await spilling(page)).toBe(false);
});

for (const state of ["story", "hostile"]) {
  test(`changing and taking away a place of a credential when ${state}`, async ({ page }) => {
    for (const [button, dialog] of [[/^Change /, "Change place"], [/^Remove /, "Remove place"]] as const) {
      await page.setViewportSize({ width: 1280, height: 800 });
      await open(page, `/credentials/look-alike?fake=${state}`);
      await page.getByRole("region", { name: "Only to" }).getByRole("button", { name: button }).click();
      await expect(page.getByRole("dialog", { name: dialog })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await page.setViewportSize({ width: 960, height: 600 });
      expect(await spilling(page)).toBe(false);
    }
    await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
    await expect(page.getByText("Bound to no place")).toBeVisible();
    expect(await violations(page)).toEqual([]);
  });
}

test("what would go with fewer days, and the question before the record is wiped", async ({ page }) => {
  await open(page, "/settings/data?fake=story");
  await page.getByRole("group", { name: "Keep" }).getByRole("radio", { name: "30 days" }).click();
  await expect(page.getByRole("button", { name: "Save and remove" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 960, height: 600 });
  expect(await spilling(page)).toBe(false);
  await page.getByRole("button", { name: "Wipe the record…" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  expect(await violations(page)).toEqual([]);
  expect(await spilling(page)).toBe(false);
});

for (const state of ["story", "hostile", "long"]) {
  test(`the price table when ${state}`, async ({ page }) => {
    await open(page, `/budgets?fake=${state}`);
    await page.getByRole("button", { name: "Price table" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 960, height: 600 });
    expect(await spilling(page)).toBe(false);
  });
}
