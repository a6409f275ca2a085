// Marks that carry a decision, a risk or a state: drawn, never typed, and always beside a word.
import type { ReactNode } from "react";

const SHAPES = {
  allowed: <circle cx="7" cy="7" r="3" fill="currentColor" />,
  approved: (
    <>
      <circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <circle cx="7" cy="7" r="2.4" fill="currentColor" />
    </>
  ),
  held: (
    <>
      <circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <path d="M7 1.8a5.2 5.2 0 0 0 0 10.4z" fill="currentColor" />
    </>
  ),
  refused: (
    <>
      <circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <path d="M3.4 10.6l7.2-7.2" stroke="currentColor" strokeWidth="1.6" />
    </>
  ),
  expired: <circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.6" strokeDasharray="2.1 2" />,
  denied: <path d="M3 3l8 8M11 3l-8 8" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />,
  would: <circle cx="7" cy="7" r="4.4" fill="none" stroke="currentColor" strokeWidth="1.8" />,
  low: <circle cx="7" cy="7" r="4" fill="currentColor" />,
  medium: <path d="M7 1.2L12.8 7 7 12.8 1.2 7z" fill="currentColor" />,
  high: <path d="M7 1.6l6 10.6H1z" fill="currentColor" stroke="currentColor" strokeLinejoin="round" />,
  critical: <rect x="1.5" y="1.5" width="11" height="11" rx="1" fill="currentColor" />,
  dot: <circle cx="7" cy="7" r="4.2" fill="currentColor" />,
  square: <rect x="2" y="2" width="10" height="10" rx="1.5" fill="currentColor" />,
  bars: (
    <>
      <rect x="2.5" y="2" width="3" height="10" rx="1" fill="currentColor" />
      <rect x="8.5" y="2" width="3" height="10" rx="1" fill="currentColor" />
    </>
  ),
} satisfies Record<string, ReactNode>;

export type Shape = keyof typeof SHAPES;

export function Glyph({ shape, className = "", size = 14 }: { shape: Shape; className?: string; size?: number }) {
  return (
    <svg viewBox="0 0 14 14" width={size} height={size} aria-hidden="true" className={`block flex-none ${className}`}>
      {SHAPES[shape]}
    </svg>
  );
}

/** What is left of a time limit, as a ring. */
export function Ring({ share }: { share: number }) {
  return (
    <svg viewBox="0 0 14 14" width={14} height={14} aria-hidden="true" className="flex-none">
      <circle cx="7" cy="7" r="5.5" fill="none" stroke="var(--border-control)" strokeWidth="1.5" opacity=".45" />
      <circle cx="7" cy="7" r="5.5" fill="none" stroke="currentColor" strokeWidth="1.5" pathLength="100" strokeDasharray={`${Math.round(Math.min(1, Math.max(0, share)) * 100)} 100`} transform="rotate(-90 7 7)" />
    </svg>
  );
}

/** The sign of the product. */
export function Sign({ size = 18 }: { size?: number }) {
  return (
    <svg viewBox="0 0 18 18" width={size} height={size} fill="none" aria-hidden="true" className="flex-none">
      <circle cx="9" cy="9" r="7.25" stroke="currentColor" strokeWidth="1.5" />
      <circle cx="9" cy="9" r="3" fill="currentColor" />
    </svg>
  );
}
