// What a person types arrives whole, however fast it is typed and whatever is drawn anew meanwhile.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open";

type Fake = { heard: { call: string; input?: Record<string, unknown> }[]; call: (call: unknown) => Promise<{ open: { id: string }[]; rows: object[] }>; add: (change: unknown) => void };

const WORDS = "ask finance first, then send it to me";

/** The question that is shown, others and new rows are told again and again, until the page is closed. */
const stirred = (page: Page) =>
  page.evaluate(async () => {
    const { fakeEngine } = window as unknown as { fakeEngine: Fake };
    const { open: waiting } = await fakeEngine.call({ call: "approvals.list" });
    const { rows } = await fakeEngine.call({ call: "operations.search", input: { query: "", before: null, limit: 1 } });
    const told = waiting.find((one) => one.id === "apr_4");
    let number = 0;
    const stir = () => {
      number += 1;
      fakeEngine.add({ approval: number % 2 === 0 ? { ...told, joined: number } : { ...told, id: `apr_new_${number}` }, row: { ...rows[0], id: `op_new_${number}`, record: 90_000 + number } });
      // The page's timers stand still; messages between its ports do not.
      if (number < 60) channel.port2.postMessage(null);
    };
    const channel = new MessageChannel();
    channel.port1.onmessage = stir;
    stir();
  });

async function armed(page: Page): Promise<void> {
  await page.clock.runFor(800);
  await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
}

for (const delay of [0, 15]) {
  test(`a reason typed with ${delay} ms between its letters is sent whole while the record grows`, async ({ page }) => {
    await open(page, "/inbox/apr_4?fake=story");
    await armed(page);
    await page.getByRole("button", { name: /^Deny(?! and)/ }).click();
    await stirred(page);
    await page.keyboard.type(WORDS, { delay });
    await expect(page.getByLabel(/What the agent hears/)).toHaveValue(WORDS);
    await armed(page);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => (window as unknown as { fakeEngine: Fake }).fakeEngine.heard.find((one) => one.call === "approvals.resolve")?.input?.["answer"])).toEqual({ kind: "refuse", reason: WORDS });
  });
}

test("what is typed as a reason is gone after Cancel", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await armed(page);
  await page.getByRole("button", { name: /^Deny(?! and)/ }).click();
  await page.keyboard.type(WORDS, { delay: 0 });
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: /^Deny(?! and)/ }).click();
  await expect(page.getByLabel(/What the agent hears/)).toHaveValue("");
});

test("a proposed reason fits what is denied, and is sent as it stands", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await armed(page);
  await page.getByRole("button", { name: /^Deny(?! and)/ }).click();
  await expect(page.getByRole("button", { name: "Use a safer command" })).toHaveCount(0);
  await page.getByRole("button", { name: "Not at this host" }).click();
  await expect(page.getByLabel(/What the agent hears/)).toHaveValue("Not at this host");
});

test("what was just done is told beside the next card's buttons, never over them", async ({ page }) => {
  await open(page, "/inbox/apr_4?fake=story");
  await armed(page);
  await page.getByRole("button", { name: /^Allow once/ }).click();
  const toast = page.getByText(/goes on\./);
  await expect(toast).toBeVisible();
  await page.clock.runFor(200);
  await expect
    .poll(async () => {
      const [told, bar] = [await toast.boundingBox(), await page.locator("#card footer").boundingBox()];
      return told !== null && bar !== null && (told.y + told.height <= bar.y || told.y >= bar.y + bar.height);
    })
    .toBe(true);
});
