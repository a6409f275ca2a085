// A storm: different actions that arrive faster than anybody reads, in batches as the engine sends them, until the test has seen enough.
import type { Page } from "@playwright/test";

/** The engine gathers for so many milliseconds what it then tells at once. */
const GATHER = 40;
const AT_ONCE = 4;
/** An agent has at most so many questions open: a storm is one of many sessions. */
const OF_ONE = 20;

export type Kind = "approval" | "row";
type Storm = { arrived: number; enough: boolean; over: boolean; took: number; longest: number };

const storm = (page: Page): Promise<Storm> => page.evaluate(() => (window as unknown as { storm: Storm }).storm);

export const arrived = async (page: Page): Promise<number> => (await storm(page)).arrived;

/** Begins a storm of at least `least` actions that goes on until `calm`, but ends by itself at `most`. */
export async function rage(page: Page, kind: Kind, least: number, most: number): Promise<void> {
  await page.evaluate(
    async ({ kind: what, least: few, most: many, gather, atOnce, ofOne }) => {
      type Page_ = { open: object[]; rows: { record: number }[] };
      const { fakeEngine } = window as unknown as { fakeEngine: { call: (call: object) => Promise<Page_>; add: (change: object) => void } };
      const like = what === "approval" ? (await fakeEngine.call({ call: "approvals.list" })).open[0] : (await fakeEngine.call({ call: "operations.search", input: { query: "", before: null, limit: 1 } })).rows[0];
      const from = like !== undefined && "record" in like ? Number(like.record) : 0;
      const now: Storm = { arrived: 0, enough: false, over: false, took: 0, longest: 0 };
      Object.assign(window, { storm: now });
      const begun = performance.now();
      let drawn = begun;
      const frame = () => {
        now.longest = Math.max(now.longest, performance.now() - drawn);
        drawn = performance.now();
        if (!now.over) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
      const arrive = () => {
        for (let one = 0; one < atOnce; one += 1) {
          const at = now.arrived;
          const session = Math.floor(at / ofOne);
          const who = { session: `ses_storm_${session}`, agent: `agt_storm_${session}`, agentName: `stormy-${session}`, summary: `POST storm-${at}.example.com/` };
          // What asks last has the most time left, and is asked about last.
          const put = { shape: `storm ${at}`, risk: "low", askedAt: new Date().toISOString(), expiresAt: new Date(Date.now() + 600_000 + at).toISOString() };
          fakeEngine.add(what === "approval" ? { approval: { ...like, ...who, ...put, id: `apr_storm_${at}` } } : { row: { ...like, ...who, id: `op_storm_${at}`, record: from + 1 + at, cursor: String(from + 1 + at) } });
          now.arrived += 1;
        }
        if (now.arrived < few || (!now.enough && now.arrived < many)) {
          setTimeout(arrive, gather);
          return;
        }
        // Over is it when its last action is drawn.
        setTimeout(() =>
          requestAnimationFrame(() =>
            setTimeout(() => {
              now.took = performance.now() - begun;
              now.over = true;
            }),
          ),
        );
      };
      arrive();
    },
    { kind, least, most, gather: GATHER, atOnce: AT_ONCE, ofOne: OF_ONE },
  );
}

/** Lets the storm end, and tells what it was: how many arrived, how long it took, and the longest time without a frame. */
export async function calm(page: Page): Promise<Storm> {
  await page.evaluate(() => Object.assign((window as unknown as { storm: Storm }).storm, { enough: true }));
  await page.waitForFunction(() => (window as unknown as { storm: Storm }).storm.over);
  return storm(page);
}
