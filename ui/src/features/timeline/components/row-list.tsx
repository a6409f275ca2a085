// The rows: virtual, following the newest while at the top; when scrolled, newer ones wait.
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowUp } from "lucide-react";
import { type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { OperationRowDto } from "../../../engine/bindings/OperationRowDto";
import { split } from "../model";
import { Row } from "./row";

const HEIGHT = 44;
/** Advance of one character of the mono face at 12 px, and what stands beside the summary, in pixels. */
const ADVANCE = 7.2;
const BESIDE = 252;

type RowListProps = {
  rows: readonly OperationRowDto[];
  total: number | null;
  selected: string | null;
  live: boolean;
  onLive: (live: boolean) => void;
  onOpen: (id: string) => void;
  onClose: () => void;
  onEnd: () => void;
};

export function RowList({ rows, total, selected, live, onLive, onOpen, onClose, onEnd }: RowListProps) {
  const { t } = useTranslation();
  const area = useRef<HTMLDivElement>(null);
  const [frozenTop, setFrozenTop] = useState<string | null>(null);
  const [width, setWidth] = useState(60);
  const { shown, waiting } = split(rows, frozenTop);
  const top = shown[0]?.id ?? null;

  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => area.current, estimateSize: () => HEIGHT, overscan: 8 });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (last >= shown.length - 20) onEnd();
  }, [last, shown.length, onEnd]);

  useEffect(() => {
    setFrozenTop((held) => (live ? null : (held ?? top)));
  }, [live, top]);

  useLayoutEffect(() => {
    const box = area.current;
    if (!box) return;
    const measure = () => setWidth(Math.floor((box.clientWidth - BESIDE) / ADVANCE));
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(box);
    return () => watch.disconnect();
  }, []);

  const onScroll = () => {
    const atTop = (area.current?.scrollTop ?? 0) < 4;
    if (atTop !== live) onLive(atTop);
  };

  const toTop = useCallback(() => {
    setFrozenTop(null);
    onLive(true);
    area.current?.scrollTo({ top: 0 });
  }, [onLive]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const at = shown.findIndex((row) => row.id === selected);
    const go = (to: number) => {
      const next = shown[Math.min(shown.length - 1, Math.max(0, to))];
      if (!next) return;
      onOpen(next.id);
      virtual.scrollToIndex(shown.indexOf(next));
      event.preventDefault();
    };
    const page = Math.max(1, Math.floor((area.current?.clientHeight ?? 0) / HEIGHT) - 1);
    switch (event.key) {
      case "j":
      case "ArrowDown":
        return go(at + 1);
      case "k":
      case "ArrowUp":
        return go(at < 0 ? 0 : at - 1);
      case "PageDown":
        return go(at + page);
      case "PageUp":
        return go(at - page);
      case "Home":
        return go(0);
      case "End":
        return go(shown.length - 1);
      case "Enter":
        document.getElementById("detail")?.focus();
        return;
      case "Escape":
        return onClose();
      case "l":
        return live ? onLive(false) : toTop();
    }
  };

  return (
    <section className="relative flex min-h-0 min-w-0 flex-col">
      {waiting > 0 ? (
        <div className="flex h-7 flex-none items-center justify-center border-b border-line">
          <button type="button" onClick={toTop} className="chrome inline-flex h-5 items-center gap-1 rounded-[10px] bg-accent px-2 text-badge font-medium text-on-accent">
            {t("timeline.new", { count: waiting })}
            <ArrowUp size={12} strokeWidth={2} aria-hidden />
          </button>
        </div>
      ) : null}
      <div
        ref={area}
        role="grid"
        tabIndex={0}
        aria-label={t("timeline.actions")}
        aria-rowcount={total ?? -1}
        aria-activedescendant={selected !== null && items.some((item) => shown[item.index]?.id === selected) ? `row-${selected}` : undefined}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto -outline-offset-2"
      >
        <div role="rowgroup" className="relative w-full" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = shown[item.index];
            return row ? <Row key={row.id} row={row} index={item.index + waiting} selected={row.id === selected} width={width} top={item.start} onOpen={onOpen} /> : null;
          })}
        </div>
      </div>
    </section>
  );
}
