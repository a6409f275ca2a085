// Proof of a human where the risk demands it: the system's confirmation, else the passphrase. Pasting is welcome; nothing is kept here.
import { useQueryClient } from "@tanstack/react-query";
import { Lock } from "lucide-react";
import { type RefObject, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { FIELD } from "../../../components/form";
import type { CardFactsDto } from "../../../engine/bindings/CardFactsDto";
import { keyOf, useCall } from "../../../engine/query";
import { useConfirm, useSetPassphrase } from "../queries";
import { DecisionError } from "./decision-error";

/** How long a confirmation counts, less what an answer takes. */
const COUNTS_MS = 55_000;

/** What proves it is read from the field when the answer is sent, and lives nowhere else. `sent`: answers so far; a confirmation counts for one. */
export function Proof({ facts, field, sent }: { facts: CardFactsDto; field: RefObject<HTMLInputElement | null>; sent: number }) {
  const { data } = useCall({ call: "approvals.presence" });
  const system = data?.system;
  return system?.problem === null ? <BySystem key={sent} system={system.name} field={field} /> : <Passphrase facts={facts} field={field} />;
}

function BySystem({ system, field }: { system: string; field: RefObject<HTMLInputElement | null> }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const confirm = useConfirm();
  const { reset, isSuccess, isPending, error } = confirm;
  useEffect(() => {
    if (!isSuccess) return;
    const over = setTimeout(reset, COUNTS_MS);
    return () => clearTimeout(over);
  }, [isSuccess, reset]);
  const ask = () => {
    const here = field.current;
    const take = (proof: string) => {
      if (here) here.value = proof;
    };
    confirm.mutate(take, {
      // Who has nobody to ask asks for the passphrase from now on.
      onError: ({ code }) => (code === "notPermitted" ? undefined : void client.invalidateQueries({ queryKey: keyOf({ call: "approvals.presence" }) })),
    });
  };
  return (
    <div className="mb-2.5">
      {error ? <DecisionError error={error} /> : null}
      <div className="flex items-center gap-2">
        <Lock size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
        <p role="status" className="flex-1 text-t2">
          {isSuccess ? t("proof.confirmed") : isPending ? t("proof.confirming", { system }) : t("proof.system", { system })}
        </p>
        <input ref={field} type="hidden" />
        {isSuccess ? null : (
          <Button large inert={isPending} onClick={ask}>
            {t("proof.confirm")}
          </Button>
        )}
      </div>
    </div>
  );
}

function Passphrase({ facts, field }: { facts: CardFactsDto; field: RefObject<HTMLInputElement | null> }) {
  const { t } = useTranslation();
  const id = useId();
  const [made, setMade] = useState(false);
  if (!facts.proofSet && !made) return <NewPassphrase onMade={() => setMade(true)} />;
  return (
    <div className="mb-2.5 flex items-center gap-2">
      <Lock size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
      <label htmlFor={id} className="flex-none text-t2">
        {t("proof.label")}
      </label>
      <input ref={field} id={id} type="password" autoComplete="current-password" className={FIELD} />
    </div>
  );
}

function NewPassphrase({ onMade }: { onMade: () => void }) {
  const { t } = useTranslation();
  const set = useSetPassphrase();
  const id = useId();
  return (
    <form
      className="mb-2.5"
      onSubmit={(event) => {
        event.preventDefault();
        const field = event.currentTarget.elements.namedItem("passphrase");
        if (!(field instanceof HTMLInputElement)) return;
        set.mutate(field.value, { onSuccess: onMade });
        field.value = "";
      }}
    >
      {set.error ? <DecisionError error={set.error} /> : null}
      <p className="mb-1.5 text-t2">{t("proof.none")}</p>
      <div className="flex items-center gap-2">
        <label htmlFor={id} className="flex-none text-t2">
          {t("proof.new")}
        </label>
        <input id={id} name="passphrase" type="password" minLength={8} required autoComplete="new-password" className={FIELD} />
        <Button large type="submit" inert={set.isPending}>
          {t("proof.set")}
        </Button>
      </div>
    </form>
  );
}
