// The frame around every place: sidebar, main, strip.
import { Outlet, useNavigate, useSearch } from "@tanstack/react-router";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { Modal } from "../components/modal";
import { ShortcutList } from "../components/shortcuts";
import { StatusStrip } from "../features/status/components/status-strip";
import { useStopAll } from "../features/status/queries";
import { Commands } from "./commands";
import { QuitDialog } from "./quit-dialog";
import { Sidebar } from "./sidebar";
import { useWindowKeys } from "./use-window-keys";

export function Shell() {
  const { t } = useTranslation();
  const [shortcuts, setShortcuts] = useState(false);
  const navigate = useNavigate();
  const stopAll = useStopAll();
  useWindowKeys({ stopAll, showShortcuts: () => setShortcuts(true) });
  // Nothing else in the address is the frame's: what a place changes there draws no frame anew.
  const link = useSearch({ strict: false, select: (search) => search.link });
  return (
    <div className="grid h-full grid-cols-[200px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] rail:grid-cols-[48px_minmax(0,1fr)]">
      <a href="#content" className="absolute -top-10 inset-s-2 z-30 rounded-control bg-surface px-3 py-1 focus:top-2 focus:shadow-overlay">
        {t("common.skip")}
      </a>
      <Sidebar />
      <Commands onShortcuts={() => setShortcuts(true)} />
      <QuitDialog />
      <Modal title={t("shortcuts.title")} open={shortcuts} onOpen={setShortcuts} read>
        <ShortcutList />
      </Modal>
      <div className="grid min-h-0 min-w-0 grid-rows-[auto_minmax(0,1fr)_auto] border-s border-line bg-surface">
        <div role="status">{link === "unknown" ? <p className="border-b border-line bg-info-tint px-4 py-1.5 text-info">{t("error.link")}</p> : null}</div>
        <main id="content" tabIndex={-1} className="relative grid min-h-0 min-w-0 grid-rows-[auto_minmax(0,1fr)] overflow-hidden outline-none">
          {/* Places are loaded when they are first looked at; the one before stays until then. */}
          <Suspense>
            <Outlet />
          </Suspense>
        </main>
        <StatusStrip onFix={(tab) => void navigate({ to: "/settings/$tab", params: { tab } })} onRecord={(record) => void navigate({ to: "/record/$record", params: { record: String(record) } })} />
      </div>
    </div>
  );
}
