// One action in two lines: what happened, and then only what differs.
import { ArrowRight, KeyRound } from "lucide-react";
import { memo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../../components/badge";
import { Glyph } from "../../../components/glyph";
import { Risk } from "../../../components/risk";
import { Untrusted } from "../../../components/untrusted";
import type { OperationRowDto } from "../../../engine/bindings/OperationRowDto";
import { money, tokens } from "../../../lib/money";
import { clock, exact, took } from "../../../lib/time";
import { isWordy, STATE_LOOKS } from "../model";

type RowProps = { row: OperationRowDto; index: number; selected: boolean; /** Characters that fit. */ width: number; top: number; onOpen: (id: string) => void };

export const Row = memo(function Row({ row, index, selected, width, top, onOpen }: RowProps) {
  const { t } = useTranslation();
  const { time, fraction } = clock(row.at);
  const { shape, colour } = STATE_LOOKS[row.state];
  return (
    // Keys are the grid's: it holds the focus and names the selected row.
    <div
      role="row"
      id={`row-${row.id}`}
      aria-rowindex={index + 1}
      aria-selected={selected}
      onClick={() => onOpen(row.id)}
      style={{ transform: `translateY(${top}px)` }}
      className={`absolute inset-x-0 top-0 grid h-11 grid-cols-[88px_14px_minmax(0,1fr)_auto] grid-rows-[20px_17px] content-center items-center gap-x-2 border-b border-line-row pr-3 pl-4 ${selected ? "bg-selected" : "hover:bg-hover"}`}
    >
      <span role="gridcell" className="text-[12px]/5 text-t3" title={exact(row.at)}>
        <span className="text-t2">{time}</span>
        {fraction}
      </span>
      <span role="gridcell" className={colour}>
        <Glyph shape={shape} />
        <span className="sr-only">{t(`state.${row.state}`)}</span>
      </span>
      <span role="gridcell" className="flex h-5 min-w-0 items-center gap-2">
        <span className="w-7 flex-none text-badge font-medium text-t3">{row.kind}</span>
        <span className="mono truncate text-caption">
          <Untrusted text={row.summary} max={Math.max(16, width - (hasCost(row) ? COST_CHARACTERS : 0))} />
          <Amounts row={row} />
        </span>
      </span>
      <span role="gridcell" className="text-right text-[12px]/5 whitespace-nowrap">
        <Cost row={row} />
      </span>
      <span role="gridcell" className="col-start-3 row-start-2 flex h-4 min-w-0 items-center gap-1.5 overflow-hidden text-caption whitespace-nowrap text-t3">
        <AgentTile name={row.agentName} size={14} />
        <span className="ml-4 w-19.5 flex-none truncate text-t2">
          <Untrusted text={row.agentName} max={24} />
        </span>
        <Why row={row} />
      </span>
      <span role="gridcell" className="col-start-4 row-start-2 text-right text-caption whitespace-nowrap text-t3">
        <Took row={row} />
      </span>
    </div>
  );
});

/** Room that the cost of a row takes from its summary, in characters. */
const COST_CHARACTERS = 6;

function hasCost(row: OperationRowDto): boolean {
  return row.cost !== null || row.reserved !== null;
}

function Took({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
  if (row.tookMs !== null) return took(row.tookMs);
  if (row.settled) return null;
  return row.state === "held" ? t("timeline.waits") : t("timeline.running");
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

function Cost({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
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

/** Only what differs from an ordinary allowed action. */
function Why({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
  const { colour } = STATE_LOOKS[row.state];
  const parts: [string, ReactNode][] = [];
  if (isWordy(row.state)) parts.push(["state", <span className={colour}>{t(`state.low.${row.state}`)}</span>]);
  if (row.risk !== null && row.risk !== "low" && row.state !== "allowed") parts.push(["risk", <Risk risk={row.risk} />]);
  if (row.rule !== null) {
    parts.push([
      "rule",
      <code className={`mono ${row.state === "denied" ? "text-deny" : ""}`}>
        <Untrusted text={row.rule} max={40} />
      </code>,
    ]);
  }
  if (row.error !== null) {
    parts.push([
      "error",
      <span className="text-ask">
        <Untrusted text={row.error} max={40} />
      </span>,
    ]);
  }
  if (row.status !== null && row.status >= 400) parts.push(["status", String(row.status)]);
  if (row.credential !== null && row.state === "allowed") {
    parts.push([
      "credential",
      <span className="inline-flex items-center gap-1.25">
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
