// The palette: everything of the window by its name, a record by its id, anything else as a search. It never decides a question.
import { Dialog } from "@base-ui/react/dialog";
import { Search } from "lucide-react";
import { type ComponentType, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { useTranslation } from "react-i18next";
import { chordKey, Keys } from "../../components/keys";
import { SEARCH } from "../../components/page-bar";

export const GROUPS = ["places", "agents", "rules", "views", "records", "commands"] as const;

export type Command = {
  id: string;
  group: (typeof GROUPS)[number];
  icon: ComponentType<{ size: number; strokeWidth: number; className: string; "aria-hidden": true }>;
  label: ReactNode;
  /** What the typed words are looked for in. */
  name: string;
  keys?: readonly string[];
  run: () => void;
};

/** `children` draws what is offered; it is there only while the palette is open. */
export function Palette({ children }: { children: (close: () => void) => ReactNode }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLElement | null>(null);
  useEffect(() => {
    const toggle = () => {
      // The next key may follow at once: it has to find the palette's field, never the page behind.
      flushSync(() => setOpen((was) => !was));
      input.current?.querySelector("input")?.focus();
    };
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      if (!chordKey(event) || event.shiftKey || event.altKey || event.code !== "KeyK") return;
      event.preventDefault();
      toggle();
    };
    window.addEventListener("keydown", onKeyDown);
    window.addEventListener(SEARCH, toggle);
    return () => {
      window.removeEventListener("keydown", onKeyDown);
      window.removeEventListener(SEARCH, toggle);
    };
  }, []);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-20" />
        <Dialog.Popup
          ref={(popup) => {
            input.current = popup;
          }}
          initialFocus={() => input.current?.querySelector("input") ?? true}
          className="fixed inset-x-6 top-[12%] z-30 mx-auto flex max-h-[80%] max-w-140 flex-col overflow-hidden rounded-dialog border border-line bg-surface shadow-overlay"
        >
          <Dialog.Title className="sr-only">{t("palette.title")}</Dialog.Title>
          {children(() => setOpen(false))}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

type ChoiceProps = { typed: string; onTyped: (typed: string) => void; commands: readonly Command[]; onClose: () => void };

/** The field and what is left of the commands. */
export function Choice({ typed, onTyped, commands, onClose }: ChoiceProps) {
  const { t } = useTranslation();
  const [at, setAt] = useState(0);
  const groups = GROUPS.map((group) => ({ group, shown: commands.filter((one) => one.group === group) })).filter(({ shown }) => shown.length > 0);
  const ordered = groups.flatMap(({ shown }) => shown);
  const chosen = ordered[at];
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // A chord is meant for a card: here it does nothing.
    if (event.nativeEvent.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && ordered.length > 0) setAt((at + step + ordered.length) % ordered.length);
    else if (event.key === "Enter") run(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="flex h-11 flex-none items-center gap-2.5 border-b border-line px-4">
        <Search size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={chosen ? `palette-${chosen.id}` : undefined}
          aria-label={t("palette.title")}
          placeholder={t("palette.hint")}
          value={typed}
          onChange={(event) => {
            onTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
          className="h-full min-w-0 flex-1 bg-transparent text-strong text-t1 outline-none placeholder:text-t3"
        />
      </div>
      <div role="listbox" id="palette-list" aria-label={t("palette.title")} tabIndex={-1} className="min-h-0 overflow-y-auto p-1.5">
        {groups.map(({ group, shown }) => (
          <div key={group} role="group" aria-label={t(`palette.group.${group}`)}>
            <div aria-hidden="true" className="chrome px-2.5 pt-1.5 pb-1 text-caption text-t3">
              {t(`palette.group.${group}`)}
            </div>
            {shown.map((command) => (
              <Option key={command.id} command={command} chosen={command === chosen} onRun={() => run(command)} />
            ))}
          </div>
        ))}
      </div>
    </>
  );
}

function Option({ command, chosen, onRun }: { command: Command; chosen: boolean; onRun: () => void }) {
  const { icon: Icon } = command;
  return (
    <div
      // What the keys lead to stays in view.
      ref={chosen ? (element) => element?.scrollIntoView({ block: "nearest" }) : null}
      id={`palette-${command.id}`}
      role="option"
      aria-selected={chosen}
      onClick={onRun}
      className={`chrome flex h-8 items-center gap-2.5 rounded-control px-2.5 ${chosen ? "bg-selected" : "hover:bg-hover"}`}
    >
      <Icon size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
      <span className="min-w-0 flex-1 truncate">{command.label}</span>
      {command.keys ? <Keys of={command.keys} /> : null}
    </div>
  );
}
