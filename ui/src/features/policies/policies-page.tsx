// Policies: the rules of every layer with what they decided, the chosen one with its source, drafts, and versions.
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus, Scale } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { LayerBadge } from "../../components/badge";
import { Button } from "../../components/button";
import { Empty, EngineFailure, Skeleton } from "../../components/empty";
import { PageBar } from "../../components/page-bar";
import { Prose } from "../../components/prose";
import { useToast } from "../../components/toasts";
import type { CheckedDto } from "../../engine/bindings/CheckedDto";
import type { PolicyFileDto } from "../../engine/bindings/PolicyFileDto";
import type { PolicyStateDto } from "../../engine/bindings/PolicyStateDto";
import type { ProjectProblemDto } from "../../engine/bindings/ProjectProblemDto";
import type { RuleDto } from "../../engine/bindings/RuleDto";
import { CasesView } from "./components/cases";
import { Drafting } from "./components/drafting";
import { FilesView } from "./components/files";
import { FromRecord } from "./components/from-record";
import { HistoryView } from "./components/history";
import { RuleList } from "./components/rule-list";
import { ModeChoice, RuleView } from "./components/rule-view";
import { Waiting } from "./components/waiting";
import { freeId, inTab, isCaseFile, keyOfRule, listed, number, OWN_FILE, TABS, type Tab, targetOfNew, template } from "./model";
import { useAcknowledge, useHits, usePolicyFiles, usePolicyState, useRules } from "./queries";

/** What the address says is shown. */
export type PoliciesView = { kind: "rule"; rule: string | null } | { kind: "new"; /** The recorded action that it is made of. */ from: string | null } | { kind: "file"; file: string; version: string | null } | { kind: "files" } | { kind: "cases" } | { kind: "history"; version: string | null };

function inCases(view: PoliciesView): boolean {
  return view.kind === "cases" || (view.kind === "file" && isCaseFile(view.file));
}

function inFiles(view: PoliciesView): boolean {
  return view.kind === "files" || (view.kind === "file" && !isCaseFile(view.file));
}

export function PoliciesPage({ tab, view }: { tab: Tab; view: PoliciesView }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const rules = useRules();
  const state = usePolicyState();
  const files = usePolicyFiles();
  const error = rules.error ?? state.error ?? files.error;
  const retry = () => void Promise.all([rules.refetch(), state.refetch(), files.refetch()]);
  return (
    <>
      <PageBar title={t("policies.title")}>
        <Tabs tab={view.kind === "history" ? "history" : inCases(view) ? "cases" : inFiles(view) ? "files" : tab} rules={rules.data} />
        <span className="flex-1" />
        <Button kind="primary" onClick={() => void navigate({ to: "/policies/new" })}>
          <Plus size={14} strokeWidth={1.5} aria-hidden />
          {t("policies.newRule")}
        </Button>
      </PageBar>
      {error ? <EngineFailure error={error} onRetry={retry} /> : null}
      {!error && !(rules.data && state.data && files.data) ? <Skeleton rows={6} /> : null}
      {!error && rules.data && state.data && files.data ? (
        <div className="flex min-h-0 min-w-0 flex-col">
          {state.data.problem === null ? null : state.data.waiting ? <Waiting problem={state.data.problem} waiting={state.data.waiting} folder={state.data.folder} /> : <Broken problem={state.data.problem} files={files.data} />}
          {state.data.projects?.map((project) => (
            <Project key={project.folder} project={project} />
          ))}
          {view.kind === "history" ? <HistoryView chosen={view.version} /> : null}
          {inCases(view) ? <CasesView file={view.kind === "file" ? view.file : null} version={view.kind === "file" ? view.version : null} files={files.data} state={state.data} /> : null}
          {inFiles(view) ? <FilesView file={view.kind === "file" ? view.file : null} version={view.kind === "file" ? view.version : null} files={files.data} state={state.data} /> : null}
          {view.kind === "rule" || view.kind === "new" ? <Content tab={tab} view={view} rules={rules.data} state={state.data} files={files.data} /> : null}
        </div>
      ) : null}
    </>
  );
}

function Tabs({ tab, rules }: { tab: Tab; rules: readonly RuleDto[] | undefined }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t("policies.tabs")} className="chrome ms-2 inline-flex min-w-0 gap-0.5 rounded-control bg-inset p-0.5">
      {([...TABS, "files", "cases", "history"] as const).map((one) => (
        <Link key={one} to="/policies" search={one === "all" ? {} : { tab: one }} aria-current={one === tab ? "page" : undefined} className={`inline-flex h-6 items-center gap-1.5 rounded-badge px-2 font-medium small:px-1 ${one === tab ? "bg-surface text-t1 outline outline-line" : "text-t2"}`}>
          {t(`policies.tab.${one}`)}
          {one === "files" || one === "cases" || one === "history" || !rules ? null : <span className="text-caption font-normal text-t3 narrow:hidden">{number(rules.filter((rule) => inTab(one, rule)).length)}</span>}
        </Link>
      ))}
    </nav>
  );
}

/** What is on disk is not what is in force: where it is broken, and the way to mend it. */
function Broken({ problem, files }: { problem: string; files: readonly PolicyFileDto[] }) {
  const { t } = useTranslation();
  const own = files.find((file) => file.own && problem.includes(`${file.file}:`));
  return (
    <div role="alert" className="flex flex-none flex-wrap items-center gap-3 border-b border-line bg-deny-tint px-4 py-2">
      <p className="min-w-0 flex-1">
        <span className="font-medium text-deny">{t("policies.broken")}</span>{" "}
        <span className="wrap-anywhere">
          <Prose text={problem} />
        </span>
      </p>
      {own ? (
        <Link to="/policies/file/$file" params={{ file: own.file }} className="inline-flex min-h-6 flex-none items-center font-medium text-accent">
          {t("policies.mend", { file: own.file })}
        </Link>
      ) : null}
    </div>
  );
}

/** A project whose rules on disk are weaker or broken: what still binds there, and a person's agreement to the weaker ones. */
function Project({ project: { folder, problem, revision } }: { project: ProjectProblemDto }) {
  const { t } = useTranslation();
  const toast = useToast();
  const { mutate, isPending } = useAcknowledge();
  const agree = (shown: string) => mutate({ folder, revision: shown }, { onSuccess: () => toast("done", t("policies.agreed")), onError: (error) => toast("failed", t("common.failed", { message: error.message })) });
  return (
    <div role="status" className="flex flex-none flex-wrap items-center gap-3 border-b border-line bg-ask-tint px-4 py-2">
      <p className="min-w-0 flex-1 wrap-anywhere">
        <Prose text={problem} />
      </p>
      {revision === null ? null : (
        <Button inert={isPending} onClick={() => agree(revision)}>
          {t("policies.agree")}
        </Button>
      )}
    </div>
  );
}

type ContentProps = { tab: Tab; view: Extract<PoliciesView, { kind: "rule" | "new" }>; rules: readonly RuleDto[]; state: PolicyStateDto; files: readonly PolicyFileDto[] };

function Content({ tab, view, rules, state, files }: ContentProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [filter, setFilter] = useState("");
  const { data } = useHits();
  const hits = useMemo(() => (data ? new Map(data.rules.map((one) => [one.rule, one.hits])) : null), [data]);
  const shown = useMemo(() => listed(rules, tab, filter), [rules, tab, filter]);
  const inThisTab = rules.filter((rule) => inTab(tab, rule)).length;
  if (inThisTab === 0 && view.kind === "rule" && view.rule === null && tab !== "history" && tab !== "cases" && tab !== "files") {
    return (
      <Empty icon={Scale} title={t(`policies.none.${tab}`)} footer={tab === "mine" ? <Button onClick={() => void navigate({ to: "/policies/new" })}>{t("policies.newRule")}</Button> : undefined}>
        {t(`policies.noneMore.${tab}`)}
      </Empty>
    );
  }
  const wanted = view.kind === "rule" ? view.rule : null;
  const chosen = view.kind === "rule" ? (rules.find((rule) => keyOfRule(rule) === wanted) ?? (wanted === null ? shown[0] : undefined)) : undefined;
  /** To the rule that the save put in force. */
  const follow = (checked: CheckedDto) => {
    const after = checked.differences.find((one) => one.after !== null)?.after;
    if (after) void navigate({ to: "/policies/$rule", params: { rule: after.id }, replace: true });
    else void navigate({ to: "/policies", replace: true });
  };
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[268px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] wide:grid-cols-[356px_minmax(0,1fr)]">
      <RuleList rules={shown} count={inThisTab} tab={tab} chosen={chosen ? keyOfRule(chosen) : null} filter={filter} onFilter={setFilter} hits={hits} preset={state.preset} />
      <div className="flex min-h-0 min-w-0 flex-col">
        {view.kind === "new" && view.from === null ? <NewRule rules={rules} state={state} onSaved={follow} /> : null}
        {view.kind === "new" && view.from !== null ? <FromRecord key={view.from} operation={view.from} state={state} onSaved={follow} /> : null}
        {chosen ? <RuleView key={keyOfRule(chosen)} rule={chosen} files={files} state={state} hits={hits === null ? null : (hits.get(chosen.id) ?? 0)} onSaved={follow} /> : null}
        {view.kind === "rule" && wanted !== null && !chosen ? (
          <Empty icon={Scale} title={t("policies.gone")}>
            {t("policies.goneMore")}
          </Empty>
        ) : null}
      </div>
    </div>
  );
}

function NewRule({ rules, state, onSaved }: { rules: readonly RuleDto[]; state: PolicyStateDto; onSaved: (checked: CheckedDto) => void }) {
  const { t } = useTranslation();
  const [target] = useState(() => targetOfNew(template(freeId(rules), t("policies.newReason"))));
  const title = (
    <>
      <h2 className="text-body font-semibold">{t("policies.newTitle")}</h2>
      <LayerBadge layer="mine" />
    </>
  );
  return (
    <Drafting
      target={target}
      state={state}
      title={title}
      mode="enforce"
      note={null}
      onSaved={onSaved}
      aside={({ mode, onMode }) => (
        <>
          <p className="text-t2">{t("policies.noneMore.mine")}</p>
          <p className="mt-2 text-caption text-t2">
            <code className="mono">{OWN_FILE}</code>
          </p>
          <div className="mt-3">
            <ModeChoice mode={mode} onMode={onMode} />
          </div>
        </>
      )}
    />
  );
}
