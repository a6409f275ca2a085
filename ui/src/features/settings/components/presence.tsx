// The passphrase that proves a human where something critical is allowed, and what else needs it. Nothing typed is kept here.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { FIELD, FormProblem, FormRow, FormSection, Toggle } from "../../../components/form";
import { useToast } from "../../../components/toasts";
import type { PresenceDto } from "../../../engine/bindings/PresenceDto";
import type { SetPresenceInput } from "../../../engine/bindings/SetPresenceInput";
import type { EngineError } from "../../../engine/client";
import { keyOf, useCall, useEngine } from "../../../engine/query";

function useSetPresence() {
  const engine = useEngine();
  const client = useQueryClient();
  return useMutation<PresenceDto, EngineError, SetPresenceInput>({
    gcTime: 0,
    mutationFn: (input) => engine.call({ call: "approvals.set_presence", input }),
    onSuccess: (presence) => client.setQueryData(keyOf({ call: "approvals.presence" }), presence),
  });
}

export function Presence() {
  const { t } = useTranslation();
  const toast = useToast();
  const { data } = useCall({ call: "approvals.presence" });
  const set = useSetPresence();
  const [oldId, newId] = [useId(), useId()];
  const present = useRef<HTMLInputElement>(null);
  const wanted = useRef<HTMLInputElement>(null);
  if (!data) return null;
  // Read once, when it is sent, and gone from the field.
  const take = (field: HTMLInputElement | null) => {
    const value = field?.value ?? "";
    if (field) field.value = "";
    return value === "" ? null : value;
  };
  return (
    <FormSection title={t("proof.title")}>
      <p className="mb-1 text-t2">{t("proof.more")}</p>
      <p className="mb-1 text-t2">
        {data.system === null ? t("proof.byPassphrase") : t(data.system.problem === null ? "proof.bySystem" : "proof.notSystem", { system: data.system.name })}
        {data.system?.problem ? <> {data.system.problem}.</> : null}
      </p>
      <FormProblem error={set.error} />
      {data.set ? (
        <FormRow label={<label htmlFor={oldId}>{t("proof.present")}</label>}>
          <input ref={present} id={oldId} type="password" autoComplete="current-password" className={`${FIELD} max-w-64`} />
        </FormRow>
      ) : null}
      <FormRow label={<label htmlFor={newId}>{t("proof.new")}</label>}>
        <span className="flex flex-wrap items-center gap-2">
          <input ref={wanted} id={newId} type="password" autoComplete="new-password" className={`${FIELD} max-w-64`} />
          <Button large inert={set.isPending} onClick={() => set.mutate({ old: take(present.current), new: take(wanted.current), alsoHigh: null }, { onSuccess: () => toast("done", t("proof.done")) })}>
            {t(data.set ? "proof.change" : "proof.set")}
          </Button>
        </span>
      </FormRow>
      <Toggle label={t("proof.high")} more={t("proof.highMore")} on={data.alsoHigh} onChange={(alsoHigh) => set.mutate({ old: take(present.current), new: null, alsoHigh })} />
    </FormSection>
  );
}
