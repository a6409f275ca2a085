// nano-USD to words: always with the sign of the currency, never a false zero.

const NANO = 1_000_000_000;

/** `$0`, `$0.00042`, `$0.0041`, `$0.041`, `$0.41`, `$3.18`, `$1,310.00`: below a cent what says something, and cents above a dollar. */
export function money(nano: number): string {
  if (nano === 0) return "$0";
  const sign = nano < 0 ? "-" : "";
  const dollars = Math.abs(nano) / NANO;
  if (dollars < 0.01) return `${sign}${tiny(dollars)}`;
  return `${sign}$${dollars < 1 ? decimals(dollars, 3).replace(/0$/, "") : decimals(dollars, 2)}`;
}

/** `$0.0041`, `$3.18`, `$20`: for totals, where thousandths are noise; below a cent they are all there is. */
export function moneyShort(nano: number): string {
  if (nano === 0) return "$0";
  const sign = nano < 0 ? "-" : "";
  const dollars = Math.abs(nano) / NANO;
  if (dollars < 0.01) return `${sign}${tiny(dollars)}`;
  return `${sign}$${Number.isInteger(dollars) ? dollars.toLocaleString("en-US") : decimals(dollars, 2)}`;
}

/** `$0.00`, `<$0.01`, `$212.40`, `-$1.50`: always cents, for columns. */
export function cents(nano: number): string {
  const dollars = Math.abs(nano) / NANO;
  const sign = nano < 0 ? "-" : "";
  return nano !== 0 && dollars < 0.01 ? `${sign}<$0.01` : `${sign}$${decimals(dollars, 2)}`;
}

/** `512`, `8.1k`, `1.2M` tokens. */
export function tokens(count: number): string {
  if (count < 1_000) return String(count);
  if (count < 1_000_000) return `${trimmed(count / 1_000)}k`;
  return `${trimmed(count / 1_000_000)}M`;
}

/** Decimal sizes: `512 bytes`, `14.2 kB`, `3.1 MB`. */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} ${count === 1 ? "byte" : "bytes"}`;
  if (count < 1_000_000) return `${trimmed(count / 1_000)} kB`;
  return `${trimmed(count / 1_000_000)} MB`;
}

/** A share of one in percent, without the sign: `91`, and a decimal only under 1 and over 99. */
export function percent(share: number): string {
  const value = share * 100;
  if (value <= 0 || value >= 100) return value <= 0 ? "0" : "100";
  return value < 1 || value > 99 ? value.toFixed(1) : String(Math.round(value));
}

/** Two digits that count, down to a hundred-thousandth. */
function tiny(dollars: number): string {
  if (dollars < 0.00001) return "<$0.00001";
  const digits = Math.min(5, 1 - Math.floor(Math.log10(dollars)));
  return `$${dollars.toFixed(digits).replace(/0+$/, "")}`;
}

function decimals(value: number, digits: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function trimmed(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, "");
}
