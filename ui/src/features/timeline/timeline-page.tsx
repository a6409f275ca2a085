// Timeline: every action, newest first, with what it matched and what it cost.
import { useQueryClient } from "@tanstack/react-query";
import { Download, Logs, Search } from "lucide-react";
import { type KeyboardEvent, lazy, Suspense, useCallback, useEffect, useEffectEvent, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button";
import { CommandLine, Empty, EngineFailure, Skeleton } from "../../components/empty";
import { chordKey } from "../../components/keys";
import { PageBar } from "../../components/page-bar";
import { Prose } from "../../components/prose";
import type { NoticeDto } from "../../engine/bindings/NoticeDto";
import type { FacetGroupDto } from "../../engine/bindings/FacetGroupDto";
import type { OperationDetailDto } from "../../engine/bindings/OperationDetailDto";
import type { OperationRowDto } from "../../engine/bindings/OperationRowDto";
import type { QueryProblemDto } from "../../engine/bindings/QueryProblemDto";
import { keyOf } from "../../engine/query";
import { useDeferred } from "../../components/use-deferred";
import { type Range, withRange } from "../../lib/filter/tokens";
import { shownKey } from "../../lib/keys";
import { useView } from "../../lib/view";
import { ExportDialog } from "./components/export-dialog";
import { Facets, FacetsPopover } from "./components/facets";
import { Histogram } from "./components/histogram";
import { NoticePane } from "./components/notice-pane";
import { usePin } from "./components/note";
import { Pane } from "./components/pane";
import { QueryBar } from "./components/query-bar";
import { RangeMenu } from "./components/range-menu";
import { RowList } from "./components/row-list";
import { RowHeight, type ViewName, VIEWS, ViewSwitch } from "./components/view-switch";
import { SaveView } from "./components/views";
import { brushed, isNotice, lines, printWindows, windows, zoomedIn, zoomedOut } from "./model";
import { useCostliest, useFacets, useSearch } from "./queries";

// Trees and waterfalls are loaded when they are first looked at.
const FlowView = lazy(() => import("./components/flow-view").then(({ FlowView: view }) => ({ default: view })));
const SessionsView = lazy(() => import("./components/sessions-view").then(({ SessionsView: view }) => ({ default: view })));

export type TimelineState = {
  query: string;
  operation: string | null;
  tab: string | null;
  view: ViewName;
  /** In Flow: whose waterfall is shown. */
  session: string | null;
  /** What cost the most comes first, instead of what is newest. */
  byCost: boolean;
  /** What the histogram shows, where that is not what the query finds; see `windows`. */
  window: string | null;
  /** The dialog that writes what the query finds. */
  exporting: boolean;
  /** Whether the newest is to be followed from now on: a wish, which goes once it is taken. */
  live: "on" | "off" | null;
};

const NO_ROWS: readonly OperationRowDto[] = [];
const NO_GROUPS: readonly FacetGroupDto[] = [];
const NO_NOTICES: readonly NoticeDto[] = [];
const NOTHING = () => undefined;

type TimelinePageProps = { state: TimelineState; onState: (change: Partial<TimelineState>) => void };

export function TimelinePage({ state, onState }: TimelinePageProps) {
  const { t } = useTranslation();
  const { query, operation, view, byCost } = state;
  const [live, setLive] = useLive(state.live, () => onState({ live: null }));
  const { rows: height } = useView();
  const all = useMemo(() => windows(state.window), [state.window]);
  const top = all.at(-1);
  const drawn = top === undefined ? null : withRange(query, top);
  const search = useSearch(query);
  const costly = useCostliest(query, byCost);
  const facets = useFacets(query, drawn === query ? null : drawn);
  // One list, however many pages: made anew only when a page changes.
  const newest = useMemo(() => search.data?.pages.flatMap((page) => page.rows) ?? [], [search.data]);
  const rows = byCost ? (costly.data?.rows ?? NO_ROWS) : newest;
  const notices = useMemo(() => search.data?.pages.flatMap((page) => page.notices ?? []) ?? [], [search.data]);
  const listed = useMemo(() => lines(rows, byCost ? NO_NOTICES : notices), [rows, notices, byCost]);
  const problems = search.data?.pages[0]?.problems ?? [];
  const capped = !byCost && view === "list" && search.data?.pages.some((page) => page.noticesCapped === true);
  const shown = byCost ? costly : search;
  const slow = useDeferred(shown.isPending, 150);
  const onByCost = useCallback((wanted: boolean) => onState({ byCost: wanted }), [onState]);
  const onQuery = useCallback((next: string) => onState({ query: next }), [onState]);
  const onRange = (next: string) => onState({ query: next, window: null });
  const onEdit = (edit: (query: string) => string) => onState({ query: edit(query) });
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = search;
  const onEnd = useCallback(() => {
    if (!byCost && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [byCost, fetchNextPage, hasNextPage, isFetchingNextPage]);
  const onOpen = useCallback((id: string) => onState({ operation: id }), [onState]);
  const onClose = useCallback(() => onState({ operation: null, tab: null }), [onState]);
  const groups = facets.data?.groups ?? NO_GROUPS;
  const canExport = facets.data !== undefined && facets.data.matches > 0;

  const { onZoom, onBack, onBrush } = useMemo(() => {
    const show = ({ query: next, windows: wanted }: ReturnType<typeof brushed>) => onState({ query: next, window: printWindows(wanted) });
    const zoomed = zoomedIn(query, all);
    return {
      onZoom: zoomed === all ? null : () => onState({ window: printWindows(zoomed) }),
      onBack: all.length === 0 ? null : () => show(zoomedOut(query, all)),
      onBrush: (range: Range) => show(brushed(query, all, range)),
    };
  }, [query, all, onState]);
  const pin = usePin();
  const client = useQueryClient();
  const pinOpen = () => {
    const open = operation === null ? undefined : client.getQueryData<OperationDetailDto>(keyOf({ call: "operations.get", input: { operation } }));
    if (open) pin(open.row);
  };
  const onKey = (event: KeyboardEvent): boolean => {
    if (event.key === "g") onState({ view: VIEWS[(VIEWS.indexOf(view) + 1) % VIEWS.length] ?? "list" });
    else if (event.key === "z") onZoom?.();
    else if (event.key === "Z") onBack?.();
    else if (event.key === "p") pinOpen();
    else return false;
    event.preventDefault();
    return true;
  };
  useExportKey(() => {
    if (canExport) onState({ exporting: true });
  });

  const asks = newest.length > 0 || query !== "";
  return (
    <>
      <PageBar title={t("timeline.title")}>
        <ViewSwitch view={view} onView={(next) => onState({ view: next })} />
        <span className="flex-1" />
        {view === "list" ? <RowHeight /> : null}
        <RangeMenu query={query} onQuery={onRange} />
        <Button kind="ghost" aria-pressed={live} onClick={() => setLive(!live)}>
          <span aria-hidden="true" className={`size-2 rounded-full ${live ? "bg-allow" : "bg-t3"}`} />
          {live ? t("timeline.live") : t("timeline.frozen")}
          <kbd aria-hidden="true" className="font-sans text-badge text-t3">
            {shownKey("L")}
          </kbd>
        </Button>
      </PageBar>
      {state.exporting && facets.data ? <ExportDialog query={query} matches={facets.data.matches} capped={facets.data.capped} onClose={() => onState({ exporting: false })} /> : null}
      <div className={`grid min-h-0 grid-rows-[auto_auto_minmax(0,1fr)] ${operation === null ? "grid-cols-[minmax(0,1fr)]" : "grid-cols-[minmax(0,1fr)_348px]"}`}>
        <div className="col-span-full">
          <QueryBar query={query} onQuery={onQuery}>
            {asks ? <FacetsPopover groups={groups} query={query} onQuery={onQuery} /> : null}
            <SaveView query={query} />
            <Button inert={!canExport} onClick={() => onState({ exporting: true })} aria-label={t("timeline.export")} title={t("timeline.export")}>
              <Download size={14} strokeWidth={1.5} aria-hidden />
              <span className="hidden wide:inline">{t("timeline.exportShort")}</span>
            </Button>
          </QueryBar>
          {problems.map((problem) => (
            <Problem key={problem.message} problem={problem} query={query} onQuery={onQuery} />
          ))}
          {capped ? (
            <p role="status" className="flex h-8 items-center border-b border-line bg-ask-tint px-4 text-caption">
              {t("timeline.eventsCapped")}
            </p>
          ) : null}
        </div>
        <div className="col-start-1">
          {view !== "flow" && facets.data && facets.data.bins.length > 0 ? <Histogram facets={facets.data} query={query} wider={drawn !== null && drawn !== query} onBrush={onBrush} onZoom={onZoom} onBack={onBack} byCost={view === "list" ? byCost : null} onByCost={onByCost} /> : null}
        </div>
        <div className={`col-start-1 grid min-h-0 grid-rows-[minmax(0,1fr)] ${view !== "flow" && asks ? "wide:grid-cols-[184px_minmax(0,1fr)]" : ""}`}>
          {view !== "flow" && asks ? (
            <div className="hidden min-h-0 border-e border-line wide:grid">
              <Facets groups={groups} query={query} onQuery={onQuery} />
            </div>
          ) : null}
          <Suspense>
            {view === "sessions" ? <SessionsView query={query} operation={operation} onOpen={onOpen} onClose={onClose} onKey={onKey} /> : null}
            {view === "flow" ? <FlowView query={query} session={state.session} operation={operation} onSession={(session) => onState({ session })} onOpen={onOpen} onClose={onClose} onKey={onKey} /> : null}
          </Suspense>
          {view !== "list" ? null : shown.error ? (
            <EngineFailure error={shown.error} onRetry={() => void shown.refetch()} />
          ) : slow ? (
            <div role="status" aria-label={t("timeline.loading")} className="overflow-hidden">
              <Skeleton rows={14} />
            </div>
          ) : shown.data && listed.length === 0 ? (
            byCost && newest.length > 0 ? (
              <Empty icon={Search} title={t("timeline.noCost")} footer={<Button onClick={() => onByCost(false)}>{t("timeline.newestFirst")}</Button>}>
                {t("timeline.noCostMore")}
              </Empty>
            ) : (
              <Nothing query={query} onQuery={onRange} />
            )
          ) : listed.length > 0 ? (
            <RowList
              lines={listed}
              total={facets.data ? facets.data.matches + listed.length - rows.length : null}
              selected={operation}
              oneLine={height === "one"}
              live={byCost || live}
              onLive={byCost ? NOTHING : setLive}
              byCost={byCost}
              onByCost={onByCost}
              onOpen={onOpen}
              onClose={onClose}
              onEnd={onEnd}
              onQuery={onEdit}
              onKey={onKey}
            />
          ) : null}
        </div>
        {operation === null ? null : isNotice(operation) ? <NoticePane key={operation} record={Number(operation)} onOpen={onOpen} onClose={onClose} /> : <Pane key={operation} id={operation} tab={state.tab} onTab={(tab) => onState({ tab })} onClose={onClose} />}
      </div>
    </>
  );
}

/** Whether the newest is followed: until somebody scrolls away or wants it still. A wish of the address holds once. */
function useLive(wish: TimelineState["live"], onTaken: () => void): [boolean, (live: boolean) => void] {
  const [live, setLive] = useState(wish !== "off");
  const [granted, setGranted] = useState(wish);
  if (wish !== granted) {
    setGranted(wish);
    if (wish !== null) setLive(wish === "on");
  }
  const taken = useEffectEvent(onTaken);
  useEffect(() => {
    if (wish !== null) taken();
  }, [wish]);
  return [live, setLive];
}

/** `⌘E` anywhere on the page. */
function useExportKey(run: () => void): void {
  const onKeyDown = useEffectEvent((event: globalThis.KeyboardEvent) => {
    if (!chordKey(event) || event.shiftKey || event.altKey || event.code !== "KeyE") return;
    event.preventDefault();
    run();
  });
  useEffect(() => {
    const listener = (event: globalThis.KeyboardEvent) => onKeyDown(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);
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

/** An agent of one's own, or the demo beside it in a profile that is thrown away. */
function First() {
  const { t } = useTranslation();
  return (
    <>
      <CommandLine command="reeve run -- claude" />
      <span>{t("timeline.emptyDemo")}</span>
      <CommandLine command="reeve-desktop --demo" />
    </>
  );
}

function Nothing({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const { t } = useTranslation();
  if (query === "") {
    return (
      <Empty icon={Logs} title={t("timeline.empty")} footer={<First />}>
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
