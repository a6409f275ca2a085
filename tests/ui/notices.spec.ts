// What happens beside actions, and calls that Reeve previewed, as the list shows them.
import { expect, test } from "@playwright/test";
import { open } from "./open";

test("an event stands between the actions, is opened by mouse and keyboard, and says what it is about", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const list = page.getByRole("grid", { name: "Actions" });
  const detail = page.getByRole("complementary", { name: "Detail" });
  await list.getByRole("row", { name: /refuses the credential/ }).click();
  await expect(detail.getByRole("heading", { name: "api.github.com refuses the credential github: it has expired" })).toBeVisible();
  await expect(detail.getByRole("link", { name: "Codex" })).toHaveAttribute("href", /\/agents\/codex/);
  await expect(detail.getByText("credential.refused")).toBeVisible();
  await list.focus();
  await page.keyboard.press("j");
  await expect(detail.getByRole("heading", { name: "tools of linear: 1 changed" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(detail).toBeHidden();
});

test("an event is found by what it is, alone and among what its agent did", async ({ page }) => {
  await open(page, "/timeline?fake=story&q=kind:event");
  const list = page.getByRole("grid", { name: "Actions" });
  await expect(list.getByRole("row")).toHaveCount(3);
  await expect(list.getByRole("row").first()).toContainText("refuses the credential");
  const query = page.getByRole("combobox", { name: "Query" });
  await query.fill("agent:codex");
  await query.press("Enter");
  await expect(list.getByRole("row", { name: /refuses the credential/ })).toBeVisible();
  await expect(list.getByRole("row", { name: /tools of linear/ })).toHaveCount(0);
});

test("an event that happens now comes to the top of the list, and of one that it belongs to", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  const happen = (record: number) =>
    page.evaluate((number) => {
      const { fakeEngine } = window as unknown as { fakeEngine: { add: (change: unknown) => void } };
      fakeEngine.add({ notice: { record: number, at: new Date().toISOString(), event: "tool.cut_off", tone: "bad", agent: null, agentName: null, session: null, operation: null, server: "files", credential: null, summary: `\`files\` is left alone after ${number} failures`, more: [] } });
    }, record);
  const first = page.getByRole("grid", { name: "Actions" }).getByRole("row").first();
  await happen(60_000);
  await expect(first).toContainText("files is left alone after 60000 failures");
  const query = page.getByRole("combobox", { name: "Query" });
  await query.fill("kind:event");
  await query.press("Enter");
  await expect(page.getByRole("row")).toHaveCount(4);
  await happen(60_001);
  await page.clock.runFor(1_000);
  await expect(first).toContainText("files is left alone after 60001 failures");
});

test("an event whose record proves nothing says so beside what it tells", async ({ page }) => {
  await open(page, "/timeline?fake=story");
  await page.evaluate(() => {
    const { fakeEngine } = window as unknown as { fakeEngine: { call: (call: { call: string }) => Promise<object> } };
    const call = fakeEngine.call.bind(fakeEngine);
    fakeEngine.call = async (asked) => (asked.call === "audit.record" ? { ...(await call(asked)), problem: "record 48182 was changed: its hash is not that of its content" } : call(asked));
  });
  await page.getByRole("row", { name: /refuses the credential/ }).click();
  const detail = page.getByRole("complementary", { name: "Detail" });
  await expect(detail.getByRole("alert")).toContainText("This record proves nothing");
  await expect(detail.getByRole("alert")).toContainText("ecord 48182 was changed");
});

test("a call that Reeve previewed is one line: previewed, answered, made", async ({ page }) => {
  await open(page, "/timeline?fake=recorded");
  const list = page.getByRole("grid", { name: "Actions" });
  await expect(list.getByRole("row", { name: /office\.update_customer_records.*previewed.*approved.*made/s }).first()).toBeVisible();
  await expect(list.getByText("office.preview_customer_records")).toHaveCount(0);
  await page.getByRole("combobox", { name: "Query" }).fill("is:preview");
  await page.keyboard.press("Enter");
  await expect(list.getByText("office.preview_customer_records").first()).toBeVisible();
});

test("a rule in the detail leads to where it is written, one for tools to its file", async ({ page }) => {
  for (const [rule, place] of [["tool-max-rows", /\/policies\/file\/tools\.yaml/], ["ask-tool-write", /\/policies\/ask-tool-write/]] as const) {
    await open(page, "/timeline?fake=recorded&op=op_01recorded0000000000000029");
    await page.getByRole("complementary", { name: "Detail" }).getByRole("link", { name: rule }).click();
    await expect(page).toHaveURL(place);
  }
});
