// Spending over a window: what was settled so far, the limit, an even pace and the forecast with its range; or a table of it.
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { BudgetAccountDto } from "../../../engine/bindings/BudgetAccountDto";
import type { BudgetLineDto } from "../../../engine/bindings/BudgetLineDto";
import type { SpendPointDto } from "../../../engine/bindings/SpendPointDto";
import { minute } from "../../../lib/time";
import { amount, steps, ticks } from "../model";

const [LEFT, RIGHT, TOP, BOTTOM, WIDTH, HEIGHT] = [44, 384, 12, 174, 432, 196];

type Shown = { line: BudgetLineDto; account: BudgetAccountDto; points: readonly SpendPointDto[]; now: number };

/** `14:00` within two days, `20 Nov` beyond. */
export function moment(at: number, span: number): string {
  return span <= 48 * 3_600_000 ? minute(new Date(at).toISOString()) : new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

export function SpendChart({ line, account, points, now }: Shown) {
  const { t } = useTranslation();
  const id = useId();
  const start = Date.parse(points[0]?.at ?? account.windowStart);
  const end = account.windowEnd === null ? Math.max(now, start + 60_000) : Date.parse(account.windowEnd);
  const { forecast } = account;
  const ahead = forecast?.expected === null || forecast?.expected === undefined || forecast.low === null || forecast.high === null ? null : { expected: forecast.expected, low: forecast.low, high: forecast.high };
  const marks = ticks(Math.max(line.limit, account.settled, ahead ? Math.min(ahead.high, line.limit * 1.5) : 0) / unitOf(line));
  const top = (marks.at(-1) ?? 1) * unitOf(line) || 1;
  const x = (at: number) => LEFT + ((Math.min(end, Math.max(start, at)) - start) / (end - start)) * (RIGHT - LEFT);
  const y = (sum: number) => BOTTOM - (Math.min(top * 1.04, Math.max(0, sum)) / top) * (BOTTOM - TOP);
  const path = points.map((point, at) => `${at === 0 ? "M" : "L"}${x(Date.parse(point.at)).toFixed(1)} ${y(point.settled).toFixed(1)}`).join("");
  const [here, level] = [x(now), y(account.settled)];
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width="100%" role="img" aria-label={t("budgets.chart", { settled: amount(line.unit, account.settled), limit: amount(line.unit, line.limit) })} className="mt-2 block text-badge">
      <defs>
        <pattern id={id} width="4" height="4" patternUnits="userSpaceOnUse">
          <circle cx="1" cy="1" r="0.8" className="fill-budget" />
        </pattern>
      </defs>
      {marks.map((one) => (
        <g key={one}>
          <path d={`M${LEFT} ${y(one * unitOf(line))}H${RIGHT}`} className="stroke-line" />
          <text x={LEFT - 8} y={y(one * unitOf(line)) + 3.5} textAnchor="end" className="fill-t3">
            {axis(line, one)}
          </text>
        </g>
      ))}
      {account.windowEnd === null ? null : <path d={`M${LEFT} ${BOTTOM}L${RIGHT} ${y(line.limit)}`} fill="none" strokeDasharray="3 3" className="stroke-t3" />}
      {account.windowEnd === null || y(line.limit) > BOTTOM - 60 ? null : (
        <text x={LEFT + (RIGHT - LEFT) * 0.44 - 8} y={BOTTOM - (BOTTOM - y(line.limit)) * 0.44 - 4} textAnchor="end" className="fill-t3">
          {t("budgets.part.pace")}
        </text>
      )}
      <path d={`M${LEFT} ${y(line.limit)}H${RIGHT}`} strokeWidth="1.25" className="stroke-deny" />
      <text x={RIGHT + 6} y={y(line.limit) + 3.5} className="fill-deny">
        {t("budgets.limitMark")}
      </text>
      {path === "" ? null : (
        <>
          <path d={`${path}L${here} ${BOTTOM}L${LEFT} ${BOTTOM}Z`} className="fill-budget-tint" opacity="0.7" />
          <path d={path} fill="none" strokeWidth="1.75" strokeLinejoin="round" className="stroke-budget" />
        </>
      )}
      {ahead && account.windowEnd !== null ? (
        <>
          <path d={`M${here} ${level}L${RIGHT} ${y(ahead.high)}V${y(ahead.low)}Z`} fill={`url(#${id})`} opacity="0.6" />
          <path d={`M${here} ${level}L${RIGHT} ${y(ahead.expected)}`} fill="none" strokeWidth="1.5" strokeDasharray="4 3" className="stroke-budget" />
          {Math.abs(y(ahead.expected) - y(line.limit)) > 12 ? (
            <text x={RIGHT + 6} y={y(ahead.expected) + 3.5} className="fill-budget font-medium">
              {axis(line, ahead.expected / unitOf(line))}
            </text>
          ) : null}
        </>
      ) : null}
      {account.windowEnd === null ? null : <path d={`M${here} ${TOP - 2}V${BOTTOM}`} className="stroke-t1" opacity="0.25" />}
      <circle cx={here} cy={level} r="3.5" strokeWidth="1.5" className="fill-budget stroke-surface" />
      <text x={LEFT} y="190" className="fill-t3">
        {moment(start, end - start)}
      </text>
      {here - LEFT > 56 ? (
        <text x={Math.min(here, RIGHT)} y="190" textAnchor={RIGHT - here > 24 ? "middle" : "end"} className="fill-t3">
          {t("budgets.now")}
        </text>
      ) : null}
      {RIGHT - here > 64 ? (
        <text x={RIGHT} y="190" textAnchor="end" className="fill-t3">
          {moment(end - 1, end - start)}
        </text>
      ) : null}
    </svg>
  );
}

const unitOf = (line: BudgetLineDto) => (line.unit === "money" ? 1_000_000_000 : 1);

/** A short mark of an axis: `$100`, `$0.25`, `50k`. */
function axis(line: BudgetLineDto, value: number): string {
  if (line.unit === "tokens") return amount("tokens", Math.round(value));
  if (value === 0 || value >= 10) return `$${Math.round(value).toLocaleString("en-US")}`;
  return `$${value.toLocaleString("en-US", { maximumSignificantDigits: 2 })}`;
}

export function SpendTable({ line, account, points }: Omit<Shown, "now">) {
  const { t } = useTranslation();
  const rows = steps(points);
  const span = (rows.at(-1)?.at ?? 0) - (rows[0]?.at ?? 0);
  return (
    <table className="mt-2 w-full text-caption">
      <caption className="sr-only">{t("budgets.chart", { settled: amount(line.unit, account.settled), limit: amount(line.unit, line.limit) })}</caption>
      <thead>
        <tr className="h-7 border-b border-line text-start text-t3">
          <th scope="col" className="font-medium">
            {t("budgets.until")}
          </th>
          <th scope="col" className="text-end font-medium">
            {t("budgets.spentThen")}
          </th>
          <th scope="col" className="text-end font-medium">
            {t("budgets.settledBy")}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={row.at} className="h-6 border-b border-line-row tabular-nums">
            <th scope="row" className="text-start font-normal text-t2">
              {moment(row.at, span)}
            </th>
            <td className="text-end">{amount(line.unit, row.settled - (rows[at - 1]?.settled ?? 0))}</td>
            <td className="text-end font-medium">{amount(line.unit, row.settled)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
