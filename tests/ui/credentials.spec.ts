// Credentials by hand: a secret goes in once and stays nowhere; removing says what will fail.
import { expect, type Locator, type Page, test } from "@playwright/test";
import { open } from "./open";

const SECRET = "not-a-secret-0123456789";

type Heard = { call: string; input?: Record<string, unknown> };

const heard = (page: Page, name: string): Promise<Heard[]> => page.evaluate((call) => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard.filter((one) => one.call === call), name);

const places = (page: Page): Locator => page.getByRole("region", { name: "Only to" });

/** Tab until it has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 80; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  await expect(target).toBeFocused();
}

test("a secret that was typed is nowhere on the page once it was sent", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: "Replace" }).click();
  const field = page.getByRole("textbox", { name: /^Secret/ });
  await expect(field).toHaveAttribute("type", "password");
  await field.fill(SECRET);
  await page.getByRole("dialog").getByRole("button", { name: "Replace" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const kept = await page.evaluate((secret) => [document.documentElement.outerHTML, location.href, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })].some((text) => text.includes(secret)), SECRET);
  expect(kept).toBe(false);
});

test("a refused secret leaves its field all the same", async ({ page }) => {
  await open(page, "/credentials?fake=story");
  await page.getByRole("button", { name: "Add credential" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("github");
  await dialog.getByRole("textbox", { name: /^Secret/ }).fill(SECRET);
  await dialog.getByRole("button", { name: "Add credential" }).click();
  await expect(dialog.getByRole("alert")).toContainText("already");
  await expect(dialog.getByRole("textbox", { name: /^Secret/ })).toHaveValue("");
});

test("removing names the places that will fail", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("/repos/acme");
  await dialog.getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("link", { name: /GitHub token/ })).toHaveCount(0);
});

test("a place is taken away after it was said what that means, and a credential stays without any", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: "Add place" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Host/).fill("uploads.github.com:8443");
  await dialog.getByLabel(/^Put into/).fill("header:x-upload");
  await dialog.getByLabel(/^Only for/).fill("codex");
  await dialog.getByRole("button", { name: "Add place" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(places(page).getByRole("row")).toHaveCount(3);

  await page.getByRole("button", { name: "Remove uploads.github.com:8443" }).click();
  await expect(page.getByRole("dialog", { name: "Remove place" })).toContainText("not in running sessions either");
  await expect(dialog).toContainText("x-upload: ‹secret›");
  await expect(dialog.getByRole("link", { name: "Codex" })).toBeVisible();
  await expect(dialog.getByRole("link", { name: /in the last 7 days/ })).toHaveAttribute("href", /uploads\.github\.com/);
  await expect(dialog).not.toContainText("the last place");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  expect(await heard(page, "credentials.unbind")).toEqual([]);
  await page.getByRole("button", { name: "Remove uploads.github.com:8443" }).click();
  await dialog.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await expect(places(page).getByRole("row")).toHaveCount(2);
  await expect(places(page)).toContainText("/repos/acme");
  expect(await heard(page, "credentials.unbind")).toMatchObject([{ input: { credential: "github", binding: { host: "uploads.github.com", port: 8443, methods: [], path: null, slot: "header:x-upload" } } }]);

  await page.getByRole("button", { name: "Remove GET POST api.github.com/repos/acme" }).click();
  await expect(dialog).toContainText("It is the last place.");
  await dialog.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(places(page)).toContainText("Bound to no place");
  const row = page.getByRole("link", { name: /GitHub token/ });
  await expect(row).toContainText("no place");
  await expect(row).not.toContainText("every agent");
});

test("the agents of a place are changed, and a place taken away, by keyboard alone", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  const change = page.getByRole("button", { name: "Change GET POST api.github.com/repos/acme" });
  await tabTo(page, change);
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Change place" });
  for (const [label, value] of [[/^Host/, "api.github.com"], [/^Methods/, "GET POST"], [/^Path/, "/repos/acme"], [/^Put into/, "bearer"], [/^Only for/, ""]] as const) await expect(dialog.getByLabel(label)).toHaveValue(value);
  await tabTo(page, dialog.getByLabel(/^Only for/));
  await page.keyboard.type("codex claude-code");
  await page.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(places(page).getByRole("row")).toHaveCount(2);
  await expect(places(page)).toContainText("codex, claude-code");
  await expect(change).toBeFocused();
  const place = { host: "api.github.com", methods: ["GET", "POST"], path: "/repos/acme", slot: "bearer" };
  expect(await heard(page, "credentials.bind")).toMatchObject([{ input: { credential: "github", binding: place, agents: ["codex", "claude-code"], instead: place } }]);

  const remove = page.getByRole("button", { name: "Remove GET POST api.github.com/repos/acme" });
  await tabTo(page, remove);
  await page.keyboard.press("Enter");
  const question = page.getByRole("dialog", { name: "Remove place" });
  await expect(question).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(question).toHaveCount(0);
  await expect(remove).toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page, question.getByRole("button", { name: "Remove", exact: true }));
  await page.keyboard.press("Enter");
  await expect(places(page)).toContainText("Bound to no place");
  await expect(places(page)).toBeFocused();
});

test("a place that another window took away meanwhile is said to be gone", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: /^Change GET POST/ }).click();
  await page.evaluate(() => (window as unknown as { fakeEngine: { call: (call: unknown) => Promise<unknown> } }).fakeEngine.call({ call: "credentials.unbind", input: { credential: "github", binding: { host: "api.github.com", port: 443, methods: ["GET", "POST"], path: "/repos/acme", slot: "bearer" } } }));
  const dialog = page.getByRole("dialog", { name: "Change place" });
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByRole("alert")).toContainText("no place");
});

test("a test says what is known, shows what it would send, and sends it only then", async ({ page }) => {
  await open(page, "/credentials/github?fake=story");
  await page.getByRole("button", { name: "Test" }).click();
  await expect(page.getByText("GET https://api.github.com/user")).toBeVisible();
  await expect(page.getByText("in 0.2 s")).toHaveCount(0);
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("in 0.2 s")).toBeVisible();
});

test("keys are taken from a file by name, what only looks like one after a tick, and the copy is named", async ({ page }) => {
  await open(page, "/credentials?fake=story");
  await page.getByRole("button", { name: "Import from a file" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("File").fill("/home/dana/api/.env");
  await dialog.getByRole("button", { name: "Look for keys" }).click();
  await expect(dialog.getByRole("checkbox", { name: /OPENAI_API_KEY/ })).toBeChecked();
  await expect(dialog.getByRole("checkbox", { name: /ANTHROPIC_API_KEY/ })).not.toBeChecked();
  await dialog.getByRole("checkbox", { name: /LINEAR_TOKEN/ }).check();
  await dialog.getByLabel("Host").fill("api.linear.app");
  await dialog.getByRole("checkbox", { name: /Put placeholders/ }).check();
  await dialog.getByRole("button", { name: "Take ticked keys" }).click();
  await expect(dialog.getByText("/home/dana/.local/share/reeve/backups/env-1")).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await expect(page.getByRole("link", { name: /LINEAR_TOKEN/ })).toContainText("api.linear.app");
});

test("pasted text is nowhere on the page once its keys were taken", async ({ page }) => {
  await open(page, "/credentials?fake=story");
  await page.getByRole("button", { name: "Import from a file" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/or its text/).fill(`OPENAI_API_KEY=${SECRET}`);
  await dialog.getByRole("button", { name: "Look for keys" }).click();
  await dialog.getByRole("button", { name: "Take ticked keys" }).click();
  await expect(dialog.getByRole("status")).toContainText("openai");
  expect(await page.evaluate((secret) => document.documentElement.outerHTML.includes(secret), SECRET)).toBe(false);
});

test("where there is no credential yet, the page itself offers the first one", async ({ page }) => {
  await open(page, "/credentials?fake=empty");
  await page.getByRole("button", { name: "Add a first credential…" }).click();
  await expect(page.getByRole("dialog", { name: "Add a credential" })).toBeVisible();
});
