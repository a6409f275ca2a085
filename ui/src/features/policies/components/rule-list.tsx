// The rules of a tab: what each does and why, how often it decided something, and who may change it.
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Search } from "lucide-react";
import { memo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Glyph, type Shape } from "../../../components/glyph";
import { Untrusted } from "../../../components/untrusted";
import type { PresetDto } from "../../../engine/bindings/PresetDto";
import type { RuleDto } from "../../../engine/bindings/RuleDto";
import { DECISION_SHAPE, DECISION_TEXT, decisionOf, keyOfRule, number, type Tab } from "../model";

type RuleListProps = {
  rules: readonly RuleDto[];
  count: number;
  tab: Tab;
  chosen: string | null;
  filter: string;
  onFilter: (filter: string) => void;
  hits: ReadonlyMap<string, number> | null;
  preset: PresetDto | null;
};

export function RuleList({ rules, count, tab, chosen, filter, onFilter, hits, preset }: RuleListProps) {
  const { t } = useTranslation();
  const area = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({ count: rules.length, getScrollElement: () => area.current, estimateSize: () => 48, overscan: 8 });
  return (
    <section aria-label={t("policies.list")} className="flex min-h-0 flex-col border-e border-line">
      <div className="flex h-7 flex-none items-center gap-2 border-b border-line ps-4 pe-4 text-caption text-t3">
        <Search size={12} strokeWidth={1.75} aria-hidden className="flex-none" />
        <input value={filter} onChange={(event) => onFilter(event.target.value)} aria-label={t("policies.filter", { count, shown: number(count) })} placeholder={t("policies.filter", { count, shown: number(count) })} spellCheck={false} className="min-w-0 flex-1 bg-transparent text-t1 -outline-offset-2 placeholder:text-t3" />
        <span className="flex-none">{t("policies.hitsIn")}</span>
      </div>
      <nav ref={area} aria-label={t("policies.list")} className="min-h-0 flex-1 overflow-y-auto">
        <ul className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const rule = rules[index];
            return rule === undefined ? null : (
              <li key={`${rule.layer} ${keyOfRule(rule)}`} aria-setsize={rules.length} aria-posinset={index + 1} className="absolute inset-x-0 top-0 h-12" style={{ transform: `translateY(${start}px)` }}>
                <Row rule={rule} tab={tab} chosen={keyOfRule(rule) === chosen} hits={hits === null ? null : (hits.get(rule.id) ?? 0)} />
              </li>
            );
          })}
        </ul>
        {rules.length === 0 ? <p className="p-4 text-t2">{t("policies.none.all")}</p> : null}
      </nav>
      <p className="flex-none border-t border-line px-4 py-2 text-caption text-t2">
        {t("policies.order")} {preset === null ? null : t(`policies.default.${preset}`)}
      </p>
    </section>
  );
}

export function RuleMark({ rule }: { rule: RuleDto }) {
  const { t } = useTranslation();
  const decision = decisionOf(rule);
  const observing = rule.mode === "observe";
  const shape: Shape = observing ? "would" : rule.kind === "standingApproval" ? "approved" : DECISION_SHAPE[decision];
  return (
    <span className={observing ? "text-info" : DECISION_TEXT[decision]}>
      <Glyph shape={shape} />
      <span className="sr-only">{t(`policies.kind.${rule.kind}`)}</span>
    </span>
  );
}

const Row = memo(function Row({ rule, tab, chosen, hits }: { rule: RuleDto; tab: Tab; chosen: boolean; hits: number | null }) {
  const { t } = useTranslation();
  return (
    <Link
      to="/policies/$rule"
      params={{ rule: keyOfRule(rule) }}
      search={tab === "all" ? {} : { tab }}
      aria-current={chosen ? "true" : undefined}
      className={`grid h-12 grid-cols-[14px_minmax(0,1fr)] content-center items-center gap-x-2.5 border-b border-line-row px-4 -outline-offset-2 ${chosen ? "bg-selected" : "hover:bg-hover"}`}
    >
      <RuleMark rule={rule} />
      <span className="flex items-baseline gap-2">
        <span className="mono min-w-0 flex-1 truncate text-[12px] font-medium">
          <Untrusted text={rule.id} max={60} />
        </span>
        <span className="flex-none text-caption text-t2 tabular-nums">{hits === null ? "" : t("policies.hits", { count: hits, shown: number(hits) })}</span>
      </span>
      <span />
      <span className="flex items-baseline gap-2">
        <span className="min-w-0 flex-1 truncate text-caption text-t2">
          <Untrusted text={rule.reason} max={120} />
        </span>
        <span className="flex-none text-caption text-t3">
          {t(`layer.${rule.layer}`)}
          {" · "}
          {rule.mode === "observe" ? <span className="text-info">{t("policies.mode.observe")}</span> : rule.expires === null ? t("policies.mode.enforce") : t("policies.until", { date: rule.expires.slice(0, 10) })}
        </span>
      </span>
    </Link>
  );
});
