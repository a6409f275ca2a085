// Saved views: queries with a name, in a file of the profile. They are shared as text.
import { Menu } from "@base-ui/react/menu";
import { Bookmark, Ellipsis } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { DialogForm, FIELD, Labelled, type Read } from "../../../components/form";
import { Modal } from "../../../components/modal";
import { Prose } from "../../../components/prose";
import { useToast } from "../../../components/toasts";
import { Untrusted } from "../../../components/untrusted";
import type { ViewDto } from "../../../engine/bindings/ViewDto";
import { plain } from "../../../lib/text";
import { useChangeViews, useViews } from "../queries";

const LONGEST_NAME = 60;
const ITEM = "chrome flex h-7 items-center rounded-control px-2 outline-none data-highlighted:bg-selected";

/** Gives the present query a name. */
export function SaveView({ query }: { query: string }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button inert={query === ""} onClick={() => setOpen(true)} title={query === "" ? t("views.nothing") : undefined}>
        <Bookmark size={14} strokeWidth={1.5} aria-hidden />
        {t("views.save")}
      </Button>
      {open ? <SaveDialog query={query} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function SaveDialog({ query, onClose }: { query: string; onClose: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const { data } = useViews();
  const change = useChangeViews();
  const [name, setName] = useState("");
  const replaces = data?.views.some((one) => one.name === name.trim());
  const inert = name.trim() === "" || change.isPending;
  const save = (read: Read) => {
    const view = { name: read("name"), query };
    change.mutate(
      { save: view },
      {
        onSuccess: () => {
          toast("done", t("views.saved", { name: plain(view.name) }));
          onClose();
        },
      },
    );
  };
  return (
    <Modal title={t("views.title")} open onOpen={(open) => (open ? undefined : onClose())}>
      <DialogForm submit={t("views.write")} inert={inert} error={change.error} onSubmit={save} onCancel={onClose}>
        <code className="mono rounded-control bg-inset px-3 py-2 text-caption break-all">
          <Untrusted text={query} max={400} />
        </code>
        <Labelled label={t("views.name")} more={replaces ? t("views.replaces") : data ? <Prose text={t("views.file", { path: `\`${data.file}\`` })} /> : null}>
          <input name="name" value={name} maxLength={LONGEST_NAME} autoComplete="off" onChange={(event) => setName(event.target.value)} className={FIELD} />
        </Labelled>
      </DialogForm>
    </Modal>
  );
}

/** The views above the facets; a click makes one the query. */
export function SavedViews({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const { t } = useTranslation();
  const { data, error } = useViews();
  if (error) {
    return (
      <p role="alert" className="px-4 py-2 text-caption text-deny">
        <Prose text={`${error.message}.`} />
      </p>
    );
  }
  if (!data || data.views.length === 0) return null;
  return (
    <div className="chrome px-2 pt-1 pb-1.5">
      <h2 className="flex h-6 items-center px-2 text-caption font-semibold text-t2">{t("views.heading")}</h2>
      <ul>
        {data.views.map((view) => (
          <li key={view.name} className="group relative">
            <button
              type="button"
              aria-pressed={view.query === query}
              title={plain(view.query)}
              onClick={() => onQuery(view.query)}
              className="grid h-6 w-full grid-cols-[14px_minmax(0,1fr)] items-center gap-x-1.5 rounded-badge ps-2 pe-7 text-start text-caption hover:bg-hover aria-pressed:bg-selected"
            >
              <Bookmark size={12} strokeWidth={1.5} aria-hidden className="text-t3" />
              <span className="truncate">
                <Untrusted text={view.name} />
              </span>
            </button>
            <ViewMenu view={view} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function ViewMenu({ view }: { view: ViewDto }) {
  const { t } = useTranslation();
  const toast = useToast();
  const change = useChangeViews();
  const remove = () =>
    change.mutate({ remove: view.name }, { onSuccess: () => toast("done", t("views.removed", { name: plain(view.name) })), onError: (error) => toast("failed", plain(error.message)) });
  return (
    <Menu.Root>
      <Menu.Trigger
        aria-label={t("views.more", { name: plain(view.name) })}
        className="absolute top-0 inset-e-0 grid size-6 place-items-center rounded-badge text-t2 opacity-0 group-hover:opacity-100 hover:bg-hover focus-visible:opacity-100 data-popup-open:opacity-100"
      >
        <Ellipsis size={14} strokeWidth={1.5} aria-hidden />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner align="start" sideOffset={2} className="z-20">
          <Menu.Popup className="min-w-40 rounded-card border border-line bg-surface p-1 shadow-overlay outline-none">
            <Menu.Item className={ITEM} onClick={() => void navigator.clipboard?.writeText(view.query)}>
              {t("views.copy")}
            </Menu.Item>
            <Menu.Item className={`${ITEM} text-deny`} onClick={remove}>
              {t("views.remove")}
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
