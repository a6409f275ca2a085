// A tree as a flat virtual list: one tab stop, arrows move, open and close, `*` opens everything below, `/` finds.
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { along } from "../../../components/keys";

export type TreeItem = {
  key: string;
  /** 1 at the top. */
  level: number;
  /** Pixels; fixed for each kind of row. */
  height: number;
  expandable: boolean;
  open: boolean;
};

type TreeGridProps<T extends TreeItem> = {
  label: string;
  items: readonly T[];
  /** Key of the row that is shown in the pane. */
  selected: string | null;
  /** Key of the row to begin at, where none is selected. */
  begin?: string | undefined;
  render: (item: T, toggle: () => void) => ReactNode;
  onToggle: (item: T, open: boolean) => void;
  onAll: (item: T) => void;
  onOpen: (item: T) => void;
  onClose: () => void;
  onEnd?: (() => void) | undefined;
  onFind?: (() => void) | undefined;
  /** A single key that is the page's. Says whether it was one. */
  onKey: (event: KeyboardEvent) => boolean;
};

/** Rows from the end at which more are asked for. */
const NEAR = 10;

export function TreeGrid<T extends TreeItem>({ label, items, selected, begin, render, onToggle, onAll, onOpen, onClose, onEnd, onFind, onKey }: TreeGridProps<T>) {
  const area = useRef<HTMLDivElement>(null);
  const [moved, setMoved] = useState<string | null>(null);
  const virtual = useVirtualizer({ count: items.length, getScrollElement: () => area.current, estimateSize: (at) => items[at]?.height ?? 28, getItemKey: (at) => items[at]?.key ?? at, overscan: 12 });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  const active = selected ?? moved;

  useEffect(() => {
    if (last >= items.length - NEAR) onEnd?.();
  }, [last, items.length, onEnd]);

  // Once, when what is selected comes into the list: then the person scrolls.
  const place = selected === null ? -1 : items.findIndex((item) => item.key === selected);
  const seen = useRef<string | null>(null);
  useEffect(() => {
    if (place < 0 || seen.current === selected) return;
    seen.current = selected;
    virtual.scrollToIndex(place, { align: "auto" });
  }, [place, selected, virtual]);

  const first = begin === undefined || selected !== null ? -1 : items.findIndex((item) => item.key === begin);
  const begun = useRef(false);
  useEffect(() => {
    if (first < 0 || begun.current) return;
    begun.current = true;
    virtual.scrollToIndex(first, { align: "start" });
  }, [first, virtual]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.target !== event.currentTarget) return;
    const at = items.findIndex((item) => item.key === active);
    const item = items[at];
    const go = (to: number) => {
      const next = items[Math.min(items.length - 1, Math.max(0, to))];
      if (!next) return;
      setMoved(next.key);
      seen.current = next.key;
      virtual.scrollToIndex(items.indexOf(next), { align: "auto" });
      if (selected !== null) onOpen(next);
    };
    const parent = () => {
      const above = item ? items.slice(0, at).findLastIndex((one) => one.level < item.level) : -1;
      if (above >= 0) go(above);
    };
    if (event.key === "j" || event.key === "ArrowDown") go(at + 1);
    else if (event.key === "k" || event.key === "ArrowUp") go(at < 0 ? 0 : at - 1);
    else if (event.key === "PageDown") go(at + 15);
    else if (event.key === "PageUp") go(at - 15);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(items.length - 1);
    else if (along(event) === 1 && item) {
      if (item.expandable && !item.open) onToggle(item, true);
      else if (item.expandable) go(at + 1);
    } else if (along(event) === -1 && item) {
      if (item.expandable && item.open) onToggle(item, false);
      else parent();
    } else if (event.key === "*" && item) onAll(item);
    else if (event.key === "Enter" && item) onOpen(item);
    else if (event.key === "/" && onFind) {
      // The page's own `/` is the query; here it finds within.
      event.stopPropagation();
      onFind();
    } else if (event.key === "Escape") onClose();
    else if (!onKey(event)) return;
    event.preventDefault();
  };

  return (
    <div
      ref={area}
      role="treegrid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={items.length}
      aria-activedescendant={active !== null && shown.some((one) => items[one.index]?.key === active) ? `tree-${active}` : undefined}
      onKeyDown={onKeyDown}
      className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto -outline-offset-2"
    >
      <div role="rowgroup" className="relative w-full" style={{ height: virtual.getTotalSize() }}>
        {shown.map((one) => {
          const item = items[one.index];
          if (!item) return null;
          const toggle = () => onToggle(item, !item.open);
          return (
            <div
              key={item.key}
              id={`tree-${item.key}`}
              role="row"
              aria-rowindex={one.index + 1}
              aria-level={item.level}
              aria-expanded={item.expandable ? item.open : undefined}
              aria-selected={item.key === active}
              onClick={() => {
                setMoved(item.key);
                seen.current = item.key;
                onOpen(item);
              }}
              style={{ transform: `translateY(${one.start}px)`, height: item.height }}
              className={`absolute inset-x-0 top-0 ${item.key === active ? "bg-selected" : "hover:bg-hover"}`}
            >
              {render(item, toggle)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
