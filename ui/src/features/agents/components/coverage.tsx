// What Reeve sees of an agent, kind by kind; what it does not see is said, with the reason.
import { Check, Minus, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Prose } from "../../../components/prose";
import type { CoverageDto } from "../../../engine/bindings/CoverageDto";

const ICON = { size: 12, strokeWidth: 2, "aria-hidden": true } as const;

export function Coverage({ coverage }: { coverage: readonly CoverageDto[] }) {
  const { t } = useTranslation();
  if (coverage.length === 0) return <span className="text-t3">{t("agents.notMeasured")}</span>;
  return (
    <span className="flex flex-wrap gap-x-3">
      {coverage.map(({ kind, sight }) => (
        <span key={kind} className={`inline-flex items-center gap-1 text-caption ${sight === "full" ? "text-t2" : sight === "partial" ? "text-ask" : "text-t3"}`}>
          {sight === "full" ? <Check {...ICON} className="text-allow" /> : sight === "partial" ? <TriangleAlert {...ICON} /> : <Minus {...ICON} />}
          {kind}
          <span className="sr-only">{t(`agents.sight.${sight === "full" || sight === "partial" || sight === "none" ? sight : "unknown"}`)}</span>
        </span>
      ))}
    </span>
  );
}

/** Each gap with its reason. */
export function Gaps({ coverage }: { coverage: readonly CoverageDto[] }) {
  const { t } = useTranslation();
  const gaps = coverage.filter((one) => one.sight !== "full");
  if (coverage.length === 0) return <span className="text-t2">{t("agents.notMeasuredMore")}</span>;
  if (gaps.length === 0) return <span>{t("agents.noGap")}</span>;
  return (
    <ul>
      {gaps.map((one) => (
        <li key={one.kind} className="text-t2">
          <span className="font-medium text-t1">{one.kind}</span>
          {": "}
          {one.note === null ? t("common.unknown") : <Prose text={one.note} />}
        </li>
      ))}
    </ul>
  );
}
