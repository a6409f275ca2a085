// The palette: every command of the window by its name, a record by its id, anything else as a search. It never decides a question.
import { Dialog } from "@base-ui/react/dialog";
import { type KeyboardEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { chordKey, Keys } from "../../components/keys";

export type Command = { id: string; label: string; keys?: readonly string[]; run: () => void };

/** `dynamic` makes commands of what was typed. */
export function Palette({ commands, dynamic }: { commands: readonly Command[]; dynamic: (typed: string) => readonly Command[] }) {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      if (!chordKey(event) || event.shiftKey || event.altKey || event.code !== "KeyK") return;
      event.preventDefault();
      setOpen((was) => !was);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-20" />
        <Dialog.Popup className="fixed top-24 left-1/2 z-30 w-140 max-w-[calc(100vw-48px)] -translate-x-1/2 overflow-hidden rounded-dialog border border-line bg-surface shadow-overlay">
          <Choice commands={commands} dynamic={dynamic} onClose={() => setOpen(false)} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Choice({ commands, dynamic, onClose }: { commands: readonly Command[]; dynamic: (typed: string) => readonly Command[]; onClose: () => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const sought = typed.trim().toLowerCase();
  const shown = [...commands.filter((one) => one.label.toLowerCase().includes(sought)), ...(sought === "" ? [] : dynamic(typed.trim()))];
  const chosen = shown[at];
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && shown.length > 0) setAt((at + step + shown.length) % shown.length);
    else if (event.key === "Enter") run(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <Dialog.Title className="sr-only">{t("palette.title")}</Dialog.Title>
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={chosen ? `palette-${chosen.id}` : undefined}
        aria-label={t("palette.title")}
        placeholder={t("palette.hint")}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        className="h-11 w-full border-b border-line bg-transparent px-4 text-t1 outline-none placeholder:text-t3"
      />
      <div role="listbox" id="palette-list" aria-label={t("palette.title")} className="p-1.5">
        {shown.map((command, index) => (
          <div key={command.id} id={`palette-${command.id}`} role="option" aria-selected={index === at} onClick={() => run(command)} className={`chrome flex h-8 items-center gap-3 rounded-control px-2.5 ${index === at ? "bg-selected" : "hover:bg-hover"}`}>
            <span className="min-w-0 flex-1 truncate">{command.label}</span>
            {command.keys ? <Keys of={command.keys} /> : null}
          </div>
        ))}
      </div>
    </>
  );
}
