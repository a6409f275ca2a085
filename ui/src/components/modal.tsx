// A dialog over everything else: focus stays inside, Escape closes it, and it goes back to where it was opened from.
import { Dialog } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";

export function Modal({ title, open, onOpen, after, read = false, children }: { title: string; open: boolean; onOpen: (open: boolean) => void; /** Where the focus goes instead; `null`: back all the same. */ after?: () => HTMLElement | null; /** Nothing in it takes the focus, so the keys that scroll need the text itself. */ read?: boolean; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Dialog.Root open={open} onOpenChange={onOpen}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-20 bg-[var(--shadow-far)]" />
        <Dialog.Popup {...(after ? { finalFocus: after } : {})} className="fixed inset-6 z-30 m-auto flex h-fit max-h-[calc(100%-48px)] max-w-120 flex-col rounded-dialog border border-line bg-surface shadow-overlay">
          <header className="flex h-11 flex-none items-center gap-2 border-b border-line ps-4 pe-2">
            <Dialog.Title className="chrome flex-1 text-strong font-semibold">{title}</Dialog.Title>
            <Button kind="icon" aria-label={t("common.close")} onClick={() => onOpen(false)}>
              <X size={14} strokeWidth={1.5} aria-hidden />
            </Button>
          </header>
          <div className="min-h-0 overflow-y-auto p-4 -outline-offset-2" {...(read ? { role: "region", tabIndex: 0, "aria-label": title } : {})}>{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
