// How much of a limit is used, in the steps that are worth a mark.

/** Percent of the limit; 100 is the limit itself. */
export type Share = 50 | 80 | 95 | 100;

/** The highest step that was reached; none under half. A limit of nothing is reached at once. */
export function shareOf(used: number, limit: number): Share | null {
  const share = limit === 0 ? 1 : used / limit;
  return share >= 1 ? 100 : share >= 0.95 ? 95 : share >= 0.8 ? 80 : share >= 0.5 ? 50 : null;
}
