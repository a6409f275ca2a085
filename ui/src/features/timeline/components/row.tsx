// One action in two lines or one: what happened, and then only what differs.
import { ArrowRight, KeyRound } from "lucide-react";
import { memo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../../components/badge";
import { Glyph } from "../../../components/glyph";
import { Risk } from "../../../components/risk";
import { Untrusted } from "../../../components/untrusted";
import { useNow } from "../../../components/use-now";
import type { OperationRowDto } from "../../../engine/bindings/OperationRowDto";
import { useCall } from "../../../engine/query";
import { money, tokens } from "../../../lib/money";
import { plain } from "../../../lib/text";
import { clock, countdown, date, exact, minute, sameDay, took } from "../../../lib/time";
import { isWordy, STATE_LOOKS, writtenState } from "../model";
import { Marks } from "./note";

export type RowLooks = {
  /** Characters that fit. */
  width: number;
  oneLine: boolean;
  /** One line has room for why. */
  roomy: boolean;
  /** The day of the calendar that needs no naming. */
  today: string;
};

/** Where a line of the list stands, and how. */
export type RowPlace = { index: number; selected: boolean; looks: RowLooks; top: number; onOpen: (id: string) => void };

/** `tried`: previews that Reeve made for it before it was asked about or made. */
type RowProps = RowPlace & { row: OperationRowDto; tried: readonly OperationRowDto[] };

export const Row = memo(function Row({ row, tried, index, selected, looks, top, onOpen }: RowProps) {
  const Lines = looks.oneLine ? OneLine : TwoLines;
  return (
    // Keys are the grid's: it holds the focus and names the selected row.
    <div
      role="row"
      id={`row-${row.id}`}
      data-row={row.id}
      aria-rowindex={index + 1}
      aria-selected={selected}
      onClick={() => onOpen(row.id)}
      style={{ transform: `translateY(${top}px)` }}
      className={rowGrid(looks, selected)}
    >
      <Lines row={row} tried={tried} looks={looks} />
    </div>
  );
});

/** A line of the list as a grid, in either height. */
export function rowGrid(looks: RowLooks, selected: boolean): string {
  return `absolute inset-x-0 top-0 grid items-center gap-x-2 border-b border-line-row ps-4 pe-3 ${looks.oneLine ? oneLineGrid(looks.roomy) : "h-11 grid-cols-[88px_14px_minmax(0,1fr)_auto] grid-rows-[20px_17px] content-center"} ${selected ? "bg-selected" : "hover:bg-hover"}`;
}

/** Columns of a one-line row and of the header above it. */
export function oneLineGrid(roomy: boolean): string {
  return `h-7 ${roomy ? "grid-cols-[88px_14px_16px_32px_minmax(0,1fr)_190px_52px_60px]" : "grid-cols-[88px_14px_16px_32px_minmax(0,1fr)_84px_60px]"}`;
}

type LinesProps = Pick<RowProps, "row" | "tried" | "looks">;

/** Another day stands where a row of today has its seconds. */
export function When({ at, today }: { at: string; today: string }) {
  const { time, fraction } = clock(at);
  const now = sameDay(at, today);
  return (
    <span role="gridcell" className="text-[12px]/5 whitespace-nowrap text-t3" title={exact(at)}>
      <span className="text-t2">{now ? time : date(at)}</span>
      {now ? fraction : ` ${minute(at)}`}
    </span>
  );
}

function State({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
  const { shape, colour } = STATE_LOOKS[row.state];
  return (
    <span role="gridcell" className={colour} data-key="decision" data-value={writtenState(row.state)}>
      <Glyph shape={shape} />
      <span className="sr-only">{t(`state.${row.state}`)}</span>
    </span>
  );
}

function TwoLines({ row, tried, looks }: LinesProps) {
  return (
    <>
      <When at={row.at} today={looks.today} />
      <State row={row} />
      <span role="gridcell" className="flex h-5 min-w-0 items-center gap-2">
        <span className="w-7 flex-none text-badge font-medium text-t3" data-key="kind" data-value={row.kind}>
          {row.kind}
        </span>
        <span className="mono truncate text-caption">
          <Untrusted text={row.summary} max={Math.max(16, looks.width - (hasCost(row) ? COST_CHARACTERS : 0))} />
          <Amounts row={row} />
          <Marks row={row} />
        </span>
      </span>
      <span role="gridcell" className="text-end text-[12px]/5 whitespace-nowrap">
        <Cost row={row} />
      </span>
      <span role="gridcell" className="col-start-3 row-start-2 flex h-4 min-w-0 items-center gap-1.5 overflow-hidden text-caption whitespace-nowrap text-t3">
        <AgentTile name={row.agentName} size={14} />
        <span className="ms-4 w-19.5 flex-none truncate text-t2" data-key="agent" data-value={row.agent}>
          <Untrusted text={row.agentName} max={24} />
        </span>
        <Why row={row} tried={tried} />
      </span>
      <span role="gridcell" className="col-start-4 row-start-2 text-end text-caption whitespace-nowrap text-t3">
        <Took row={row} />
      </span>
    </>
  );
}

function OneLine({ row, tried, looks }: LinesProps) {
  return (
    <>
      <When at={row.at} today={looks.today} />
      <State row={row} />
      <span role="gridcell" title={plain(row.agentName)} data-key="agent" data-value={row.agent}>
        <AgentTile name={row.agentName} />
        <span className="sr-only">
          <Untrusted text={row.agentName} max={24} />
        </span>
      </span>
      <span role="gridcell" className="text-badge font-medium text-t3" data-key="kind" data-value={row.kind}>
        {row.kind}
      </span>
      <span role="gridcell" className="mono truncate text-caption">
        <Untrusted text={row.summary} max={Math.max(12, looks.width)} />
        <Amounts row={row} />
        <Marks row={row} />
      </span>
      {looks.roomy ? (
        <span role="gridcell" className="flex min-w-0 overflow-hidden text-caption whitespace-nowrap text-t3">
          <Why row={row} tried={tried} />
        </span>
      ) : null}
      <span role="gridcell" className="truncate text-end text-[12px]/5 whitespace-nowrap">
        <Cost row={row} brief />
      </span>
      <span role="gridcell" className="text-end text-caption whitespace-nowrap text-t3">
        <Took row={row} />
      </span>
    </>
  );
}

/** Room that the cost of a row takes from its summary, in characters. */
const COST_CHARACTERS = 6;

function hasCost(row: OperationRowDto): boolean {
  return row.cost !== null || row.reserved !== null;
}

function Took({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
  if (row.tookMs !== null) return took(row.tookMs);
  if (row.settled) return null;
  if (row.state !== "held") return t("timeline.running");
  return row.approval === null ? t("timeline.waits") : <Left approval={row.approval} />;
}

/** What is left of the time to answer. */
function Left({ approval }: { approval: string }) {
  const { t } = useTranslation();
  const { data } = useCall({ call: "approvals.list" });
  const now = useNow();
  const open = data?.open.find((one) => one.id === approval);
  return open ? t("timeline.left", { time: countdown(Date.parse(open.expiresAt) - now) }) : t("timeline.waits");
}

/** Tokens of a model call. */
function Amounts({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
  if (row.kind !== "llm" || row.tokensIn === null) return null;
  if (row.tokensOut === null) return <span className="text-t3">{` ${t("timeline.in", { amount: tokens(row.tokensIn) })}`}</span>;
  return (
    <span className="text-t3">
      {` ${tokens(row.tokensIn)}`}
      <ArrowRight size={12} strokeWidth={1.5} aria-label="→" className="mx-1.25 inline-block align-[-1px]" />
      {tokens(row.tokensOut)}
      {row.tokensCached ? `, ${t("timeline.cached", { amount: tokens(row.tokensCached) })}` : ""}
    </span>
  );
}

/** `brief`: the amount alone, where its column says the rest. */
function Cost({ row, brief = false }: { row: OperationRowDto; brief?: boolean }) {
  const { t } = useTranslation();
  if (brief && !row.settled && row.reserved !== null) return <span className="text-budget">{money(row.reserved)}</span>;
  if (row.state === "held" && row.reserved !== null) return <span className="text-budget">{t("timeline.asks", { cost: money(row.reserved) })}</span>;
  if (!row.settled && row.reserved !== null) return <span className="text-budget">{t("timeline.reserved", { cost: money(row.reserved) })}</span>;
  if (row.cost === null) return null;
  if (row.cost === 0 && row.worth) return <span className="text-t3">{t("timeline.worth", { cost: money(row.worth) })}</span>;
  return (
    <span title={row.estimated ? t("timeline.estimated") : undefined}>
      {row.estimated ? "~" : ""}
      {money(row.cost)}
    </span>
  );
}

/** A call that Reeve tried first, as one: what was tried, what was answered, and that it was made. */
function Span({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
  const made = row.settled && (row.state === "approved" || row.state === "allowed");
  const answered = row.state === "allowed" ? [] : [<span className={STATE_LOOKS[row.state].colour}>{t(`state.low.${row.state}`)}</span>];
  return [t("timeline.span.previewed"), ...answered, ...(made ? [t("timeline.span.made")] : [])].map((step, at) => (
    <span key={at}>
      {at === 0 ? null : <ArrowRight size={12} strokeWidth={1.5} aria-label="→" className="mx-1 inline-block align-[-1px]" />}
      {step}
    </span>
  ));
}

/** Only what differs from an ordinary allowed action. */
function Why({ row, tried }: Pick<RowProps, "row" | "tried">) {
  const { t } = useTranslation();
  const { colour } = STATE_LOOKS[row.state];
  const parts: [string, ReactNode][] = [];
  if (row.purpose !== undefined) parts.push(["purpose", t(`flow.purposes.${row.purpose}`)]);
  if (row.repeats !== undefined) parts.push(["repeats", t("timeline.repeated")]);
  if (tried.length > 0) parts.push(["span", <Span row={row} />]);
  else if (isWordy(row.state)) parts.push(["state", <span className={colour}>{t(`state.low.${row.state}`)}</span>]);
  const risk: typeof parts = row.risk !== null && row.risk !== "low" && row.state !== "allowed" ? [["risk", <Risk risk={row.risk} />]] : [];
  if (row.state !== "denied") parts.push(...risk);
  if (row.rule !== null) {
    parts.push([
      "rule",
      <code className={`mono ${row.state === "denied" ? "text-deny" : ""}`} data-key="rule" data-value={row.rule}>
        <Untrusted text={row.rule} max={40} />
      </code>,
    ]);
  }
  if (row.state === "denied") parts.push(...risk);
  if (row.error !== null) {
    parts.push([
      "error",
      <span className="text-ask" data-key="error" data-value={row.error}>
        <Untrusted text={row.error} max={40} />
      </span>,
    ]);
  }
  if (row.exit !== null) {
    parts.push([
      "exit",
      <span className={row.exit === 0 ? "" : "text-ask"} data-key="exit" data-value={row.exit}>
        {t("timeline.exit", { code: row.exit })}
      </span>,
    ]);
  }
  if (row.status !== null && row.status >= 400) {
    parts.push([
      "status",
      <span data-key="status" data-value={row.status}>
        {row.status}
      </span>,
    ]);
  }
  if (row.credential !== null && row.state === "allowed") {
    parts.push([
      "credential",
      <span className="inline-flex items-center gap-1.25" data-key="credential" data-value={row.credential}>
        <KeyRound size={12} strokeWidth={1.5} aria-hidden />
        <Untrusted text={row.credential} max={32} />
      </span>,
    ]);
  }
  return (
    <span className="min-w-0 truncate">
      {parts.map(([key, part], at) => (
        <span key={key}>
          {at === 0 ? "" : " · "}
          {part}
        </span>
      ))}
    </span>
  );
}
