// The message files of the source language, one per part of the console.
import approvals from "./en/approvals.json";
import palette from "./en/palette.json";
import shared from "./en/shared.json";
import shell from "./en/shell.json";
import timeline from "./en/timeline.json";

export const en = { ...shell, ...shared, ...approvals, ...palette, ...timeline };
