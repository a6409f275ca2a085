// Risk: shape and word, and colour only from Medium up.
import { useTranslation } from "react-i18next";
import type { RiskDto } from "../engine/bindings/RiskDto";
import { Glyph } from "./glyph";

const RISK_COLOUR: Record<RiskDto, string> = { low: "text-t2", medium: "text-ask", high: "text-deny", critical: "text-deny" };

export function Risk({ risk, strong = false }: { risk: RiskDto; strong?: boolean }) {
  const { t } = useTranslation();
  return (
    <span className={`inline-flex flex-none items-center gap-1.25 whitespace-nowrap ${RISK_COLOUR[risk]} ${strong ? "font-semibold" : ""}`}>
      <Glyph shape={risk} size={10} />
      {t(strong ? `risk.long.${risk}` : `risk.${risk}`)}
    </span>
  );
}

export function RiskMark({ risk }: { risk: RiskDto }) {
  const { t } = useTranslation();
  return (
    <span className={RISK_COLOUR[risk]}>
      <Glyph shape={risk} size={12} />
      <span className="sr-only">{t(`risk.long.${risk}`)}</span>
    </span>
  );
}
