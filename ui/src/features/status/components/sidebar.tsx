// The places that exist, in their fixed order, and the one switch that stops everything.
import { Link } from "@tanstack/react-router";
import { Bot, Inbox, KeyRound, Logs, type LucideIcon, OctagonX } from "lucide-react";
import { type ReactNode, useCallback, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Sign } from "../../../components/glyph";
import { chordKey } from "../../../components/keys";
import { useToast } from "../../../components/toasts";
import { useStatus, useSwitch } from "../queries";

const ITEM = "chrome relative flex h-7 items-center gap-2 rounded-control px-2 font-medium max-rail:w-8 max-rail:justify-center max-rail:px-0";

export function Sidebar() {
  const { t } = useTranslation();
  const { data: status } = useStatus();
  const held = status?.held ?? 0;
  return (
    <aside className="flex flex-col px-2">
      <div className="chrome flex h-11 items-center gap-2 px-2 text-strong font-semibold tracking-[-0.005em] max-rail:justify-center max-rail:px-0">
        <Sign />
        <span className="max-rail:sr-only">{"Reeve"}</span>
      </div>
      <nav aria-label={t("places.label")} className="flex flex-col gap-px">
        <Place to="/inbox" icon={Inbox} label={t("places.inbox")}>
          {held > 0 ? (
            <span className="-mr-0.5 ml-auto rounded-badge bg-ask-tint px-1.5 text-caption font-semibold text-ask max-rail:absolute max-rail:-top-1.5 max-rail:-right-1.5 max-rail:ml-0 max-rail:px-1 max-rail:text-badge">
              <span aria-hidden="true">{held}</span>
              <span className="sr-only">{t("places.waiting", { count: held })}</span>
            </span>
          ) : null}
        </Place>
        <Place to="/timeline" icon={Logs} label={t("places.timeline")} />
        <Place to="/agents" icon={Bot} label={t("places.agents")} />
        <Place to="/credentials" icon={KeyRound} label={t("places.credentials")} />
      </nav>
      <div className="flex-1" />
      <nav aria-label={t("places.more")} className="pb-2">
        <StopAll />
      </nav>
      <p className="sr-only" aria-live="polite">
        {held > 0 ? t("announce.waiting", { count: held }) : ""}
      </p>
    </aside>
  );
}

function Place({ to, icon: Icon, label, children }: { to: "/inbox" | "/timeline" | "/agents" | "/credentials"; icon: LucideIcon; label: string; children?: ReactNode }) {
  return (
    <Link to={to} title={label} className={`${ITEM} text-t2 [&.active]:bg-fill [&.active]:text-t1 [&.active>svg]:text-t1`} activeOptions={{ includeSearch: false }}>
      <Icon size={16} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
      <span className="max-rail:sr-only">{label}</span>
      {children}
    </Link>
  );
}

function StopAll() {
  const { t } = useTranslation();
  const toast = useToast();
  const { mutate } = useSwitch();
  const stop = useCallback(() => {
    mutate("status.stop_all", { onSuccess: () => toast("denied", t("stop.done")), onError: (error) => toast("failed", t("stop.failed", { message: error.message })) });
  }, [mutate, toast, t]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!chordKey(event) || !event.shiftKey || event.code !== "Period") return;
      event.preventDefault();
      stop();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [stop]);
  return (
    <button type="button" title={t("stop.all")} onClick={stop} className={`${ITEM} w-full text-deny hover:bg-hover`}>
      <OctagonX size={16} strokeWidth={1.5} aria-hidden className="flex-none" />
      <span className="max-rail:sr-only">{t("stop.all")}</span>
    </button>
  );
}
