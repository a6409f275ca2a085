// The message files of the source language, one per part of the console.
import agents from "./en/agents.json";
import approvals from "./en/approvals.json";
import budgets from "./en/budgets.json";
import credentials from "./en/credentials.json";
import data from "./en/data.json";
import palette from "./en/palette.json";
import settings from "./en/settings.json";
import policies from "./en/policies.json";
import presence from "./en/presence.json";
import servers from "./en/servers.json";
import shared from "./en/shared.json";
import shell from "./en/shell.json";
import timeline from "./en/timeline.json";

export const en = { ...shell, ...shared, ...approvals, ...palette, ...timeline, ...agents, ...budgets, ...policies, ...credentials, ...settings, ...presence, ...data, ...servers };
