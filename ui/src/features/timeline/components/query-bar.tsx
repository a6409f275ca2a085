// The query as tokens and a place to type. What it means is the engine's to say; problems come back with the rows.
import { Search, X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Untrusted } from "../../../components/untrusted";
import { print, type Term, terms } from "../../../lib/filter/tokens";
import { asked, type Suggestion, suggestions } from "../model";
import { useValues } from "../queries";

/** `children`: what stands behind the field. */
export function QueryBar({ query, onQuery, children }: { query: string; onQuery: (query: string) => void; children?: ReactNode }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const [draft, setDraft] = useState("");
  const [at, setAt] = useState(-1);
  const [focused, setFocused] = useState(false);
  const all = terms(query);
  const { data } = useValues(query, focused ? asked(draft) : null);
  const offered = focused && (draft !== "" || all.length === 0) ? suggestions(draft, data?.values ?? []) : [];

  useEffect(() => {
    const find = (event: globalThis.KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if ((event.key === "/" && !typing) || (event.key === "f" && (event.metaKey || event.ctrlKey))) {
        input.current?.focus();
        event.preventDefault();
      }
    };
    window.addEventListener("keydown", find);
    return () => window.removeEventListener("keydown", find);
  }, []);

  const commit = (text: string) => {
    setDraft("");
    setAt(-1);
    if (text.trim() !== "") onQuery(print([...all, ...terms(text)]));
  };
  const take = (one: Suggestion) => {
    setAt(-1);
    if (one.open) setDraft(one.text);
    else commit(one.text);
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const pick = offered[at];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (offered.length === 0) return;
      setAt((at + (event.key === "ArrowDown" ? 1 : -1) + offered.length) % offered.length);
      event.preventDefault();
    } else if (event.key === "Tab" && offered.length > 0 && draft !== "") {
      const one = pick ?? offered[0];
      if (one) take(one);
      event.preventDefault();
    } else if (event.key === "Enter") {
      if (pick) take(pick);
      else commit(draft);
    } else if (event.key === "Backspace" && draft === "" && all.length > 0) {
      setDraft(all.at(-1)?.text ?? "");
      onQuery(print(all.slice(0, -1)));
      event.preventDefault();
    } else if (event.key === "Escape") {
      if (draft === "") input.current?.blur();
      setDraft("");
      setAt(-1);
    }
  };

  return (
    <div className="relative flex items-center gap-2 border-b border-line py-2 ps-4 pe-3">
      <div
        role="search"
        className="flex h-8 min-w-0 flex-1 items-center gap-1.5 overflow-hidden rounded-control border border-line-control px-2 has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-offset-2 has-[input:focus-visible]:outline-accent"
      >
        <Search size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
        {all.map((term, index) => (
          <TermChip key={`${term.text}-${index}`} term={term} onRemove={() => onQuery(print(all.filter((one) => one !== term)))} />
        ))}
        <input
          ref={input}
          value={draft}
          role="combobox"
          aria-label={t("timeline.search")}
          aria-expanded={offered.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={at >= 0 ? `${list}-${at}` : undefined}
          spellCheck={false}
          autoComplete="off"
          placeholder={all.length === 0 ? t("timeline.placeholder") : ""}
          onChange={(event) => {
            setDraft(event.target.value);
            setAt(-1);
          }}
          onFocus={() => setFocused(true)}
          onBlur={() => {
            setFocused(false);
            commit(draft);
          }}
          onKeyDown={onKeyDown}
          className="mono h-full min-w-24 flex-1 bg-transparent text-caption outline-none placeholder:text-t3"
        />
        {all.length > 0 ? (
          <Button kind="icon" className="-me-1.5 h-6 w-6" aria-label={t("timeline.clear")} onClick={() => onQuery("")}>
            <X size={14} strokeWidth={1.5} aria-hidden />
          </Button>
        ) : (
          <kbd aria-hidden="true" className="font-sans text-badge text-t3">
            {"/"}
          </kbd>
        )}
      </div>
      <ul id={list} role="listbox" aria-label={t("timeline.suggest")} hidden={offered.length === 0} className="absolute top-11 inset-s-4 z-10 min-w-64 rounded-card border border-line bg-surface p-1 shadow-overlay">
        {offered.map((one, index) => (
          <li
            key={one.text}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            onPointerDown={(event) => {
              event.preventDefault();
              take(one);
            }}
            className={`mono flex h-7 items-center gap-3 rounded-control px-2 text-caption ${index === at ? "bg-selected" : "hover:bg-hover"}`}
          >
            <Untrusted text={one.text} max={60} className="flex-1" />
            {one.count === null ? null : <span className="font-sans text-t3">{one.count.toLocaleString("en-US") + (data?.capped ? "+" : "")}</span>}
          </li>
        ))}
      </ul>
      {children}
    </div>
  );
}

function TermChip({ term, onRemove }: { term: Term; onRemove: () => void }) {
  return (
    <button type="button" onClick={onRemove} tabIndex={-1} className="mono chrome inline-flex h-5.5 flex-none items-center rounded-badge bg-fill px-1.5 text-[12px]/[18px]">
      {term.negated ? <span className="font-semibold text-deny">{"-"}</span> : null}
      {term.key === null ? null : <span className="text-t3">{`${term.key}:`}</span>}
      <Untrusted text={term.value} max={40} />
    </button>
  );
}
