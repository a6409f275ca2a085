// Form rows: one label column, native controls, and a line that says what each choice does.
import { type ReactNode, useId } from "react";

/** A label at the left, what belongs to it at the right. */
export function FormRow({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[120px_minmax(0,1fr)] gap-x-3 py-1.5 small:grid-cols-1">
      <div className="chrome py-1.5 text-t2">{label}</div>
      <div className="min-w-0 py-1.5">{children}</div>
    </div>
  );
}

type Option<T extends string> = { value: T; label: string; more?: string };

/** One of a few, all of them in view. */
export function Radios<T extends string>({ label, value, options, onChoose }: { label: string; value: T; options: readonly Option<T>[]; onChoose: (value: T) => void }) {
  const name = useId();
  const described = options.some((option) => option.more !== undefined);
  return (
    <fieldset className="grid grid-cols-[120px_minmax(0,1fr)] gap-x-3 py-1.5 small:grid-cols-1">
      <legend className="sr-only">{label}</legend>
      <div aria-hidden="true" className="chrome py-1.5 text-t2">
        {label}
      </div>
      <div className={`min-w-0 ${described ? "grid" : "flex flex-wrap gap-x-5"}`}>
        {options.map((option) => (
          <label key={option.value} className="flex items-start gap-2 py-1.5">
            <input type="radio" name={name} checked={option.value === value} onChange={() => onChoose(option.value)} className="mt-0.75 size-3.5 flex-none accent-[var(--accent)]" />
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
      <input type="checkbox" checked={on} disabled={fixed} onChange={(event) => onChange?.(event.target.checked)} className="mt-0.75 size-3.5 flex-none accent-[var(--accent)]" />
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
