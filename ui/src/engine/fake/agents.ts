// Agents, as a recorded engine knows them.
import type { Handlers } from "./world";

export const agents: Handlers<"agents.stop"> = {
  "agents.stop": (_, { agent }) => ({ id: agent, name: agent, tool: null, team: null, registeredAt: new Date().toISOString(), removedAt: null, running: 0, costToday: 0 }),
};
