// Every place of the console, and those that are looked at in each recorded state.
export const PLACES = ["/inbox", "/timeline", "/agents", "/servers", "/budgets", "/policies", "/credentials", "/settings/protection", "/settings/data"];
const MORE = ["/budgets?view=table", "/budgets/claude-session", "/agents?tab=rules", "/agents?tab=servers", "/agents?tab=credentials", "/agents?tab=sessions", "/servers/weather", "/servers/office?tool=export_report", "/agents?tab=changes", "/settings/general", "/settings/notifications", "/settings/shortcuts", "/settings/doctor", "/settings/about", "/policies/github-read", "/policies/new", "/policies/file/mine.cedar", "/policies/file/tools.yaml", "/policies?tab=files", "/policies?tab=history", "/policies?tab=cases", "/policies?tab=mine", "/policies?tab=standing", "/policies?tab=shared", "/policies?tab=preset", "/timeline?sort=cost", "/inbox?tab=decided", "/inbox?tab=expired", "/inbox?tab=suggestions", "/inbox/apr_s1?tab=suggestions", "/inbox?tab=decided&q=decision:refused", "/timeline?q=nothing-has-this-word", "/policies/new?from=op_00000000000000000000048205", "/credentials/anthropic"];

/** Behind the first view of a place: also when texts are hostile or long, when nothing came yet, and when nothing can come. */
const DEEP = ["/inbox?tab=decided", "/inbox?tab=suggestions", "/servers/office?tool=export_report", "/agents?tab=servers", "/agents?tab=sessions", "/agents?tab=credentials", "/policies?tab=history", "/policies?tab=cases", "/policies/new", "/settings/doctor", "/settings/about"];

export const placesIn = (state: string) => (state === "story" || state === "empty" ? [...PLACES, ...MORE] : ["hostile", "long", "loading", "failing"].includes(state) ? [...PLACES, ...DEEP] : PLACES);

/** With the recorded state that is shown there. */
export const addressOf = (place: string, state: string) => `${place}${place.includes("?") ? "&" : "?"}fake=${state}`;
