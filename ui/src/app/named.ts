// The commands that are always in the palette: every place and part of one, every dialog that makes something new, and how the window
// looks. But for *Stop all* they only lead somewhere or change the window.
import { useLocation, useNavigate, useRouter } from "@tanstack/react-router";
import { ArrowLeft, ArrowRight, Bot, CircleQuestionMark, Download, KeyRound, Logs, type LucideIcon, OctagonX, PanelLeft, Scale, Settings, Wallet } from "lucide-react";
import { useTranslation } from "react-i18next";
import { HISTORY } from "../components/keys";
import type { Command } from "../features/palette/palette";
import { SETTINGS_TABS } from "../features/settings/model";
import { useStatus, useStopAll } from "../features/status/queries";
import { VIEW_ICONS, VIEWS } from "../features/timeline/components/view-switch";
import { shownKey } from "../lib/keys";
import { choicesOf, setView, stepText, useView } from "../lib/view";
import { timelineSearch } from "../routes/timeline";
import { PLACES } from "./places";

/** The icon is that of what a command belongs to: the window has those already. */
type Named = { id: string; icon: LucideIcon; label: string; keys?: readonly string[]; run: () => void };

export function useNamed(onShortcuts: () => void): Command[] {
  const to = useTo();
  const changes = useChanges();
  const makes = useMakes();
  const { history } = useRouter();
  const { t } = useTranslation();
  const stopAll = useStopAll();
  const resume = useResume();
  const single = useSingle();
  const commands: Named[] = [
    { id: "stop", icon: OctagonX, label: t("stop.all"), keys: ["mod", "shift", "."], run: stopAll },
    ...resume,
    ...makes,
    { id: "back", icon: ArrowLeft, label: t("palette.back"), keys: HISTORY.back, run: () => (history.canGoBack() ? history.back() : undefined) },
    { id: "forward", icon: ArrowRight, label: t("palette.forward"), keys: HISTORY.forward, run: () => history.forward() },
    ...changes,
    { id: "shortcuts", icon: CircleQuestionMark, label: t("shortcuts.title"), ...single("?"), run: onShortcuts },
  ];
  const named = (group: Command["group"]) => (one: Named): Command => ({ ...one, group, name: one.label });
  return [...to.map(named("places")), ...commands.map(named("commands"))];
}

/** A single key, as it stands on the keyboard, where single keys do something at all. */
function useSingle(): (first: string) => { keys?: readonly string[] } {
  const { singleKeys } = useView();
  return (first) => (singleKeys === "on" ? { keys: [shownKey(first)] } : {});
}

/** To the Timeline with something changed; there the query and the selection stay. */
function useTimeline(): (change: Record<string, unknown>, replace?: boolean) => void {
  const navigate = useNavigate();
  const here = useLocation({ select: ({ pathname }) => pathname === "/timeline" });
  return (change, replace = false) => void navigate({ to: "/timeline", search: (now) => timelineSearch({ ...(here ? now : {}), link: undefined, ...change }), replace: replace && here });
}

/** Every place and every part of one that has an address. */
function useTo(): Named[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const timeline = useTimeline();
  return [
    ...PLACES.map((place): Named => ({ id: place.id, icon: place.icon, label: t(`places.${place.id}`), keys: ["mod", place.digit], run: () => void navigate({ to: place.to }) })),
    ...VIEWS.map((view): Named => ({ id: `timeline-${view}`, icon: VIEW_ICONS[view], label: t("palette.timeline", { view: t(`timeline.view.${view}`) }), run: () => timeline({ view }) })),
    { id: "servers", icon: Bot, label: t("agentPlaces.servers"), run: () => void navigate({ to: "/servers" }) },
    ...SETTINGS_TABS.map((tab): Named => ({ id: `settings-${tab}`, icon: Settings, label: t("palette.settings", { tab: t(`settings.tab.${tab}`) }), run: () => void navigate({ to: "/settings/$tab", params: { tab } }) })),
  ];
}

/** Ends a stop through the strip's own question, a pause where it can be ended. */
function useResume(): Named[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { data: status } = useStatus();
  const pausing = () => void navigate({ to: "/settings/$tab", params: { tab: "protection" } });
  const resume = { id: "resume", icon: OctagonX, label: t("strip.resume") };
  switch (status?.protection.state) {
    case "stopped":
      return [{ ...resume, run: () => void window.dispatchEvent(new CustomEvent("reeve:resume")) }];
    case "paused":
      return [{ ...resume, run: pausing }];
    default:
      return [{ id: "pause", icon: Settings, label: t("palette.pause"), run: pausing }];
  }
}

/** The dialogs and pages that make something. */
function useMakes(): Named[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const timeline = useTimeline();
  return [
    { id: "start", icon: Bot, label: t("palette.start"), run: () => void navigate({ to: "/agents", search: { open: "start" } }) },
    { id: "new-rule", icon: Scale, label: t("policies.newRule"), run: () => void navigate({ to: "/policies/new" }) },
    { id: "new-budget", icon: Wallet, label: t("budgets.add"), run: () => void navigate({ to: "/budgets", search: { open: "new" } }) },
    { id: "new-credential", icon: KeyRound, label: t("credentials.add"), run: () => void navigate({ to: "/credentials", search: { open: "add" } }) },
    { id: "import", icon: KeyRound, label: t("credentials.importTitle"), run: () => void navigate({ to: "/credentials", search: { open: "import" } }) },
    { id: "export", icon: Download, label: t("timeline.export"), keys: ["mod", "E"], run: () => timeline({ open: "export" }, true) },
  ];
}

/** How the window looks. */
function useChanges(): Named[] {
  const { t } = useTranslation();
  const { sidebar, rows } = useView();
  const timeline = useTimeline();
  const single = useSingle();
  const wide = sidebar === "wide";
  const other = rows === "one" ? "two" : "one";
  return [
    ...(["on", "off"] as const).map((live): Named => ({ id: `live-${live}`, icon: Logs, label: t(`palette.live.${live}`), ...single("L"), run: () => timeline({ live }, true) })),
    { id: "rows", icon: Logs, label: t("palette.rows", { rows: t(`settings.rowsOf.${other}`) }), run: () => setView("rows", other) },
    { id: "sidebar", icon: PanelLeft, label: wide ? t("palette.rail") : t("palette.wide"), run: () => setView("sidebar", wide ? "rail" : "wide") },
    ...choicesOf("theme").map((theme): Named => ({ id: `theme-${theme}`, icon: PanelLeft, label: t("palette.theme", { theme: t(`settings.themes.${theme}`) }), run: () => setView("theme", theme) })),
    { id: "larger", icon: PanelLeft, label: t("palette.larger"), keys: ["mod", "+"], run: () => stepText(1) },
    { id: "smaller", icon: PanelLeft, label: t("palette.smaller"), keys: ["mod", "-"], run: () => stepText(-1) },
    { id: "plain", icon: PanelLeft, label: t("palette.plain"), keys: ["mod", "0"], run: () => setView("text", "100") },
  ];
}
