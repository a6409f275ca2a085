// Small marks beside a name: layer, count, agent tile. Neutral unless they carry a decision.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { LayerDto } from "../engine/bindings/LayerDto";

const TONES = { neutral: "bg-fill text-t2", allow: "bg-allow-tint text-allow", ask: "bg-ask-tint text-ask", deny: "bg-deny-tint text-deny", info: "bg-info-tint text-info", budget: "bg-budget-tint text-budget" };

export function Badge({ tone = "neutral", children }: { tone?: keyof typeof TONES; children: ReactNode }) {
  return <span className={`inline-flex h-4.5 flex-none items-center gap-1 rounded-badge px-1.5 text-badge font-medium whitespace-nowrap ${TONES[tone]}`}>{children}</span>;
}

export function LayerBadge({ layer }: { layer: LayerDto }) {
  const { t } = useTranslation();
  return <Badge>{t(`layer.${layer}`)}</Badge>;
}

/** Two letters of the agent's name; never coloured per agent. */
export function AgentTile({ name, size = 16 }: { name: string; size?: 14 | 16 | 28 }) {
  const words = name.replace(/[^\p{L}\p{N} ]/gu, " ").split(/\s+/).filter(Boolean);
  const first = words[0] ?? "?";
  const letters = (first[0] ?? "?").toUpperCase() + (first[1] ?? "");
  const measure = size === 28 ? "size-7 rounded-badge text-caption" : size === 16 ? "size-4 rounded-badge text-[9px]/none" : "size-3.5 rounded-mark text-[8px]/none";
  return (
    <span aria-hidden="true" className={`inline-grid flex-none place-items-center bg-t2 font-semibold tracking-[-0.02em] text-surface ${measure}`}>
      {letters}
    </span>
  );
}
