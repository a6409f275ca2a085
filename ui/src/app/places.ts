// The places of the window, in their fixed order, each with its digit.
import { Bot, Inbox, KeyRound, Logs, type LucideIcon, Scale, Settings, Wallet } from "lucide-react";

export type Place = { id: "inbox" | "timeline" | "agents" | "budgets" | "policies" | "credentials" | "settings"; to: "/inbox" | "/timeline" | "/agents" | "/budgets" | "/policies" | "/credentials" | "/settings"; digit: string; icon: LucideIcon };

export const PLACES: readonly Place[] = [
  { id: "inbox", to: "/inbox", digit: "1", icon: Inbox },
  { id: "timeline", to: "/timeline", digit: "2", icon: Logs },
  { id: "agents", to: "/agents", digit: "3", icon: Bot },
  { id: "budgets", to: "/budgets", digit: "4", icon: Wallet },
  { id: "policies", to: "/policies", digit: "5", icon: Scale },
  { id: "credentials", to: "/credentials", digit: "6", icon: KeyRound },
  { id: "settings", to: "/settings", digit: "8", icon: Settings },
];
