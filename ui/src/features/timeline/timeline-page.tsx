// Timeline: every action, newest first, with what it matched and what it cost.
import { Logs, Search } from "lucide-react";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button";
import { CommandLine, Empty, EngineFailure, Skeleton } from "../../components/empty";
import { PageBar } from "../../components/page-bar";
import { Prose } from "../../components/prose";
import type { QueryProblemDto } from "../../engine/bindings/QueryProblemDto";
import { useDeferred } from "../../components/use-deferred";
import { ExportDialog } from "./components/export-dialog";
import { Facets } from "./components/facets";
import { Histogram } from "./components/histogram";
import { Pane } from "./components/pane";
import { QueryBar } from "./components/query-bar";
import { RangeMenu } from "./components/range-menu";
import { RowList } from "./components/row-list";
import { useFacets, useSearch } from "./queries";

export type TimelineState = { query: string; operation: string | null; tab: string | null };

export function TimelinePage({ state, onState }: { state: TimelineState; onState: (change: Partial<TimelineState>) => void }) {
  const { t } = useTranslation();
  const { query, operation } = state;
  const [live, setLive] = useState(true);
  const [exporting, setExporting] = useState(false);
  const search = useSearch(query);
  const facets = useFacets(query);
  const rows = search.data?.pages.flatMap((page) => page.rows) ?? [];
  const problems = search.data?.pages[0]?.problems ?? [];
  const slow = useDeferred(search.isPending, 150);
  const onQuery = (next: string) => onState({ query: next });
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = search;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);
  const onOpen = useCallback((id: string) => onState({ operation: id }), [onState]);
  const onClose = useCallback(() => onState({ operation: null, tab: null }), [onState]);
  const groups = facets.data?.groups ?? [];

  return (
    <>
      <PageBar title={t("timeline.title")}>
        <span className="flex-1" />
        <RangeMenu query={query} onQuery={onQuery} />
        <Button inert={!facets.data || facets.data.matches === 0} onClick={() => setExporting(true)}>
          {t("timeline.export")}
        </Button>
        <Button kind="ghost" aria-pressed={live} onClick={() => setLive(!live)}>
          <span aria-hidden="true" className={`size-2 rounded-full ${live ? "bg-allow" : "bg-t3"}`} />
          {live ? t("timeline.live") : t("timeline.frozen")}
          <kbd aria-hidden="true" className="font-sans text-badge text-t3">
            {"L"}
          </kbd>
        </Button>
      </PageBar>
      {exporting && facets.data ? <ExportDialog query={query} matches={facets.data.matches} capped={facets.data.capped} onClose={() => setExporting(false)} /> : null}
      <div className={`grid min-h-0 grid-rows-[auto_auto_minmax(0,1fr)] ${operation === null ? "grid-cols-[minmax(0,1fr)]" : "grid-cols-[minmax(0,1fr)_348px]"}`}>
        <div className="col-span-full">
          <QueryBar query={query} groups={groups} onQuery={onQuery} />
          {problems.map((problem) => (
            <Problem key={problem.message} problem={problem} query={query} onQuery={onQuery} />
          ))}
        </div>
        <div className="col-start-1">{facets.data && facets.data.matches > 0 ? <Histogram facets={facets.data} query={query} onQuery={onQuery} /> : null}</div>
        <div className={`col-start-1 grid min-h-0 grid-rows-[minmax(0,1fr)] ${rows.length > 0 || query !== "" ? "wide:grid-cols-[184px_minmax(0,1fr)]" : ""}`}>
          {rows.length > 0 || query !== "" ? (
            <div className="hidden min-h-0 wide:grid">
              <Facets groups={groups} query={query} onQuery={onQuery} />
            </div>
          ) : null}
          {search.error ? (
            <EngineFailure error={search.error} onRetry={() => void search.refetch()} />
          ) : null}
          {slow && !search.error ? (
            <div role="status" aria-label={t("timeline.loading")} className="overflow-hidden">
              <Skeleton rows={14} />
            </div>
          ) : null}
          {search.data && rows.length === 0 && !search.error ? <Nothing query={query} onQuery={onQuery} /> : null}
          {rows.length > 0 && !search.error ? (
            <RowList rows={rows} total={facets.data?.matches ?? null} selected={operation} live={live} onLive={setLive} onOpen={onOpen} onClose={onClose} onEnd={onEnd} />
          ) : null}
        </div>
        {operation === null ? null : <Pane key={operation} id={operation} tab={state.tab} onTab={(tab) => onState({ tab })} onClose={onClose} />}
      </div>
    </>
  );
}

function Problem({ problem, query, onQuery }: { problem: QueryProblemDto; query: string; onQuery: (query: string) => void }) {
  const { t } = useTranslation();
  const { suggestion } = problem;
  // The unknown word begins at `at`, after a minus perhaps, and ends before its colon.
  const word = /^-?([\w.]+)/.exec(query.slice(problem.at))?.[1];
  return (
    <p role="status" className="flex h-8 items-center gap-2 border-b border-line bg-ask-tint px-4 text-caption">
      <span>
        <Prose text={problem.message} />
        {"."}
      </span>
      {suggestion && word ? (
        <button type="button" className="font-medium text-accent" onClick={() => onQuery(query.slice(0, problem.at) + query.slice(problem.at).replace(word, suggestion))}>
          {t("timeline.use", { suggestion })}
        </button>
      ) : null}
    </p>
  );
}

function Nothing({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const { t } = useTranslation();
  if (query === "") {
    return (
      <Empty icon={Logs} title={t("timeline.empty")} footer={<CommandLine command="reeve run -- claude" />}>
        {t("timeline.emptyMore")}
      </Empty>
    );
  }
  return (
    <Empty icon={Search} title={t("timeline.none")} footer={<Button onClick={() => onQuery("")}>{t("timeline.clear")}</Button>}>
      {t("timeline.noneMore")}
    </Empty>
  );
}
