// Quiet marks of limits that are half used or more: each step has a sign of its own, a tone and words.
import { CircleAlert, Gauge, type LucideIcon, OctagonAlert, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Untrusted } from "../../../components/untrusted";
import { useTimedCall } from "../../../engine/query";
import { type Share, shareOf } from "../../../lib/share";
import { nearestOf } from "../model";

const MARKS: Record<Share, { sign: LucideIcon; tone: string }> = {
  50: { sign: Gauge, tone: "text-t2" },
  80: { sign: TriangleAlert, tone: "text-ask" },
  95: { sign: CircleAlert, tone: "text-ask" },
  100: { sign: OctagonAlert, tone: "text-deny" },
};

/** All limits with their accounts: asked for by the clock, in milliseconds, not with every action. */
const AGAIN = 60_000;

function Mark({ share, className = "", children }: { share: Share; className?: string; children?: ReactNode }) {
  const { t } = useTranslation();
  const { sign: Sign, tone } = MARKS[share];
  const words = share === 100 ? t("budgets.reached") : t("budgets.over", { percent: share });
  return (
    <span className={`inline-flex min-w-0 items-center gap-1 ${tone} ${className}`}>
      <Sign size={12} strokeWidth={1.75} aria-hidden className="flex-none" />
      <span className="truncate" title={words}>
        {children}
        {words}
      </span>
    </span>
  );
}

/** How much of the limit is used that stands before it, from half of it on. */
export function LimitMark({ used, limit }: { used: number; limit: number }) {
  const share = shareOf(used, limit);
  return share === null ? null : <Mark share={share} className="-ms-2" />;
}

/** The limit that is nearest of all those the strip has no sum of. */
export function NearestLimit() {
  const { t } = useTranslation();
  const { data = [] } = useTimedCall({ call: "budgets.lines" }, AGAIN, true);
  const nearest = nearestOf(data);
  if (nearest === null) return null;
  return (
    <Mark share={nearest.share}>
      <span className="sr-only">{t("strip.budget")}</span> <Untrusted text={nearest.id} max={32} className="mono" />{" "}
    </Mark>
  );
}
