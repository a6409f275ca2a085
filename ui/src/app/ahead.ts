// Loads what other places need while nobody waits for anything: once the first screen has stood for a moment, one script
// after the other whenever the window is idle, the heaviest last; where the web view does not say when it is, a pause apart.
// Going anywhere then waits for no script.
import { AgentsPage } from "../routes/agents";
import { BudgetsPage } from "../routes/budgets";
import { CredentialsPage } from "../routes/credentials";
import { InboxPage } from "../routes/inbox";
import { PoliciesPage } from "../routes/policies";
import { RecordPage } from "../routes/record";
import { ServersPage } from "../routes/servers";
import { SettingsPage } from "../routes/settings";

/** How long the first screen has the window to itself, in milliseconds. */
const FIRST = 1_000;
/** Between two scripts where the web view does not say when it is idle, in milliseconds. */
const PAUSE = 200;

const PLACES = [InboxPage, AgentsPage, BudgetsPage, PoliciesPage, CredentialsPage, ServersPage, SettingsPage, RecordPage];
const HEAVY = [() => import("../features/timeline/components/sessions-view"), () => import("../features/timeline/components/flow-view"), () => import("../components/source-editor")];

function idle(): Promise<void> {
  return new Promise((resolve) => {
    // WebKit has no such call.
    if ("requestIdleCallback" in window) window.requestIdleCallback(() => resolve());
    else setTimeout(resolve, PAUSE);
  });
}

/** What cannot be loaded now is asked for again when somebody goes there, and said there. */
async function loadAll(): Promise<void> {
  for (const load of [...PLACES.map((place) => () => place.preload?.()), ...HEAVY]) {
    await idle();
    await Promise.resolve(load()).catch(() => undefined);
  }
}

export function loadAhead(): void {
  setTimeout(() => void loadAll(), FIRST);
}
