// List, Sessions, Flow: three views of the same query and the same selection. And how tall a row is.
import { ChartNoAxesGantt, List, ListTree, type LucideIcon, Rows2, Rows4 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { setView, useView } from "../../../lib/view";

export type ViewName = "list" | "sessions" | "flow";
export const VIEWS: readonly ViewName[] = ["list", "sessions", "flow"];
export const VIEW_ICONS: Record<ViewName, LucideIcon> = { list: List, sessions: ListTree, flow: ChartNoAxesGantt };

export function ViewSwitch({ view, onView }: { view: ViewName; onView: (view: ViewName) => void }) {
  const { t } = useTranslation();
  return (
    <div role="group" aria-label={t("timeline.views")} className="chrome ms-2 flex h-7 flex-none items-center rounded-control bg-fill p-px">
      {VIEWS.map((one) => {
        const Icon = VIEW_ICONS[one];
        return (
          <button
            key={one}
            type="button"
            aria-pressed={one === view}
            onClick={() => onView(one)}
            className={`inline-flex h-6.5 items-center gap-1.5 rounded-control border px-2 font-medium ${one === view ? "border-line-button bg-surface text-t1" : "border-transparent text-t2 hover:text-t1"}`}
          >
            <Icon size={14} strokeWidth={1.5} aria-hidden />
            {t(`timeline.view.${one}`)}
          </button>
        );
      })}
    </div>
  );
}

export function RowHeight() {
  const { t } = useTranslation();
  const { rows } = useView();
  const one = rows === "one";
  const Icon = one ? Rows4 : Rows2;
  return (
    <Button kind="icon" aria-pressed={one} aria-label={t("timeline.oneLine")} title={t("timeline.oneLine")} onClick={() => setView("rows", one ? "two" : "one")}>
      <Icon size={14} strokeWidth={1.5} aria-hidden />
    </Button>
  );
}
