// One action in full, part by part.
import { Menu } from "@base-ui/react/menu";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronDown, Ellipsis, Link as LinkIcon, Scale, ShieldAlert, ShieldCheck, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { EngineFailure } from "../../../components/empty";
import { Glyph } from "../../../components/glyph";
import { along } from "../../../components/keys";
import { useToast } from "../../../components/toasts";
import type { OperationDetailDto } from "../../../engine/bindings/OperationDetailDto";
import type { EngineError } from "../../../engine/client";
import { useCall } from "../../../engine/query";
import { curlOf, linkOf, queryOf, STATE_LOOKS } from "../model";
import { useOperation } from "../queries";
import { NoteDialog, PinButton, usePin } from "./note";
import { CostPart, DecisionPart, RequestPart, SummaryPart } from "./pane-parts";
import { ChainPart, RawPart, ResponsePart } from "./pane-proof";

const PARTS = { summary: SummaryPart, request: RequestPart, response: ResponsePart, decision: DecisionPart, cost: CostPart, chain: ChainPart, raw: RawPart };
type PartName = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as PartName[];
/** Tabs that fit beside each other in the pane; the others are behind a menu. */
const FIT = 4;

type PaneProps = {
  id: string;
  tab: string | null;
  onTab: (tab: string) => void;
  onClose: () => void;
};

export function Pane({ id, tab, onTab, onClose }: PaneProps) {
  const { t } = useTranslation();
  const { data, error } = useOperation(id);
  const { part, step } = useParts(tab, onTab);
  const navigate = useNavigate();
  return (
    <aside
      id="detail"
      tabIndex={-1}
      aria-label={t("pane.label")}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        else if (event.key === "]") step(1);
        else if (event.key === "[") step(-1);
        else if (event.key === "Enter" && event.target === event.currentTarget) void navigate({ to: "/record/$record", params: { record: id }, search: tab === null ? {} : { tab } });
      }}
      className="col-start-2 row-span-2 row-start-2 flex min-h-0 min-w-0 flex-col border-s border-line bg-surface -outline-offset-2"
    >
      <header className="flex h-10 flex-none items-center gap-2 border-b border-line ps-4 pe-2">
        <StateTitle detail={data} numbered />
        <span className="flex-1" />
        <CopyLink id={id} />
        {data ? <PinButton row={data.row} /> : null}
        {data ? <DetailMenu detail={data} page={false} /> : null}
        <Button kind="icon" aria-label={t("common.close")} title={t("common.close")} onClick={onClose}>
          <X size={14} strokeWidth={1.5} aria-hidden />
        </Button>
      </header>
      <Tabs part={part} fit={FIT} onTab={onTab} step={step} />
      <PartBody part={part} detail={data} error={error} />
      {data ? <PaneFoot detail={data} /> : null}
    </aside>
  );
}

export function useParts(tab: string | null, onTab: (tab: string) => void) {
  const part = NAMES.find((one) => one === tab) ?? "summary";
  const step = (by: number) => onTab(NAMES[(NAMES.indexOf(part) + by + NAMES.length) % NAMES.length] ?? "summary");
  return { part, step };
}

export function PartBody({ part, detail, error }: { part: PartName; detail: OperationDetailDto | undefined; error: EngineError | null }) {
  const { t } = useTranslation();
  return (
    <div id="detail-part" role="tabpanel" aria-labelledby={`tab-${part}`} tabIndex={0} className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto px-4 py-3 -outline-offset-2">
      <h2 className="sr-only">{t(`pane.${part}`)}</h2>
      <div>
        {error ? <EngineFailure error={error} /> : null}
        {detail ? <Shown part={part} detail={detail} /> : null}
      </div>
    </div>
  );
}

/** `fit`: how many stand beside each other; the chosen one is always among them. */
export function Tabs({ part, fit, onTab, step }: { part: PartName; fit: number; onTab: (tab: string) => void; step: (by: number) => void }) {
  const { t } = useTranslation();
  const first = NAMES.slice(0, fit);
  const shown = first.includes(part) ? first : [...first.slice(0, -1), part];
  const rest = NAMES.filter((one) => !shown.includes(one));
  return (
    <div className="flex h-9 flex-none items-stretch border-b border-line ps-4 pe-2">
      <div role="tablist" aria-label={t("pane.tabs")} className="chrome -mb-px flex min-w-0 flex-1 items-stretch gap-3.5 overflow-hidden">
        {shown.map((one) => (
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
              const by = along(event);
              if (by === 0) return;
              step(by);
              requestAnimationFrame(() => document.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus());
            }}
            className={`border-b-2 pt-0.5 font-medium -outline-offset-2 ${one === part ? "border-t1 text-t1" : "border-transparent text-t2"}`}
          >
            {t(`pane.${one}`)}
          </button>
        ))}
      </div>
      {rest.length === 0 ? null : (
        <Menu.Root>
          <Menu.Trigger aria-label={t("pane.moreTabs")} className="grid w-7 place-items-center text-t2 -outline-offset-2">
            <ChevronDown size={14} strokeWidth={1.5} aria-hidden />
          </Menu.Trigger>
          <MenuPopup>
            {rest.map((one) => (
              <Menu.Item key={one} className={ITEM} onClick={() => onTab(one)}>
                {t(`pane.${one}`)}
              </Menu.Item>
            ))}
          </MenuPopup>
        </Menu.Root>
      )}
    </div>
  );
}

function Shown({ part, detail }: { part: PartName; detail: OperationDetailDto }) {
  const Component = PARTS[part];
  return <Component detail={detail} />;
}

/** `numbered`: with the number of its record, where no heading says it. */
export function StateTitle({ detail, numbered = false }: { detail: OperationDetailDto | undefined; numbered?: boolean }) {
  const { t } = useTranslation();
  if (!detail) return null;
  const { shape, colour } = STATE_LOOKS[detail.row.state];
  return (
    <>
      <span className={`inline-flex items-center gap-2 font-semibold ${colour}`}>
        <Glyph shape={shape} />
        {t(`state.${detail.row.state}`)}
      </span>
      {numbered ? <code className="mono text-caption text-t3">{t("pane.record", { seq: detail.row.record.toLocaleString("en-US") })}</code> : null}
    </>
  );
}

export function CopyLink({ id }: { id: string }) {
  const { t } = useTranslation();
  const toast = useToast();
  const copy = () => void navigator.clipboard?.writeText(linkOf(id)).then(() => toast("done", t("actions.linkCopied")));
  return (
    <Button kind="icon" aria-label={t("actions.copyLink")} title={t("actions.copyLink")} onClick={copy}>
      <LinkIcon size={14} strokeWidth={1.5} aria-hidden />
    </Button>
  );
}

/** `page`: the detail is the page already. */
export function DetailMenu({ detail, page }: { detail: OperationDetailDto; page: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { row } = detail;
  const curl = curlOf(detail.subject);
  const pin = usePin();
  const [noting, setNoting] = useState(false);
  const copy = (text: string) => () => void navigator.clipboard?.writeText(text);
  return (
    <>
    <Menu.Root>
      <Menu.Trigger aria-label={t("actions.more")} title={t("actions.more")} className="grid size-7 place-items-center rounded-control text-t2 hover:bg-hover">
        <Ellipsis size={14} strokeWidth={1.5} aria-hidden />
      </Menu.Trigger>
      <MenuPopup>
        {page ? null : (
          <Menu.Item className={ITEM} onClick={() => void navigate({ to: "/record/$record", params: { record: row.id } })}>
            {t("actions.page")}
          </Menu.Item>
        )}
        <Menu.Item className={ITEM} onClick={() => void navigate({ to: "/timeline", search: { view: "flow", session: row.session, op: row.id } })}>
          {t("actions.session")}
        </Menu.Item>
        <Menu.Item className={ITEM} onClick={() => pin(row)}>
          {t(row.pinned ? "actions.unpin" : "actions.pin")}
        </Menu.Item>
        <Menu.Item className={ITEM} onClick={() => setNoting(true)}>
          {t(row.note === undefined ? "actions.note" : "actions.noteEdit")}
        </Menu.Item>
        <Menu.Item className={ITEM} onClick={() => void navigate({ to: "/policies/new", search: { from: row.id } })}>
          {t("actions.rule")}
        </Menu.Item>
        <Menu.Item className={ITEM} onClick={copy(row.id)}>
          {t("pane.copyId")}
        </Menu.Item>
        <Menu.Item className={ITEM} onClick={copy(queryOf(row))}>
          {t("actions.copyQuery")}
        </Menu.Item>
        {curl === null ? null : (
          <Menu.Item className={ITEM} onClick={copy(curl)}>
            {t("actions.copyCurl")}
          </Menu.Item>
        )}
      </MenuPopup>
    </Menu.Root>
    {noting ? <NoteDialog row={row} onClose={() => setNoting(false)} /> : null}
    </>
  );
}

function MenuPopup({ children }: { children: ReactNode }) {
  return (
    <Menu.Portal>
      <Menu.Positioner align="end" sideOffset={2} className="z-20">
        <Menu.Popup className="min-w-44 rounded-card border border-line bg-surface p-1 shadow-overlay outline-none">{children}</Menu.Popup>
      </Menu.Positioner>
    </Menu.Portal>
  );
}

const ITEM = "chrome flex h-7 items-center rounded-control px-2 outline-none data-highlighted:bg-selected";

export function PaneFoot({ detail }: { detail: OperationDetailDto }) {
  const { t } = useTranslation();
  const { data } = useCall({ call: "status.get" });
  const { row } = detail;
  return (
    <footer data-actions className="flex h-11 flex-none items-center gap-2 border-t border-line ps-4 pe-3 text-caption">
      {data?.chain.ok ? (
        <span className="inline-flex min-w-0 items-center gap-1.5 font-medium text-allow" title={t("pane.verified")}>
          <ShieldCheck size={14} strokeWidth={1.5} aria-hidden className="flex-none" />
          <span className="truncate">{t("pane.verified")}</span>
        </span>
      ) : null}
      {data && !data.chain.ok ? (
        <Link to="/record/$record" params={{ record: String(data.chain.brokenAt ?? data.chain.head) }} className="inline-flex min-w-0 items-center gap-1.5 font-medium text-deny">
          <ShieldAlert size={14} strokeWidth={1.5} aria-hidden className="flex-none" />
          <span className="truncate" title={t("pane.broken", { at: data.chain.brokenAt ?? data.chain.head })}>{t("pane.broken", { at: data.chain.brokenAt ?? data.chain.head })}</span>
        </Link>
      ) : null}
      <span className="flex-1" />
      <Link to="/policies/new" search={{ from: row.id }} className="chrome inline-flex h-7 flex-none items-center gap-1.5 rounded-control border border-line-button px-2.5 text-body font-medium whitespace-nowrap hover:bg-hover">
        <Scale size={14} strokeWidth={1.5} aria-hidden />
        {t("pane.makeRule")}
      </Link>
      {row.approval === null ? null : (
        <Link to="/inbox/$approval" params={{ approval: row.approval }} className="chrome inline-flex h-7 flex-none items-center rounded-control border border-line-button px-2.5 text-body font-medium whitespace-nowrap hover:bg-hover">
          {t("pane.open")}
        </Link>
      )}
    </footer>
  );
}
