// The inset with a rule where lines begin: whoever sees it knows that this is not our sentence. Holds foreign or exact text only.
import { Check, Copy } from "lucide-react";
import { type ReactNode, type Ref, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";

type InsetProps = {
  /** What it is and where it comes from. */
  caption?: string;
  /** Length, at the right. */
  length?: string;
  /** Puts a *Copy* button. */
  copy?: string;
  /** The agent's own words. */
  warn?: boolean;
  small?: boolean;
  /** Over twelve lines it scrolls. */
  scroll?: Ref<HTMLDivElement>;
  onScroll?: () => void;
  children: ReactNode;
};

export function Inset({ caption, length, copy, warn = false, small = false, scroll, onScroll, children }: InsetProps) {
  return (
    <div className={`rounded-e-control border-s-2 bg-inset ${warn ? "border-ask" : "border-line-control"}`}>
      {caption === undefined ? null : (
        <div className="flex h-7 items-center gap-2 ps-3 pe-1.5 text-caption text-t3">
          <span className="min-w-0 flex-1 truncate" title={caption}>{caption}</span>
          {length ? <span className="flex-none">{length}</span> : null}
          {copy === undefined ? null : <CopyButton text={copy} />}
        </div>
      )}
      <div
        ref={scroll}
        onScroll={onScroll}
        // A scroll area has to be reachable by keyboard to be read.
        tabIndex={scroll ? 0 : undefined}
        role={scroll ? "region" : undefined}
        aria-label={scroll ? caption : undefined}
        className={`mono overflow-x-hidden px-3 text-t1 ${caption === undefined ? "py-2" : "pb-2.5"} ${small ? "text-[12px]/[18px]" : "text-body"} ${scroll ? "max-h-62.5 overflow-y-auto" : ""}`}
      >
        {children}
      </div>
    </div>
  );
}

/** Copies, and says for a moment that it did. */
function useCopy(text: () => string): { copied: boolean; copy: () => void } {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(text()).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), 1_500);
      },
      () => setCopied(false),
    );
  };
  return { copied, copy };
}

export function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation();
  const { copied, copy } = useCopy(() => text);
  return (
    <Button kind="ghost" className="h-6 px-1.5 text-caption" onClick={copy}>
      {copied ? <Check size={14} strokeWidth={1.5} aria-hidden /> : <Copy size={14} strokeWidth={1.5} aria-hidden />}
      {copied ? t("common.copied") : t("common.copy")}
    </Button>
  );
}

/** The same as a sign alone, which shows itself to the pointer and to the keyboard. */
export function CopyMark({ text, label }: { text: () => string; label: string }) {
  const { copied, copy } = useCopy(text);
  return (
    <button type="button" aria-label={label} title={label} onClick={copy} className="grid size-6 flex-none place-items-center text-t3 opacity-0 group-hover/branch:opacity-100 hover:text-t1 focus-visible:opacity-100">
      {copied ? <Check size={12} strokeWidth={1.5} aria-hidden /> : <Copy size={12} strokeWidth={1.5} aria-hidden />}
    </button>
  );
}
