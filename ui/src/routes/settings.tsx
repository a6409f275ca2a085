// /settings/:tab; without one, or with one that is none of ours, the first.
import { getRouteApi, lazyRouteComponent, Link } from "@tanstack/react-router";
import { SETTINGS_TABS, type SettingsTab } from "../features/settings/model";

export const SettingsPage = lazyRouteComponent(() => import("../features/settings/settings-page"), "SettingsPage");

const one = getRouteApi("/settings/$tab");

const link = (tab: SettingsTab, label: string) => (
  <Link key={tab} to="/settings/$tab" params={{ tab }} className="chrome flex h-7 items-center rounded-control px-2 text-t2 hover:bg-hover [&.active]:bg-fill [&.active]:font-medium [&.active]:text-t1">
    {label}
  </Link>
);

export function SettingsRoute() {
  const { tab } = one.useParams();
  return <SettingsPage tab={SETTINGS_TABS.find((known) => known === tab) ?? "general"} link={link} />;
}
