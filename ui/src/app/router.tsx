// Every place and what its address holds. What changes the view lives in the address, so back and links work.
import { createRootRoute, createRoute, createRouter, Navigate, redirect } from "@tanstack/react-router";
import { followTrail } from "../lib/trail";
import { Crash } from "./crash";
import { AgentRoute, AgentsRoute, agentsSearch } from "../routes/agents";
import { BudgetRoute, BudgetsRoute, budgetsSearch } from "../routes/budgets";
import { CredentialRoute, credentialsSearch, CredentialsRoute } from "../routes/credentials";
import { inboxSearch, InboxQuestionRoute, InboxRoute } from "../routes/inbox";
import { NewPolicyRoute, newPolicySearch, policiesSearch, PoliciesRoute, PolicyFileRoute, PolicyRoute } from "../routes/policies";
import { RecordRoute, recordSearch, SessionRoute } from "../routes/record";
import { ServerRoute, ServersRoute, serversSearch } from "../routes/servers";
import { SettingsRoute } from "../routes/settings";
import { TimelineRoute, timelineSearch } from "../routes/timeline";
import { Shell } from "./shell";

const root = createRootRoute({ component: Shell, errorComponent: Crash, notFoundComponent: Nowhere });

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

const agents = createRoute({ getParentRoute: () => root, path: "/agents", validateSearch: agentsSearch, component: AgentsRoute });
const agent = createRoute({ getParentRoute: () => root, path: "/agents/$agent", validateSearch: agentsSearch, component: AgentRoute });
const servers = createRoute({ getParentRoute: () => root, path: "/servers", component: ServersRoute });
const server = createRoute({ getParentRoute: () => root, path: "/servers/$server", validateSearch: serversSearch, component: ServerRoute });
const budgets = createRoute({ getParentRoute: () => root, path: "/budgets", validateSearch: budgetsSearch, component: BudgetsRoute });
const budget = createRoute({ getParentRoute: () => root, path: "/budgets/$budget", validateSearch: budgetsSearch, component: BudgetRoute });
const credentials = createRoute({ getParentRoute: () => root, path: "/credentials", validateSearch: credentialsSearch, component: CredentialsRoute });
const credential = createRoute({ getParentRoute: () => root, path: "/credentials/$credential", validateSearch: credentialsSearch, component: CredentialRoute });

const policies = createRoute({ getParentRoute: () => root, path: "/policies", validateSearch: policiesSearch, component: PoliciesRoute });
const newPolicy = createRoute({ getParentRoute: () => root, path: "/policies/new", validateSearch: newPolicySearch, component: NewPolicyRoute });
const policy = createRoute({ getParentRoute: () => root, path: "/policies/$rule", validateSearch: policiesSearch, component: PolicyRoute });
const policyFile = createRoute({ getParentRoute: () => root, path: "/policies/file/$file", validateSearch: policiesSearch, component: PolicyFileRoute });

const firstSettings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/$tab", params: { tab: "general" }, replace: true });
  },
});
const settings = createRoute({ getParentRoute: () => root, path: "/settings/$tab", component: SettingsRoute });

/** An address that is none of ours: said on Timeline, like a link that leads nowhere. */
function Nowhere() {
  return <Navigate to="/timeline" search={{ link: "unknown" }} replace />;
}

export function createAppRouter() {
  const router = createRouter({ routeTree: root.addChildren([index, inbox, question, timeline, record, session, agents, agent, servers, server, budgets, budget, credentials, credential, policies, newPolicy, policy, policyFile, firstSettings, settings]), defaultErrorComponent: Crash });
  followTrail(router.history);
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
