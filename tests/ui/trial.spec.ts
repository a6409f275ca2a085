// Where people who were new to Reeve hesitated or were misled: what the console says and does there since.
import { expect, type Page, test } from "@playwright/test";
import { details } from "../../ui/src/testing/recorded/details";
import { serverDetails } from "../../ui/src/testing/recorded/servers";
import { open } from "./open";

const refused = details.find(({ row }) => row.state === "refused" && row.approval !== null);
const unsent = details.find(({ row }) => row.state === "held" && row.summary.startsWith("DELETE "));
const waiting = serverDetails.reduce((all, { server }) => all + server.toReview, 0);

const pane = (page: Page) => page.getByRole("complementary", { name: "Detail" });

test("a refused action says who refused it, their words first, and is counted apart from what rules denied", async ({ page }) => {
  await open(page, `/timeline?fake=recorded&op=${refused?.row.id}`);
  const said = pane(page).getByRole("heading", { name: "Said with the refusal" });
  await expect(said).toBeInViewport();
  await expect(pane(page).getByText("use a pull request instead", { exact: true })).toBeInViewport();
  const by = pane(page).getByRole("heading", { name: "Refused by dana · asked by" });
  await expect(by).toBeVisible();
  expect((await said.boundingBox())?.y ?? Number.NaN).toBeLessThan((await by.boundingBox())?.y ?? Number.NaN);
  await expect(pane(page).getByText("ask-command", { exact: true }).first()).toBeVisible();
  await expect(pane(page).getByText("Denied by")).toHaveCount(0);
  await expect(page.getByText(/^[1-9]\d* refused$/).first()).toBeVisible();
});

test("the detail's ways on stand on one line each and inside their bar", async ({ page }) => {
  await open(page, `/timeline?fake=recorded&op=${refused?.row.id}`);
  for (const width of [1280, 960]) {
    await page.setViewportSize({ width, height: 800 });
    const foot = pane(page).locator("footer[data-actions]");
    for (const words of ["Make rule", "Open question"]) {
      const button = foot.getByRole("link", { name: words });
      await expect(button).toBeVisible();
      expect(await button.evaluate((one) => [one.scrollWidth <= one.clientWidth, one.scrollHeight <= one.clientHeight, one.getBoundingClientRect().right <= (one.parentElement?.getBoundingClientRect().right ?? 0)])).toEqual([true, true, true]);
    }
  }
});

test("a server is approved with each tool's words and what was found in them in sight", async ({ page }) => {
  await open(page, "/servers/weather?fake=story");
  await page.getByRole("button", { name: "Approve…" }).click();
  const listed = page.getByRole("dialog").getByRole("list").first().locator("> li");
  const tools = serverDetails.find(({ server }) => server.name === "weather")?.tools ?? [];
  await expect(listed).toHaveCount(tools.length);
  expect(tools.some((tool) => tool.findings.length > 0)).toBe(true);
  for (const [at, tool] of tools.entries()) {
    // What hides itself is drawn as a token, so only what stands before it reads the same.
    await expect(listed.nth(at)).toContainText(/^[\x20-\x7e]+/.exec(tool.description ?? "")?.[0] ?? "-");
    for (const finding of tool.findings) await expect(listed.nth(at)).toContainText(/^[…\x20-\x7e]+/.exec(finding.excerpt)?.[0] ?? "-");
  }
});

test("a tool is opened by a click anywhere in its row", async ({ page }) => {
  await open(page, "/servers/office?fake=story");
  const row = page.getByRole("region", { name: "The chosen server" }).getByRole("row", { name: /send_notification_email/ });
  await row.getByRole("cell").last().click();
  await expect(page).toHaveURL(/tool=send_notification_email/);
  await expect(page.getByText("Sends an e-mail to a customer.").first()).toBeVisible();
});

test("an Inbox without questions says what waits for a review, and leads there", async ({ page }) => {
  expect(waiting).toBeGreaterThan(1);
  await open(page, "/inbox?fake=observing");
  await expect(page.getByText("No question is waiting")).toBeVisible();
  await expect(page.getByText("Nothing is waiting")).toHaveCount(0);
  await page.getByRole("link", { name: `${waiting} tools and servers wait for your review.` }).click();
  await expect(page).toHaveURL(/\/servers/);
  await expect(page.getByRole("navigation", { name: "Servers" }).getByRole("link")).toHaveCount(serverDetails.length);
});

test("what is sent without a body shows none", async ({ page }) => {
  await open(page, `/inbox/${unsent?.row.approval}?fake=recorded`);
  const card = page.locator("#card");
  await expect(card.getByText("DELETE /v1/databases/reports")).toBeVisible();
  await expect(card.getByText("host: staging.acme.example")).toBeVisible();
  await expect(card.getByText("bytes", { exact: true })).toHaveCount(0);
  await expect(card.getByText("text", { exact: true })).toHaveCount(0);
});

test("credentials of one name are told apart, and the one just added is the one that is shown", async ({ page }) => {
  await open(page, "/credentials?fake=story");
  await expect(page.getByRole("link", { name: /GitHub token/ })).toContainText("github");
  await page.getByRole("button", { name: "Add credential" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox").selectOption("github");
  await dialog.getByText("Title, variables, agents").click();
  await dialog.getByRole("textbox", { name: "Title" }).fill("GitHub token");
  await dialog.getByRole("textbox", { name: /^Secret/ }).fill("not-a-secret-0123456789");
  await dialog.getByRole("button", { name: "Add credential" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page).toHaveURL(/\/credentials\/github-2/);
  const alike = page.getByRole("link", { name: /GitHub token/ });
  await expect(alike).toHaveCount(2);
  await expect(alike.filter({ hasText: "github-2" })).toHaveAttribute("aria-current", "page");
});
