// The price table in force, found by name: what every reservation and settlement was computed with.
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { EngineFailure } from "../../../components/empty";
import { FIELD, Labelled } from "../../../components/form";
import { Untrusted } from "../../../components/untrusted";
import { usePrices } from "../queries";

const UNITS = ["input", "output", "cacheRead", "cacheWrite"] as const;

export function PriceTable() {
  const { t } = useTranslation();
  const [find, setFind] = useState("");
  const { data, error, refetch } = usePrices(useDeferredValue(find.trim()));
  return (
    <>
      <Labelled label={t("budgets.prices.find")}>
        <input value={find} onChange={(event) => setFind(event.target.value)} spellCheck={false} autoComplete="off" className={FIELD} />
      </Labelled>
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {data ? (
        <>
          <p className="mt-2 text-caption text-t3">
            {data.file === null ? t("budgets.prices.shipped", { date: data.date }) : t("budgets.prices.own", { date: data.date })} {data.file === null ? null : <Untrusted text={data.file} max={60} className="mono" />}
          </p>
          <p aria-live="polite" className="text-caption text-t3">
            {data.rows.length < data.matches ? t("budgets.prices.first", { shown: data.rows.length, count: data.matches }) : t("budgets.prices.found", { count: data.matches })}
          </p>
          <div className="mt-2 max-h-80 overflow-auto" tabIndex={0} role="region" aria-label={t("budgets.prices.title")}>
            <table className="w-full text-caption">
              <thead>
                <tr className="h-7 text-start text-t3">
                  <th scope="col" className="sticky top-0 bg-surface font-medium">
                    {t("budgets.prices.model")}
                  </th>
                  {UNITS.map((unit) => (
                    <th key={unit} scope="col" className="sticky top-0 bg-surface ps-3 text-end font-medium whitespace-nowrap">
                      {t(`budgets.prices.${unit}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {data.rows.map((row) => (
                  <tr key={row.model} className="h-7 border-t border-line-row">
                    <th scope="row" className="text-start font-normal">
                      <Untrusted text={row.model} max={34} className="mono" />
                    </th>
                    {UNITS.map((unit) => (
                      <td key={unit} className="ps-3 text-end tabular-nums">
                        {row[unit] === null ? <span className="text-t3">{t("budgets.prices.none")}</span> : `$${row[unit]}`}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      ) : null}
    </>
  );
}
