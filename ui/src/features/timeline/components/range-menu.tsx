// The time range as words: the last hour or week, today, yesterday; what it writes is the query.
import { Menu } from "@base-ui/react/menu";
import { Calendar, Check, ChevronDown } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useNow } from "../../../components/use-now";
import { type Range, rangeOf, withRange } from "../../../lib/filter/tokens";

const AGO = [
  { name: "quarter", since: "15m" },
  { name: "hour", since: "1h" },
  { name: "day", since: "24h" },
] as const;
const LONG_AGO = [
  { name: "week", since: "7d" },
  { name: "month", since: "30d" },
  { name: "all", since: null },
] as const;

/** Days of the person's own calendar have both their edges written out: a query means the same tomorrow. */
function ranges(now: number) {
  const at = new Date(now);
  // To the minute, as the query reads it: UTC.
  const edge = (days: number) => `${new Date(at.getFullYear(), at.getMonth(), at.getDate() + days).toISOString().slice(0, 16)}Z`;
  const open = <T extends { since: string | null }>(range: T) => ({ ...range, before: null });
  return [...AGO.map(open), { name: "today", since: edge(0), before: edge(1) } as const, { name: "yesterday", since: edge(-1), before: edge(0) } as const, ...LONG_AGO.map(open)];
}

const same = (one: Range, other: Range) => one.since === other.since && one.before === other.before;

export function RangeMenu({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const { t } = useTranslation();
  const all = ranges(useNow(60_000));
  const now = rangeOf(query);
  const known = all.find((one) => same(one, now))?.name;
  const name = t(`timeline.range.${known ?? "chosen"}`);
  const item = "chrome flex h-7 items-center gap-2 rounded-control px-2 outline-none data-highlighted:bg-selected";
  return (
    <Menu.Root>
      <Menu.Trigger aria-label={t("timeline.range.label", { name })} className="chrome inline-flex h-7 flex-none items-center gap-1.5 rounded-control border border-line-button bg-surface px-2.5 font-medium whitespace-nowrap hover:bg-hover">
        <Calendar size={14} strokeWidth={1.5} aria-hidden className="text-t2" />
        {name}
        <ChevronDown size={12} strokeWidth={1.5} aria-hidden className="text-t3" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={4} className="z-20">
          <Menu.Popup className="min-w-40 rounded-card border border-line bg-surface p-1 shadow-overlay outline-none">
            {all.map((range) => (
              <Menu.Item key={range.name} onClick={() => onQuery(withRange(query, range))} className={item}>
                <span className="flex-1">{t(`timeline.range.${range.name}`)}</span>
                {known === range.name ? <Check size={14} strokeWidth={1.5} aria-hidden className="text-accent" /> : null}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
