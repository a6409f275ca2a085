// Counts for the present query; a click writes the query, the text stays the truth.
import { Popover } from "@base-ui/react/popover";
import { ChevronDown, ChevronRight, Filter, Globe, type LucideIcon, Plug, Sparkles, Terminal } from "lucide-react";
import { memo, type MouseEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../../components/badge";
import { Glyph } from "../../../components/glyph";
import { RiskMark } from "../../../components/risk";
import { Untrusted } from "../../../components/untrusted";
import type { FacetGroupDto } from "../../../engine/bindings/FacetGroupDto";
import type { RiskDto } from "../../../engine/bindings/RiskDto";
import { useCall } from "../../../engine/query";
import { add, chosen, exclude, only } from "../../../lib/filter/tokens";
import { STATE_LOOKS, stateOf } from "../model";
import { SavedViews } from "./views";

const GROUPS = ["decision", "agent", "kind", "rule", "host", "credential", "risk", "model", "end", "loop", "session", "status"] as const;
type Group = (typeof GROUPS)[number];

const OPEN_AT_FIRST: readonly string[] = ["decision", "agent", "kind", "rule"];
const SHOWN = 8;

const KINDS: Record<string, LucideIcon> = { llm: Sparkles, http: Globe, mcp: Plug, shell: Terminal };

/** Drawn anew for another query or other counts only, not for what is opened beside it. */
export const Facets = memo(function Facets({ groups, query, onQuery }: { groups: readonly FacetGroupDto[]; query: string; onQuery: (query: string) => void }) {
  const { t } = useTranslation();
  return (
    <aside aria-label={t("timeline.facets")} title={t("timeline.facetHelp")} className="min-h-0 overflow-x-hidden overflow-y-auto py-1">
      <SavedViews query={query} onQuery={onQuery} />
      {GROUPS.map((key) => {
        const group = groups.find((one) => one.key === key);
        return group && group.values.length > 0 ? <FacetGroup key={key} name={key} group={group} query={query} onQuery={onQuery} /> : null;
      })}
    </aside>
  );
});

/** In a narrow window they are behind a button. */
export function FacetsPopover(props: { groups: readonly FacetGroupDto[]; query: string; onQuery: (query: string) => void }) {
  const { t } = useTranslation();
  return (
    <Popover.Root>
      <Popover.Trigger className="chrome inline-flex h-7 flex-none items-center gap-1.5 rounded-control border border-line-button bg-surface px-2.5 font-medium whitespace-nowrap hover:bg-hover wide:hidden">
        <Filter size={14} strokeWidth={1.5} aria-hidden />
        {t("timeline.facets")}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner align="end" sideOffset={4} className="z-20">
          <Popover.Popup aria-label={t("timeline.facets")} className="grid max-h-[70vh] w-60 rounded-card border border-line bg-surface shadow-overlay outline-none">
            <Facets {...props} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function FacetGroup({ name, group, query, onQuery }: { name: Group; group: FacetGroupDto; query: string; onQuery: (query: string) => void }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(OPEN_AT_FIRST.includes(name));
  const Icon = open ? ChevronDown : ChevronRight;
  const { data: agents } = useCall({ call: "agents.list" });
  // The query is written with ids; people know agents by name.
  const nameOf = (value: string) => (name === "agent" ? (agents?.find((one) => one.id === value)?.name ?? value) : value);
  const click = (value: string) => (event: MouseEvent) => onQuery(event.altKey ? exclude(query, name, value) : event.shiftKey ? add(query, name, value) : only(query, name, value));
  return (
    <div className="chrome px-2 pt-1 pb-1.5">
      <h2>
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="flex h-6 w-full items-center gap-1 rounded-badge px-1.5 text-caption font-semibold text-t2 hover:bg-hover">
          <Icon size={12} strokeWidth={1.5} aria-hidden className="text-t3" />
          {t(`timeline.group.${name}`)}
        </button>
      </h2>
      {open ? (
        <ul>
          {group.values.slice(0, SHOWN).map(({ value, count }) => (
            <li key={value}>
              <button
                type="button"
                aria-pressed={chosen(query, name, value)}
                onClick={click(value)}
                className={`grid h-6 w-full items-center gap-x-1.5 rounded-badge px-2 text-start text-caption hover:bg-hover aria-pressed:bg-selected ${hasMark(name) ? "grid-cols-[14px_minmax(0,1fr)_auto]" : "grid-cols-[minmax(0,1fr)_auto]"}`}
              >
                <Mark group={name} value={nameOf(value)} />
                <span className={`truncate ${hasMark(name) ? "" : "mono"}`}>
                  <FacetLabel group={name} value={nameOf(value)} />
                </span>
                <span className="text-t3">{count.toLocaleString("en-US")}</span>
              </button>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

function hasMark(group: Group): boolean {
  return group === "decision" || group === "agent" || group === "kind" || group === "risk";
}

function FacetLabel({ group, value }: { group: Group; value: string }) {
  const { t } = useTranslation();
  const state = group === "decision" ? stateOf(value) : null;
  return state ? <span title={t(`state.low.${state}`)}>{t(`state.low.${state}`)}</span> : <Untrusted text={value} max={40} />;
}

function Mark({ group, value }: { group: Group; value: string }) {
  if (group === "agent") return <AgentTile name={value} size={14} />;
  if (group === "risk" && /^(low|medium|high|critical)$/.test(value)) return <RiskMark risk={value as RiskDto} />;
  if (group === "kind") {
    const Icon = KINDS[value] ?? Globe;
    return <Icon size={12} strokeWidth={1.5} aria-hidden />;
  }
  const state = group === "decision" ? stateOf(value) : null;
  if (state === null) return group === "decision" || group === "risk" ? <span /> : null;
  return (
    <span className={STATE_LOOKS[state].colour}>
      <Glyph shape={STATE_LOOKS[state].shape} size={12} />
    </span>
  );
}
