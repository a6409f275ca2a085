// The timeline's query, histogram, rows, detail, saved views, sessions and waterfall, by mouse and by keyboard, on recorded states.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

const query = (page: Page) => new URL(page.url()).searchParams.get("q");
const param = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);
const grid = (page: Page) => page.getByRole("grid", { name: "Actions" });
const MERGE = "op_00000000000000000000048205";

async function focusGrid(page: Page): Promise<void> {
  await grid(page).focus();
  await expect(grid(page)).toBeFocused();
}

test("a query is built from suggestions: the key, then a value with its count", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const input = page.getByRole("combobox", { name: "Query" });
  await input.focus();
  await expect(input).toBeFocused();
  await input.pressSequentially("age");
  await expect(page.getByRole("option", { name: "agent:" })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(input).toHaveValue("agent:");
  await expect(page.getByRole("option").first()).toHaveText(/^agent:claude-code\s*\d+$/);
  await input.pressSequentially("codex");
  await expect(page.getByRole("option").first()).toHaveText(/^agent:codex/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect.poll(() => query(page)).toBe("agent:codex");
  await expect(page.getByRole("row").first()).toContainText("Codex");
  // Values are counted over what the query finds already.
  await input.pressSequentially("decision:de");
  await expect(page.getByRole("option").first()).toHaveText(/^decision:denied/);
  await page.keyboard.press("Enter");
  await expect.poll(() => query(page)).toBe("agent:codex decision:de");
});

test("a click on a facet means only this, with Shift also this, with Alt not this", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const facets = page.getByRole("complementary", { name: "Facets" });
  await facets.getByRole("button", { name: /^codex/i }).click();
  await expect.poll(() => query(page)).toBe("agent:codex");
  await facets.getByRole("button", { name: /^llm/ }).click({ modifiers: ["Alt"] });
  await expect.poll(() => query(page)).toBe("agent:codex -kind:llm");
  await facets.getByRole("button", { name: /^denied/ }).click();
  await facets.getByRole("button", { name: /^denied/ }).click({ modifiers: ["Shift"] });
  await expect.poll(() => query(page)).toBe("agent:codex -kind:llm decision:denied");
});

test("rows have one line or two, and it stays so", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const row = page.getByRole("row").first();
  expect((await row.boundingBox())?.height).toBe(44);
  await page.getByRole("button", { name: "One line per action" }).click();
  await expect.poll(async () => (await row.boundingBox())?.height).toBe(28);
  await expect(page.getByText("Why", { exact: true })).toBeVisible();
  await page.reload();
  await expect.poll(async () => (await page.getByRole("row").first().boundingBox())?.height).toBe(28);
});

test("a stretch of the histogram is chosen by keys, zoomed to and left again", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=kind:llm");
  const slider = page.getByRole("slider", { name: "Actions over time by decision" });
  await slider.focus();
  await expect(slider).toBeFocused();
  for (let at = 0; at < 4; at += 1) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  for (let at = 0; at < 9; at += 1) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await expect.poll(() => query(page)).toMatch(/^kind:llm since:\S+Z before:\S+Z$/);
  const chosen = query(page);
  expect(param(page, "win")).toBe("..");
  await expect(page.getByText(/\d\d:\d\d to \d\d:\d\d chosen/)).toBeVisible();
  await slider.focus();
  await page.keyboard.press("z");
  await expect.poll(() => param(page, "win")).toContain("~");
  await page.keyboard.press("Shift+Z");
  await expect.poll(() => param(page, "win")).toBe("..");
  expect(query(page)).toBe(chosen);
  await page.keyboard.press("Shift+Z");
  await expect.poll(() => query(page)).toBe("kind:llm");
  expect(param(page, "win")).toBeNull();
});

test("a stretch of the histogram is chosen by drag, and back leads out of it", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const box = (await page.getByRole("slider").boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.move(box.x + box.width * 0.6, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await expect.poll(() => query(page)).toMatch(/^since:\S+ before:\S+$/);
  await page.goBack();
  await expect.poll(() => query(page)).toBeNull();
});

test("row actions open with a dot: only this host, copied as a query, as a page", async ({ page }) => {
  await page.addInitScript(() => {
    Object.assign(window, { copied: [] as string[] });
    Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text: string) => void (window as unknown as { copied: string[] }).copied.push(text) } });
  });
  await open(page, `/timeline?fake=story&op=${MERGE}`);
  await focusGrid(page);
  await page.keyboard.press(".");
  await expect(page.getByRole("menuitem", { name: "Copy as query" })).toBeVisible();
  await page.getByRole("menuitem", { name: "Copy as query" }).click();
  await focusGrid(page);
  await page.keyboard.press("ControlOrMeta+c");
  await expect.poll(() => page.evaluate(() => (window as unknown as { copied: string[] }).copied)).toEqual([`record:${MERGE}`, `reeve://record/${MERGE}`]);
  await page.keyboard.press(".");
  await page.getByRole("menuitem", { name: "Only api.github.com" }).click();
  await expect.poll(() => query(page)).toBe("host:api.github.com");
  await page.getByRole("row", { name: /812\/merge/ }).click({ button: "right" });
  await page.getByRole("menuitem", { name: "Open as a page" }).click();
  await expect(page).toHaveURL(new RegExp(`/record/${MERGE}`));
  await expect(page.getByRole("heading", { name: "Record #48,205" })).toBeVisible();
});

test("a value in a row behaves as a facet", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await page.getByRole("row", { name: /812\/merge/ }).getByText("no-merge-main").click({ modifiers: ["Alt"] });
  await expect.poll(() => query(page)).toBe("-rule:no-merge-main");
  expect(param(page, "op")).toBeNull();
});

test("a query is saved as a view, taken from the list and removed", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=agent:codex");
  await page.getByRole("button", { name: "Save" }).click();
  const dialog = page.getByRole("dialog", { name: "Save as a view" });
  await expect(dialog).toContainText("views.toml");
  await dialog.getByLabel("Name").fill("Only Codex");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  const views = page.getByRole("complementary", { name: "Facets" });
  await views.getByRole("button", { name: "Denied this week", exact: true }).click();
  await expect.poll(() => query(page)).toBe("decision:denied since:7d");
  await views.getByRole("button", { name: "Only Codex", exact: true }).click();
  await expect.poll(() => query(page)).toBe("agent:codex");
  await views.getByRole("button", { name: "What to do with the view Only Codex" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await expect(views.getByRole("button", { name: "Only Codex", exact: true })).toBeHidden();
});

test("every part of the detail is reached by brackets and held by the address; Enter makes it the page", async ({ page }) => {
  await open(page, `/timeline?fake=story&op=${MERGE}`);
  const detail = page.getByRole("complementary", { name: "Detail" });
  await focusGrid(page);
  await page.keyboard.press("Enter");
  await expect(detail).toBeFocused();
  for (const name of ["Request", "Response", "Decision", "Cost", "Chain", "Raw"]) {
    await page.keyboard.press("]");
    await expect(detail.getByRole("tab", { selected: true })).toHaveText(name);
    expect(param(page, "tab")).toBe(name.toLowerCase());
  }
  await page.keyboard.press("[");
  await expect(detail.getByRole("tab", { selected: true })).toHaveText("Chain");
  await detail.getByRole("button", { name: "Verify the chain" }).click();
  await expect(detail.getByText("48,210 records hold")).toBeVisible();
  await detail.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/record/${MERGE}\\?tab=chain`));
  await expect(page.getByRole("tab")).toHaveCount(7);
  await page.goBack();
  await expect(detail.getByRole("tab", { selected: true })).toHaveText("Chain");
});

test("a part that does not fit is behind a menu", async ({ page }) => {
  await open(page, `/timeline?fake=story&op=${MERGE}`);
  await page.getByRole("button", { name: "More parts" }).click();
  await page.getByRole("menuitem", { name: "Raw" }).click();
  await expect(page.getByRole("tab", { selected: true })).toHaveText("Raw");
});

test("a broken chain leads to the record that broke it, and a number to what is in order", async ({ page }) => {
  await open(page, "/timeline?fake=broken");
  await page.getByRole("contentinfo").getByRole("button", { name: /48203/ }).click();
  await expect(page).toHaveURL(/\/record\/48203/);
  await expect(page.getByRole("main").getByRole("alert")).toContainText("was changed");
  await page.getByRole("link", { name: "Open its action" }).click();
  await expect(page).toHaveURL(/\/record\/op_\d+/);
  await open(page, "/record/48205?fake=story");
  await expect(page).toHaveURL(new RegExp(`/record/${MERGE}`));
  await open(page, "/record/99999999?fake=story");
  await expect(page.getByRole("heading", { name: "There is no such record" })).toBeVisible();
});

test("views share query and selection; a session is opened, closed and searched by keys", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=agent:claude-code");
  await focusGrid(page);
  await page.keyboard.press("g");
  await expect.poll(() => param(page, "view")).toBe("sessions");
  const tree = page.getByRole("treegrid", { name: "Sessions" });
  await expect(tree.getByRole("row")).toHaveCount(1);
  await tree.focus();
  await expect(tree).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  await expect(tree.getByRole("row", { name: /^Close Turn 1/ })).toBeVisible();
  await page.keyboard.press("g");
  await expect.poll(() => param(page, "view")).toBe("flow");
  expect(query(page)).toBe("agent:claude-code");
  const flow = page.getByRole("treegrid", { name: "What the session did" });
  const merge = flow.getByRole("row", { name: /812\/merge|no-merge-main/ });
  await expect(merge).toBeVisible();
  await flow.focus();
  await expect(flow).toBeFocused();
  await page.keyboard.press("/");
  const find = page.getByRole("textbox", { name: "Find in this session" });
  await expect(find).toBeFocused();
  await find.pressSequentially("merge");
  await expect(page.getByText("1 found")).toBeVisible();
  await merge.click();
  await expect.poll(() => param(page, "op")).toBe(MERGE);
  await expect(page.getByRole("complementary", { name: "Detail" })).toContainText("no-merge-main");
});

test("a turn closes and opens with the arrows, and a star opens everything below", async ({ page }) => {
  await open(page, "/timeline?fake=story&view=flow&session=ses_2");
  const flow = page.getByRole("treegrid", { name: "What the session did" });
  await flow.focus();
  await expect(flow).toBeFocused();
  await page.keyboard.press("Home");
  const first = flow.getByRole("row", { name: /Turn 1 / });
  await expect(first).toHaveAttribute("aria-selected", "true");
  const begun = await first.getAttribute("aria-expanded");
  if (begun === "true") await page.keyboard.press("ArrowLeft");
  await expect(first).toHaveAttribute("aria-expanded", "false");
  await page.keyboard.press("ArrowRight");
  await expect(first).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("ArrowLeft");
  await expect(first).toHaveAttribute("aria-expanded", "false");
  await page.keyboard.press("*");
  await expect(first).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("ArrowRight");
  await expect(first).toHaveAttribute("aria-selected", "false");
});

test("a link to a session opens its waterfall", async ({ page }) => {
  await open(page, "/session/ses_2?fake=story");
  await expect(page).toHaveURL(/view=flow.*session=ses_2/);
  await expect(page.getByRole("heading", { name: "codex exec clean up test users" })).toBeVisible();
});

test("rows wait behind a count while a person reads further down, in both heights", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  for (const oneLine of [false, true]) {
    if (oneLine) await page.getByRole("button", { name: "One line per action" }).click();
    await grid(page).evaluate((element) => element.scrollTo({ top: 900 }));
    await expect(page.getByRole("button", { name: /Paused/ })).toBeVisible();
    await page.evaluate((number) => {
      type Engine = { call: (call: object) => Promise<{ rows: { record: number }[] }>; add: (change: object) => void };
      const { fakeEngine } = window as unknown as { fakeEngine: Engine };
      return fakeEngine.call({ call: "operations.search", input: { query: "", before: null, limit: 1 } }).then(({ rows }) => fakeEngine.add({ row: { ...rows[0], id: `op_new_${number}`, record: 50_000 + number, summary: `newcomer ${number}` } }));
    }, Number(oneLine));
    await page.getByRole("button", { name: "1 new" }).click();
    await expect(page.getByRole("row").first()).toContainText(`newcomer ${Number(oneLine)}`);
  }
});

test("at the smallest window the facets are behind a button and the detail stays beside the rows", async ({ page }) => {
  await page.setViewportSize({ width: 960, height: 600 });
  await open(page, `/timeline?fake=story&op=${MERGE}`);
  await expect(page.getByRole("complementary", { name: "Detail" })).toBeInViewport();
  await page.getByRole("button", { name: "Facets" }).click();
  const facets = page.getByRole("dialog", { name: "Facets" });
  await facets.getByRole("button", { name: /^codex/i }).click();
  await expect.poll(() => query(page)).toBe("agent:codex");
});

test("Ctrl E opens the export of the present query", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=kind:llm");
  await focusGrid(page);
  await page.keyboard.press("ControlOrMeta+e");
  await expect(page.getByRole("dialog", { name: "Export actions" })).toContainText("kind:llm");
});
