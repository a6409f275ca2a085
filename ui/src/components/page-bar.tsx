// The bar of a page: its title at the left edge, what concerns the whole page, and at the right the way to everything else.
import { Search } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Keys } from "./keys";

/** Heard by the palette, which opens. */
export const SEARCH = "reeve:search";

export function PageBar({ title, children }: { title: string; children?: ReactNode }) {
  const { t } = useTranslation();
  return (
    <header className="flex h-11 min-w-0 flex-none items-center gap-2 border-b border-line ps-4 pe-3">
      <h1 className="chrome text-section font-semibold tracking-[-0.01em]">{title}</h1>
      {children}
      <button type="button" onClick={() => window.dispatchEvent(new Event(SEARCH))} className="chrome ms-auto inline-flex h-7 w-42 flex-none items-center gap-2 rounded-control border border-line px-2 text-t3 hover:bg-hover max-wide:hidden">
        <Search size={14} strokeWidth={1.5} aria-hidden className="flex-none" />
        <span className="flex-1 text-start">{t("palette.field")}</span>
        <span className="text-t2">
          <Keys of={["mod", "K"]} />
        </span>
      </button>
    </header>
  );
}
