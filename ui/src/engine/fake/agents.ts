// Agents and their sessions, as a recorded engine knows them.
import { agent as fresh, changes, detail, sessions, tools } from "../../testing/agents";
import type { AgentDto } from "../bindings/AgentDto";
import { EngineError } from "../client";
import { type Handlers, notFound, type World } from "./world";

function change(world: World, id: string, to: Partial<AgentDto>): AgentDto {
  const found = world.agents.find((one) => one.id === id);
  if (!found) throw notFound(`no agent \`${id}\``);
  Object.assign(found, to);
  return { ...found };
}

export const agents: Handlers<"agents.list" | "agents.get" | "agents.tools" | "agents.start" | "agents.changes" | "agents.add" | "agents.remove" | "agents.stop" | "agents.pause" | "agents.resume" | "sessions.list"> = {
  "agents.list": (world) => world.agents.map((one) => ({ ...one })),
  "agents.get": (world, { agent }) => {
    const found = world.agents.find((one) => one.id === agent);
    if (!found) throw notFound(`no agent \`${agent}\``);
    return detail(found, Date.now());
  },
  "agents.tools": (world) => (world.agents.length === 0 ? [] : tools()),
  "agents.start": (_world, { tool, folder }) => {
    const found = tools().find((one) => one.key === tool);
    if (!found) throw notFound(`no tool on this machine \`${tool}\``);
    if (!folder.startsWith("/")) throw new EngineError({ code: "invalid", message: `\`${folder}\` is not a folder here`, hint: "give an absolute path" });
    return { terminal: "konsole", command: found.command };
  },
  "agents.changes": changes,
  "agents.add": (world, { agent, name }) => {
    const known = world.agents.find((one) => one.id === agent);
    const added = known ?? fresh(agent, name ?? agent, { tool: null, coverage: [] });
    if (!known) world.agents.push(added);
    return { ...added };
  },
  "agents.remove": (world, { agent }) => {
    const removed = change(world, agent, { running: 0 });
    world.agents = world.agents.filter((one) => one.id !== agent);
    return removed;
  },
  "agents.stop": (world, { agent }) => change(world, agent, { running: 0 }),
  "agents.pause": (world, { agent }) => change(world, agent, { pausedAt: new Date().toISOString() }),
  "agents.resume": (world, { agent }) => change(world, agent, { pausedAt: null }),
  "sessions.list": (world) => (world.agents.length === 0 ? [] : sessions()),
};
