// Facts: one label column from top to bottom. What is not known is a word, never a blank.
import type { ReactNode } from "react";

export function Facts({ narrow = false, children }: { narrow?: boolean; children: ReactNode }) {
  return <dl className={`grid content-start gap-x-3 ${narrow ? "grid-cols-[84px_minmax(0,1fr)] gap-y-0.75" : "grid-cols-[96px_minmax(0,1fr)] gap-y-1"}`}>{children}</dl>;
}

export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-t3">{label}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </>
  );
}

/** Between two facts on one line. */
export function Dot() {
  return (
    <span aria-hidden="true" className="px-1.5 text-t3">
      {"·"}
    </span>
  );
}
