// Toasts: results of what the person just did, at most three, bottom right, and never over the buttons of a card.
import { Check, X } from "lucide-react";
import { createContext, type ReactNode, type RefObject, use, useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";
import { Glyph } from "./glyph";

type Toast = { id: number; tone: "done" | "denied" | "failed"; text: string };

const Context = createContext<(tone: Toast["tone"], text: string) => void>(() => {});

const MOST = 3;
const SHOWN_MS = 6_000;
/** Space below them: the strip, and a little. */
const BELOW = 44;
const APART = 8;
/** A card may change its height while they are shown. */
const LOOK_MS = 100;

/** Lifts them above a bar of actions that they would cover; the bar says that it is one. */
function useClearOfActions(box: RefObject<HTMLDivElement | null>, shown: boolean): void {
  useLayoutEffect(() => {
    if (!shown) return;
    const place = () => {
      const stack = box.current;
      const bar = document.querySelector("[data-actions]")?.getBoundingClientRect();
      if (!stack) return;
      const low = window.innerHeight - BELOW;
      const covers = bar !== undefined && bar.height > 0 && bar.top < low && bar.bottom > low - stack.offsetHeight;
      const lifted = covers ? `${Math.round(window.innerHeight - bar.top + APART)}px` : "";
      stack.style.setProperty("bottom", lifted);
    };
    place();
    const looks = setInterval(place, LOOK_MS);
    return () => clearInterval(looks);
  }, [box, shown]);
}

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
  const box = useRef<HTMLDivElement>(null);
  useClearOfActions(box, toasts.length > 0);
  const value = useMemo(() => show, [show]);
  return (
    <Context value={value}>
      {children}
      <div ref={box} aria-live="polite" className="pointer-events-none fixed inset-e-4 bottom-11 z-20 grid w-90 gap-2">
        {toasts.map((toast) => (
          <div key={toast.id} className="pointer-events-auto flex min-h-10 items-center gap-2 rounded-card border border-line bg-surface py-1.5 ps-3 pe-1.5 shadow-overlay">
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
