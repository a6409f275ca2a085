// The bar of a page: its title at the left edge, then what concerns the whole page.
import type { ReactNode } from "react";

export function PageBar({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <header className="flex h-11 min-w-0 flex-none items-center gap-2 border-b border-line pr-3 pl-4">
      <h1 className="chrome text-section font-semibold tracking-[-0.01em]">{title}</h1>
      {children}
    </header>
  );
}
