// The inbox beyond one card: budgets, rules weighed and undone, what expired, suggestions, questions that are alike, storms.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const heard = (page: Page, name: string): Promise<Heard[]> => page.evaluate((call) => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard.filter((one) => one.call === call), name);
const armed = async (page: Page) => {
  await page.clock.runFor(800);
  await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
};

test("a budget that holds says what is short, and is raised for the session", async ({ page }) => {
  await open(page, "/inbox/apr_2?fake=story");
  await armed(page);
  await expect(page.getByText("$0.11 short")).toBeVisible();
  await expect(page.getByRole("img", { name: /\$1.08 settled, \$0.12 reserved, this call up to \$0.41, limit \$1.50/ })).toBeVisible();
  await expect(page.getByText("It may then end $0.11 over $1.50.")).toBeVisible();
  await page.getByRole("button", { name: "What decides" }).click();
  await expect(page.getByRole("row", { name: /claude-code-tokens/ })).toBeVisible();
  await page.getByRole("button", { name: "Raise limit…" }).click();
  await page.getByLabel("for this session, to $").fill("1.55");
  await expect(page.getByRole("button", { name: "Raise and allow" })).toHaveAttribute("aria-disabled", "true");
  await page.getByLabel("for this session, to $").fill("4");
  await page.getByRole("button", { name: "Raise and allow" }).click();
  expect(await heard(page, "approvals.raise")).toMatchObject([{ input: { approval: "apr_2", budget: "opus-per-day", by: 2_500_000_000 } }]);
});

test("a card says when its session did not start the program that asks", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await armed(page);
  await expect(page.locator("#card")).toContainText("/home/dana/.local/bin/⟨RLO⟩helper");
  await expect(page.locator("#card")).toContainText("was started by an unknown program");
  await open(page, "/inbox/apr_5?fake=story");
  await armed(page);
  await expect(page.locator("#card")).not.toContainText("by an unknown program");
});

test("the rule is weighed with each choice before it is written", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await armed(page);
  await page.getByRole("button", { name: "Allow for longer" }).click();
  await page.getByRole("menuitem", { name: /Always allow/ }).click();
  await expect(page.getByText("4 more actions would have been allowed, 0 of them High or above")).toBeVisible();
  await page.getByRole("button", { name: "Show 2" }).click();
  await expect(page.getByText("GET docs.stripe.com/webhooks/quickstart")).toBeVisible();
  await page.getByRole("radio", { name: "GET from this host" }).check();
  await expect(page.getByText("9 more actions would have been allowed, 0 of them High or above")).toBeVisible();
  await page.getByRole("radio", { name: "pick a day" }).check();
  await page.getByLabel("pick a day").last().fill("2026-11-27");
  await expect(page.getByText("@expires").first()).toBeVisible();
  await armed(page);
  await page.getByRole("button", { name: /Write rule and allow/ }).click();
  expect(await heard(page, "approvals.resolve")).toMatchObject([{ input: { approval: "apr_4", rule: { width: "host", lasting: { kind: "until" } } } }]);
});

test("what an answer wrote is shown and undone", async ({ page }) => {
  await open(page, "/inbox/apr_d4?fake=story&tab=decided");
  await expect(page.getByRole("region", { name: "The rule that it wrote" })).toContainText("docs.rs");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Rule removed. The next one is asked about again.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Undo" })).toHaveCount(0);
});

test("what expired is allowed next time, once", async ({ page }) => {
  await open(page, "/inbox/apr_e1?fake=story&tab=expired");
  await page.clock.runFor(800);
  await page.getByRole("button", { name: "Allow next time" }).click();
  await expect(page.getByText("Allowed once, when it is repeated.")).toBeVisible();
  expect(await heard(page, "approvals.allow_late")).toMatchObject([{ input: { approval: "apr_e1", scope: { kind: "once" } } }]);
});

test("a suggestion leads to the rule and writes nothing by itself", async ({ page }) => {
  await open(page, "/inbox?fake=story&tab=suggestions");
  await expect(page.getByText("Allowed 6 times in a day: Call a tool")).toBeVisible();
  await expect(page.getByText("Half of your last ten answers came within 1.2 s")).toBeVisible();
  await page.getByRole("link", { name: "Make a rule…" }).click();
  await expect(page).toHaveURL(/apr_s1/);
  await page.clock.runFor(800);
  await page.getByRole("button", { name: "Make this a rule…" }).click();
  await page.clock.runFor(800);
  expect(await heard(page, "approvals.allow_late")).toEqual([]);
  await page.getByRole("button", { name: /Write rule/ }).click();
  await expect(page.getByText("Rule written. Undo is under Decided.")).toBeVisible();
  expect(await heard(page, "approvals.allow_late")).toMatchObject([{ input: { approval: "apr_s1", scope: { kind: "always" } } }]);
});

test("questions that are alike are ticked and answered together, each by its own ticket", async ({ page }) => {
  await open(page, "/inbox/apr_w0?fake=storm");
  await armed(page);
  await page.getByRole("checkbox", { name: /issues\/1\/comments/ }).check();
  await page.getByRole("checkbox", { name: /issues\/3\/comments/ }).check();
  await armed(page);
  await page.getByRole("button", { name: "Allow 2 ticked once" }).click();
  await expect(page.getByText("2 allowed once.")).toBeVisible();
  expect(await heard(page, "approvals.resolve")).toMatchObject([{ input: { approval: "apr_w0", nonce: "n-apr_w0" } }, { input: { approval: "apr_w2", nonce: "n-apr_w2" } }]);
  await page.getByRole("link", { name: "Open" }).first().click();
  await expect(page.getByRole("button", { name: /Allow once/ })).toBeVisible();
});

test("five hundred of the same are one card and one announcement", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await page.evaluate(async () => {
    const { fakeEngine } = window as unknown as { fakeEngine: { call: (call: unknown) => Promise<{ open: object[] }>; add: (change: unknown) => void } };
    const { open: waiting } = await fakeEngine.call({ call: "approvals.list" });
    const said: string[] = [];
    const live = document.querySelector("aside [aria-live]");
    new MutationObserver(() => said.push(live?.textContent ?? "")).observe(live ?? document, { subtree: true, childList: true, characterData: true });
    Object.assign(window, { said });
    for (let joined = 1; joined <= 500; joined += 1) fakeEngine.add({ approval: { ...waiting[0], id: "apr_same", joined } });
  });
  const same = page.locator('a[href*="apr_same"]');
  await expect(same).toContainText("×500");
  await expect(same).toHaveCount(1);
  await expect(page.getByText(/^6 questions/)).toBeVisible();
  expect(await page.evaluate(() => (window as unknown as { said: string[] }).said)).toEqual(["6 actions waiting"]);
  await expect(page).toHaveURL(/apr_4/);
});

test("a storm is one line with ways out", async ({ page }) => {
  await open(page, "/inbox/apr_c?fake=storm");
  await page.clock.runFor(800);
  await page.getByRole("button", { name: "Deny all from this session" }).click();
  await expect(page.getByText("15 denied.")).toBeVisible();
  expect(await heard(page, "approvals.resolve")).toHaveLength(15);
});

test("what is critical needs the passphrase, and a wrong one releases nothing", async ({ page }) => {
  await open(page, "/inbox/apr_c?fake=storm");
  await armed(page);
  const field = page.getByLabel("Passphrase");
  const allow = page.getByRole("button", { name: /Allow once/ });
  await field.fill("wrong horse");
  await allow.click();
  await expect(page.getByText("this is not the passphrase")).toBeVisible();
  await expect(field).toHaveValue("");
  await armed(page);
  await field.fill("correct horse");
  await allow.click();
  await expect(page).not.toHaveURL(/apr_c/);
});

test("foreign text of a card is text, whatever it tries, also in the smallest window", async ({ page }) => {
  await open(page, "/inbox/apr_1?fake=hostile");
  await page.setViewportSize({ width: 960, height: 600 });
  for (const token of ["⟨ESC⟩", "⟨RLO⟩", "⟨ZWSP⟩"]) await expect(page.locator("#card").getByText(token).first()).toBeAttached();
  await expect(page.getByText("punycode, may look like another name")).toBeAttached();
  expect(await page.locator("#card img, #card script, #card b").count()).toBe(0);
});
