// One line that opens: full bleed, its content drawn only when open.
import { ChevronDown, ChevronRight } from "lucide-react";
import { type ReactNode, useId, useState } from "react";

export function Disclosure({ title, aside, children }: { title: string; aside?: string; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <div className="border-t border-line-row first:border-line">
      <button type="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)} className="chrome flex h-8 w-full items-center gap-1.5 px-4 text-start font-medium text-t2 -outline-offset-2 hover:bg-hover">
        <Icon size={14} strokeWidth={1.5} aria-hidden />
        <span className={open ? "text-t1" : ""}>{title}</span>
        {aside ? <span className="ms-auto text-caption font-normal text-t3">{aside}</span> : null}
      </button>
      <div id={id} hidden={!open} className="ps-9 pe-4 pb-3">
        {open ? children : null}
      </div>
    </div>
  );
}
