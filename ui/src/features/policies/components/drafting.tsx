// The text of a rule or a file: looked at, and where it is the person's own, drafted, checked, weighed and saved.
import { Check, LoaderCircle, TriangleAlert, X } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../../components/badge";
import { Button } from "../../../components/button";
import { Prose } from "../../../components/prose";
import { useToast } from "../../../components/toasts";
import { Untrusted } from "../../../components/untrusted";
import { useSettled } from "../../../components/use-settled";
import type { CheckedDto } from "../../../engine/bindings/CheckedDto";
import type { PolicyStateDto } from "../../../engine/bindings/PolicyStateDto";
import type { ProblemDto } from "../../../engine/bindings/ProblemDto";
import type { RuleModeDto } from "../../../engine/bindings/RuleModeDto";
import { draftOf, isCaseFile, isDirty, isToolsFile, number, type Target, withMode } from "../model";
import { useAssist, useChecked, useReplay, useSave } from "../queries";
import { Weighed } from "./weighed";
import { WhatIf } from "./what-if";

const SourceEditor = lazy(() => import("../../../components/source-editor").then((module) => ({ default: module.SourceEditor })));

/** Typing settles before the engine is asked. */
const CHECK_MS = 250;

const NO_PROBLEMS: ProblemDto[] = [];

type DraftingProps = {
  target: Target;
  state: PolicyStateDto;
  title: ReactNode;
  /** What is known beside the source. */
  aside: (mode: { mode: RuleModeDto; onMode: ((mode: RuleModeDto) => void) | null }) => ReactNode;
  mode: RuleModeDto;
  /** A whole file: the source has the page for itself. */
  wide?: boolean;
  note: string | null;
  /** The ids that a save put in force. */
  onSaved: (checked: CheckedDto) => void;
};

export function Drafting({ target, state, title, aside, mode, wide = false, note, onSaved }: DraftingProps) {
  const { t } = useTranslation();
  const toast = useToast();
  const assist = useAssist(target.file);
  const [text, setText] = useState(target.start ?? target.original);
  const [base, setBase] = useState({ original: target.original, revision: state.revision });
  const [wanted, setWanted] = useState(mode);
  const [looked, setLooked] = useState<string | null>(null);
  const [asking, setAsking] = useState<{ open: boolean; operation: string | null }>({ open: false, operation: null });
  const dirty = isDirty(target, text);
  // What changed elsewhere is taken over as long as nothing was typed here.
  if (base.original !== target.original || base.revision !== state.revision) {
    const untouched = text === base.original || text === target.original;
    if (untouched) {
      setBase({ original: target.original, revision: state.revision });
      if (text !== target.original) setText(target.original);
      if (wanted !== mode) setWanted(mode);
    } else if (base.original === target.original) {
      // Another file changed: what was typed here still stands on what is there.
      setBase({ original: target.original, revision: state.revision });
    }
  }
  const outside = dirty && target.part.kind !== "new" && base.original !== target.original;
  const settled = useSettled(text, CHECK_MS);
  const drafting = target.own && dirty;
  const draft = draftOf(target, settled);
  const checked = useChecked(draft, drafting);
  const current = drafting && settled === text && !checked.isPlaceholderData ? checked.data : undefined;
  // Cases say what is expected of rules, and change no verdict.
  const cases = isCaseFile(target.file);
  const yaml = cases || isToolsFile(target.file);
  const weighed = useReplay(draft, !cases && (current?.ready ?? false));
  const save = useSave();
  const removing = target.part.kind === "rule" && text.trim() === "";
  const grave = weighed.data?.newlyAllowed.grave ?? 0;
  const cleared = grave === 0 || looked === settled;
  const ready = (current?.ready ?? false) && (cases || weighed.data !== undefined) && cleared && !outside && !save.isPending;
  const put = (final: string) => {
    save.mutate(
      { draft: draftOf(target, final), base: base.revision, note },
      {
        onSuccess: (after) => {
          toast("done", t("policies.saved", { count: after.rules, shown: number(after.rules) }));
          setBase({ original: final, revision: after.revision });
          if (current) onSaved(current);
        },
        onError: (error) => toast("failed", t("policies.saveFailed", { message: error.message })),
      },
    );
  };
  const change = (next: RuleModeDto) => {
    setWanted(next);
    setText(withMode(text, next));
  };
  const format = () =>
    void assist.format(text).then(
      (formatted) => (formatted.text === null ? toast("failed", t("policies.formatFailed", { message: formatted.problem ?? "" })) : setText(formatted.text.trimEnd())),
      (error: Error) => toast("failed", t("policies.formatFailed", { message: error.message })),
    );
  const discard = () => {
    setText(target.original);
    setBase({ original: target.original, revision: state.revision });
    setWanted(mode);
    setLooked(null);
  };
  const editable = target.own && target.part.kind !== "gone";
  const single = target.part.kind === "rule" || target.part.kind === "new";
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <header className="flex min-h-12 flex-none flex-wrap items-center gap-2 border-b border-line px-4 py-1.5">
        {title}
        {dirty && target.own ? <Badge tone="info">{t("policies.draft")}</Badge> : null}
        <span className="flex-1" />
        {cases ? null : <Button onClick={() => setAsking({ open: true, operation: null })}>{t("policies.showWhatIf")}</Button>}
      </header>
      <div className="relative min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label={t("policies.chosen")}>
        <div className={`grid gap-x-6 gap-y-4 px-4 py-3 ${wide ? "" : "wide:grid-cols-[minmax(0,300px)_minmax(0,1fr)]"}`}>
          <div className={wide ? "" : "order-2 wide:order-none"}>{aside({ mode: wanted, onMode: editable && single && !removing ? change : null })}</div>
          <section aria-label={t("policies.source")} className="min-w-0">
            <div className="mb-1.5 flex min-h-6 items-center gap-2">
              <h3 className="font-semibold">{t("policies.source")}</h3>
              <span className="flex-1" />
              {cases && !drafting ? null : <Verdict drafting={drafting} checked={current} />}
              {editable && !cases ? (
                <Button kind="ghost" className="h-6 text-caption" onClick={format}>
                  {t("policies.format")}
                </Button>
              ) : null}
            </div>
            <div className={`flex flex-col ${wide ? "max-h-[70vh]" : "max-h-[54vh]"}`}>
              <Suspense fallback={<div className="h-40 rounded-control bg-inset" />}>
                <SourceEditor language={yaml ? "yaml" : "cedar"} text={text} onText={setText} readOnly={!editable} label={t("policies.source")} problems={(cases ? current?.caseProblems : current?.problems) ?? NO_PROBLEMS} firstLine={target.firstLine} complete={cases ? null : assist.complete} onSave={() => (ready ? put(text) : undefined)} />
              </Suspense>
            </div>
            {checked.error && drafting ? (
              <p role="alert" className="mt-2 text-deny">
                <Prose text={checked.error.message} />
              </p>
            ) : null}
            <Findings checked={current} firstLine={target.firstLine} />
            {outside ? <p className="mt-2 text-ask">{t("policies.changedOutside")}</p> : null}
            {removing ? <p className="mt-2 text-ask">{t("policies.removing")}</p> : null}
          </section>
        </div>
        {current && current.problems.length === 0 ? <Outcome checked={current} /> : null}
        {current?.ready && !cases ? <Weighed replay={weighed.data} error={weighed.error} onWhatIf={(operation) => setAsking({ open: true, operation })} /> : null}
      </div>
      {target.own && (dirty || target.part.kind === "rule") ? (
        <footer className="flex min-h-12 flex-none flex-wrap items-center gap-2 border-t border-line px-4 py-2">
          {grave > 0 && current?.ready ? (
            <label className="flex min-w-0 items-center gap-2">
              <input type="checkbox" checked={looked === settled} onChange={(event) => setLooked(event.target.checked ? settled : null)} className="size-3.5 flex-none accent-accent" />
              <span>{t("policies.looked", { count: grave })}</span>
            </label>
          ) : null}
          {dirty ? null : (
            <Button kind="danger" className="-ms-2.5" onClick={() => setText("")}>
              {t("policies.remove")}
            </Button>
          )}
          <span className="flex-1" />
          {dirty && target.start === null ? <Button onClick={discard}>{t("policies.discard")}</Button> : null}
          {dirty && single && !removing && wanted === "enforce" ? <Button onClick={() => change("observe")}>{t("policies.saveObserve")}</Button> : null}
          {dirty ? (
            <Button kind="primary" inert={!ready} onClick={() => put(text)}>
              {t("policies.save")}
            </Button>
          ) : null}
        </footer>
      ) : null}
      <WhatIf open={asking.open} onOpen={(open) => setAsking((now) => ({ ...now, open }))} operation={asking.operation} onOperation={(operation) => setAsking({ open: true, operation })} draft={drafting ? draft : null} />
    </div>
  );
}

/** In one line: whether what is in the editor may be saved. */
function Verdict({ drafting, checked }: { drafting: boolean; checked: CheckedDto | undefined }) {
  const { t } = useTranslation();
  const icon = { size: 12, strokeWidth: 2, "aria-hidden": true } as const;
  const [tone, mark, words] = !drafting
    ? ["text-t2", <Check key="i" {...icon} />, t("policies.state.clean")]
    : checked === undefined
      ? ["text-t3", <LoaderCircle key="i" {...icon} />, t("policies.state.checking")]
      : checked.problems.length + checked.caseProblems.length > 0
        ? ["text-deny", <X key="i" {...icon} />, t("policies.state.broken")]
        : checked.ready
          ? ["text-allow", <Check key="i" {...icon} />, t("policies.state.ready", { count: checked.cases.filter((one) => !one.skipped).length })]
          : checked.changes
            ? ["text-deny", <TriangleAlert key="i" {...icon} />, t("policies.state.failing")]
            : ["text-t2", <Check key="i" {...icon} />, t("policies.state.same")];
  return (
    <span role="status" className={`inline-flex items-center gap-1 text-caption ${tone as string}`}>
      {mark}
      {words}
    </span>
  );
}

function Findings({ checked, firstLine }: { checked: CheckedDto | undefined; firstLine: number }) {
  const { t } = useTranslation();
  if (!checked) return null;
  const all = [...checked.problems, ...checked.notices, ...checked.caseProblems];
  if (all.length === 0) return null;
  return (
    <>
      <ul className="mt-2 grid gap-1">
        {all.map((one) => (
          <li key={`${one.file} ${one.line} ${one.column} ${one.message}`} className={checked.notices.includes(one) ? "text-ask" : "text-deny"}>
            <span className="text-caption text-t2">{one.here ? t("policies.problem", { line: one.line + firstLine - 1 }) : t("policies.elsewhere", { file: one.file, line: one.line })}</span>{" "}
            <Prose text={one.message} />
          </li>
        ))}
      </ul>
      {checked.problems.length > 0 ? <p className="mt-2 text-t2">{t("policies.brokenDraft")}</p> : null}
      {checked.caseProblems.length > 0 ? <p className="mt-2 text-t2">{t("policies.case.broken")}</p> : null}
    </>
  );
}

/** What a draft that loads does: rules that differ, and how the cases come out. */
function Outcome({ checked }: { checked: CheckedDto }) {
  const { t } = useTranslation();
  const tools = checked.tools ?? [];
  return (
    <div className="grid gap-x-6 gap-y-3 border-t border-line px-4 py-3 wide:grid-cols-2">
      <section aria-label={t("policies.changes")}>
        <h3 className="font-semibold">{t("policies.changes")}</h3>
        {checked.differences.length + tools.length === 0 ? <p className="mt-1 text-t2">{t("policies.state.same")}</p> : null}
        <ul className="mt-1 grid gap-0.5">
          {tools.slice(0, 50).map(({ name, before, after, leaning }) => (
            <li key={name} className="min-w-0">
              <span className="text-t2">{t(`policies.difference.${before ? (after ? "changed" : "gone") : "new"}`)}</span>{" "}
              <code className="mono text-caption">
                <Untrusted text={name} max={60} />
              </code>{" "}
              <span className={leaning === "looser" || leaning === "either" ? "text-ask" : "text-t2"}>{t(`policies.leaning.${leaning}`)}</span>
            </li>
          ))}
          {checked.differences.slice(0, 50).map(({ before, after, leaning }) => (
            <li key={(after ?? before)?.id ?? ""} className="min-w-0">
              <span className="text-t2">{t(`policies.difference.${before === null ? "new" : after === null ? "gone" : "changed"}`)}</span>{" "}
              <code className="mono text-caption">
                <Untrusted text={(after ?? before)?.id ?? ""} max={60} />
              </code>{" "}
              <span className={leaning === "looser" || leaning === "either" ? "text-ask" : "text-t2"}>{t(`policies.leaning.${leaning}`)}</span>
            </li>
          ))}
        </ul>
      </section>
      <section aria-label={t("policies.cases")}>
        <h3 className="font-semibold">{t("policies.cases")}</h3>
        <p className="text-caption text-t2">{checked.cases.length === 0 ? t("policies.noCases") : t("policies.casesMore")}</p>
        <ul className="mt-1 grid gap-0.5">
          {checked.cases
            .filter((one) => !one.skipped)
            .map((one) => (
              <li key={`${one.file} ${one.line}`} className="flex items-start gap-2">
                {one.passed ? <Check size={12} strokeWidth={2} aria-hidden className="mt-1 flex-none text-allow" /> : <X size={12} strokeWidth={2} aria-hidden className="mt-1 flex-none text-deny" />}
                <span className="min-w-0">
                  <Untrusted text={one.name} max={120} />
                  {one.passed ? (
                    <span className="text-t2">{` ${t(`policies.decision.${one.expected}`)}`}</span>
                  ) : (
                    <span className="block text-deny">
                      {t("policies.expected", { expected: t(`policies.decision.${one.expected}`), decided: t(`policies.decision.${one.decided}`) })} <span className="text-caption text-t2">{t("policies.elsewhere", { file: one.file, line: one.line })}</span>
                    </span>
                  )}
                </span>
              </li>
            ))}
        </ul>
      </section>
    </div>
  );
}
