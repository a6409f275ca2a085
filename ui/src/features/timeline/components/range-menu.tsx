// The time range as words: the last hour, day, week; what it writes is the query.
import { Menu } from "@base-ui/react/menu";
import { Check, ChevronDown } from "lucide-react";
import { useTranslation } from "react-i18next";
import { terms, withKey } from "../../../lib/filter/tokens";

const RANGES = [
  { name: "quarter", since: "15m" },
  { name: "hour", since: "1h" },
  { name: "day", since: "24h" },
  { name: "week", since: "7d" },
  { name: "month", since: "30d" },
  { name: "all", since: null },
] as const;

export function RangeMenu({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const { t } = useTranslation();
  const all = terms(query);
  const since = all.find((one) => one.key === "since")?.value ?? null;
  const before = all.find((one) => one.key === "before")?.value ?? null;
  const known = before === null ? RANGES.find((one) => one.since === since)?.name : undefined;
  const name = t(`timeline.range.${known ?? "chosen"}`);
  const choose = (range: string | null) => onQuery(withKey(withKey(query, "before", null), "since", range));
  const item = "chrome flex h-7 items-center gap-2 rounded-control px-2 outline-none data-highlighted:bg-selected";
  return (
    <Menu.Root>
      <Menu.Trigger aria-label={t("timeline.range.label", { name })} className="chrome inline-flex h-7 flex-none items-center gap-1.5 rounded-control border border-line-button bg-surface px-2.5 font-medium whitespace-nowrap hover:bg-hover">
        {name}
        <ChevronDown size={12} strokeWidth={1.5} aria-hidden className="text-t3" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={4} className="z-20">
          <Menu.Popup className="min-w-40 rounded-card border border-line bg-surface p-1 shadow-overlay outline-none">
            {RANGES.map((range) => (
              <Menu.Item key={range.name} onClick={() => choose(range.since)} className={item}>
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
