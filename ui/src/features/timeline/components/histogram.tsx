// Actions over time, denied on top so that a single one is seen; a range is chosen by drag or by keys.
import { type KeyboardEvent, memo, type PointerEvent, useRef, useState } from "react";
import { ArrowDownWideNarrow } from "lucide-react";
import { Trans, useTranslation } from "react-i18next";
import { useNow } from "../../../components/use-now";
import type { BinDto } from "../../../engine/bindings/BinDto";
import type { FacetsDto } from "../../../engine/bindings/FacetsDto";
import { type Range, rangeOf } from "../../../lib/filter/tokens";
import { money } from "../../../lib/money";
import { clock, date, dated, sameDay, took } from "../../../lib/time";

const WIDTH = 1_000;
const HEIGHT = 52;
const LEAST = 3;
/** Under ten minutes the axis shows seconds. */
const BRIEF = 600_000;
const DAY = 86_400_000;

type Brush = { from: number; to: number };

export type HistogramProps = {
  facets: FacetsDto;
  query: string;
  /** The histogram shows more than the query finds. */
  wider: boolean;
  onBrush: (range: Range) => void;
  /** The histogram shows the chosen range alone; none: there is nothing to zoom to, or back from. */
  onZoom: (() => void) | null;
  onBack: (() => void) | null;
  /** Whether what cost the most comes first; none where there is no such order. */
  byCost: boolean | null;
  onByCost: (byCost: boolean) => void;
};

/** Drawn anew for another query or other counts only, not for what is opened below it. */
export const Histogram = memo(function Histogram({ facets, query, wider, onBrush, onZoom, onBack, byCost, onByCost }: HistogramProps) {
  const { t } = useTranslation();
  const { bins, binMs } = facets;
  const [brush, setBrush] = useState<Brush | null>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const now = useNow(60_000);
  const box = useRef<SVGSVGElement>(null);
  const most = bins.reduce((max, bin) => Math.max(max, bin.allowed + bin.held + bin.denied), 1);
  const step = WIDTH / Math.max(1, bins.length);

  const choose = ({ from, to }: Brush) => {
    const [first, last] = [bins[Math.min(from, to)], bins[Math.max(from, to)]];
    setBrush(null);
    setCursor(null);
    if (first && last) onBrush({ since: first.at, before: new Date(Date.parse(last.at) + binMs).toISOString() });
  };
  const binAt = (event: PointerEvent) => {
    const area = box.current?.getBoundingClientRect();
    if (!area || area.width === 0) return 0;
    return Math.min(bins.length - 1, Math.max(0, Math.floor(((event.clientX - area.left) / area.width) * bins.length)));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "z" || event.key === "Z") {
      (event.shiftKey ? onBack : onZoom)?.();
      event.preventDefault();
      return;
    }
    const at = cursor ?? bins.length;
    if (event.key === "ArrowLeft") setCursor(Math.max(0, at - 1));
    else if (event.key === "ArrowRight") setCursor(Math.min(bins.length - 1, at + 1));
    else if (event.key === "Escape") {
      setBrush(null);
      setCursor(null);
    } else if (event.key === "Enter" && cursor !== null) {
      if (brush) choose({ from: brush.from, to: cursor });
      else setBrush({ from: cursor, to: cursor });
    } else return;
    event.preventDefault();
  };
  const range = brush && cursor !== null ? { from: brush.from, to: cursor } : brush;
  const pointed = cursor === null ? null : bins[cursor];
  const chosen = wider && !range ? placeOf(rangeOf(query), bins, binMs) : null;

  return (
    <div className="border-b border-line px-4 pt-2">
      <svg
        ref={box}
        viewBox={`0 0 ${WIDTH} 56`}
        preserveAspectRatio="none"
        role="slider"
        tabIndex={0}
        aria-label={t("timeline.histogram")}
        aria-description={t("timeline.histogramHelp")}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, bins.length - 1)}
        aria-valuenow={cursor ?? 0}
        aria-valuetext={pointed ? t("timeline.bin", { time: dated(pointed.at, now), allowed: pointed.allowed, held: pointed.held, denied: pointed.denied }) : t("timeline.allTime")}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (bins.length === 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setBrush({ from: binAt(event), to: binAt(event) });
        }}
        onPointerMove={(event) => {
          if (brush && event.buttons === 1) setBrush({ ...brush, to: binAt(event) });
        }}
        onPointerUp={() => {
          if (brush && cursor === null) choose(brush);
        }}
        className="block h-14 w-full touch-none"
      >
        {range ? <rect x={Math.min(range.from, range.to) * step} y={0} width={(Math.abs(range.to - range.from) + 1) * step} height={HEIGHT} fill="var(--selected)" /> : null}
        {chosen ? <rect x={chosen.from * step} y={0} width={(chosen.to - chosen.from) * step} height={HEIGHT} fill="var(--selected)" /> : null}
        {bins.map((bin, at) => (
          <Bar key={bin.at} bin={bin} x={at * step + (step - wide(step)) / 2} width={wide(step)} most={most} />
        ))}
        <path d={`M0 ${HEIGHT + 0.5}H${WIDTH}`} stroke="var(--border)" vectorEffect="non-scaling-stroke" />
        {chosen ? <path d={`M${chosen.from * step} 0V${HEIGHT}M${chosen.to * step} 0V${HEIGHT}`} stroke="var(--accent)" strokeWidth="1.5" vectorEffect="non-scaling-stroke" /> : null}
        {cursor === null ? null : <path d={`M${(cursor + 0.5) * step} 0V${HEIGHT}`} stroke="var(--accent)" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />}
      </svg>
      <Axis bins={bins} now={now} />
      <Totals facets={facets} query={query} now={now} onZoom={onZoom} onBack={onBack} byCost={byCost} onByCost={onByCost} />
    </div>
  );
});

/** Where the query's range lies among the bins, in bins; none where it has no edge that can be drawn. */
export function placeOf({ since, before }: Range, bins: readonly BinDto[], binMs: number): Brush | null {
  const start = Date.parse(bins[0]?.at ?? "");
  const [first, last] = [Date.parse(since ?? ""), Date.parse(before ?? "")];
  if (Number.isNaN(start) || Number.isNaN(first)) return null;
  const at = (ms: number) => Math.min(bins.length, Math.max(0, (ms - start) / binMs));
  return { from: at(first), to: Number.isNaN(last) ? bins.length : at(last) };
}

/** A few bins stay bars instead of becoming walls. */
function wide(step: number): number {
  return Math.min(16, Math.max(1, step * 0.84));
}

function Bar({ bin, x, width, most }: { bin: BinDto; x: number; width: number; most: number }) {
  const tall = (count: number) => (count === 0 ? 0 : Math.max(LEAST, (count / most) * (HEIGHT - 6)));
  const [allowed, held, denied] = [tall(bin.allowed), tall(bin.held), tall(bin.denied)];
  return (
    <>
      {allowed > 0 ? <rect x={x} y={HEIGHT - allowed} width={width} height={allowed} fill="var(--chart-allowed)" /> : null}
      {held > 0 ? <rect x={x} y={HEIGHT - allowed - held} width={width} height={held} fill="var(--ask)" /> : null}
      {denied > 0 ? <rect x={x} y={HEIGHT - allowed - held - denied} width={width} height={denied} fill="var(--deny)" /> : null}
    </>
  );
}

function Axis({ bins, now }: { bins: readonly BinDto[]; now: number }) {
  return (
    <div dir="ltr" aria-hidden="true" className="chrome mt-0.5 flex h-4 justify-between text-badge whitespace-nowrap text-t3">
      {labelsOf(bins, now).map((label, at) => (
        <span key={at}>{label}</span>
      ))}
    </div>
  );
}

/** Words along the axis: each day is named once, where it begins; from marks a day apart on, days alone. */
export function labelsOf(bins: readonly Pick<BinDto, "at">[], now: number): string[] {
  const marks = Math.min(6, bins.length - 1);
  const at = Array.from({ length: marks + 1 }, (_, mark) => bins[Math.round((mark / Math.max(1, marks)) * (bins.length - 1))]?.at ?? "");
  const span = Date.parse(at.at(-1) ?? "") - Date.parse(at[0] ?? "");
  if (span >= marks * DAY && marks > 0) return at.map(date);
  return at.map((iso, mark) => {
    const known = at[mark - 1] ?? now;
    if (span >= BRIEF) return dated(iso, known);
    return sameDay(iso, known) ? clock(iso).time : `${date(iso)} ${clock(iso).time}`;
  });
}

function Totals({ facets, query, now, onZoom, onBack, byCost, onByCost }: Pick<HistogramProps, "facets" | "query" | "onZoom" | "onBack" | "byCost" | "onByCost"> & { now: number }) {
  const { t } = useTranslation();
  const decision = facets.groups.find((group) => group.key === "decision");
  const count = (value: string) => decision?.values.find((one) => one.value === value)?.count ?? 0;
  const shown = (number: number) => number.toLocaleString("en-US");
  const strong = { b: <b className="font-semibold text-t1" /> };
  const { since, before } = rangeOf(query);
  const [first, last] = [Date.parse(since ?? ""), Date.parse(before ?? "")];
  const matches = shown(facets.matches) + (facets.capped ? "+" : "");
  return (
    <div className="flex h-7 items-center gap-4 overflow-hidden text-caption whitespace-nowrap text-t2">
      <span>
        {facets.total > facets.matches && !facets.capped ? (
          <Trans i18nKey="timeline.matchesOf" count={facets.total} values={{ shown: matches, total: shown(facets.total) }} components={strong} />
        ) : (
          <Trans i18nKey="timeline.matches" count={facets.matches} values={{ shown: matches }} components={strong} />
        )}
      </span>
      <span>
        <Trans i18nKey="timeline.denied" values={{ count: shown(count("denied")) }} components={strong} />
      </span>
      {count("refused") === 0 ? null : (
        <span>
          <Trans i18nKey="timeline.refused" values={{ count: shown(count("refused")) }} components={strong} />
        </span>
      )}
      <span>
        <Trans i18nKey="timeline.heldCount" values={{ count: shown(count("held")) }} components={strong} />
      </span>
      {byCost === null || facets.cost === 0 ? (
        <b className="font-semibold text-t1">{money(facets.cost)}</b>
      ) : (
        <button type="button" aria-pressed={byCost} title={t("timeline.costliestFirst")} onClick={() => onByCost(!byCost)} className="chrome inline-flex h-6 items-center gap-1 rounded-badge underline-offset-2 hover:underline aria-pressed:bg-selected aria-pressed:px-1.5">
          <b className="font-semibold text-t1">{money(facets.cost)}</b>
          <ArrowDownWideNarrow size={12} strokeWidth={1.5} aria-hidden className="text-t3" />
          {/* An amount alone does not look like something to press. */}
          <span aria-hidden="true" className="hidden text-t3 wide:inline">
            {t("timeline.byCost")}
          </span>
          <span className="sr-only">{t("timeline.costliestFirst")}</span>
        </button>
      )}
      {facets.p95Ms === null ? null : (
        <span title={t("timeline.mostMore")}>
          <Trans i18nKey="timeline.most" values={{ time: took(facets.p95Ms) }} components={strong} />
        </span>
      )}
      <span className="flex-1" />
      {Number.isNaN(first) || Number.isNaN(last) ? null : <span className="font-medium text-accent">{t("timeline.brushed", { from: dated(since ?? "", now), to: dated(before ?? "", since ?? "") })}</span>}
      {onZoom ? <Step word={t("timeline.zoom")} keys="Z" onClick={onZoom} /> : null}
      {onBack ? <Step word={t("timeline.back")} keys="⇧Z" onClick={onBack} /> : null}
    </div>
  );
}

function Step({ word, keys, onClick }: { word: string; keys: string; onClick: () => void }) {
  return (
    <button type="button" className="chrome inline-flex h-6 items-center gap-1 text-t2 underline-offset-2 hover:underline" onClick={onClick}>
      {word}
      <kbd aria-hidden="true" className="font-sans text-badge text-t3">
        {keys}
      </kbd>
    </button>
  );
}
