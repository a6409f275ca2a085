// Proof of a human: the passphrase, asked for where the risk demands it. Pasting is welcome; nothing of it is kept here.
import { Lock } from "lucide-react";
import { type RefObject, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { FIELD } from "../../../components/form";
import type { CardFactsDto } from "../../../engine/bindings/CardFactsDto";
import { useSetPassphrase } from "../queries";
import { DecisionError } from "./decision-error";

/** The passphrase is read from the field when the answer is sent, and lives nowhere else. */
export function Proof({ facts, field }: { facts: CardFactsDto; field: RefObject<HTMLInputElement | null> }) {
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
