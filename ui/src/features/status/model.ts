// Which limit is nearest: pure functions.
import type { BudgetLineDto } from "../../engine/bindings/BudgetLineDto";
import { type Share, shareOf } from "../../lib/share";

/** The limits that the strip's sum of today stands for already. */
function isToday({ scope, window, unit, model }: BudgetLineDto): boolean {
  return window === "day" && unit === "money" && model === null && (scope === "me" || scope === "organisation");
}

export type Nearest = { id: string; share: Share };

/** Of all other limits the one of which most is used, where half of it is. What is held counts as used. */
export function nearestOf(lines: readonly BudgetLineDto[]): Nearest | null {
  let nearest: Nearest | null = null;
  let most = 0;
  for (const line of lines) {
    // A limit of each single call is never used up.
    if (line.window === "call" || isToday(line)) continue;
    for (const account of line.accounts) {
      const used = account.settled + account.reserved;
      const limit = account.limit ?? line.limit;
      const share = shareOf(used, limit);
      const part = limit === 0 ? 1 : used / limit;
      if (share === null || part <= most) continue;
      nearest = { id: line.id, share };
      most = part;
    }
  }
  return nearest;
}
