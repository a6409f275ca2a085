// The rows: virtual, following the newest while at the top; when scrolled, newer ones wait.
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowUp } from "lucide-react";
import { type KeyboardEvent, type MouseEvent as Click, type ReactNode, startTransition, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { chordKey } from "../../../components/keys";
import { useNow } from "../../../components/use-now";
import { add, exclude } from "../../../lib/filter/tokens";
import { isNotice, type Line, linkOf, recordOf, split } from "../model";
import { NoticeRow } from "./notice-row";
import { oneLineGrid, Row } from "./row";
import { RowMenu } from "./row-menu";

const TWO_LINES = 44;
const ONE_LINE = 28;
/** Advance of one character of the mono face at 12 px, and what stands beside the summary, in pixels. */
const ADVANCE = 7.2;
const BESIDE = 252;
const BESIDE_ONE_LINE = 400;
const BESIDE_ROOMY = 540;
/** From here on one line has room for why. */
const ROOMY = 760;

type RowListProps = {
  lines: readonly Line[];
  total: number | null;
  selected: string | null;
  oneLine: boolean;
  live: boolean;
  onLive: (live: boolean) => void;
  onOpen: (id: string) => void;
  onClose: () => void;
  onEnd: () => void;
  /** What cost the most comes first: a list of its own length, which nothing newer pushes down. */
  byCost: boolean;
  onByCost: (byCost: boolean) => void;
  onQuery: (edit: (query: string) => string) => void;
  /** A single key that is the page's. Says whether it was one. */
  onKey: (event: KeyboardEvent) => boolean;
};

export function RowList({ lines, total, selected, oneLine, live, onLive, onOpen, onClose, onEnd, byCost, onByCost, onQuery, onKey }: RowListProps) {
  const { t } = useTranslation();
  const area = useRef<HTMLDivElement>(null);
  const [frozenAt, setFrozenAt] = useState<number | null>(null);
  const [box, setBox] = useState(700);
  const roomy = box >= ROOMY;
  const height = oneLine ? ONE_LINE : TWO_LINES;
  const today = new Date(useNow(60_000)).toDateString();
  const looks = useMemo(() => ({ oneLine, roomy, today, width: Math.floor((box - (oneLine ? (roomy ? BESIDE_ROOMY : BESIDE_ONE_LINE) : BESIDE)) / ADVANCE) }), [oneLine, roomy, today, box]);
  const { shown, waiting } = split(lines, frozenAt);
  const actions = useMemo(() => shown.flatMap((line) => (line.kind === "row" ? [line.row] : [])), [shown]);
  const top = shown[0] ? recordOf(shown[0]) : null;

  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => area.current, estimateSize: () => height, overscan: 8 });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (last >= shown.length - 20) onEnd();
  }, [last, shown.length, onEnd]);

  useEffect(() => {
    setFrozenAt((held) => (live ? null : (held ?? top)));
  }, [live, top]);

  const { measure } = virtual;
  useEffect(() => measure(), [height, measure]);

  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    setBox(element.clientWidth);
    // All rows cut their texts anew when a pane opens or closes beside them: after the picture of it, not before.
    const watch = new ResizeObserver(() => startTransition(() => setBox(element.clientWidth)));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const onScroll = () => {
    const atTop = (area.current?.scrollTop ?? 0) < 4;
    if (atTop !== live) onLive(atTop);
  };

  const toTop = useCallback(() => {
    setFrozenAt(null);
    onLive(true);
    area.current?.scrollTo({ top: 0 });
  }, [onLive]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (chordKey(event) && event.key === "c" && selected !== null && !isNotice(selected) && document.getSelection()?.isCollapsed !== false) {
      void navigator.clipboard?.writeText(linkOf(selected));
      return;
    }
    if (event.metaKey || event.ctrlKey || event.altKey || onKey(event)) return;
    const at = shown.findIndex((line) => line.id === selected);
    const go = (to: number) => {
      const next = shown[Math.min(shown.length - 1, Math.max(0, to))];
      if (!next) return;
      onOpen(next.id);
      virtual.scrollToIndex(shown.indexOf(next));
      event.preventDefault();
    };
    const page = Math.max(1, Math.floor((area.current?.clientHeight ?? 0) / height) - 1);
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
      case ".": {
        const place = selected === null ? null : document.getElementById(`row-${selected}`);
        if (!place) return;
        const { left, right, bottom } = place.getBoundingClientRect();
        place.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: getComputedStyle(place).direction === "rtl" ? right - 118 : left + 118, clientY: bottom - 4 }));
        event.preventDefault();
      }
    }
  };

  /** Values in rows behave as facets do: with Shift also this, with Alt not this. */
  const onClickCapture = (event: Click) => {
    if (!event.altKey && !event.shiftKey) return;
    const value = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-key]") : null;
    const { key, value: text } = value?.dataset ?? {};
    if (key === undefined || text === undefined) return;
    event.stopPropagation();
    event.preventDefault();
    onQuery((query) => (event.altKey ? exclude(query, key, text) : add(query, key, text)));
  };

  const newer =
    waiting > 0 ? (
      <button type="button" onClick={toTop} className="chrome inline-flex h-5 flex-none items-center gap-1 rounded-[10px] bg-accent px-2 text-badge font-medium text-on-accent">
        <ArrowUp size={12} strokeWidth={2} aria-hidden />
        {t("timeline.new", { count: waiting })}
      </button>
    ) : null;
  return (
    <section className="relative flex min-h-0 min-w-0 flex-col">
      {byCost ? (
        <p role="status" className="flex h-7 flex-none items-center gap-3 border-b border-line bg-inset px-4 text-caption text-t2">
          {t("timeline.costliest", { count: lines.length })}
          <button type="button" className="font-medium text-accent" onClick={() => onByCost(false)}>
            {t("timeline.newestFirst")}
          </button>
        </p>
      ) : null}
      {oneLine ? <Header roomy={roomy} newer={newer} byCost={byCost} onByCost={onByCost} /> : null}
      {!oneLine && newer ? <div className="flex h-7 flex-none items-center justify-center border-b border-line">{newer}</div> : null}
      <RowMenu rows={actions} onOpen={onOpen} onQuery={onQuery}>
        <div
          ref={area}
          role="grid"
          tabIndex={0}
          aria-label={t("timeline.actions")}
          aria-rowcount={byCost ? lines.length : (total ?? -1)}
          aria-activedescendant={selected !== null && items.some((item) => shown[item.index]?.id === selected) ? `row-${selected}` : undefined}
          onScroll={onScroll}
          onKeyDown={onKeyDown}
          onClickCapture={onClickCapture}
          className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto -outline-offset-2"
        >
          <div role="rowgroup" className="relative w-full" style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const line = shown[item.index];
              if (!line) return null;
              const place = { index: item.index + waiting, selected: line.id === selected, looks, top: item.start, onOpen };
              return line.kind === "row" ? <Row key={line.id} row={line.row} tried={line.tried} {...place} /> : <NoticeRow key={line.id} notice={line.notice} {...place} />;
            })}
          </div>
        </div>
      </RowMenu>
    </section>
  );
}

/** Names of the columns, as the rows below have them. */
function Header({ roomy, newer, byCost, onByCost }: { roomy: boolean; newer: ReactNode } & Pick<RowListProps, "byCost" | "onByCost">) {
  const { t } = useTranslation();
  return (
    <div className={`chrome grid flex-none items-center gap-x-2 border-b border-line ps-4 pe-3 text-caption font-medium text-t3 ${oneLineGrid(roomy)}`}>
      <button type="button" aria-pressed={!byCost} title={t("timeline.newestFirst")} onClick={() => onByCost(false)} className={`min-h-6 text-start ${byCost ? "hover:text-t1" : "text-t1"}`}>
        {t("timeline.column.time")}
      </button>
      <span />
      <span />
      <span>{t("timeline.column.kind")}</span>
      <span className="flex items-center gap-2">
        {t("timeline.column.action")}
        {newer}
      </span>
      {roomy ? <span>{t("timeline.column.why")}</span> : null}
      <button type="button" aria-pressed={byCost} title={t("timeline.costliestFirst")} onClick={() => onByCost(true)} className={`min-h-6 text-end ${byCost ? "text-t1" : "hover:text-t1"}`}>
        {t("timeline.column.cost")}
      </button>
      <span className="text-end">{t("timeline.column.took")}</span>
    </div>
  );
}
