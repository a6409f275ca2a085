// Toasts: results of what the person just did, at most three, bottom right.
import { Check, X } from "lucide-react";
import { createContext, type ReactNode, use, useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";
import { Glyph } from "./glyph";

type Toast = { id: number; tone: "done" | "denied" | "failed"; text: string };

const Context = createContext<(tone: Toast["tone"], text: string) => void>(() => {});

const MOST = 3;
const SHOWN_MS = 6_000;

export function useToast() {
  return use(Context);
}

export function Toasts({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [toasts, setToasts] = useState<Toast[]>([]);
  const close = useCallback((id: number) => setToasts((all) => all.filter((one) => one.id !== id)), []);
  const show = useCallback(
    (tone: Toast["tone"], text: string) => {
      const id = Date.now() + Math.random();
      setToasts((all) => [...all.slice(1 - MOST), { id, tone, text }]);
      setTimeout(() => close(id), SHOWN_MS);
    },
    [close],
  );
  const value = useMemo(() => show, [show]);
  return (
    <Context value={value}>
      {children}
      <div aria-live="polite" className="pointer-events-none fixed right-4 bottom-11 z-20 grid w-90 gap-2">
        {toasts.map((toast) => (
          <div key={toast.id} className="pointer-events-auto flex min-h-10 items-center gap-2 rounded-card border border-line bg-surface py-1.5 pr-1.5 pl-3 shadow-overlay">
            {toast.tone === "done" ? <Check size={14} strokeWidth={2} aria-hidden className="flex-none text-allow" /> : <Glyph shape="denied" className="text-deny" />}
            <span className="min-w-0 flex-1 wrap-anywhere">{toast.text}</span>
            <Button kind="icon" aria-label={t("common.close")} onClick={() => close(toast.id)}>
              <X size={14} strokeWidth={1.5} aria-hidden />
            </Button>
          </div>
        ))}
      </div>
    </Context>
  );
}
