// What a person marks actions with, and the rules that are made of them, by mouse and by keyboard, on recorded states.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const heard = (page: Page, name: string): Promise<Heard[]> => page.evaluate((call) => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard.filter((one) => one.call === call), name);
const DENIED = "op_00000000000000000000048205";

test("an action is pinned by a key and found by the query", async ({ page }) => {
  await open(page, `/timeline?fake=story&op=${DENIED}`);
  await expect(page.getByRole("button", { name: "Pin", exact: true })).toBeVisible();
  await page.getByRole("grid", { name: "Actions" }).focus();
  await page.keyboard.press("p");
  await expect(page.getByRole("button", { name: "Unpin" })).toBeVisible();
  expect(await heard(page, "operations.annotate")).toMatchObject([{ input: { operation: DENIED, pinned: true, note: null } }]);
  await page.getByRole("combobox", { name: "Query" }).fill("is:pinned");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("grid", { name: "Actions" })).toHaveAttribute("aria-rowcount", "1");
  await page.getByRole("button", { name: "Unpin" }).click();
  await expect(page.getByRole("button", { name: "Pin", exact: true })).toBeVisible();
});

test("a note is written, refused where it holds a secret, changed and removed", async ({ page }) => {
  await open(page, `/timeline?fake=story&op=${DENIED}`);
  const menu = page.getByRole("complementary", { name: "Detail" }).getByRole("button", { name: "More actions" });
  await menu.click();
  await page.getByRole("menuitem", { name: "Add a note…" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a note" });
  await expect(dialog.getByRole("button", { name: "Write note" })).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel("Your note").fill("the key was ghp_0123456789");
  await dialog.getByRole("button", { name: "Write note" }).click();
  await expect(dialog.getByRole("alert")).toContainText("looks like a secret");
  await dialog.getByLabel("Your note").fill("asked Sam about this one");
  await dialog.getByRole("button", { name: "Write note" }).click();
  await expect(dialog).toBeHidden();
  const note = page.getByRole("region", { name: "Your note" });
  await expect(note).toContainText("asked Sam about this one");
  await note.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("dialog", { name: "Edit the note" }).getByRole("button", { name: "Remove note" }).click();
  await expect(note).toBeHidden();
  expect((await heard(page, "operations.annotate")).at(-1)).toMatchObject({ input: { pinned: false, note: null } });
});

test("a rule is made of a recorded action, and its choices write its text", async ({ page }) => {
  await open(page, `/timeline?fake=story&op=${DENIED}`);
  await page.getByRole("complementary", { name: "Detail" }).getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Make a rule of it…" }).click();
  await expect(page).toHaveURL(new RegExp(`/policies/new\\?from=${DENIED}`));
  await expect(page.getByRole("heading", { name: "New rule, made of an action" })).toBeVisible();
  const source = page.getByRole("textbox", { name: "Source" });
  await expect(source).toContainText("unless { context.approved }");
  await expect(source).toContainText('principal == Agent::"claude-code"');
  await page.getByRole("radio", { name: "deny it" }).check();
  await expect(source).not.toContainText("context.approved");
  await page.getByRole("radio", { name: "every agent" }).check();
  await expect(source).not.toContainText("principal ==");
  await page.getByRole("radio", { name: "only in this project" }).check();
  await expect(source).toContainText("context has cwd");
});

test("a standing rule is for one folder, or for every agent in it", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await page.clock.runFor(800);
  await page.getByRole("button", { name: "Allow for longer" }).click();
  await page.getByRole("menuitem", { name: /Always allow/ }).click();
  const source = page.getByRole("region", { name: /Source|Cedar|rule/i }).or(page.locator("pre")).first();
  await page.getByRole("radio", { name: /^only in this project/ }).check();
  await expect(page.getByText("context has cwd").first()).toBeVisible();
  await page.getByRole("radio", { name: "any agent in this project" }).check();
  await expect(page.getByRole("radio", { name: "in any project" })).toBeDisabled();
  await expect(source).not.toContainText("principal ==");
  await page.clock.runFor(800);
  await page.getByRole("button", { name: /Write rule and allow/ }).click();
  expect(await heard(page, "approvals.resolve")).toMatchObject([{ input: { approval: "apr_4", rule: { width: "useful", anyone: true, here: true } } }]);
});

test("a recorded action is weighed again by the rules of now, when somebody asks", async ({ page }) => {
  await open(page, `/timeline?fake=story&op=${DENIED}&tab=decision`);
  const again = page.getByRole("region", { name: "By the rules of now" });
  expect(await heard(page, "policies.what_if")).toEqual([]);
  await again.getByRole("button", { name: "Weigh again" }).click();
  await expect(again.getByRole("status")).toContainText(/decided then/);
  await again.getByText(/facts? that they saw/).click();
  await expect(again.getByRole("definition").first()).toBeVisible();
  expect(await heard(page, "policies.what_if")).toMatchObject([{ input: { operation: DENIED, draft: null } }]);
});

test("a rule that would release nothing offers to replace the own rule that still decides, and is then written", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await page.evaluate(() => {
    const engine = (window as unknown as { fakeEngine: { call: (call: { call: string }) => Promise<unknown> } }).fakeEngine;
    const call = engine.call.bind(engine);
    let first = true;
    engine.call = (one) => {
      if (one.call !== "approvals.resolve" || !first) return call(one);
      first = false;
      return Promise.reject({ code: "stillDecides", message: "nothing was released: `no-large-uploads` still decides", hint: null });
    };
  });
  await page.clock.runFor(800);
  await page.getByRole("button", { name: "Allow for longer" }).click();
  await page.getByRole("menuitem", { name: /Always allow/ }).click();
  await expect(page.getByText("@lifts").first()).toBeVisible();
  await page.clock.runFor(800);
  await page.getByRole("button", { name: /Write rule and allow/ }).click();
  const conflict = page.getByRole("group", { name: "Rules that still decide" });
  await expect(conflict.getByRole("alert")).toContainText("nothing was released: no-large-uploads still decides");
  await expect(conflict.getByRole("button", { name: "Keep both" })).toBeVisible();
  await conflict.getByRole("button", { name: "Replace it" }).click();
  await expect(page.getByText("Removed. The rule can be written now.").first()).toBeVisible();
  expect(await heard(page, "policies.save")).toMatchObject([{ input: { draft: { changes: [{ part: { kind: "rule", id: "no-large-uploads" }, text: "" }] } } }]);
  await page.clock.runFor(800);
  await page.getByRole("button", { name: /Write rule and allow/ }).click();
  await expect(page).not.toHaveURL(/apr_4/);
  expect(await heard(page, "approvals.resolve")).toHaveLength(1);
});
