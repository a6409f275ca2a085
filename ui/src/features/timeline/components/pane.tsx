// One action in full, part by part.
import { Link } from "@tanstack/react-router";
import { Copy, ShieldAlert, ShieldCheck, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { EngineFailure } from "../../../components/empty";
import { Glyph } from "../../../components/glyph";
import type { OperationDetailDto } from "../../../engine/bindings/OperationDetailDto";
import { useCall } from "../../../engine/query";
import { STATE_LOOKS } from "../model";
import { useOperation } from "../queries";
import { ChainPart, CostPart, DecisionPart, RawPart, RequestPart, SummaryPart } from "./pane-parts";

const PARTS = { summary: SummaryPart, request: RequestPart, decision: DecisionPart, cost: CostPart, chain: ChainPart, raw: RawPart };
type Part = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as Part[];

export function Pane({ id, tab, onTab, onClose }: { id: string; tab: string | null; onTab: (tab: string) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const { data, error } = useOperation(id);
  const part = NAMES.find((one) => one === tab) ?? "summary";
  const step = (by: number) => onTab(NAMES[(NAMES.indexOf(part) + by + NAMES.length) % NAMES.length] ?? "summary");
  return (
    <aside
      id="detail"
      tabIndex={-1}
      aria-label={t("pane.label")}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        else if (event.key === "]") step(1);
        else if (event.key === "[") step(-1);
      }}
      className="col-start-2 row-span-2 row-start-2 flex min-h-0 min-w-0 flex-col border-l border-line bg-surface -outline-offset-2"
    >
      <PaneHead detail={data} id={id} onClose={onClose} />
      <div role="tablist" aria-label={t("pane.tabs")} className="chrome flex h-9 flex-none items-stretch gap-2.5 overflow-hidden border-b border-line px-4">
        {NAMES.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            id={`tab-${one}`}
            aria-selected={one === part}
            aria-controls="detail-part"
            tabIndex={one === part ? 0 : -1}
            onClick={() => onTab(one)}
            onKeyDown={(event) => {
              if (event.key === "ArrowRight") step(1);
              else if (event.key === "ArrowLeft") step(-1);
              else return;
              requestAnimationFrame(() => document.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus());
            }}
            className={`-mb-px border-b-2 pt-0.5 font-medium -outline-offset-2 ${one === part ? "border-t1 text-t1" : "border-transparent text-t2"}`}
          >
            {t(`pane.${one}`)}
          </button>
        ))}
      </div>
      <div id="detail-part" role="tabpanel" aria-labelledby={`tab-${part}`} tabIndex={0} className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto px-4 py-3 -outline-offset-2">
        {error ? <EngineFailure error={error} /> : null}
        {data ? <Shown part={part} detail={data} /> : null}
      </div>
      {data ? <PaneFoot detail={data} /> : null}
    </aside>
  );
}

function Shown({ part, detail }: { part: Part; detail: OperationDetailDto }) {
  const Component = PARTS[part];
  return <Component detail={detail} />;
}

function PaneHead({ detail, id, onClose }: { detail: OperationDetailDto | undefined; id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const looks = detail ? STATE_LOOKS[detail.row.state] : null;
  return (
    <header className="flex h-10 flex-none items-center gap-2 border-b border-line pr-2 pl-4">
      {detail && looks ? (
        <span className={`inline-flex items-center gap-2 font-semibold ${looks.colour}`}>
          <Glyph shape={looks.shape} />
          {t(`state.${detail.row.state}`)}
        </span>
      ) : null}
      {detail ? <code className="mono text-caption text-t3">{t("pane.record", { seq: detail.row.record.toLocaleString("en-US") })}</code> : null}
      <span className="flex-1" />
      <Button kind="icon" aria-label={t("pane.copyId")} title={t("pane.copyId")} onClick={() => void navigator.clipboard?.writeText(id)}>
        <Copy size={14} strokeWidth={1.5} aria-hidden />
      </Button>
      <Button kind="icon" aria-label={t("common.close")} title={t("common.close")} onClick={onClose}>
        <X size={14} strokeWidth={1.5} aria-hidden />
      </Button>
    </header>
  );
}

function PaneFoot({ detail }: { detail: OperationDetailDto }) {
  const { t } = useTranslation();
  const { data } = useCall({ call: "status.get" });
  const { row } = detail;
  return (
    <footer className="flex h-11 flex-none items-center gap-2 border-t border-line pr-3 pl-4 text-caption">
      {data?.chain.ok ? (
        <span className="inline-flex items-center gap-1.5 font-medium text-allow">
          <ShieldCheck size={14} strokeWidth={1.5} aria-hidden />
          {t("pane.verified")}
        </span>
      ) : null}
      {data && !data.chain.ok ? (
        <span className="inline-flex items-center gap-1.5 font-medium text-deny">
          <ShieldAlert size={14} strokeWidth={1.5} aria-hidden />
          {t("pane.broken", { at: data.chain.brokenAt ?? data.chain.head })}
        </span>
      ) : null}
      <span className="flex-1" />
      {row.approval === null ? null : (
        <Link to="/inbox/$approval" params={{ approval: row.approval }} className="chrome inline-flex h-7 items-center rounded-control border border-line-button px-2.5 text-body font-medium hover:bg-hover">
          {t("pane.open")}
        </Link>
      )}
    </footer>
  );
}
