// Every key of the window, in groups. The sheet behind `?` and the settings show the same list.
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { shownKey, useKeys } from "../lib/keys";
import { HISTORY, Keys, useSpokenKeys } from "./keys";

const GROUPS = [
  {
    title: "shortcuts.window",
    rows: [
      ["shortcuts.palette", [["mod", "K"]]],
      ["shortcuts.places", [["mod", "1"], ["mod", "8"]]],
      ["shortcuts.history", [HISTORY.back, HISTORY.forward]],
      ["shortcuts.stop", [["mod", "shift", "."]]],
      ["shortcuts.text", [["mod", "+"], ["mod", "-"], ["mod", "0"]]],
      ["shortcuts.sheet", [["?"]]],
      ["shortcuts.leave", [["Esc"]]],
    ],
  },
  {
    title: "shortcuts.lists",
    rows: [
      ["shortcuts.rows", [["J"], ["K"]]],
      ["shortcuts.open", [["enter"]]],
      ["shortcuts.query", [["/"], ["mod", "F"]]],
      ["shortcuts.live", [["L"]]],
      ["shortcuts.tabs", [["["], ["]"]]],
      ["shortcuts.actions", [["."]]],
      ["shortcuts.pin", [["P"]]],
      ["shortcuts.views", [["G"]]],
      ["shortcuts.zoom", [["Z"], ["shift", "Z"]]],
      ["shortcuts.tree", [["←"], ["→"], ["*"]]],
      ["shortcuts.link", [["mod", "C"]]],
      ["shortcuts.export", [["mod", "E"]]],
    ],
  },
  {
    title: "shortcuts.card",
    rows: [
      ["shortcuts.once", [["mod", "enter"]]],
      ["shortcuts.always", [["mod", "shift", "enter"]]],
      ["shortcuts.deny", [["mod", "backspace"]]],
      ["shortcuts.denyStop", [["mod", "shift", "backspace"]]],
    ],
  },
] as const;

export function ShortcutList() {
  const { t } = useTranslation();
  const spoken = useSpokenKeys();
  useKeys();
  return GROUPS.map(({ title, rows }) => (
    <section key={title} className="border-line not-first:mt-3 not-first:border-t not-first:pt-3">
      <h3 className="mb-1 text-caption font-semibold text-t2">{t(title)}</h3>
      <dl className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4">
        {rows.map(([word, chords]) => (
          <Fragment key={word}>
            <dt className="py-1">{t(word)}</dt>
            <dd className="flex items-center gap-3 justify-self-end text-t2">
              {chords.map((chord) => {
                const keys = chord[0] === "mod" ? chord : chord.map(shownKey);
                return (
                  <span key={chord.join(" ")}>
                    <Keys of={keys} />
                    <span className="sr-only">{spoken(keys)}</span>
                  </span>
                );
              })}
            </dd>
          </Fragment>
        ))}
      </dl>
    </section>
  ));
}
