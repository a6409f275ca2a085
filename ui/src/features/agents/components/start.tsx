// Starting a known tool governed: the folder to work in, and a terminal that opens with it.
import { SquareTerminal } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { CommandLine } from "../../../components/empty";
import { DialogForm, FIELD, Labelled } from "../../../components/form";
import { Modal } from "../../../components/modal";
import { useToast } from "../../../components/toasts";
import type { ToolDto } from "../../../engine/bindings/ToolDto";
import { plain } from "../../../lib/text";
import { useSessions, useStart } from "../queries";

export function StartButton({ tool }: { tool: ToolDto }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <SquareTerminal size={14} strokeWidth={1.5} aria-hidden />
        {t("agents.start")}
      </Button>
      <Modal title={t("agents.startTitle", { tool: tool.name })} open={open} onOpen={setOpen}>
        <StartForm tool={tool} onDone={() => setOpen(false)} />
      </Modal>
    </>
  );
}

function StartForm({ tool, onDone }: { tool: ToolDto; onDone: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const start = useStart();
  // Where it worked last is where it most likely works next.
  const { data: sessions } = useSessions(tool.key);
  const folders = [...new Set(sessions?.rows.map((one) => one.session.cwd) ?? [])].slice(0, 8);
  const [folder, setFolder] = useState<string | null>(null);
  const shown = folder ?? folders[0] ?? "";
  return (
    <DialogForm
      submit={t("agents.startNow")}
      inert={start.isPending || shown.trim() === ""}
      error={start.error}
      onCancel={onDone}
      onSubmit={(read) => start.mutate({ tool: tool.key, folder: read("folder") }, { onSuccess: ({ terminal }) => (toast("done", t("agents.started", { tool: tool.name, terminal: plain(terminal) })), onDone()) })}
    >
      <p className="text-t2">{t("agents.startMore")}</p>
      <Labelled label={t("agents.folder")} more={t("agents.folderMore")}>
        <input name="folder" value={shown} list="start-folders" spellCheck={false} autoComplete="off" onChange={(event) => setFolder(event.target.value)} className={`${FIELD} mono text-caption`} />
      </Labelled>
      <datalist id="start-folders">
        {folders.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-caption text-t2">
        {t("agents.startSame")} <CommandLine command={tool.command} />
      </div>
    </DialogForm>
  );
}
