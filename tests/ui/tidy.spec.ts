// What the inbox proposes, reminders of old secrets, starting an agent, and what the strip says of a stop: on recorded states.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const heard = (page: Page, name: string): Promise<Heard[]> => page.evaluate((call) => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard.filter((one) => one.call === call), name);

test("suggestions name the rule or the secret, and lead there", async ({ page }) => {
  await open(page, "/inbox?fake=story&tab=suggestions");
  const one = (text: string) => page.getByRole("listitem").filter({ hasText: text });
  await expect(one("A rule for every agent was used by Codex alone")).toContainText("688 uses in 30 days");
  await expect(one("A rule has decided nothing for 30 days")).toContainText("no-large-uploads");
  await expect(one("Half of your last ten answers").getByRole("link", { name: "Presets" })).toHaveAttribute("href", /settings\/protection/);
  await one("A rule for every agent").getByRole("link", { name: "Open rule" }).click();
  await expect(page).toHaveURL(/policies\/github-read/);
  await page.goBack();
  await one("A secret is 93 days old").getByRole("link", { name: "Replace…" }).click();
  await expect(page).toHaveURL(/credentials\/anthropic/);
});

test("an old secret is marked in the list, and its reminder is changed", async ({ page }) => {
  await open(page, "/credentials/anthropic?fake=story");
  const list = page.getByRole("navigation", { name: "Stored credentials" });
  await expect(list.getByRole("img", { name: "old enough to be replaced" })).toHaveCount(1);
  await expect(page.getByRole("region", { name: "The chosen credential" })).toContainText("last used 14:03");
  await page.getByLabel("Reminder").selectOption("180");
  expect(await heard(page, "credentials.remind")).toMatchObject([{ input: { credential: "anthropic", days: 180 } }]);
  await expect(list.getByRole("img", { name: "old enough to be replaced" })).toHaveCount(0);
  await page.getByLabel("Reminder").selectOption("0");
  expect((await heard(page, "credentials.remind")).at(-1)).toMatchObject({ input: { days: null } });
});

test("before a credential is removed, the rules that name it are said", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByRole("dialog", { name: "Remove credential" }).getByText("Rules that name it")).toBeVisible();
});

test("an agent is started in a terminal, from the folder it worked in last", async ({ page }) => {
  await open(page, "/agents/claude-code?fake=story");
  await page.getByRole("button", { name: "Start…" }).click();
  const dialog = page.getByRole("dialog", { name: "Start Claude Code governed" });
  await expect(dialog.getByLabel("Folder to work in")).toHaveValue("/home/dana/code/api");
  await dialog.getByLabel("Folder to work in").fill("code/api");
  await dialog.getByRole("button", { name: "Open in a terminal" }).click();
  await expect(dialog.getByRole("alert")).toContainText("is not a folder here");
  await dialog.getByLabel("Folder to work in").fill("/home/dana/code/web");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(page.getByText("Claude Code starts in konsole.")).toBeVisible();
  expect((await heard(page, "agents.start")).at(-1)).toMatchObject({ input: { tool: "claude-code", folder: "/home/dana/code/web" } });
});

test("the strip says since when everything is denied, and what observing has shown", async ({ page }) => {
  await open(page, "/timeline?fake=stopped");
  await expect(page.getByRole("contentinfo")).toContainText("Everything is denied since 14:01. 5 sessions ended.");
  await open(page, "/timeline?fake=observing");
  await expect(page.getByRole("contentinfo")).toContainText(/Would have held \d+ and denied 1 of [\d,]+ actions in 24 h/);
});

test("a storm leads to its first question", async ({ page }) => {
  await open(page, "/inbox?fake=storm");
  const storm = page.getByRole("region", { name: "Many questions at once" });
  await expect(storm).toContainText("Each further one is put two seconds late.");
  await expect(storm.getByRole("link", { name: "Review" })).toHaveAttribute("href", /\/inbox\/apr_/);
});

test("what was decided long ago is found again, page by page, and under a filter", async ({ page }) => {
  await open(page, "/inbox?fake=story&tab=decided");
  // The engine's own list holds the newest answers only, and each page here looks at one action.
  await page.evaluate(() => {
    type Asked = { call: string; input: { limit: number } };
    const { fakeEngine } = window as unknown as { fakeEngine: { call: (call: Asked) => Promise<{ resolved: object[] }> } };
    const call = fakeEngine.call.bind(fakeEngine);
    fakeEngine.call = async (asked) => {
      if (asked.call === "approvals.answered") return call({ ...asked, input: { ...asked.input, limit: 1 } });
      const told = await call(asked);
      return asked.call === "approvals.list" ? { ...told, resolved: told.resolved.slice(0, 1) } : told;
    };
  });
  await page.getByRole("link", { name: /^Expired/ }).click();
  await page.getByRole("link", { name: /^Decided/ }).click();
  const list = page.getByRole("region", { name: "Decided" });
  const older = list.getByRole("button", { name: "Show older ones" });
  await expect(older).toBeVisible();
  await older.focus();
  while (await older.isVisible()) {
    await page.keyboard.press("Enter");
    await page.waitForTimeout(100);
  }
  await expect(list.getByRole("link", { name: /NPM_TOKEN/ })).toBeVisible();
  await list.getByLabel("Filter, as in the Timeline").fill("decision:refused");
  await page.keyboard.press("Enter");
  await expect(list.getByRole("listitem")).toHaveCount(1);
});

test("what was decided is filtered with the grammar of the Timeline, and the address holds it", async ({ page }) => {
  await open(page, "/inbox?fake=story&tab=decided");
  const list = page.getByRole("region", { name: "Decided" });
  await expect(list.getByRole("listitem")).toHaveCount(4);
  await list.getByLabel("Filter, as in the Timeline").fill("decision:refused");
  await page.keyboard.press("Enter");
  await expect(list.getByRole("listitem")).toHaveCount(1);
  expect(new URL(page.url()).searchParams.get("q")).toBe("decision:refused");
  await list.getByRole("link", { name: /NPM_TOKEN|PUT api.github.com/ }).click();
  await expect(list.getByRole("listitem")).toHaveCount(1);
  await list.getByLabel("Filter, as in the Timeline").focus();
  await page.keyboard.press("Escape");
  await expect(list.getByRole("listitem")).toHaveCount(4);
});
