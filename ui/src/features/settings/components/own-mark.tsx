// The mark: two words and a stripe that the person chose, which only genuine windows of Reeve show beside a decision.
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { FIELD, FormProblem, FormSection } from "../../../components/form";
import { useSetMark, useStatus } from "../queries";

const STRIPES = ["bg-mark", "bg-allow", "bg-info", "bg-budget", "bg-deny", "bg-t2"] as const;

export function OwnMark() {
  const { data: status } = useStatus();
  return status ? <MarkForm key={`${status.mark ?? ""} ${status.markStripe}`} words={status.mark ?? ""} stripe={status.markStripe} /> : null;
}

function MarkForm({ words, stripe }: { words: string; stripe: number }) {
  const { t } = useTranslation();
  const id = useId();
  const save = useSetMark();
  const [typed, setTyped] = useState(words);
  const [chosen, setChosen] = useState(stripe);
  const same = typed.trim() === words && chosen === stripe;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (!same) save.mutate({ words: typed.trim(), stripe: chosen });
  };
  return (
    <FormSection title={t("settings.mark.title")}>
      <p className="mb-2 text-t2">{t("settings.mark.more")}</p>
      <form onSubmit={onSubmit} className="flex flex-wrap items-end gap-x-4 gap-y-3">
        <div className="w-56">
          <label htmlFor={`${id}-words`} className="chrome block pb-1 text-caption text-t2">
            {t("settings.mark.words")}
          </label>
          <input id={`${id}-words`} value={typed} maxLength={32} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} className={FIELD} />
        </div>
        <fieldset>
          <legend className="chrome pb-1 text-caption text-t2">{t("settings.mark.stripe")}</legend>
          <div className="flex h-8 items-center gap-3">
            {STRIPES.map((colour, at) => (
              <label key={colour} className="flex min-h-6 items-center gap-1.5">
                <input type="radio" name={`${id}-stripe`} checked={at === chosen} aria-label={t("settings.mark.colour", { number: at + 1 })} onChange={() => setChosen(at)} className="size-3.5 accent-accent" />
                <span aria-hidden="true" className={`h-1.5 w-5 rounded-mark ${colour}`} />
              </label>
            ))}
          </div>
        </fieldset>
        <Button large type="submit" inert={same || save.isPending}>
          {t("settings.mark.save")}
        </Button>
      </form>
      <FormProblem error={save.error} />
    </FormSection>
  );
}
