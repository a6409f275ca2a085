// What protection is now, and the two switches of the shell: both say what they did.
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useToast } from "../../components/toasts";
import type { StatusDto } from "../../engine/bindings/StatusDto";
import type { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";

export function useStatus() {
  return useCall({ call: "status.get" });
}

function useSwitch(call: "status.stop_all" | "status.resume", said: () => void) {
  const { t } = useTranslation();
  const toast = useToast();
  const engine = useEngine();
  const client = useQueryClient();
  const { mutate } = useMutation<StatusDto, EngineError>({ mutationFn: () => engine.call({ call }) });
  return useCallback(
    () =>
      mutate(undefined, {
        onSuccess: (status) => {
          client.setQueryData(keyOf({ call: "status.get" }), status);
          said();
        },
        onError: (error) => toast("failed", t("common.failed", { message: error.message })),
      }),
    [mutate, client, said, toast, t],
  );
}

/** Ends every session and denies everything until *Resume*. */
export function useStopAll(): () => void {
  const { t } = useTranslation();
  const toast = useToast();
  return useSwitch("status.stop_all", useCallback(() => toast("denied", t("stop.done")), [toast, t]));
}

export function useResume(): () => void {
  const { t } = useTranslation();
  const toast = useToast();
  return useSwitch("status.resume", useCallback(() => toast("done", t("stop.resumed")), [toast, t]));
}
