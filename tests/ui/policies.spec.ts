// Policies by hand: what is in force and why, a draft from its first letter to the file, what it would have changed, the way back.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

const source = (page: Page) => page.getByRole("textbox", { name: "Source" });
const detail = (page: Page) => page.getByRole("region", { name: "The chosen rule" });
const save = (page: Page) => page.getByRole("button", { name: "Save", exact: true });

/** Typing settles before the engine is asked; here time moves by hand. */
async function settle(page: Page): Promise<void> {
  // The editor hands typed text on in a turn of its own; what waits for that waits for the next one.
  for (let turn = 0; turn < 4; turn++) await page.clock.runFor(500);
}

/** Puts the cursor at the end of the source and types. */
async function append(page: Page, text: string): Promise<void> {
  await source(page).click();
  await expect(source(page)).toBeFocused();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text);
  await settle(page);
}

test("every rule says what it does, whose it is and how often it decided", async ({ page }) => {
  await open(page, "/policies?fake=story");
  const rows = page.getByRole("navigation", { name: "Rules", exact: true });
  await expect(rows.getByRole("link", { name: /ask-first-write/ })).toContainText("41 hits");
  await expect(rows.getByRole("link", { name: /allow-known-llm/ })).toContainText("6,214 hits");
  await expect(rows.getByRole("link", { name: /no-large-uploads/ })).toContainText("observe");
  await expect(rows.getByRole("link", { name: /no-drop-sites/ })).toContainText("Organisation");
  await expect(page.getByText("If nothing matches, Balanced asks.")).toBeVisible();
  await rows.getByRole("link", { name: /ask-destructive/ }).click();
  await expect(page).toHaveURL(/\/policies\/ask-destructive/);
  await expect(detail(page)).toContainText("a request that deletes something");
  await expect(detail(page)).toContainText("Read only: it ships with Reeve.");
  await expect(source(page)).toHaveAttribute("aria-readonly", "true");
  await expect(save(page)).toHaveCount(0);
});

test("tabs and filter narrow the list, and the address keeps the tab", async ({ page }) => {
  await open(page, "/policies?fake=story");
  await page.getByRole("navigation", { name: "Rules by where they come from" }).getByRole("link", { name: /^Standing/ }).click();
  await expect(page).toHaveURL(/tab=standing/);
  await expect(detail(page)).toContainText("ask-issue-write");
  await page.getByRole("navigation", { name: "Rules by where they come from" }).getByRole("link", { name: /^All/ }).click();
  const filter = page.getByRole("textbox", { name: /^Filter/ });
  await filter.fill("merge");
  await expect(page.getByRole("navigation", { name: "Rules", exact: true }).getByRole("link")).toHaveCount(1);
  await filter.fill("no such words");
  await expect(page.getByText("No rule has these words")).toBeVisible();
});

test("a draft is checked and weighed, and is saved only after its grave changes were looked at", async ({ page }) => {
  await open(page, "/policies/github-read?fake=story");
  await expect(source(page)).toBeVisible();
  await source(page).click();
  await expect(source(page)).toBeFocused();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText('@id("github-read")\n@reason("reads of acme/* on GitHub")\npermit (\n  principal,\n  action,\n  resource == Host::"api.github.com"\n);');
  await settle(page);
  await expect(page.getByText("loads, 2 cases pass")).toBeVisible();
  await expect(page.getByRole("region", { name: "Changes" })).toContainText("github-read");
  const weighed = page.getByRole("region", { name: "On the last 7 days" });
  await expect(weighed).toContainText("8,431 actions");
  // Another text of a rule that allows may do either; the record says what it would have done.
  await expect(weighed).toContainText("High or above");
  await expect(save(page)).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("checkbox", { name: /I have looked at/ }).check();
  await expect(save(page)).not.toHaveAttribute("aria-disabled", "true");
  await save(page).click();
  await expect(page.getByText(/^Saved\./)).toBeVisible();
  await expect(page).toHaveURL(/\/policies\/github-read/);
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.getByRole("region", { name: "Changes" }).first()).toContainText("saved by dana");
});

test("what loosens waits for a look at what it would have let through", async ({ page }) => {
  await open(page, "/policies/no-merge?fake=story");
  await expect(source(page)).toBeVisible();
  await page.getByRole("radio", { name: /^Observe/ }).check();
  await settle(page);
  // A case of the person's own says that merging is denied.
  await expect(page.getByText("a case fails")).toBeVisible();
  await expect(page.getByRole("region", { name: "Cases", exact: true })).toContainText("expected deny, came ask");
  await expect(save(page)).toHaveAttribute("aria-disabled", "true");
  await open(page, "/policies/ask-issue-write?fake=story");
  await expect(source(page)).toBeVisible();
  await page.getByRole("radio", { name: /^Observe/ }).check();
  await settle(page);
  const weighed = page.getByRole("region", { name: "On the last 7 days" });
  await expect(weighed).toContainText("2 High or above");
  await expect(save(page)).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("checkbox", { name: "I have looked at the 2 newly allowed actions of High risk or above" }).check();
  await expect(save(page)).not.toHaveAttribute("aria-disabled", "true");
  await save(page).click();
  await expect(page.getByText(/^Saved\./)).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Rules", exact: true }).getByRole("link", { name: /ask-issue-write/ })).toContainText("observe");
});

test("what does not load cannot be saved, and says what it would mean", async ({ page }) => {
  await open(page, "/policies/github-read?fake=story");
  await expect(source(page)).toBeVisible();
  await append(page, "\npermit (principal");
  await expect(page.getByText("does not load", { exact: true })).toBeVisible();
  await expect(page.getByText("so it cannot be saved", { exact: false })).toBeVisible();
  await expect(save(page)).toHaveAttribute("aria-disabled", "true");
  await expect(page.locator(".cm-lintRange-error").first()).toBeVisible();
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(save(page)).toHaveCount(0);
  await expect(source(page)).not.toContainText("permit (principal)");
});

test("completion offers the facts of the schema", async ({ page }) => {
  await open(page, "/policies/new?fake=story");
  await expect(source(page)).toBeVisible();
  await append(page, "\n// x\nwhen { context.");
  await page.keyboard.press("Control+Space");
  await settle(page);
  await expect(page.getByRole("option", { name: /host_parent/ })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("option")).toHaveCount(0);
});

test("a new rule goes to the person's own file and is there after the save", async ({ page }) => {
  await open(page, "/policies?fake=story");
  await page.getByRole("button", { name: "New rule" }).click();
  await expect(page).toHaveURL(/\/policies\/new/);
  await expect(source(page)).toContainText("new-rule");
  await settle(page);
  await expect(save(page)).not.toHaveAttribute("aria-disabled", "true");
  await save(page).click();
  await expect(page).toHaveURL(/\/policies\/new-rule/);
  await expect(page.getByRole("navigation", { name: "Rules", exact: true }).getByRole("link", { name: /new-rule/ })).toBeVisible();
});

test("a rule is removed with the same care as it is changed", async ({ page }) => {
  await open(page, "/policies/no-large-uploads?fake=story");
  await page.getByRole("button", { name: "Remove rule" }).click();
  await settle(page);
  await expect(page.getByText("The rule is removed when you save.")).toBeVisible();
  await expect(page.getByRole("region", { name: "Changes" })).toContainText("decides nothing");
  await save(page).click();
  await expect(page.getByText(/^Saved\./)).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Rules", exact: true }).getByRole("link", { name: /no-large-uploads/ })).toHaveCount(0);
});

test("a recorded action is judged again, with the rules that decide", async ({ page }) => {
  await open(page, "/policies/github-read?fake=story");
  await page.getByRole("button", { name: "What if" }).click();
  const dialog = page.getByRole("dialog", { name: "What if" });
  await dialog.getByRole("listitem").first().getByRole("button").click();
  await expect(dialog).toContainText("Then");
  await expect(dialog).toContainText("Now");
  await dialog.getByText("Facts").click();
  await expect(dialog).toContainText("first_write");
  await dialog.getByRole("button", { name: "Another action" }).click();
  await expect(dialog.getByRole("textbox", { name: "Find a recorded action" })).toBeVisible();
});

test("a version is shown as what went and came, and its text can be brought back", async ({ page }) => {
  await open(page, "/policies?fake=story&tab=history");
  await expect(page.getByText('@mode("observe")')).toBeVisible();
  await page.getByRole("button", { name: "Go back to before this…" }).click();
  await expect(page).toHaveURL(/\/policies\/file\/mine\.cedar\?version=/);
  await expect(source(page)).toBeVisible();
  await settle(page);
  await expect(page.getByRole("region", { name: "Changes" })).toContainText("no-large-uploads");
  await expect(page.getByRole("region", { name: "On the last 7 days" })).toBeVisible();
  await save(page).click();
  await expect(page.getByText(/^Saved\./)).toBeVisible();
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.getByRole("link", { name: /^back to before/ })).toBeVisible();
});

test("a file that does not load says so on top, and leads to the place", async ({ page }) => {
  await open(page, "/policies?fake=degraded");
  const banner = page.getByRole("main").getByRole("alert");
  await expect(banner).toContainText("The last good rules stay in force");
  await banner.getByRole("link", { name: "Open mine.cedar" }).click();
  await expect(source(page)).toContainText("What Dana decided for this machine");
});

test("rules of a stranger are text and nothing else", async ({ page }) => {
  await open(page, "/policies?fake=story&tab=shared");
  const row = page.getByRole("navigation", { name: "Rules", exact: true }).getByRole("link", { name: /project-no-staging/ });
  await expect(row).toContainText("⟨");
  await row.click();
  await expect(detail(page)).toContainText("<img src=x onerror=alert(1)>");
  await expect(page.locator("img[src=x]")).toHaveCount(0);
  await expect(source(page)).toHaveAttribute("aria-readonly", "true");
});

test("keys typed into the source are letters, not commands", async ({ page }) => {
  await open(page, "/policies/new?fake=story");
  await expect(source(page)).toBeVisible();
  await append(page, " // 1g?2/");
  await expect(page).toHaveURL(/\/policies\/new/);
  await expect(source(page)).toContainText("// 1g?2/");
  // Tab leads on: the source is no trap.
  await page.keyboard.press("Tab");
  await expect(source(page)).not.toBeFocused();
});

for (const [state, words] of [["empty", "No rule of your own yet"], ["failing", "the engine does not answer"]] as const) {
  test(`when ${state}, the place says so`, async ({ page }) => {
    await open(page, `/policies?fake=${state}&tab=mine`);
    await expect(page.getByText(words, { exact: false }).first()).toBeVisible();
  });
}

test("the smallest window keeps list, source and save in view", async ({ page }) => {
  await page.setViewportSize({ width: 960, height: 600 });
  await open(page, "/policies/github-read?fake=long");
  await expect(source(page)).toBeVisible();
  await append(page, " // mine");
  await expect(save(page)).toBeInViewport();
  expect(await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)).toBe(false);
});

test("cases stand with how they come out, are drafted beside the rules, and hold back what breaks them", async ({ page }) => {
  await open(page, "/policies?fake=story&tab=cases");
  const list = page.getByRole("navigation", { name: "Cases" });
  await expect(list.getByText("merging is denied")).toBeVisible();
  await expect(page.getByText("2 cases pass").first()).toBeVisible();
  await append(page, "  shiny: 1");
  await expect(detail(page).getByText("unknown field")).toBeVisible();
  await expect(save(page)).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("button", { name: "Discard" }).click();
  await settle(page);
  await append(page, "# checked by hand");
  await expect(save(page)).not.toHaveAttribute("aria-disabled", "true");
  await save(page).click();
  await expect(page).toHaveURL(/\/policies\/file\/cases%2Fmine\.yaml/);
  await expect(detail(page).getByText("checked by hand")).toBeVisible();
  await page.getByRole("navigation", { name: "Rules by where they come from" }).getByRole("link", { name: "History" }).click();
  await expect(page.getByRole("navigation", { name: "Versions" })).toContainText("cases/mine.yaml");
});

test("weaker rules of a project bind on until a person agrees", async ({ page }) => {
  await open(page, "/policies?fake=observing");
  const told = page.getByRole("status").filter({ hasText: "weaker than before" });
  await told.getByRole("button", { name: "Agree to the weaker rules" }).click();
  await expect(page.getByText("Only what is on disk binds there now.")).toBeVisible();
  await expect(told).toHaveCount(0);
});

const loosened = (page: Page) => page.getByRole("region", { name: "Changed outside Reeve" });

test("a looser version that was written outside waits with its difference until a person loads it", async ({ page }) => {
  await open(page, "/policies?fake=paused&tab=mine");
  await expect(loosened(page)).toContainText("mine.cedar changed outside Reeve and may let more pass");
  await expect(loosened(page).getByRole("region", { name: "mine.cedar" })).toContainText('@id("github-write")');
  const rule = page.getByRole("navigation", { name: "Rules", exact: true }).getByRole("link", { name: /github-write/ });
  await expect(rule).toHaveCount(0);
  await loosened(page).getByRole("button", { name: "Load it" }).click();
  await expect(page.getByText("Loaded. What is on disk is in force.")).toBeVisible();
  await expect(loosened(page)).toHaveCount(0);
  await expect(rule).toHaveCount(1);
});

test("what was loosened outside is taken back with one press", async ({ page }) => {
  await open(page, "/policies?fake=paused&tab=mine");
  await loosened(page).getByRole("button", { name: "Keep what is in force" }).click();
  await expect(page.getByText("The files are as they were")).toBeVisible();
  await expect(loosened(page)).toHaveCount(0);
  await expect(page.getByRole("link", { name: /github-write/ })).toHaveCount(0);
});

test("rules for tools stand among the files of all layers, each with what is to be said of it", async ({ page }) => {
  await open(page, "/policies?fake=story&tab=files");
  const list = page.getByRole("navigation", { name: "Files of rules" });
  await expect(list.getByRole("link", { name: /^organisation\/tools\.yaml/ })).toContainText("Organisation");
  await expect(list).toContainText("a project's preview is not used");
  await list.getByRole("link", { name: /code\/web\/\.reeve\/policies\/tools\.yaml/ }).click();
  await expect(source(page)).toHaveAttribute("aria-readonly", "true");
  await expect(detail(page)).toContainText("Read only");
});

test("rules for tools are drafted with the engine's own findings and saved like any", async ({ page }) => {
  await open(page, "/policies/file/tools.yaml?fake=story");
  await expect(source(page)).toContainText("sqlite/write_query");
  await source(page).fill("colour: red\ntool_policies:\n");
  await settle(page);
  await expect(page.getByText("unknown field colour")).toBeVisible();
  await expect(save(page)).toHaveAttribute("aria-disabled", "true");
  await source(page).fill("tool_policies:\n  export_rows:\n    max_row_count: 5\n");
  await settle(page);
  await expect(page.getByRole("region", { name: "Changes" })).toContainText("export_rows");
  await expect(page.getByRole("region", { name: "Changes" })).toContainText("can only tighten");
  await save(page).click();
  await expect(page.getByText(/^Saved\./)).toBeVisible();
});

test("rules for tools are completed and laid out by the engine", async ({ page }) => {
  await open(page, "/policies/file/tools.yaml?fake=story");
  await source(page).fill("tool_policies:\n  export_rows:\n\n\n\n    max_row_count: 5  \n    time");
  const offered = page.getByRole("option", { name: /^timeout/ });
  await settle(page);
  await source(page).press("Control+Space");
  await settle(page);
  await expect(offered).toContainText("How long a call may take");
  // The editor takes no choice that comes sooner than an eye can read what it offers.
  await settle(page);
  await source(page).press("Enter");
  await expect(source(page)).toContainText("timeout:");
  await page.keyboard.type("15s");
  await page.getByRole("button", { name: "Format" }).click();
  await expect(source(page)).toHaveText("tool_policies:  export_rows:    max_row_count: 5    timeout: 15s");
  await settle(page);
  await expect(page.getByRole("region", { name: "Changes" })).toContainText("export_rows");
});
