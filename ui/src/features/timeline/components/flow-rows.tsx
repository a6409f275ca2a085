// The rows of a waterfall: turns with their sums, and actions with waiting and work as a bar.
import { ArrowRight, ChevronDown, ChevronRight, RotateCcw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Glyph } from "../../../components/glyph";
import { Untrusted } from "../../../components/untrusted";
import type { FlowNodeDto } from "../../../engine/bindings/FlowNodeDto";
import type { FlowTurnDto } from "../../../engine/bindings/FlowTurnDto";
import { money, tokens } from "../../../lib/money";
import { countdown, took } from "../../../lib/time";
import type { Scale } from "../flow-model";
import { STATE_LOOKS } from "../model";

/** With the column of bars, or without it. */
export function columns(bars: boolean): string {
  return `grid items-center gap-x-2 px-4 ${bars ? "grid-cols-[minmax(0,1fr)_52px_52px_200px] wide:grid-cols-[minmax(0,1fr)_56px_56px_296px]" : "grid-cols-[minmax(0,1fr)_64px_64px]"}`;
}

export function Twist({ open, onToggle, label }: { open: boolean; onToggle: () => void; label: string }) {
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label={label}
      onClick={(event) => {
        event.stopPropagation();
        onToggle();
      }}
      className="-m-1 grid size-6 flex-none place-items-center text-t3"
    >
      <Icon size={14} strokeWidth={1.5} aria-hidden />
    </button>
  );
}

export function TurnLine({ turn, number, open, onToggle, scale }: { turn: FlowTurnDto; number: number; open: boolean; onToggle: () => void; scale: Scale | null }) {
  const { t } = useTranslation();
  return (
    <div className={`${columns(scale !== null)} h-full border-b border-line bg-inset/60 font-medium`}>
      <span role="gridcell" className="flex min-w-0 items-center gap-1.5 whitespace-nowrap" title={t("flow.turnMore")}>
        <Twist open={open} onToggle={onToggle} label={t(open ? "flow.close" : "flow.open")} />
        {t("flow.turn", { number })}
        <span className="truncate text-caption font-normal text-t3">
          {t("flow.actions", { count: turn.actions, shown: turn.actions.toLocaleString("en-US") })}
          {turn.denied > 0 ? <span className="text-deny">{` ${t("flow.denied", { count: turn.denied })}`}</span> : null}
          {turn.wait > 0 ? <span className="text-ask">{` ${t("flow.waited", { time: took(turn.wait) })}`}</span> : null}
        </span>
      </span>
      <span role="gridcell" className="text-end">
        {turn.cost === 0 ? "" : money(turn.cost)}
      </span>
      <span role="gridcell" className="text-end font-normal text-t2">
        {took(turn.end - turn.start)}
      </span>
      {scale === null ? null : (
        <span dir="ltr" role="gridcell" aria-hidden="true" className="relative h-full text-badge font-normal text-t3">
          {open
            ? [0, 1, 2, 3, 4].map((at) => (
                <span key={at} className="absolute inset-y-0 grid place-items-center ps-1" style={{ left: `${at * 20}%` }}>
                  {mark(at * scale.step)}
                </span>
              ))
            : null}
        </span>
      )}
    </div>
  );
}

/** A mark of the axis: round steps need no fraction. */
function mark(ms: number): string {
  if (ms < 1_000 && ms > 0) return `${ms} ms`;
  return ms < 120_000 ? `${(ms / 1_000).toLocaleString("en-US")} s` : countdown(ms);
}

type NodeLineProps = { node: FlowNodeDto; /** Of a call that was tried first. */ part: "asked" | "made" | null; open: boolean; onToggle: () => void; scale: Scale | null };

export function NodeLine({ node, part, open, onToggle, scale }: NodeLineProps) {
  const { t } = useTranslation();
  if (part !== null) return <PartLine node={node} part={part} scale={scale} />;
  const { shape, colour } = STATE_LOOKS[node.state];
  const held = node.state === "held";
  const time = node.wait + (node.work ?? 0);
  return (
    <div className={`${columns(scale !== null)} h-full`}>
      <span role="gridcell" className="flex min-w-0 items-center gap-1.5 whitespace-nowrap" style={{ paddingInlineStart: node.depth * 20 }}>
        {node.below > 0 ? <Twist open={open} onToggle={onToggle} label={t(open ? "flow.close" : "flow.open")} /> : <span className="w-4 flex-none" />}
        <span className={colour}>
          <Glyph shape={shape} />
          <span className="sr-only">{t(`state.${node.state}`)}</span>
        </span>
        <span className="w-7 flex-none text-badge font-medium text-t3">{node.kind}</span>
        <span className="mono min-w-0 truncate text-caption">
          <Untrusted text={node.summary} max={64} />
          {node.tokensIn === undefined || node.kind !== "llm" ? null : (
            <span className="text-t3">
              {` ${tokens(node.tokensIn)}`}
              {node.tokensOut === undefined ? null : (
                <>
                  <ArrowRight size={12} strokeWidth={1.5} aria-label="→" className="mx-1 inline-block align-[-1px]" />
                  {tokens(node.tokensOut)}
                </>
              )}
            </span>
          )}
        </span>
        {node.purpose === undefined ? null : <span className="flex-none text-caption text-t3">{t(`flow.purposes.${node.purpose}`)}</span>}
        {node.retryOf === undefined ? null : (
          <span className="inline-flex flex-none items-center gap-1 text-caption text-t3">
            <RotateCcw size={12} strokeWidth={1.5} aria-hidden />
            {t("flow.retry")}
          </span>
        )}
        {node.failed ? <span className="flex-none text-caption text-ask">{t("flow.failed")}</span> : null}
        {scale === null && node.rule !== undefined ? (
          <code className={`mono flex-none text-caption ${colour}`}>
            <Untrusted text={node.rule} max={32} />
          </code>
        ) : null}
      </span>
      <span role="gridcell" className="text-end text-caption">
        {node.cost === undefined ? "" : money(node.cost)}
      </span>
      <span role="gridcell" className={`text-end text-caption ${held ? "font-medium text-ask" : "text-t2"}`}>
        {node.work === undefined && node.wait === 0 ? "" : took(time)}
      </span>
      {scale === null ? null : <Bar node={node} scale={scale} />}
    </div>
  );
}

type Stretch = Pick<FlowNodeDto, "start" | "wait" | "injected"> & { work?: number };

/** Of a part nothing else is said in the bar. */
const PLAIN = { summary: "", depth: 0, below: 0, open: false, failed: false };

/** The question about a call that was tried first, or the call itself: the same bar, each its own stretch of it. */
function PartLine({ node, part, scale }: { node: FlowNodeDto; part: "asked" | "made"; scale: Scale | null }) {
  const { t } = useTranslation();
  const asked = part === "asked";
  const { shape, colour } = STATE_LOOKS[asked ? node.state : "allowed"];
  const { wait, work = 0 } = node;
  const { injected, ...stretch }: Stretch = asked ? { start: node.start, wait, injected: false } : { start: node.start + wait, wait: 0, work, injected: node.injected };
  return (
    <div className={`${columns(scale !== null)} h-full`}>
      <span role="gridcell" className="flex min-w-0 items-center gap-1.5 whitespace-nowrap" style={{ paddingInlineStart: (node.depth + 1) * 20 }}>
        <span className="w-4 flex-none" />
        <span className={colour}>
          <Glyph shape={shape} />
        </span>
        <span className="min-w-0 truncate text-caption text-t2">{asked ? t("flow.parts.asked", { state: t(`state.low.${node.state}`) }) : t("flow.parts.made")}</span>
      </span>
      <span role="gridcell" />
      <span role="gridcell" className="text-end text-caption text-t2">
        {took(asked ? wait : work)}
      </span>
      {scale === null ? null : <Bar node={{ ...PLAIN, ...stretch, injected, id: node.id, kind: node.kind, state: asked && node.state === "held" ? "held" : "allowed" }} scale={scale} />}
    </div>
  );
}

/** Waiting hatched, work solid; what was turned away is a mark where it happened. */
function Bar({ node, scale }: { node: FlowNodeDto; scale: Scale }) {
  const { t } = useTranslation();
  const part = (ms: number) => Math.min(100, Math.max(0, (ms / scale.span) * 100));
  const left = part(node.start - scale.from);
  const [wait, work] = [Math.min(part(node.wait), 100 - left), part(node.work ?? 0)];
  const turned = node.state === "denied" || node.state === "refused" || node.state === "expired";
  const words = barWords(node);
  const late = left + wait + work > 55;
  const label = words === null ? "" : words === "rule" ? (node.rule ?? "") : t(`flow.${words}`);
  return (
    <span dir="ltr" role="gridcell" className="relative h-full bg-[linear-gradient(90deg,var(--border)_1px,transparent_1px)] bg-[length:20%_100%]">
      <span className="sr-only">{t("flow.bar", { wait: took(node.wait), work: took(node.work ?? 0) })}</span>
      {wait > 0 ? <span aria-hidden="true" className="hatched-ask absolute top-[9px] h-2.5 min-w-[3px] rounded-[2px]" style={{ left: `${left}%`, width: `${wait}%` }} /> : null}
      {turned ? (
        <span aria-hidden="true" className="absolute top-1.5 h-4 w-[3px] rounded-[2px] bg-deny" style={{ left: `${left + wait}%` }} />
      ) : node.work === undefined ? null : (
        <span
          aria-hidden="true"
          className={`absolute top-[9px] h-2.5 min-w-[3px] rounded-[2px] ${node.kind === "llm" ? "bg-line-control" : "bg-chart-allowed"}`}
          style={{ left: `${left + wait}%`, width: `${Math.min(work, 100 - left - wait)}%` }}
        />
      )}
      {label === "" ? null : (
        <span aria-hidden="true" className={`absolute inset-y-0 grid place-items-center truncate text-badge font-medium whitespace-nowrap ${turned ? "text-deny" : words === "waits" ? "text-ask" : "text-t3"}`} style={late ? { right: `calc(${100 - left}% + 6px)` } : { left: `calc(${left + wait + work}% + 8px)` }}>
          <Untrusted text={label} max={24} />
        </span>
      )}
    </span>
  );
}

function barWords(node: FlowNodeDto): "waits" | "runs" | "injected" | "rule" | null {
  if (node.state === "held") return "waits";
  if (node.open) return "runs";
  if (node.rule !== undefined) return "rule";
  return node.injected ? "injected" : null;
}
