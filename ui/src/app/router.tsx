// Every place and what its address holds. What changes the view lives in the address, so back and links work.
import { createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";
import { Crash } from "./crash";
import { AgentRoute, AgentsRoute } from "../routes/agents";
import { CredentialRoute, CredentialsRoute } from "../routes/credentials";
import { inboxSearch, InboxQuestionRoute, InboxRoute } from "../routes/inbox";
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

const agents = createRoute({ getParentRoute: () => root, path: "/agents", component: AgentsRoute });
const agent = createRoute({ getParentRoute: () => root, path: "/agents/$agent", component: AgentRoute });
const credentials = createRoute({ getParentRoute: () => root, path: "/credentials", component: CredentialsRoute });
const credential = createRoute({ getParentRoute: () => root, path: "/credentials/$credential", component: CredentialRoute });

export function createAppRouter() {
  return createRouter({ routeTree: root.addChildren([index, inbox, question, timeline, agents, agent, credentials, credential]), defaultErrorComponent: Crash });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
