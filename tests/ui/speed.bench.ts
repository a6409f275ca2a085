// What a person waits for in the console, beside what it may take (p95 on an idle machine). Times belong to the machine and are printed;
// what is held are shares: that more of the same costs about the same. The store's own share is measured by the engine's bench.
import { gzipSync } from "node:zlib";
import { expect, type Page, test } from "@playwright/test";

type Line = [what: string, limit: number, figures: number[], unit: string];

const lines: Line[] = [];
const TIMES = 20;

function p95(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.ceil(figures.length * 0.95) - 1] ?? Number.NaN;
}

/** From `act` to the picture in which `seen` is there, by the page's own clock. */
function until(page: Page, act: string, seen: string): Promise<number> {
  return page.evaluate(
    ([doing, wanted]) =>
      new Promise<number>((resolve, reject) => {
        const there = () => new Function(`return ${wanted}`)() as boolean;
        const begun = performance.now();
        const late = setTimeout(() => reject(new Error(`never seen: ${wanted}`)), 20_000);
        const watch = new MutationObserver(() => look());
        const look = () => {
          if (!there()) return;
          watch.disconnect();
          clearTimeout(late);
          requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
        };
        watch.observe(document.documentElement, { subtree: true, childList: true, attributes: true, characterData: true });
        void new Function(`return ${doing}`)();
        look();
      }),
    [act, seen] as const,
  );
}

/** As often as it takes for a p95; `act` and `seen` may differ each time. */
async function measure(page: Page, what: string, limit: number, act: (at: number) => string, seen: (at: number) => string, back?: () => Promise<void>): Promise<number> {
  const figures: number[] = [];
  for (let at = 0; at < TIMES; at += 1) {
    figures.push(await until(page, act(at), seen(at)));
    await back?.();
  }
  lines.push([what, limit, figures, "ms"]);
  return p95(figures);
}

const click = (selector: string) => `document.querySelector(${JSON.stringify(selector)}).click()`;
const has = (text: string) => `document.body.innerText.includes(${JSON.stringify(text)})`;

test.describe.configure({ mode: "serial" });

test("from nothing to the timeline", async ({ browser, baseURL }) => {
  const cold: number[] = [];
  const warm: number[] = [];
  for (let at = 0; at < 8; at += 1) {
    const context = await browser.newContext(baseURL === undefined ? {} : { baseURL });
    const page = await context.newPage();
    await page.addInitScript(() => {
      new MutationObserver((_, watch) => {
        if (!document.querySelector('[role="row"]')) return;
        watch.disconnect();
        requestAnimationFrame(() => performance.mark("usable"));
      }).observe(document, { subtree: true, childList: true });
    });
    const usable = async () => {
      await page.waitForFunction(() => performance.getEntriesByName("usable").length > 0);
      return page.evaluate(() => performance.getEntriesByName("usable")[0]?.startTime ?? Number.NaN);
    };
    await page.goto("/timeline?fake=story");
    cold.push(await usable());
    await page.reload();
    warm.push(await usable());
    await context.close();
  }
  lines.push(["cold start to a usable timeline", 1_500, cold, "ms"], ["warm start", 400, warm, "ms"]);
});

test("what arrives", async ({ page }) => {
  type World = { fakeEngine: { call: (call: object) => Promise<{ open: object[]; rows: object[] }>; add: (change: object) => void }; like: object };
  await page.goto("/inbox?fake=story");
  await expect(page.locator("#card")).toBeVisible();
  await page.evaluate(async () => {
    const world = window as unknown as World;
    world.like = (await world.fakeEngine.call({ call: "approvals.list" })).open[0] ?? {};
  });
  await measure(page, "held action to visible card", 150, (at) => `window.fakeEngine.add({ approval: { ...window.like, id: "apr_new_${at}", shape: "newcomer ${at}", summary: "POST newcomer-${at}.example.com/" } })`, (at) => `document.querySelector('a[href*="apr_new_${at}"]') !== null`);
  await page.goto("/timeline?fake=story");
  await expect(page.getByRole("row").first()).toBeVisible();
  await page.evaluate(async () => {
    const world = window as unknown as World;
    world.like = (await world.fakeEngine.call({ call: "operations.search", input: { query: "", before: null, limit: 1 } })).rows[0] ?? {};
  });
  await measure(page, "new record to row in Live", 250, (at) => `window.fakeEngine.add({ row: { ...window.like, id: "op_new_${at}", record: ${60_000 + at}, summary: "GET newcomer-${at}.example.com/" } })`, (at) => has(`newcomer-${at}.example`));
});

test("what a finger asks for", async ({ page }) => {
  await page.goto("/timeline?fake=story");
  const rows = page.getByRole("row");
  await expect(rows.first()).toBeVisible();
  const row = (at: number) => `document.querySelectorAll('[role="row"]')[${1 + (at % 8)}]`;
  await measure(page, "open a record", 100, (at) => `${row(at)}.click()`, (at) => `${row(at)}.getAttribute("aria-selected") === "true" && document.querySelector('aside [role="tabpanel"] dl, aside dl') !== null`);
  await measure(page, "tab of the pane", 50, (at) => `document.querySelectorAll('aside [role="tab"]')[${at % 2 === 0 ? 1 : 0}].click()`, (at) => `document.querySelectorAll('aside [role="tab"]')[${at % 2 === 0 ? 1 : 0}].getAttribute("aria-selected") === "true"`);
  await measure(
    page,
    "palette",
    50,
    () => `document.dispatchEvent(new KeyboardEvent("keydown", { key: "k", code: "KeyK", ctrlKey: true, bubbles: true }))`,
    () => `document.querySelector('[role="dialog"] input') !== null`,
    async () => {
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
    },
  );
  await measure(page, "another place", 100, (at) => click(`nav a[href^="${at % 2 === 0 ? "/agents" : "/budgets"}"]`), (at) => `document.querySelector("h1")?.textContent === "${at % 2 === 0 ? "Agents" : "Budgets"}"`);
});

test("what a query and a facet ask for", async ({ page }) => {
  await page.goto("/timeline?fake=story");
  await expect(page.getByRole("row").first()).toBeVisible();
  await expect(page.getByText("1,204 actions")).toBeVisible();
  const states = "[...document.querySelectorAll('[role=\"row\"] [data-key=\"decision\"]')].map((one) => one.dataset.value)";
  const denied = `${states}.length > 0 && ${states}.every((one) => one === "denied")`;
  const facet = `[...document.querySelectorAll('aside [aria-pressed]')].find((one) => one.textContent.startsWith("denied")).click()`;
  const typed = (text: string) =>
    `(() => { const field = document.querySelector('[role="search"] input'); field.focus(); Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, ${JSON.stringify(text)}); field.dispatchEvent(new Event("input", { bubbles: true })); field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true })); })()`;
  const clear = async () => {
    await page.getByRole("button", { name: "Clear query" }).click();
    await expect(page.getByText("1,204 actions")).toBeVisible();
  };
  await measure(page, "facet to its first page", 200, () => facet, () => denied, clear);
  await measure(page, "facet to all its counts", 400, () => facet, () => has("20 of 1,204 actions"), clear);
  await measure(page, "query change to its first page", 200, () => typed("decision:denied"), () => denied, clear);
  await measure(page, "pane closed", 50, (at) => (at % 2 === 0 ? `document.querySelectorAll('[role="row"]')[2].click()` : `document.querySelector('aside button[aria-label="Close"]').click()`), (at) => `document.querySelector('aside [role="tab"]') ${at % 2 === 0 ? "!==" : "==="} null`);
});

test("an answer leaves at once", async ({ page }) => {
  await page.goto("/inbox?fake=story");
  await expect(page.locator("#card")).toBeVisible();
  const figures: number[] = [];
  const waiting = await page.evaluate(async () => ((await (window as unknown as { fakeEngine: { call: (call: object) => Promise<{ open: unknown[] }> } }).fakeEngine.call({ call: "approvals.list" })).open.length));
  for (let at = 0; at < waiting; at += 1) {
    await expect(page.locator("#card")).toHaveAttribute("data-armed", "true");
    // From the chord to the call; what the engine and its agent take is measured by the engine's own bench.
    figures.push(
      await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            const { fakeEngine } = window as unknown as { fakeEngine: { call: (call: { call: string }) => Promise<unknown> } };
            const answer = fakeEngine.call;
            const begun = performance.now();
            fakeEngine.call = function (call) {
              if (call.call === "approvals.resolve") {
                fakeEngine.call = answer;
                resolve(performance.now() - begun);
              }
              return answer.call(fakeEngine, call);
            };
            document.querySelector("#card")?.dispatchEvent(new KeyboardEvent("keydown", { key: "Backspace", code: "Backspace", ctrlKey: true, bubbles: true }));
          }),
      ),
    );
    await expect(page.getByText(`${waiting - at - 1} question`)).toHaveCount(at + 1 < waiting ? 1 : 0);
  }
  lines.push(["decision to the engine", 50, figures, "ms"]);
});

test("a session of many actions opens", async ({ page }) => {
  const drawn = async (actions: number) => {
    await page.addInitScript((many) => {
      type Engine = { call: (call: { call: string }) => Promise<unknown> };
      let kept: Engine | undefined;
      const wrap = (engine: Engine) => {
        const answer = engine.call.bind(engine);
        engine.call = async (call) => {
          if (call.call !== "sessions.flow") return answer(call);
          const told = (await answer(call)) as { nodes: object[] };
          const nodes = Array.from({ length: many }, (_, at) => ({ ...told.nodes[0], id: `op_${at}`, depth: at % 3, below: (2 - (at % 3)) % 3, start: at * 20, wait: 0, work: 15, summary: `step ${at}` }));
          performance.mark("answered");
          return { ...told, nodes, turns: [{ first: 0, actions: many, denied: 0, start: 0, end: many * 20, wait: 0, cost: 1 }] };
        };
        return engine;
      };
      Object.defineProperty(window, "fakeEngine", { get: () => kept, set: (engine: Engine) => (kept = wrap(engine)), configurable: true });
      new MutationObserver((_, watch) => {
        if (!document.querySelector('[role="treegrid"] [role="row"]')) return;
        watch.disconnect();
        requestAnimationFrame(() => setTimeout(() => performance.mark("drawn")));
      }).observe(document, { subtree: true, childList: true });
    }, actions);
    const figures: number[] = [];
    for (let at = 0; at < 6; at += 1) {
      await page.goto("/timeline?fake=story&view=flow");
      await page.waitForFunction(() => performance.getEntriesByName("drawn").length > 0);
      figures.push(await page.evaluate(() => (performance.getEntriesByName("drawn")[0]?.startTime ?? Number.NaN) - (performance.getEntriesByName("answered")[0]?.startTime ?? 0)));
    }
    lines.push([`session of ${actions.toLocaleString("en-US")} actions`, 300, figures, "ms"]);
    return p95(figures);
  };
  const few = await drawn(50);
  const many = await drawn(5_000);
  // The tree is computed once and drawn virtually.
  expect(many / Math.max(few, 30)).toBeLessThan(6);
});

test("what is loaded", async ({ page }) => {
  const asked = new Set<string>();
  page.on("request", (request) => {
    // The recorded engine and its texts are no part of what ships.
    if (/\.js$/.test(request.url()) && !/\/(fake|pseudo)-/.test(request.url())) asked.add(request.url());
  });
  const total = async () => {
    const scripts = await Promise.all([...asked].map(async (url) => gzipSync(await (await page.request.get(url)).body()).length));
    return scripts.reduce((sum, one) => sum + one, 0) / 1_000;
  };
  // What a place itself needs: a window that is never idle loads nothing ahead.
  await page.addInitScript(() => Object.assign(window, { requestIdleCallback: () => 0 }));
  await page.goto("/timeline?fake=story");
  await expect(page.getByRole("row").first()).toBeVisible();
  await page.waitForLoadState("networkidle");
  lines.push(["script of the timeline, compressed", 300, [await total()], "kB"]);
  await page.goto("/policies/new?fake=story");
  await expect(page.getByRole("textbox", { name: "Source" })).toBeVisible();
  await page.waitForLoadState("networkidle");
  lines.push(["script with the editor, compressed", 500, [await total()], "kB"]);
  expect(await total()).toBeLessThan(500);
});

test("what rests", async ({ page }) => {
  // The editor is what is loaded ahead last.
  const ahead = page.waitForResponse(/\/source-editor-/);
  await page.goto("/timeline?fake=long");
  await expect(page.getByRole("row").first()).toBeVisible();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  const of = async (name: string) => (await cdp.send("Performance.getMetrics")).metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  await ahead;
  await page.waitForTimeout(4_000);
  const before = await of("TaskDuration");
  await page.waitForTimeout(10_000);
  lines.push(["main thread at rest", 1, [((await of("TaskDuration")) - before) * 10], "%"], ["heap with 20,000 rows", 300, [(await of("JSHeapUsedSize")) / 1e6], "MB"]);
});

test.afterAll(() => {
  console.log(`\n  ${"".padEnd(36)} ${"p50".padStart(9)} ${"p95".padStart(9)} ${"may take".padStart(10)}`);
  for (const [what, limit, figures, unit] of lines) {
    const sorted = figures.toSorted((a, b) => a - b);
    const half = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    const high = p95(figures);
    console.log(`  ${what.padEnd(36)} ${half.toFixed(half < 10 ? 1 : 0).padStart(9)} ${high.toFixed(high < 10 ? 1 : 0).padStart(9)} ${`${limit} ${unit}`.padStart(10)}  ${high <= limit ? "met" : `missed, ${(high / limit).toFixed(1)} x`}`);
  }
});
