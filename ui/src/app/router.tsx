// Every place and what its address holds. What changes the view lives in the address, so back and links work.
import { createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";
import { Crash } from "./crash";
import { AgentRoute, AgentsRoute } from "../routes/agents";
import { BudgetRoute, BudgetsRoute, budgetsSearch } from "../routes/budgets";
import { CredentialRoute, CredentialsRoute } from "../routes/credentials";
import { inboxSearch, InboxQuestionRoute, InboxRoute } from "../routes/inbox";
import { RecordRoute, recordSearch, SessionRoute } from "../routes/record";
import { SettingsRoute } from "../routes/settings";
import { TimelineRoute, timelineSearch } from "../routes/timeline";
import { Shell } from "./shell";

const root = createRootRoute({ component: Shell, errorComponent: Crash, notFoundComponent: () => <Crash /> });

const index = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/inbox" });
  },
});

const inbox = createRoute({ getParentRoute: () => root, path: "/inbox", validateSearch: inboxSearch, component: InboxRoute });
const question = createRoute({ getParentRoute: () => root, path: "/inbox/$approval", validateSearch: inboxSearch, component: InboxQuestionRoute });
const timeline = createRoute({ getParentRoute: () => root, path: "/timeline", validateSearch: timelineSearch, component: TimelineRoute });
const record = createRoute({ getParentRoute: () => root, path: "/record/$record", validateSearch: recordSearch, component: RecordRoute });
const session = createRoute({ getParentRoute: () => root, path: "/session/$session", component: SessionRoute });

const agents = createRoute({ getParentRoute: () => root, path: "/agents", component: AgentsRoute });
const agent = createRoute({ getParentRoute: () => root, path: "/agents/$agent", component: AgentRoute });
const budgets = createRoute({ getParentRoute: () => root, path: "/budgets", validateSearch: budgetsSearch, component: BudgetsRoute });
const budget = createRoute({ getParentRoute: () => root, path: "/budgets/$budget", validateSearch: budgetsSearch, component: BudgetRoute });
const credentials = createRoute({ getParentRoute: () => root, path: "/credentials", component: CredentialsRoute });
const credential = createRoute({ getParentRoute: () => root, path: "/credentials/$credential", component: CredentialRoute });

const firstSettings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/$tab", params: { tab: "general" }, replace: true });
  },
});
const settings = createRoute({ getParentRoute: () => root, path: "/settings/$tab", component: SettingsRoute });

export function createAppRouter() {
  return createRouter({ routeTree: root.addChildren([index, inbox, question, timeline, record, session, agents, agent, budgets, budget, credentials, credential, firstSettings, settings]), defaultErrorComponent: Crash });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
