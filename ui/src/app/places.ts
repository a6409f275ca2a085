// The places of the window, in their fixed order, each with its digit. One that has no screen yet is not offered.
import { useNavigate, useRouter } from "@tanstack/react-router";
import { Bot, Inbox, KeyRound, Logs, type LucideIcon, Scale, Settings, Wallet } from "lucide-react";

export type Place = { id: "inbox" | "timeline" | "agents" | "budgets" | "policies" | "credentials" | "settings"; digit: string; icon: LucideIcon };

const PLACES: readonly Place[] = [
  { id: "inbox", digit: "1", icon: Inbox },
  { id: "timeline", digit: "2", icon: Logs },
  { id: "agents", digit: "3", icon: Bot },
  { id: "budgets", digit: "4", icon: Wallet },
  { id: "policies", digit: "5", icon: Scale },
  { id: "credentials", digit: "6", icon: KeyRound },
  { id: "settings", digit: "8", icon: Settings },
];

/** A place's address, as the router's links take it. */
export function addressOf(place: Place): "/inbox" {
  return `/${place.id}` as "/inbox";
}

export function usePlaces(): readonly Place[] {
  const { routesByPath } = useRouter();
  return PLACES.filter((place) => addressOf(place) in routesByPath);
}

export function useGoTo(): (place: Place) => void {
  const navigate = useNavigate();
  return (place) => void navigate({ to: addressOf(place) });
}
