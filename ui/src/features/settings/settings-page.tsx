// Settings: one page per tab, each with an address of its own.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { EngineFailure, Skeleton } from "../../components/empty";
import { PageBar } from "../../components/page-bar";
import { useDeferred } from "../../components/use-deferred";
import { About, General, Notifications } from "./components/tabs";
import { Data } from "./components/data";
import { Doctor } from "./components/doctor";
import { Protection } from "./components/protection";
import { Shortcuts } from "./components/shortcuts";
import { SETTINGS_TABS, type SettingsTab } from "./model";
import { useSettings } from "./queries";

/** `link` draws the way to a tab; where it leads is the router's to know. */
export function SettingsPage({ tab, link }: { tab: SettingsTab; link: (tab: SettingsTab, label: string) => ReactNode }) {
  const { t } = useTranslation();
  return (
    <>
      <PageBar title={t("places.settings")} />
      <div className="grid min-h-0 grid-cols-[184px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] small:grid-cols-1 small:grid-rows-[auto_minmax(0,1fr)]">
        <nav aria-label={t("settings.tabs")} className="flex flex-col gap-px overflow-y-auto border-e border-line p-2 small:flex-row small:flex-wrap small:border-e-0 small:border-b">
          {SETTINGS_TABS.map((one) => link(one, t(`settings.tab.${one}`)))}
        </nav>
        <div className="min-h-0 overflow-y-auto px-4 py-3">
          <div className="max-w-160">
            <Tab tab={tab} />
          </div>
        </div>
      </div>
    </>
  );
}

function Tab({ tab }: { tab: SettingsTab }) {
  const settings = useSettings();
  const slow = useDeferred(settings.isPending, 150);
  // What the web view or the doctor knows by itself needs no engine.
  switch (tab) {
    case "general":
      return <General />;
    case "shortcuts":
      return <Shortcuts />;
    case "doctor":
      return <Doctor />;
    default:
  }
  if (settings.error) return <EngineFailure error={settings.error} onRetry={() => void settings.refetch()} />;
  if (!settings.data) return slow ? <Skeleton rows={3} /> : null;
  switch (tab) {
    case "protection":
      return <Protection settings={settings.data} />;
    case "notifications":
      return <Notifications settings={settings.data} />;
    case "data":
      return <Data settings={settings.data} />;
    default:
      return <About settings={settings.data} />;
  }
}
