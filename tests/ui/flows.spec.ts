// What a person does, by mouse and by keyboard alone, on recorded states.
import { expect, type Page, test } from "@playwright/test";
import { NOW, open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const heard = (page: Page) => page.evaluate(() => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard);
const answers = async (page: Page) => (await heard(page)).filter((call) => call.call === "approvals.resolve").map((call) => call.input?.["answer"]);
const card = (page: Page) => page.locator("#card");

async function armed(page: Page): Promise<void> {
  await page.clock.runFor(800);
  await expect(card(page)).toHaveAttribute("data-armed", "true");
}

test("a held action is allowed by keyboard alone: queue, card, chord", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await page.getByRole("link", { name: /Run a command/ }).focus();
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/apr_2/);
  await page.keyboard.press("Enter");
  await expect(card(page)).toBeFocused();
  await armed(page);
  await page.keyboard.press("Control+Enter");
  expect(await answers(page)).toEqual([{ kind: "approve", scope: { kind: "once" } }]);
  await expect(page.getByText("Allowed. Claude Code goes on.")).toBeVisible();
  await expect(page).toHaveURL(/apr_3/);
});

test("typing while a card appears decides nothing", async ({ page }) => {
  await open(page, "/inbox/apr_5?fake=story");
  await card(page).focus();
  // Time stands still from here: however slow the machine is, the card does not arm.
  await page.clock.pauseAt(new Date(NOW.getTime() + 60_000));
  await page.getByRole("link", { name: /Fetch from a host/ }).click();
  await page.clock.runFor(300);
  await card(page).focus();
  for (const key of ["Control+Enter", "Control+Backspace", "Enter", "y", "Control+Shift+Backspace", " "]) await page.keyboard.press(key);
  expect(await answers(page)).toEqual([]);
  await expect(card(page)).toHaveAttribute("data-armed", "false");
});

test("keys held down before the card was armed are ignored until they are released", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await card(page).focus();
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await page.keyboard.down("Control");
  await armed(page);
  await page.keyboard.press("Enter");
  expect(await answers(page)).toEqual([]);
  await page.keyboard.up("Control");
  await page.keyboard.press("Control+Enter");
  expect(await answers(page)).toHaveLength(1);
});

test("nothing is focused when a card appears, and a chord outside of it decides nothing", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await armed(page);
  await page.keyboard.press("Control+Enter");
  expect(await answers(page)).toEqual([]);
});

test("a text longer than its box is allowed only after its end was in view", async ({ page }) => {
  await open(page, "/inbox?fake=hostile");
  await armed(page);
  const allow = page.getByRole("button", { name: /Allow once/ });
  await expect(allow).toHaveAttribute("aria-disabled", "true");
  await expect(page.getByText(/Scroll to the end of the exact text/)).toBeVisible();
  await page.getByRole("region", { name: /Exact request/ }).evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await expect(allow).not.toHaveAttribute("aria-disabled");
  await expect(page.getByText(/The whole text has been in view/)).toBeVisible();
});

test("a denial takes the words for the agent", async ({ page }) => {
  await open(page, "/inbox/apr_1?fake=story");
  await armed(page);
  await page.getByRole("button", { name: /^Deny(?! and)/ }).click();
  await page.getByRole("button", { name: "Not in this repository" }).click();
  await expect(page.getByLabel(/What the agent hears/)).toHaveValue("Not in this repository");
  await page.getByRole("button", { name: "Deny", exact: true }).click();
  expect(await answers(page)).toEqual([{ kind: "refuse", reason: "Not in this repository" }]);
});

test("always shows the exact text first and needs a second, armed answer", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await armed(page);
  await page.getByRole("button", { name: "Allow for longer" }).click();
  await page.getByRole("menuitem", { name: /Always allow/ }).click();
  await expect(page.getByText('@lifts("ask-first-host")', { exact: false })).toBeVisible();
  expect(await answers(page)).toEqual([]);
  await armed(page);
  await page.getByRole("button", { name: /Write rule and allow/ }).click();
  expect(await answers(page)).toEqual([{ kind: "approve", scope: { kind: "always" } }]);
});

test("a newcomer never replaces the card that is read, and is announced once", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await armed(page);
  await page.evaluate(() => {
    const { fakeEngine } = window as unknown as { fakeEngine: { heard: Heard[]; call: (call: unknown) => Promise<{ open: object[] }>; add: (change: unknown) => void } };
    return fakeEngine.call({ call: "approvals.list" }).then(({ open }) => fakeEngine.add({ approval: { ...open[0], id: "apr_new" } }));
  });
  await expect(page.getByText("6 questions")).toBeVisible();
  await expect(page).toHaveURL(/apr_4/);
  await expect(card(page)).toHaveAttribute("data-armed", "true");
});

test("facets write the query, and the query can be typed and taken back by keys", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await page.getByRole("button", { name: /denied/ }).first().click();
  await expect(page).toHaveURL(/q=decision/);
  await expect(page.getByRole("row").first()).toContainText("no-merge-main");
  await page.getByRole("button", { name: /Codex|codex/ }).first().click({ modifiers: ["Alt"] });
  await expect(page).toHaveURL(/-agent/);
  await page.keyboard.press("/");
  await page.keyboard.type("kind:ht");
  await expect(page.getByRole("option")).toContainText(["kind:http"]);
  await page.keyboard.press("Tab");
  await expect(page).toHaveURL(/kind/);
  for (let times = 0; times < 3; times += 1) {
    await page.keyboard.press("Backspace");
    await page.getByRole("combobox").fill("");
  }
  await expect(page).not.toHaveURL(/q=/);
});

test("an unknown key is named, with the nearest one", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=hots:api.github.com");
  await expect(page.getByRole("status").filter({ hasText: "is not a key" })).toBeVisible();
  await page.getByRole("button", { name: "Use host" }).click();
  await expect(page).toHaveURL(/q=host/);
});

test("rows are walked by keys, opened, and left", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await page.getByRole("grid").focus();
  for (const key of ["j", "j", "j"]) await page.keyboard.press(key);
  await expect(page).toHaveURL(/op=op_0*48205/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("]");
  await expect(page.getByRole("tab", { selected: true })).toHaveText("Request");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("complementary", { name: "Detail" })).toHaveCount(0);
});

test("new rows appear at the top, and wait while somebody reads below", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const add = (record: number) =>
    page.evaluate((number) => {
      const { fakeEngine } = window as unknown as { fakeEngine: { call: (call: unknown) => Promise<{ rows: object[] }>; add: (change: unknown) => void } };
      return fakeEngine.call({ call: "operations.search", input: { query: "", before: null, limit: 1 } }).then(({ rows }) => fakeEngine.add({ row: { ...rows[0], id: `op_new_${number}`, record: number, summary: `newcomer ${number}` } }));
    }, record);
  await add(60_000);
  await expect(page.getByRole("row").first()).toContainText("newcomer 60000");
  await page.getByRole("grid").evaluate((grid) => grid.scrollTo(0, 2_000));
  // The browser tells of scrolling in its own time: it has when the first row is no longer drawn.
  await expect(page.getByText("newcomer 60000")).toHaveCount(0);
  await add(60_001);
  await add(60_002);
  await expect(page.getByRole("button", { name: "2 new" })).toBeVisible();
  await page.getByRole("button", { name: "2 new" }).click();
  await expect(page.getByRole("row").first()).toContainText("newcomer 60002");
});

test("twenty thousand rows scroll as a few dozen elements, to the end", async ({ page }) => {
  await open(page, "/timeline?fake=long");
  await page.getByRole("grid").focus();
  for (let page_ = 0; page_ < 6; page_ += 1) {
    await page.keyboard.press("End");
    await page.clock.runFor(200);
  }
  expect(await page.getByRole("row").count()).toBeLessThan(60);
  expect(await page.getByRole("grid").evaluate((grid) => grid.scrollTop)).toBeGreaterThan(15_000);
});

test("stop all stops at once; resuming asks first", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await page.keyboard.press("Control+Shift+Period");
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "stopped");
  await page.getByRole("button", { name: "Resume…" }).click();
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "stopped");
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "protected");
});

test("back and forward go through what was seen", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await page.getByRole("link", { name: "Timeline" }).click();
  await page.getByRole("button", { name: /denied/ }).first().click();
  await page.goBack();
  await expect(page).toHaveURL(/\/timeline$/);
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Inbox" })).toBeVisible();
});

test("an unknown or malformed address changes nothing", async ({ page }) => {
  for (const address of ["/inbox/%F0%9F%92%A9?fake=story", "/inbox/..%2f..%2fx?fake=story", "/timeline?fake=story&q=%22%28&op=nope&tab=zzz", "/nowhere?fake=story"]) {
    await open(page, address);
    expect((await heard(page)).filter((call) => /resolve|stop|resume|extend/.test(call.call))).toEqual([]);
  }
});

test("nothing is fetched from elsewhere", async ({ page, baseURL }) => {
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(`${baseURL}/`) && !request.url().startsWith("data:")) elsewhere.push(request.url());
  });
  for (const address of ["/inbox?fake=hostile", "/timeline?fake=story"]) await open(page, address);
  expect(elsewhere).toEqual([]);
});

test("in a browser without a recorded state the page says what it is", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByText("This page is the inside of Reeve's window")).toBeVisible();
});
