// A state that a real engine told (`recorded/`), moved to now, so that what waited there still waits.
import { approvals, cards, suggestions } from "./recorded/approvals";
import { details } from "./recorded/details";
import { flows } from "./recorded/flows";
import { rows } from "./recorded/operations";
import { hits, policyFiles, rules } from "./recorded/policies";
import { serverDetails } from "./recorded/servers";
import { agents, budgets, credentials, status } from "./recorded/state";
import { previewed, previews, proposed, proposals, whatIfs } from "./recorded/weighed";
import type { Recorded } from "./story";

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** What the engine answered to what a screen asks about rules and sessions. */
export type Told = { rules: typeof rules; policyFiles: typeof policyFiles; hits: typeof hits; suggestions: typeof suggestions; flows: typeof flows; previewed: typeof previewed; previews: typeof previews; proposed: typeof proposed; proposals: typeof proposals; whatIfs: typeof whatIfs };

/** Every instant of the recording later by as much: its newest action happened a minute before `now`. */
export function live(now: number) {
  const by = now - 60_000 - Date.parse(rows[0]?.at ?? new Date(now).toISOString());
  const later = (_: string, value: unknown) => (typeof value === "string" && INSTANT.test(value) ? new Date(Date.parse(value) + by).toISOString() : value);
  const moved = <T>(value: T): T => JSON.parse(JSON.stringify(value), later) as T;
  const state: Recorded = moved({ status, rows, open: cards, resolved: approvals.resolved });
  const told: Told = moved({ rules, policyFiles, hits, suggestions, flows, previewed, previews, proposed, proposals, whatIfs });
  return { state, told, details: moved(details), agents: moved(agents), credentials: moved(credentials), budgets: moved(budgets), servers: moved(serverDetails) };
}
