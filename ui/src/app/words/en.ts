// The message files of the source language, one per part of the console.
import agents from "./en/agents.json";
import approvals from "./en/approvals.json";
import credentials from "./en/credentials.json";
import palette from "./en/palette.json";
import shared from "./en/shared.json";
import shell from "./en/shell.json";
import timeline from "./en/timeline.json";

export const en = { ...shell, ...shared, ...approvals, ...palette, ...timeline, ...agents, ...credentials };
