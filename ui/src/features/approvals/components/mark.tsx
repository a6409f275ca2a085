// The mark: two words and a stripe that only genuine Reeve windows show. Chosen by the person; drawn by lot at first.
import { Bird } from "lucide-react";
import { useTranslation } from "react-i18next";

export type MarkOf = { words: string; stripe: number };

const STRIPES = ["bg-mark", "bg-allow", "bg-info", "bg-budget", "bg-deny", "bg-t2"] as const;

export function Mark({ mark }: { mark: MarkOf | null }) {
  const { t } = useTranslation();
  if (mark === null) return null;
  return (
    <span title={t("card.mark")} className="inline-flex flex-none items-center gap-1.5 text-caption font-medium whitespace-nowrap text-t2">
      <Bird size={14} strokeWidth={1.5} aria-hidden />
      {mark.words}
      <span aria-hidden="true" className={`h-1.5 w-5 rounded-mark ${STRIPES[mark.stripe] ?? "bg-mark"}`} />
    </span>
  );
}
