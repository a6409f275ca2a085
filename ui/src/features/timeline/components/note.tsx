// What a person marks an action with for themselves: a pin, and a note that the query finds again.
import { Pin, PinOff, StickyNote } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { DialogForm, Labelled } from "../../../components/form";
import { Modal } from "../../../components/modal";
import { useToast } from "../../../components/toasts";
import { UntrustedBlock } from "../../../components/untrusted";
import type { OperationRowDto } from "../../../engine/bindings/OperationRowDto";
import { useAnnotate } from "../queries";

/** As the engine keeps it. */
const LONGEST = 2_000;

/** Pins or unpins, and says when that did not work. */
export function usePin(): (row: OperationRowDto) => void {
  const { t } = useTranslation();
  const toast = useToast();
  const annotate = useAnnotate();
  return (row) => annotate.mutate({ row, pinned: !row.pinned }, { onError: (error) => toast("failed", t("common.failed", { message: error.message })) });
}

export function PinButton({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
  const pin = usePin();
  const label = t(row.pinned ? "actions.unpin" : "actions.pin");
  const Icon = row.pinned ? PinOff : Pin;
  return (
    <Button kind="icon" aria-label={label} title={label} onClick={() => pin(row)}>
      <Icon size={14} strokeWidth={1.5} aria-hidden />
    </Button>
  );
}

export function NoteDialog({ row, onClose }: { row: OperationRowDto; onClose: () => void }) {
  const { t } = useTranslation();
  const annotate = useAnnotate();
  const [text, setText] = useState(row.note ?? "");
  const write = (note: string | null) => annotate.mutate({ row, note }, { onSuccess: onClose });
  const remove = (
    <Button large kind="danger" onClick={() => write(null)}>
      {t("note.remove")}
    </Button>
  );
  return (
    <Modal title={t(row.note === undefined ? "note.add" : "note.edit")} open onOpen={(open) => (open ? undefined : onClose())}>
      <DialogForm submit={t("note.write")} inert={annotate.isPending || text.trim() === ""} error={annotate.error} onCancel={onClose} onSubmit={() => write(text.trim())} other={row.note === undefined ? undefined : remove}>
        <Labelled label={t("note.label")} more={t("note.more")}>
          <textarea value={text} rows={4} maxLength={LONGEST} onChange={(event) => setText(event.target.value)} className="w-full rounded-control border border-line-control bg-surface px-2 py-1.5 font-normal" />
        </Labelled>
      </DialogForm>
    </Modal>
  );
}

/** The note with its way to another one. */
export function Note({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
  const [editing, setEditing] = useState(false);
  if (row.note === undefined) return null;
  return (
    <section aria-label={t("note.label")} className="mb-3 flex items-start gap-2 rounded-control border border-line px-2.5 py-2">
      <StickyNote size={14} strokeWidth={1.5} aria-hidden className="mt-0.75 flex-none text-t3" />
      <div className="min-w-0 flex-1">
        <UntrustedBlock text={row.note} />
      </div>
      <Button kind="ghost" className="-my-1" onClick={() => setEditing(true)}>
        {t("note.change")}
      </Button>
      {editing ? <NoteDialog row={row} onClose={() => setEditing(false)} /> : null}
    </section>
  );
}

/** What a row shows of both. */
export function Marks({ row }: { row: OperationRowDto }) {
  const { t } = useTranslation();
  const icon = { size: 12, strokeWidth: 1.5, role: "img", className: "ms-1.5 inline-block align-[-1px] text-t2" } as const;
  return (
    <>
      {row.pinned ? <Pin {...icon} aria-label={t("note.pinned")} /> : null}
      {row.note === undefined ? null : <StickyNote {...icon} aria-label={t("note.has")} />}
    </>
  );
}
