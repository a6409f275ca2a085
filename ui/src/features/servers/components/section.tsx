// A part of a server or tool under its heading.
import type { ReactNode } from "react";

export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="mt-3 border-t border-line pt-3 first:mt-0 first:border-0 first:pt-0">
      <div className="mb-1.5 flex min-h-6 items-center gap-2">
        <h3 className="flex-1 text-caption font-semibold text-t2">{title}</h3>
        {aside}
      </div>
      {children}
    </section>
  );
}
