// The settings, the switches beside them, and the doctor.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useToast } from "../../components/toasts";
import type { CheckDto } from "../../engine/bindings/CheckDto";
import type { DataDto } from "../../engine/bindings/DataDto";
import type { MarkDto } from "../../engine/bindings/MarkDto";
import type { RetentionDto } from "../../engine/bindings/RetentionDto";
import type { SetSettingsInput } from "../../engine/bindings/SetSettingsInput";
import type { StatusDto } from "../../engine/bindings/StatusDto";
import type { VerificationDto } from "../../engine/bindings/VerificationDto";
import type { Answer, Call, EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";

/** Nothing tells how far a removal is: while one runs, it is looked at again. */
export function useSettings() {
  return useCall({ call: "settings.get" }, { refetchInterval: ({ state }) => (state.data?.data.removing === true ? 2_000 : false) });
}

export function useStatus() {
  return useCall({ call: "status.get" });
}

/** Writes what changed; what was refused stands as it was, and is said. */
export function useChange(): (change: Partial<SetSettingsInput>) => void {
  const { t } = useTranslation();
  const toast = useToast();
  const engine = useEngine();
  const client = useQueryClient();
  const { mutate } = useMutation<Answer<{ call: "settings.set"; input: SetSettingsInput }>, EngineError, Partial<SetSettingsInput>>({
    mutationFn: (change) => engine.call({ call: "settings.set", input: { mode: null, preset: null, notifications: null, ...change } }),
    onSuccess: (settings) => {
      client.setQueryData(keyOf({ call: "settings.get" }), settings);
      void client.invalidateQueries({ queryKey: keyOf({ call: "status.get" }) });
      toast("done", t("settings.saved"));
    },
    onError: (error) => toast("failed", t("common.failed", { message: error.message })),
  });
  return mutate;
}

/** A call that answers with the status as it is afterwards. */
export function useStatusChange(): (call: Extract<Call, { call: "status.pause" | "status.resume" }>) => void {
  const { t } = useTranslation();
  const toast = useToast();
  const engine = useEngine();
  const client = useQueryClient();
  const { mutate } = useMutation<unknown, EngineError, Extract<Call, { call: "status.pause" | "status.resume" }>>({
    mutationFn: (call) => engine.call(call),
    onSuccess: () => void client.invalidateQueries({ queryKey: keyOf({ call: "status.get" }) }),
    onError: (error) => toast("failed", t("common.failed", { message: error.message })),
  });
  return mutate;
}

/** Two words and a stripe of one's own. */
export function useSetMark() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<StatusDto, EngineError, MarkDto>({
    mutationFn: (mark) => engine.call({ call: "status.set_mark", input: mark }),
    onSuccess: (status) => client.setQueryData(keyOf({ call: "status.get" }), status),
  });
}

const LOGIN = ["login"] as const;

/** Whether Reeve opens when the person logs in. */
export function useLogin() {
  const engine = useEngine();
  const client = useQueryClient();
  const { data, error } = useQuery<boolean, EngineError>({ queryKey: LOGIN, queryFn: () => engine.login(null), gcTime: 0 });
  const write = useMutation<boolean, EngineError, boolean>({ mutationFn: (on) => engine.login(on), onSuccess: (on) => client.setQueryData(LOGIN, on) });
  return { data, error: write.error ?? error, set: (on: boolean) => write.mutate(on) };
}

/** The doctor looks when asked: it opens sessions and writes a probe. */
export function useDoctor() {
  const engine = useEngine();
  return useMutation<CheckDto[], EngineError>({ mutationFn: () => engine.call({ call: "status.doctor" }) });
}

/** Takes the steps that were shown, and no other. */
export function useRepair() {
  const engine = useEngine();
  return useMutation<StatusDto, EngineError, string[]>({ mutationFn: (steps) => engine.call({ call: "status.repair", input: { steps } }) });
}

/** What would go under other wishes; asked again whenever they change. */
export function useWeighed(keep: RetentionDto, enabled: boolean) {
  return useCall({ call: "audit.weigh_removal", input: keep }, { enabled, gcTime: 0 });
}

/** How long the record is kept from now on. */
export function useRetention() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<DataDto, EngineError, RetentionDto>({
    mutationFn: (keep) => engine.call({ call: "audit.set_retention", input: { keep } }),
    onSuccess: () => void client.invalidateQueries(),
  });
}

/** Everything that was read is of a record that is gone. */
export function useWipe() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<DataDto, EngineError, { confirm: string; credentials: boolean }>({
    mutationFn: (input) => engine.call({ call: "audit.wipe", input }),
    onSuccess: () => void client.invalidateQueries(),
  });
}

export function useVerify() {
  const engine = useEngine();
  return useMutation<VerificationDto, EngineError>({ mutationFn: () => engine.call({ call: "audit.verify" }) });
}
