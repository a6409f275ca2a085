// Shortcuts: single keys on or off, and another key for each; below, all of them.
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { FIELD, FormSection, Toggle } from "../../../components/form";
import { ShortcutList } from "../../../components/shortcuts";
import { firstKeys, KEY_NAMES, type KeyName, keyFor, setKey, takenBy, useKeys } from "../../../lib/keys";
import { setView, useView } from "../../../lib/view";

export function Shortcuts() {
  const { t } = useTranslation();
  const { singleKeys } = useView();
  const own = useKeys();
  return (
    <>
      <FormSection title={t("settings.keys")}>
        <Toggle label={t("settings.singleKeys")} more={t("settings.singleKeysMore")} on={singleKeys === "on"} onChange={(on) => setView("singleKeys", on ? "on" : "off")} />
        {singleKeys === "on" ? (
          <>
            <ul className="mt-2 grid max-w-110 gap-y-1">
              {KEY_NAMES.map((name) => (
                <li key={name}>
                  <OneKey name={name} />
                </li>
              ))}
            </ul>
            <p className="mt-2 text-caption text-t2">{t("settings.keysFixed")}</p>
            {Object.keys(own).length === 0 ? null : (
              <Button className="mt-2" onClick={firstKeys}>
                {t("settings.keysFirst")}
              </Button>
            )}
          </>
        ) : null}
      </FormSection>
      <FormSection title={t("settings.allKeys")}>
        <ShortcutList />
      </FormSection>
    </>
  );
}

/** What is typed replaces the key at once; one that is taken is refused with its owner's name. */
function OneKey({ name }: { name: KeyName }) {
  const { t } = useTranslation();
  const id = useId();
  const [refused, setRefused] = useState<KeyName | null>(null);
  const type = (typed: string) => {
    const key = [...typed.trim().toLowerCase()].at(-1);
    if (key === undefined) return;
    const owner = takenBy(name, key);
    setRefused(owner);
    if (owner === null) setKey(name, key);
  };
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_40px] items-center gap-x-3">
      <label htmlFor={id}>
        {t(`settings.keyNames.${name}`)}
        {refused === null ? null : (
          <span role="alert" className="block text-caption text-deny">
            {t("settings.keyTaken", { name: t(`settings.keyNames.${refused}`) })}
          </span>
        )}
      </label>
      <input id={id} value={keyFor(name).toUpperCase()} onFocus={(event) => event.target.select()} onClick={(event) => event.currentTarget.select()} onBlur={() => setRefused(null)} onChange={(event) => type(event.target.value)} spellCheck={false} autoComplete="off" className={`${FIELD} mono text-center`} />
    </div>
  );
}
