// What can be done with a row: by the second button of the mouse, the menu key, or `.`.
import { ContextMenu } from "@base-ui/react/context-menu";
import { useNavigate } from "@tanstack/react-router";
import { type MouseEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Untrusted } from "../../../components/untrusted";
import type { OperationRowDto } from "../../../engine/bindings/OperationRowDto";
import { exclude, only } from "../../../lib/filter/tokens";
import { linkOf, queryOf } from "../model";
import { NoteDialog, usePin } from "./note";

const ITEM = "chrome flex h-7 items-center gap-3 rounded-control px-2 outline-none data-highlighted:bg-selected";

type RowMenuProps = { rows: readonly OperationRowDto[]; onOpen: (id: string) => void; onQuery: (edit: (query: string) => string) => void; children: ReactNode };

export function RowMenu({ rows, onOpen, onQuery, children }: RowMenuProps) {
  const [at, setAt] = useState<string | null>(null);
  const [noting, setNoting] = useState<OperationRowDto | null>(null);
  const row = at === null ? undefined : rows.find((one) => one.id === at);
  const onContextMenu = (event: MouseEvent) => {
    const id = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-row]")?.dataset["row"] : undefined;
    setAt(id ?? null);
    if (id === undefined) event.preventDefault();
    else onOpen(id);
  };
  return (
    <>
    <ContextMenu.Root>
      <ContextMenu.Trigger onContextMenu={onContextMenu} className="flex min-h-0 flex-1 flex-col">
        {children}
      </ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Positioner className="z-20">
          <ContextMenu.Popup className="max-w-96 min-w-56 rounded-card border border-line bg-surface p-1 shadow-overlay outline-none">
            {row ? <Items row={row} onQuery={onQuery} onNote={() => setNoting(row)} /> : null}
          </ContextMenu.Popup>
        </ContextMenu.Positioner>
      </ContextMenu.Portal>
    </ContextMenu.Root>
    {noting === null ? null : <NoteDialog row={noting} onClose={() => setNoting(null)} />}
    </>
  );
}

function Items({ row, onQuery, onNote }: { row: OperationRowDto; onQuery: RowMenuProps["onQuery"]; onNote: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const pin = usePin();
  const copy = (text: string) => () => void navigator.clipboard?.writeText(text);
  const named = [
    ["agent", row.agent, row.agentName],
    ["host", row.host, row.host],
    ["rule", row.rule, row.rule],
    ["model", row.model, row.model],
  ].filter((one): one is [string, string, string] => one[1] !== null && one[2] !== null);
  return (
    <>
      <ContextMenu.Item className={ITEM} onClick={() => void navigate({ to: "/record/$record", params: { record: row.id } })}>
        {t("actions.page")}
      </ContextMenu.Item>
      <ContextMenu.Item className={ITEM} onClick={() => void navigate({ to: "/timeline", search: { view: "flow", session: row.session, op: row.id } })}>
        {t("actions.session")}
      </ContextMenu.Item>
      <ContextMenu.Item className={ITEM} onClick={() => pin(row)}>
        {t(row.pinned ? "actions.unpin" : "actions.pin")}
      </ContextMenu.Item>
      <ContextMenu.Item className={ITEM} onClick={onNote}>
        {t(row.note === undefined ? "actions.note" : "actions.noteEdit")}
      </ContextMenu.Item>
      <ContextMenu.Item className={ITEM} onClick={() => void navigate({ to: "/policies/new", search: { from: row.id } })}>
        {t("actions.rule")}
      </ContextMenu.Item>
      {row.approval === null ? null : (
        <ContextMenu.Item className={ITEM} onClick={() => void navigate({ to: "/inbox/$approval", params: { approval: row.approval ?? "" } })}>
          {t("pane.open")}
        </ContextMenu.Item>
      )}
      <Line />
      <ContextMenu.Item className={ITEM} onClick={copy(linkOf(row.id))}>
        {t("actions.copyLink")}
      </ContextMenu.Item>
      <ContextMenu.Item className={ITEM} onClick={copy(queryOf(row))}>
        {t("actions.copyQuery")}
      </ContextMenu.Item>
      <ContextMenu.Item className={ITEM} onClick={copy(row.summary)}>
        {t("actions.copySummary")}
      </ContextMenu.Item>
      <Line />
      {named.map(([key, value, shown]) => (
        <ContextMenu.Item key={key} className={ITEM} onClick={() => onQuery((query) => only(query, key, value))}>
          {t("actions.only")}
          <Named text={shown} />
        </ContextMenu.Item>
      ))}
      <ContextMenu.Item className={ITEM} onClick={() => onQuery((query) => only(query, "session", row.session))}>
        {t("actions.onlySession")}
      </ContextMenu.Item>
      <Line />
      {named.slice(0, 2).map(([key, value, shown]) => (
        <ContextMenu.Item key={key} className={ITEM} onClick={() => onQuery((query) => exclude(query, key, value))}>
          {t("actions.without")}
          <Named text={shown} />
        </ContextMenu.Item>
      ))}
    </>
  );
}

function Line() {
  return <ContextMenu.Separator className="mx-2 my-1 h-px bg-line" />;
}

function Named({ text }: { text: string }) {
  return (
    <span className="mono min-w-0 truncate text-caption text-t2">
      <Untrusted text={text} max={36} />
    </span>
  );
}
