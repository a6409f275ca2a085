// What is spent, held and free of a limit, with where an even pace would be. Drawn, so that it needs no style of its own.
import { useId } from "react";

/** What is reserved is hatched, not only lighter. */
export function Hatch({ id }: { id: string }) {
  return (
    <pattern id={id} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(25)">
      <rect width="5" height="5" className="fill-budget-tint" />
      <rect width="2" height="5" className="fill-budget" />
    </pattern>
  );
}

/** Amounts in one unit. `pace`: the share of the window that is over, 0 to 1; none for windows that never end. */
export function BudgetBar({ label, settled, reserved, limit, pace }: { label: string; settled: number; reserved: number; limit: number; pace: number | null }) {
  const id = useId();
  const used = Math.max(0, settled) + Math.max(0, reserved);
  const whole = Math.max(limit, used, 1);
  const share = (amount: number) => `${(Math.max(0, amount) / whole) * 100}%`;
  return (
    <svg role="img" aria-label={label} width="100%" height="14" className="block overflow-visible">
      <defs>
        <clipPath id={`${id}c`}>
          <rect y="3" width="100%" height="8" rx="4" />
        </clipPath>
        <Hatch id={`${id}h`} />
      </defs>
      <rect x="0.5" y="3.5" width="100%" height="7" rx="3.5" className="fill-inset" />
      <g clipPath={`url(#${id}c)`}>
        <rect y="3" width={share(settled)} height="8" className="fill-budget" />
        <rect x={share(settled)} y="3" width={share(reserved)} height="8" fill={`url(#${id}h)`} />
        {reserved > 0 ? <rect x={share(settled)} y="3.5" width={share(reserved)} height="7" fill="none" className="stroke-budget" /> : null}
      </g>
      <rect y="3" width="100%" height="8" rx="4" fill="none" className="stroke-line" />
      {pace === null ? null : (
        <svg x={`${Math.min(1, Math.max(0, pace)) * (limit / whole) * 100}%`} overflow="visible">
          <rect x="-2" width="4" height="14" className="fill-surface" />
          <rect x="-1" width="2" height="14" className="fill-t1" />
        </svg>
      )}
      {used > limit ? (
        <svg x={share(limit)} overflow="visible">
          <rect x="-2" width="4" height="14" className="fill-surface" />
          <rect x="-1" width="2" height="14" className="fill-deny" />
        </svg>
      ) : null}
    </svg>
  );
}

/** What the parts of a bar mean. */
export function BudgetKey({ part }: { part: "settled" | "reserved" | "free" | "pace" }) {
  const id = useId();
  return (
    <svg width={part === "pace" ? 4 : 12} height="12" aria-hidden="true" className="inline-block flex-none">
      <defs>
        <Hatch id={id} />
      </defs>
      {part === "pace" ? <rect x="1" width="2" height="12" className="fill-t1" /> : null}
      {part === "settled" ? <rect y="2" width="12" height="8" rx="2" className="fill-budget" /> : null}
      {part === "reserved" ? <rect x="0.5" y="2.5" width="11" height="7" rx="2" fill={`url(#${id})`} className="stroke-budget" /> : null}
      {part === "free" ? <rect x="0.5" y="2.5" width="11" height="7" rx="2" className="fill-inset stroke-line-control" /> : null}
    </svg>
  );
}
