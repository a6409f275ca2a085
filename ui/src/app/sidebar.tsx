// The places that exist, in their fixed order, and the one switch that stops everything.
import { Link, useLocation } from "@tanstack/react-router";
import { OctagonX, PanelLeft, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Sign } from "../components/glyph";
import { useStatus, useStopAll } from "../features/status/queries";
import { setView, useView } from "../lib/view";
import { PLACES, type Place } from "./places";

const ITEM = "chrome relative flex h-7 flex-none items-center gap-2 rounded-control px-2 font-medium rail:w-8 rail:justify-center rail:px-0";
const ICON = { size: 16, strokeWidth: 1.5, "aria-hidden": true } as const;

export function Sidebar() {
  const { t } = useTranslation();
  const { data: status } = useStatus();
  const stopAll = useStopAll();
  const held = status?.held ?? 0;
  const review = status?.toReview ?? 0;
  return (
    <aside className="flex min-h-0 flex-col overflow-x-hidden overflow-y-auto px-2">
      <SidebarHead />
      <nav aria-label={t("places.label")} className="flex flex-col gap-px">
        {PLACES.filter((place) => place.id !== "settings").map((place) => (
          <PlaceLink key={place.id} place={place}>
            {place.id === "inbox" && held > 0 ? <Waiting count={held} /> : null}
            {place.id === "agents" && review > 0 ? <ToReview count={review} /> : null}
            {place.id === "agents" && status && status.agentsRunning > 0 ? (
              <span className={`text-caption font-normal text-t3 rail:hidden ${review > 0 ? "" : "ms-auto"}`}>
                <span aria-hidden="true">{status.agentsRunning}</span>
                <span className="sr-only">{t("places.running", { count: status.agentsRunning })}</span>
              </span>
            ) : null}
          </PlaceLink>
        ))}
      </nav>
      <div className="min-h-4 flex-1" />
      <nav aria-label={t("places.more")} className="flex flex-col gap-px pb-2">
        {PLACES.filter((place) => place.id === "settings").map((place) => <PlaceLink key={place.id} place={place} />)}
        <button type="button" title={t("stop.all")} onClick={stopAll} className={`${ITEM} text-deny hover:bg-hover`}>
          <OctagonX {...ICON} className="flex-none" />
          <span className="rail:sr-only">{t("stop.all")}</span>
        </button>
      </nav>
      <p className="sr-only" aria-live="polite">
        {held > 0 ? t("announce.waiting", { count: held }) : ""}
      </p>
    </aside>
  );
}

/** The name of the product; on a wide window it opens and closes the sidebar. */
function SidebarHead() {
  const { t } = useTranslation();
  const wide = useView().sidebar === "wide";
  const name = wide ? t("places.collapse") : t("places.expand");
  return (
    <div className="chrome flex h-11 flex-none items-center gap-2 px-2 text-strong font-semibold tracking-[-0.005em] rail:px-0">
      <span className="flex items-center gap-2 rail:w-8 rail:justify-center wide-rail:hidden">
        <Sign />
        <span className="rail:sr-only">{"Reeve"}</span>
      </span>
      <button
        type="button"
        title={name}
        aria-label={name}
        aria-expanded={wide}
        onClick={() => setView("sidebar", wide ? "rail" : "wide")}
        className="ms-auto inline-flex size-7 items-center justify-center rounded-control text-t3 hover:bg-hover narrow:hidden wide-rail:me-auto"
      >
        <PanelLeft {...ICON} />
      </button>
    </div>
  );
}

function Waiting({ count }: { count: number }) {
  const { t } = useTranslation();
  return (
    <span className="ms-auto -me-0.5 rounded-badge bg-ask-tint px-1.5 text-caption font-semibold text-ask rail:absolute rail:-top-0.5 rail:-inset-e-1 rail:ms-0 rail:px-1 rail:text-badge">
      <span aria-hidden="true">{count}</span>
      <span className="sr-only">{t("places.waiting", { count })}</span>
    </span>
  );
}

/** Tools and servers that are held until somebody looks at them. */
function ToReview({ count }: { count: number }) {
  const { t } = useTranslation();
  return (
    <span className="ms-auto inline-flex items-center gap-1 text-caption font-medium text-ask rail:absolute rail:-top-0.5 rail:-inset-e-1">
      <TriangleAlert size={12} strokeWidth={1.75} aria-hidden />
      <span aria-hidden="true" className="rail:hidden">
        {count}
      </span>
      <span className="sr-only">{t("places.review", { count })}</span>
    </span>
  );
}

function PlaceLink({ place, children }: { place: Place; children?: ReactNode }) {
  const { t } = useTranslation();
  const label = t(`places.${place.id}`);
  const { icon: Icon } = place;
  // Tools and servers are a part of Agents, under an address of their own.
  const within = useLocation({ select: ({ pathname }) => place.id === "agents" && pathname.startsWith("/servers") });
  return (
    <Link to={place.to} title={label} className={`${ITEM} ${within ? "active" : ""} text-t2 hover:bg-hover [&.active]:bg-fill [&.active]:text-t1 [&.active>svg]:text-t1`} activeOptions={{ includeSearch: false }}>
      <Icon {...ICON} className="flex-none text-t3" />
      <span className="rail:sr-only">{label}</span>
      {children}
    </Link>
  );
}
