// Picks from a recording: states that are written by hand are a recorded one with fields changed, never a shape of their own.
import type { ApprovalDto } from "../engine/bindings/ApprovalDto";
import { approvals, cards } from "./recorded/approvals";

/** The first that fits; a recording without one is no recording. */
export function pick<T>(all: readonly T[], fits: (one: T) => boolean = () => true): T {
  const found = all.find(fits);
  if (!found) throw new Error("the recording holds no such state: record it with `cargo xtask fixtures`");
  return found;
}

/** A recorded question by how its summary begins; an open one before one that was answered. */
export function asked(summary: string): ApprovalDto {
  return pick([...cards, ...approvals.resolved], (one) => one.summary.startsWith(summary));
}
