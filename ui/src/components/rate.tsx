// How often something went well: the share with its 95 % interval and count; too few to say are only counted.
import { useTranslation } from "react-i18next";
import { percent } from "../lib/money";

/** With fewer observations a share says nothing. */
const ENOUGH = 30;

export type RateOf = {
  good: number;
  of: number;
  /** Bounds of the interval, as parts of one. */
  low: number;
  high: number;
};

export function Rate({ rate }: { rate: RateOf }) {
  const { t } = useTranslation();
  const count = <span className="text-t3">{t("rate.of", { good: rate.good, count: rate.of })}</span>;
  if (rate.of === 0) return <span className="text-t3">{t("rate.none")}</span>;
  if (rate.of < ENOUGH) {
    return (
      <span className="whitespace-nowrap" title={t("rate.few", { count: ENOUGH })}>
        {count}
        <span className="sr-only">{`, ${t("rate.few", { count: ENOUGH })}`}</span>
      </span>
    );
  }
  return (
    <span className="whitespace-nowrap tabular-nums">
      <span className="font-medium">{t("rate.percent", { percent: percent(rate.good / rate.of) })}</span>
      <span className="text-t3">{` ${t("rate.range", { low: percent(rate.low), high: percent(rate.high) })} `}</span>
      {count}
    </span>
  );
}
