// What a frame of scrolling costs, as ratios: ten thousand and a million recorded rows beside a short list, and a session of fifty thousand
// actions. Run by `npm run bench`; times belong to the machine, what counts is what stands beside them.
import { type CDPSession, expect, type Page, test } from "@playwright/test";

const STEPS = 240;
const SHORT = 240;
/** Rows that are loaded before scrolling is measured. */
const LOADED = 10_000;
/** A frame over a long list may cost so many times one over a short list: the list is virtual, so the length must not show. */
const MOST = 3;

/** A record of so many rows, paged as the engine pages it, and one session of so many actions. */
async function recorded(page: Page, rows: number, actions: number): Promise<void> {
  await page.addInitScript(
    ({ rows: all, actions: many }) => {
      type Call = { call: string; input: { before: string | null; limit: number } };
      type Engine = { call: (call: Call) => Promise<unknown> };
      type Page_ = { rows: Record<string, unknown>[] };
      let kept: Engine | undefined;
      const wrap = (engine: Engine) => {
        const answer = engine.call.bind(engine);
        engine.call = async (call) => {
          if (call.call === "operations.search") {
            const [like] = ((await answer({ ...call, input: { ...call.input, before: null, limit: 1 } })) as Page_).rows;
            const from = call.input.before === null ? all : Number(call.input.before) - 1;
            const count = Math.max(0, Math.min(call.input.limit, from));
            const made = Array.from({ length: count }, (_, at) => ({ ...like, id: `op_${from - at}`, record: from - at, cursor: String(from - at), summary: `GET api.example.com/things/${from - at}` }));
            return { rows: made, next: from > count ? String(from - count + 1) : null, problems: [] };
          }
          if (call.call === "operations.facets") return { ...((await answer(call)) as object), matches: all, total: all, capped: all > 10_000 };
          if (call.call === "sessions.flow") {
            const told = (await answer(call)) as { nodes: object[] };
            const nodes = Array.from({ length: many }, (_, at) => ({ ...told.nodes[0], id: `op_${at}`, depth: at % 3, below: (2 - (at % 3)) % 3, start: at * 20, wait: 0, work: 15, summary: `step ${at}` }));
            return { ...told, nodes, turns: [{ first: 0, actions: many, denied: 0, start: 0, end: many * 20, wait: 0, cost: 1 }] };
          }
          return answer(call);
        };
        return engine;
      };
      Object.defineProperty(window, "fakeEngine", { get: () => kept, set: (engine: Engine) => (kept = wrap(engine)) });
    },
    { rows, actions },
  );
}

/** Milliseconds of the main thread for each frame of scrolling `list`, by the browser's own count. */
async function frameCost(page: Page, cdp: CDPSession, list: string): Promise<number> {
  const busy = async () => {
    const { metrics } = await cdp.send("Performance.getMetrics");
    const of = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
    return (of("ScriptDuration") + of("LayoutDuration") + of("RecalcStyleDuration")) * 1_000;
  };
  const scroll = (steps: number) =>
    page.evaluate(
      async ([selector, count]) => {
        const element = document.querySelector(selector);
        if (!element) throw new Error(`nothing is ${selector}`);
        element.scrollTo({ top: 0 });
        // There and back, so that no length of list runs out of rows.
        for (let at = 0; at < count; at += 1) {
          element.scrollBy({ top: at < count / 2 ? 70 : -70 });
          await new Promise((resolve) => requestAnimationFrame(resolve));
        }
      },
      [list, steps] as const,
    );
  await scroll(40);
  const before = await busy();
  await scroll(STEPS);
  return ((await busy()) - before) / STEPS;
}

/** Scrolls to the end again and again until so many rows are there. */
async function load(page: Page, rows: number): Promise<void> {
  await page.evaluate(async (wanted) => {
    const grid = document.querySelector('[role="grid"]');
    const body = grid?.firstElementChild;
    if (!grid || !body) throw new Error("no rows");
    while (body.getBoundingClientRect().height < wanted * 44) {
      grid.scrollTo({ top: grid.scrollHeight });
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }, rows);
}

test("a frame over a million rows costs what one over a short list costs", async ({ page }) => {
  test.setTimeout(240_000);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  const costs: [string, number][] = [];

  await page.setContent('<div id="empty" style="height:600px;overflow:auto"><div style="height:400000px"></div></div>');
  costs.push(["an empty list", await frameCost(page, cdp, "#empty")]);
  for (const rows of [SHORT, 10_000, 1_000_000]) {
    const other = await page.context().newPage();
    const session = await other.context().newCDPSession(other);
    await session.send("Performance.enable");
    await recorded(other, rows, 1);
    await other.goto("/timeline?fake=story");
    await expect(other.getByRole("row").first()).toBeVisible();
    await load(other, Math.min(rows, LOADED));
    costs.push([`${rows.toLocaleString("en-US")} rows`, await frameCost(other, session, '[role="grid"]')]);
    await other.close();
  }
  for (const actions of [SHORT, 50_000]) {
    const tree = await page.context().newPage();
    const session = await tree.context().newCDPSession(tree);
    await session.send("Performance.enable");
    await recorded(tree, 100, actions);
    await tree.goto("/timeline?fake=story&view=flow");
    await expect(tree.getByRole("row", { name: /Turn 1 / })).toContainText(`${actions.toLocaleString("en-US")} actions`);
    costs.push([`${actions.toLocaleString("en-US")} actions`, await frameCost(tree, session, '[aria-label="What the session did"][role="treegrid"]')]);
    await tree.close();
  }

  const cost = (name: string) => costs.find(([of]) => of === name)?.[1] ?? Number.NaN;
  const empty = Math.max(cost("an empty list"), 0.01);
  for (const [name, ms] of costs) {
    const beside = name.endsWith("actions") ? cost(`${SHORT} actions`) : cost(`${SHORT} rows`);
    console.log(`  ${name.padEnd(18)} ${ms.toFixed(2)} ms a frame, ${(ms / empty).toFixed(1)} x an empty list, ${(ms / beside).toFixed(2)} x a short one`);
  }
  for (const rows of ["10,000 rows", "1,000,000 rows"]) expect(cost(rows) / cost(`${SHORT} rows`)).toBeLessThan(MOST);
  expect(cost("50,000 actions") / cost(`${SHORT} actions`)).toBeLessThan(MOST);
});
