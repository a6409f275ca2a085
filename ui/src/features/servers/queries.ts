// Reads and writes of MCP servers and their tools.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ApproveServerInput } from "../../engine/bindings/ApproveServerInput";
import type { ServerDetailDto } from "../../engine/bindings/ServerDetailDto";
import type { ServersDto } from "../../engine/bindings/ServersDto";
import type { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";

export function useServers() {
  return useCall({ call: "servers.list" });
}

export function useServer(server: string) {
  return useCall({ call: "servers.get", input: { server } }, { gcTime: 0 });
}

/** Which agents called tools of it lately. */
export function useUsers(query: string) {
  return useCall({ call: "servers.stats", input: { query: `${query} since:30d` } }, { gcTime: 0 });
}

export function useAgents() {
  return useCall({ call: "agents.list" });
}

/** The lists and counts that follow from a review. */
function useRefresh() {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: ["servers.list"] });
    void client.invalidateQueries({ queryKey: keyOf({ call: "status.get" }) });
  };
}

/** Approves what was shown; the detail is then what the engine answers. */
export function useApprove() {
  const engine = useEngine();
  const client = useQueryClient();
  const refresh = useRefresh();
  return useMutation<ServerDetailDto, EngineError, ApproveServerInput>({
    mutationFn: (input) => engine.call({ call: "servers.approve", input }),
    onSuccess: (detail) => client.setQueryData(keyOf({ call: "servers.get", input: { server: detail.server.name } }), detail),
    // Where it is not what was shown any more, it is shown anew.
    onError: (_, { server }) => void client.invalidateQueries({ queryKey: keyOf({ call: "servers.get", input: { server } }) }),
    onSettled: refresh,
  });
}

export function useForget() {
  const engine = useEngine();
  const client = useQueryClient();
  const refresh = useRefresh();
  return useMutation<ServersDto, EngineError, string>({
    mutationFn: (server) => engine.call({ call: "servers.forget", input: { server } }),
    onSuccess: (all) => client.setQueryData(keyOf({ call: "servers.list" }), all),
    onSettled: refresh,
  });
}
