// State, risk and time left; `+ 5 min` asks the engine for more of it.
import { Plus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Glyph, Ring } from "../../../components/glyph";
import { Risk } from "../../../components/risk";
import { useToast } from "../../../components/toasts";
import { useNow } from "../../../components/use-now";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import { countdown } from "../../../lib/time";
import { isSoon, msLeft, shareLeft } from "../model";
import { useExtend } from "../queries";

export function TimeLeft({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const now = useNow();
  const left = msLeft(question, now);
  return (
    <span className={`inline-flex flex-none items-center gap-1.5 font-medium ${isSoon(question, now) ? "text-ask" : "text-t2"}`}>
      <Ring share={shareLeft(question, now)} />
      {left > 0 ? t("card.left", { time: countdown(left) }) : t("card.out")}
    </span>
  );
}

export function CardTop({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const toast = useToast();
  const extend = useExtend();
  return (
    <header className="flex h-10 flex-none items-center gap-2 border-b border-line ps-4 pe-2">
      <span className="inline-flex items-center gap-2">
        <Glyph shape="held" className="text-ask" />
        <span className="font-semibold">{t("card.held")}</span>
      </span>
      <span aria-hidden="true" className="text-t3">
        {"·"}
      </span>
      <Risk risk={question.risk} strong />
      <span className="flex-1" />
      <TimeLeft question={question} />
      <Button
        kind="ghost"
        inert={extend.isPending}
        onClick={() => extend.mutate(question.id, { onSuccess: () => toast("done", t("card.toast.extended")), onError: (error) => toast("failed", t("common.failed", { message: error.message })) })}
      >
        <Plus size={14} strokeWidth={1.5} aria-hidden />
        {t("card.extend")}
        <span className="sr-only">{t("card.extendMore")}</span>
      </Button>
    </header>
  );
}
