// Where this window was: the addresses of its history, as far as they were seen since it was loaded.
import type { RouterHistory } from "@tanstack/react-router";

/** Paths by their place in the history. */
const seen: string[] = [];
let now = 0;

/** Writes down where the window is, and from now on wherever it goes. */
export function followTrail(history: RouterHistory): void {
  const note = () => {
    const { pathname, state } = history.location;
    now = state.__TSR_index;
    seen[now] = pathname;
  };
  seen.length = 0;
  note();
  history.subscribe(({ action }) => {
    note();
    // What lay ahead is gone once somebody goes elsewhere.
    if (action.type === "PUSH") seen.length = now + 1;
  });
}

/** How many steps back the window was at this path the last time; nothing where it was not. */
export function stepsBackTo(path: string): number | null {
  const at = seen.lastIndexOf(path, now - 1);
  return now === 0 || at < 0 ? null : now - at;
}
