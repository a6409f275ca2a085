// The mark: two words and a stripe that only genuine Reeve windows show.
import { Bird } from "lucide-react";
import { useTranslation } from "react-i18next";

export function Mark({ words }: { words: string | null }) {
  const { t } = useTranslation();
  if (words === null) return null;
  return (
    <span title={t("card.mark")} className="inline-flex flex-none items-center gap-1.5 text-caption font-medium whitespace-nowrap text-t2">
      <Bird size={14} strokeWidth={1.5} aria-hidden />
      {words}
      <span aria-hidden="true" className="h-1.5 w-5 rounded-mark bg-mark" />
    </span>
  );
}
