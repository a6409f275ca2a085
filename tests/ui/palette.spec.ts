// The palette by keyboard alone: it navigates, searches and stops, and never answers a question.
import { expect, type Page, test } from "@playwright/test";
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
  // A rule may be named so; nothing that can be run allows.
  await expect(page.getByRole("group", { name: "Commands" }).getByRole("option")).toHaveText(["Search the timeline for “allow”"]);
  await page.keyboard.press("Escape");
  await expect(input).toHaveCount(0);
  await choose("stop all");
  await expect(page.getByRole("contentinfo")).toHaveAttribute("data-state", "stopped");
});

test("what is typed right after the shortcut reaches the palette and never the page behind", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  const card = page.locator("#card");
  await card.focus();
  await expect(card).toHaveAttribute("data-armed", "true");
  // In one task of the page: no look in between, no time for an effect.
  const focused = await page.evaluate(() => {
    const press = (key: string, code: string, more: KeyboardEventInit = {}) => document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...more }));
    press("k", "KeyK", { ctrlKey: true });
    const role = document.activeElement?.getAttribute("role");
    press("Enter", "Enter", { ctrlKey: true });
    press("Backspace", "Backspace", { ctrlKey: true });
    return role;
  });
  expect(focused).toBe("combobox");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("jk allow");
  await expect(page.getByRole("combobox", { name: "Commands and search" })).toHaveValue("jk allow");
  await expect(page).toHaveURL(/apr_4/);
  const answers = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: { call: string }[] } }).fakeEngine.heard.filter((one) => one.call === "approvals.resolve"));
  expect(answers).toEqual([]);
});

const field = (page: Page) => page.getByRole("combobox", { name: "Commands and search" });

/** Types what a person would look for, and runs the command of that name. */
async function command(page: Page, typed: string, name: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await expect(field(page)).toBeFocused();
  await page.keyboard.type(typed);
  await page.getByRole("option", { name, exact: true }).click();
  await expect(field(page)).toHaveCount(0);
}

/** What is typed, the command, where it leads, and the dialog that stands there then. */
const LEADS: readonly [string, string, RegExp, string?][] = [
  ["govern", "Start an agent governed…", /\/agents\?open=start$/, "Govern another tool"],
  ["new ru", "New rule", /\/policies\/new$/],
  ["new bu", "New budget", /\/budgets\?open=new$/, "New budget"],
  ["add cred", "Add credential", /\/credentials\?open=add$/, "Add a credential"],
  ["import", "Import from an environment file", /\/credentials\?open=import$/, "Import from an environment file"],
  ["export", "Export…", /\/timeline\?open=export$/, "Export actions"],
  ["pause", "Pause…", /\/settings\/protection$/],
  ["flow", "Timeline: Flow", /\/timeline\?view=flow$/],
  ["sessions", "Timeline: Sessions", /\/timeline\?view=sessions$/],
  ["list", "Timeline: List", /\/timeline$/],
  ["servers", "Tools and servers", /\/servers$/],
  ...(["General", "Protection", "Notifications", "Data", "Shortcuts", "Doctor", "About"] as const).map((tab): [string, string, RegExp] => [tab.toLowerCase(), `Settings: ${tab}`, new RegExp(`/settings/${tab.toLowerCase()}$`)]),
];

test("every place and every dialog is found by its words", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  for (const [typed, name, place, title] of LEADS) {
    await command(page, typed, name);
    await expect(page, name).toHaveURL(place);
    if (title === undefined) continue;
    const dialog = page.getByRole("dialog", { name: title });
    await expect(dialog).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect(page).not.toHaveURL(/open=/);
  }
});

test("on the Timeline the query stays, whatever is chosen of it", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=decision:denied");
  await command(page, "flow", "Timeline: Flow");
  await expect(page).toHaveURL(/q=decision.*view=flow/);
  await command(page, "list", "Timeline: List");
  await expect(page).not.toHaveURL(/view=/);
  const live = page.getByRole("button", { name: /^(Live|Paused)/ });
  for (const [name, pressed] of [["Live off: hold the list still", "false"], ["Live on: follow the newest", "true"], ["Live off: hold the list still", "false"]] as const) {
    await command(page, "live", name);
    await expect(live).toHaveAttribute("aria-pressed", pressed);
    await expect(page).not.toHaveURL(/live=/);
  }
  await live.click();
  await expect(live).toHaveAttribute("aria-pressed", "true");
  await command(page, "live", "Live off: hold the list still");
  await expect(live).toHaveAttribute("aria-pressed", "false");
  await command(page, "export", "Export…");
  await expect(page.getByRole("dialog", { name: "Export actions" })).toContainText("decision:denied");
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/q=decision/);
});

test("how the window looks is chosen by words too", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const root = page.locator("html");
  for (const [name, theme] of [["Theme: Dark", "dark"], ["Theme: Light", "light"], ["Theme: As the system", "system"]] as const) {
    await command(page, "theme", name);
    await expect(root).toHaveAttribute("data-theme", theme);
  }
  await command(page, "rows", "Timeline rows: One line");
  await expect(page.getByRole("button", { name: "One line per action" })).toHaveAttribute("aria-pressed", "true");
  await command(page, "sidebar", "Collapse the sidebar");
  await expect(root).toHaveAttribute("data-sidebar", "rail");
});

test("a command shows its keys as they are now, and none that is off", async ({ page }) => {
  await open(page, "/settings/shortcuts?fake=story");
  await page.getByRole("textbox", { name: "Follow the newest" }).click();
  await page.keyboard.press("y");
  const shows = async (name: string, keys: string) => expect(page.getByRole("option", { name, exact: true })).toHaveText(`${name}${keys}`);
  await page.keyboard.press("Control+k");
  for (const [name, keys] of [["Inbox", "Ctrl1"], ["Back", "Alt←"], ["Export…", "CtrlE"], ["Text larger", "Ctrl+"], ["Live on: follow the newest", "Y"], ["Keyboard shortcuts", "?"], ["New budget", ""]] as const) await shows(name, keys);
  await page.keyboard.press("Escape");
  await page.getByRole("checkbox", { name: /Letters and signs/ }).uncheck();
  await page.keyboard.press("Control+k");
  await shows("Live on: follow the newest", "");
  await shows("Inbox", "Ctrl1");
});

test("a stop is ended through the strip's question alone, a pause where it can be ended", async ({ page }) => {
  const resumed = () => page.evaluate(() => (window as unknown as { fakeEngine: { heard: { call: string }[] } }).fakeEngine.heard.filter((one) => one.call === "status.resume").length);
  await open(page, "/budgets?fake=stopped");
  const strip = page.getByRole("contentinfo");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("resume");
  await page.keyboard.press("Enter");
  await expect(strip.getByRole("group", { name: "Resume? Agents may act again." })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(strip).toHaveAttribute("data-state", "stopped");
  await page.keyboard.press("Tab");
  expect(await resumed()).toBe(0);
  await page.keyboard.press("Enter");
  await expect(strip).toHaveAttribute("data-state", "protected");
  await open(page, "/budgets?fake=paused");
  await command(page, "resume", "Resume…");
  await expect(page).toHaveURL(/\/settings\/protection$/);
  expect(await resumed()).toBe(0);
  await expect(strip).toHaveAttribute("data-state", "paused");
});
