// Forms: rows with one label column, fields under their label, native controls, what went wrong, and the two ways out.
import { type ReactNode, type SubmitEvent, useId } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";
import { Prose } from "./prose";

/** How a text field and a choice look; as wide as they may be. */
export const FIELD = "h-8 w-full rounded-control border border-line-control bg-surface px-2 font-normal";

/** A label at the left, what belongs to it at the right. */
export function FormRow({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[120px_minmax(0,1fr)] items-baseline gap-x-3 small:grid-cols-1">
      <div className="chrome py-1.5 text-t2">{label}</div>
      <div className="min-w-0 py-0.5">{children}</div>
    </div>
  );
}

/** Words of ours, or foreign ones in `Untrusted`. */
type Option<T extends string> = { value: T; label: ReactNode; more?: ReactNode };

/** One of a few, all of them in view. */
export function Radios<T extends string>({ label, value, options, onChoose }: { label: string; value: T; options: readonly Option<T>[]; onChoose: (value: T) => void }) {
  const name = useId();
  const described = options.some((option) => option.more !== undefined);
  return (
    <fieldset className={`grid grid-cols-[120px_minmax(0,1fr)] gap-x-3 small:grid-cols-1 ${described ? "py-1" : ""}`}>
      <legend className="sr-only">{label}</legend>
      <div aria-hidden="true" className="chrome py-1.5 text-t2">
        {label}
      </div>
      <div className={`min-w-0 ${described ? "grid" : "flex flex-wrap gap-x-5"}`}>
        {options.map((option) => (
          <label key={option.value} className="flex items-start gap-2 py-1.5">
            <input type="radio" name={name} checked={option.value === value} onChange={() => onChoose(option.value)} className="mt-0.75 size-3.5 flex-none accent-accent" />
            <span className="min-w-0">
              <span className={option.value === value ? "font-medium" : ""}>{option.label}</span>
              {option.more === undefined ? null : <span className="block text-caption text-t2">{option.more}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** On or off. `fixed`: shown as on, and not to be turned off. */
export function Toggle({ label, more, on, fixed = false, onChange }: { label: string; more?: string; on: boolean; fixed?: boolean; onChange?: (on: boolean) => void }) {
  return (
    <label className="flex items-start gap-2 py-1.5">
      <input type="checkbox" checked={on} disabled={fixed} onChange={(event) => onChange?.(event.target.checked)} className="mt-0.75 size-3.5 flex-none accent-accent" />
      <span className="min-w-0">
        {label}
        {more === undefined ? null : <span className="block text-caption text-t2">{more}</span>}
      </span>
    </label>
  );
}

/** A part of a form, with its own heading. */
export function FormSection({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="border-line py-3 first:pt-0 not-first:border-t">
      <h2 className="chrome mb-1 font-semibold">{title}</h2>
      {children}
    </section>
  );
}

/** A field under its label, with what has to be known of it. */
export function Labelled({ label, more, children }: { label: string; more?: ReactNode; children: ReactNode }) {
  return (
    <label className="grid content-start gap-1 font-medium">
      {label}
      {children}
      {more === undefined ? null : <span className="text-caption font-normal text-t3">{more}</span>}
    </label>
  );
}

/** Reads a field of the form that is being sent, trimmed; empty where there is none of that name. */
export type Read = (name: string) => string;

type Problem = { message: string; hint: string | null };

export function FormProblem({ error }: { error: Problem | null }) {
  const { t } = useTranslation();
  if (error === null) return null;
  return (
    <p role="alert" className="text-deny">
      <Prose text={t("common.failed", { message: error.message })} />
      {error.hint === null ? null : (
        <span className="block first-letter:uppercase">
          <Prose text={error.hint} />
        </span>
      )}
    </p>
  );
}

type DialogFormProps = {
  /** What is done; none while there is nothing to do. */
  submit: string | null;
  danger?: boolean;
  /** Not yet, or already on its way. */
  inert: boolean;
  error: Problem | null;
  onSubmit: (read: Read) => void;
  onCancel: () => void;
  /** Another way, before the two. */
  other?: ReactNode;
  children: ReactNode;
};

/** A form in a dialog: its fields, what went wrong, and the two ways out. */
export function DialogForm({ submit, danger = false, inert, error, onSubmit, onCancel, other, children }: DialogFormProps) {
  const { t } = useTranslation();
  const send = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (inert) return;
    const data = new FormData(event.currentTarget);
    onSubmit((name) => {
      const value = data.get(name);
      return typeof value === "string" ? value.trim() : "";
    });
  };
  return (
    <form onSubmit={send} className="grid gap-3">
      {children}
      <FormProblem error={error} />
      <div className="flex justify-end gap-2">
        {other}
        <Button large onClick={onCancel}>
          {t("common.cancel")}
        </Button>
        {submit === null ? null : (
          <Button large kind={danger ? "danger" : "primary"} type="submit" inert={inert}>
            {submit}
          </Button>
        )}
      </div>
    </form>
  );
}
