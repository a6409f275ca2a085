// Tools and servers: found from the Inbox, looked at word by word, approved exactly as shown, forgotten; hostile words do nothing.
import { expect, type Page, test } from "@playwright/test";
import { serverDetails } from "../../ui/src/testing/recorded/servers";
import { open } from "./open";

type Heard = { call: string; input?: Record<string, unknown> };

const heard = async (page: Page, call: string) => {
  const all = await page.evaluate(() => (window as unknown as { fakeEngine: { heard: Heard[] } }).fakeEngine.heard);
  return all.filter((one) => one.call === call).map((one) => one.input ?? null);
};

const server = (name: string) => {
  const found = serverDetails.find((one) => one.server.name === name);
  if (!found) throw new Error(`the recording holds no server ${name}`);
  return found;
};
const tool = (of: string, name: string) => {
  const found = server(of).tools.find((one) => one.name === name);
  if (!found) throw new Error(`the recording holds no tool ${name}`);
  return found;
};
const detail = (page: Page) => page.getByRole("region", { name: "The chosen server" });

test("what waits for a review is found from the Inbox, and the changed tool says what changed word by word", async ({ page }) => {
  await open(page, "/inbox?fake=story");
  await page.getByRole("link", { name: /held until you review/ }).click();
  await expect(page).toHaveURL(/\/servers/);
  await page.getByRole("navigation", { name: "Servers" }).getByRole("link", { name: /office/ }).click();
  await detail(page).getByRole("link", { name: /export_report/ }).click();
  await expect(page).toHaveURL(/tool=export_report/);
  const change = detail(page).getByRole("heading", { name: "What changed since you approved it" });
  await expect(change).toBeVisible();
  await expect(detail(page).locator("del").first()).toBeVisible();
  // What hides itself in the new words is drawn.
  await expect(detail(page).locator("ins").filter({ hasText: "ZWSP" }).first()).toBeVisible();
  await expect(detail(page).getByText("Tells the model to keep something from you")).toBeVisible();
});

test("a tool is approved exactly as it is shown, and only that tool", async ({ page }) => {
  await open(page, "/servers/office?tool=export_report&fake=story");
  await detail(page).getByRole("button", { name: "Approve this tool…" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("something was found that you should read first")).toBeVisible();
  await dialog.getByRole("button", { name: "Approve 1 tool" }).click();
  await expect(dialog).toHaveCount(0);
  expect(await heard(page, "servers.approve")).toEqual([{ server: "office", identity: null, tools: [{ name: "export_report", digest: tool("office", "export_report").digest }] }]);
  await expect(detail(page).getByText("approved", { exact: true }).first()).toBeVisible();
  await expect(detail(page).getByRole("button", { name: "Approve this tool…" })).toHaveCount(0);
});

test("a new server is approved with its identity and all its tools, and nothing waits after the last review", async ({ page }) => {
  await open(page, "/servers/weather?fake=story");
  await detail(page).getByRole("button", { name: "Approve…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /^Approve the server and/ }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const { identity, tools } = server("weather");
  expect(await heard(page, "servers.approve")).toEqual([{ server: "weather", identity: identity?.digest, tools: tools.map(({ name, digest }) => ({ name, digest })) }]);
  await page.getByRole("navigation", { name: "Servers" }).getByRole("link", { name: /office/ }).click();
  await detail(page).getByRole("button", { name: "Approve…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve 1 tool" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("navigation", { name: "Places" }).getByText(/to review/)).toHaveCount(0);
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: /Inbox/ }).click();
  await expect(page.getByRole("link", { name: /held until you review/ })).toHaveCount(0);
});

test("forgetting says what it means and takes the server off the list", async ({ page }) => {
  await open(page, "/servers/github?fake=story");
  await detail(page).getByRole("button", { name: "Forget" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("the next time it is used it is new", { exact: false })).toBeVisible();
  await dialog.getByRole("button", { name: "Forget" }).click();
  await expect(page.getByRole("navigation", { name: "Servers" }).getByRole("link", { name: /github/ })).toHaveCount(0);
  expect(await heard(page, "servers.forget")).toEqual([{ server: "github" }]);
});

test("names and words of a hostile server act on nothing", async ({ page }) => {
  await open(page, "/servers?fake=hostile");
  for (const link of await page.getByRole("navigation", { name: "Servers" }).getByRole("link").all()) {
    await link.click();
    expect(await page.locator("#content").textContent()).not.toMatch(/[\u001b\u202e\u200b]/);
    const first = detail(page).getByRole("rowheader").getByRole("link").first();
    if ((await first.count()) === 0) continue;
    await first.click();
    await expect(page).toHaveURL(/tool=/);
    expect(await page.locator("#content").textContent()).not.toMatch(/[\u001b\u202e\u200b]/);
  }
  expect(await page.locator("#content b").count()).toBe(0);
});

test("an agent's tab leads to the servers it used", async ({ page }) => {
  await open(page, "/agents/claude-code?tab=servers&fake=story");
  await page.getByRole("tabpanel").getByRole("link", { name: /office/ }).click();
  await expect(page).toHaveURL(/\/servers\/office/);
  await expect(page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Agents" })).toHaveClass(/active/);
});

test("the card of a call that was tried first shows the count beside its cap, how it was found, and what a repeat gets", async ({ page }) => {
  await open(page, "/inbox/apr_3?fake=story");
  const card = page.locator("#card");
  await expect(card.getByText("Changes 38 rows")).toBeVisible();
  await expect(card.getByText("above 25 only with your approval")).toBeVisible();
  await expect(card.getByText("Runs once; a repeat gets the first result")).toBeVisible();
  await card.getByRole("button", { name: "What the preview answered" }).click();
  await expect(card.getByText("SELECT count(*)", { exact: false })).toBeVisible();
  // A part of the arguments is folded away and comes back.
  const options = card.getByRole("button", { name: /^options/ }).first();
  await expect(card.getByText("timeout_ms").first()).toBeVisible();
  await options.click();
  await expect(options).toHaveAttribute("aria-expanded", "false");
  await expect(card.getByText("timeout_ms")).toHaveCount(0);
  await options.click();
  await expect(card.getByText("timeout_ms").first()).toBeVisible();
});

test("a tool says how the calls of each agent ended, for each version apart", async ({ page }) => {
  await open(page, "/servers/office?tool=preview_customer_records&fake=story");
  const row = detail(page).getByRole("row", { name: /Claude Code/ });
  await expect(row).toContainText("004d");
  await expect(row).toContainText("3 of 3");
});
