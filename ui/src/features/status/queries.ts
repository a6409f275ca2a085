// What protection is now, and the two switches of the shell.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { StatusDto } from "../../engine/bindings/StatusDto";
import type { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";

export function useStatus() {
  return useCall({ call: "status.get" });
}

export function useSwitch() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<StatusDto, EngineError, "status.stop_all" | "status.resume">({
    mutationFn: (call) => engine.call({ call }),
    onSuccess: (status) => client.setQueryData(keyOf({ call: "status.get" }), status),
  });
}
