// Instants and durations to words. Times of a day are local; exact ones carry their offset.

/** `14:03:22` and `.118`: the fraction is shown lighter. */
export function clock(iso: string): { time: string; fraction: string } {
  const at = new Date(iso);
  return { time: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`, fraction: `.${String(at.getMilliseconds()).padStart(3, "0")}` };
}

/** `14:03`. */
export function minute(iso: string): string {
  const at = new Date(iso);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `2026-11-20 14:03:22.118 +01:00`. */
export function exact(iso: string): string {
  const at = new Date(iso);
  const { time, fraction } = clock(iso);
  const offset = -at.getTimezoneOffset();
  const sign = offset < 0 ? "-" : "+";
  const minutes = Math.abs(offset);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}${fraction} ${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** `20 Nov`. */
export function date(iso: string): string {
  return new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

/** Whether two instants are of one day of the calendar. */
export function sameDay(one: string | number, other: string | number): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** `14:03`, and `20 Nov 14:03` where that is another day than the one that is known already. */
export function dated(iso: string, known: string | number): string {
  return sameDay(iso, known) ? minute(iso) : `${date(iso)} ${minute(iso)}`;
}

/** `14:03` today, `20 Nov` before. */
export function day(iso: string, now: number): string {
  return sameDay(iso, now) ? minute(iso) : date(iso);
}

/** Whole seconds as `1:47`, `12:08`, `1:02:03`; never below zero. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const hours = Math.floor(seconds / 3_600);
  const rest = `${hours > 0 ? two(Math.floor((seconds % 3_600) / 60)) : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** What something took: `4 ms`, `0.6 s`, `11.4 s`, `2:05`. */
export function took(ms: number): string {
  if (ms < 100) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return countdown(ms);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
