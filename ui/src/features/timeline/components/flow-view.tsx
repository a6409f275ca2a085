// Flow: the sessions at the left, one of them as a waterfall.
import { Link } from "@tanstack/react-router";
import { Link as LinkIcon, ListTree, Search } from "lucide-react";
import { type KeyboardEvent, useCallback, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile, Badge } from "../../../components/badge";
import { Button } from "../../../components/button";
import { CommandLine, Empty, EngineFailure, Skeleton } from "../../../components/empty";
import { Dot } from "../../../components/facts";
import { Glyph } from "../../../components/glyph";
import { useToast } from "../../../components/toasts";
import { Untrusted } from "../../../components/untrusted";
import { useDeferred } from "../../../components/use-deferred";
import { useNow } from "../../../components/use-now";
import type { FlowDto } from "../../../engine/bindings/FlowDto";
import type { SessionSumDto } from "../../../engine/bindings/SessionSumDto";
import { money } from "../../../lib/money";
import { countdown } from "../../../lib/time";
import { type Closed, firstClosed, flat, type FlowRow, lastedMs, openBelow, type Scale, scaleOf, spans, titleOf, turnKey } from "../flow-model";
import { useFlow, useSessions } from "../queries";
import { columns, NodeLine, TurnLine } from "./flow-rows";
import { SessionMark, SessionWords } from "./session-line";
import { TreeGrid, type TreeItem } from "./tree-grid";

type FlowViewProps = {
  query: string;
  session: string | null;
  operation: string | null;
  onSession: (session: string) => void;
  onOpen: (operation: string) => void;
  onClose: () => void;
  onKey: (event: KeyboardEvent) => boolean;
};

export function FlowView({ query, session, operation, onSession, onOpen, onClose, onKey }: FlowViewProps) {
  const { t } = useTranslation();
  const sessions = useSessions(query);
  const sums = sessions.data?.pages.flatMap((page) => page.rows) ?? [];
  const chosen = session ?? sums[0]?.session.id ?? null;
  const slow = useDeferred(sessions.isPending, 150);
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = sessions;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);

  if (sessions.error) return <EngineFailure error={sessions.error} onRetry={() => void sessions.refetch()} />;
  if (slow) {
    return (
      <div role="status" aria-label={t("timeline.loading")} className="overflow-hidden">
        <Skeleton rows={12} />
      </div>
    );
  }
  if (sessions.data && sums.length === 0 && session === null) return <NoSessions query={query} />;
  return (
    <div className={`grid min-h-0 grid-rows-[minmax(0,1fr)] ${operation === null ? "grid-cols-[248px_minmax(0,1fr)] wide:grid-cols-[264px_minmax(0,1fr)]" : "grid-cols-[minmax(0,1fr)]"}`}>
      {operation === null ? <SessionList sums={sums} more={hasNextPage} chosen={chosen} onSession={onSession} onEnd={onEnd} onKey={onKey} /> : null}
      {chosen === null ? null : <Waterfall key={chosen} session={chosen} query={query} sum={sums.find((one) => one.session.id === chosen)} operation={operation} onOpen={onOpen} onClose={onClose} onKey={onKey} />}
    </div>
  );
}

export function NoSessions({ query }: { query: string }) {
  const { t } = useTranslation();
  if (query !== "") return <Empty icon={Search} title={t("sessions.none")}>{t("timeline.noneMore")}</Empty>;
  return (
    <Empty icon={ListTree} title={t("sessions.empty")} footer={<CommandLine command="reeve run -- claude" />}>
      {t("sessions.emptyMore")}
    </Empty>
  );
}

type SessionItem = TreeItem & { sum: SessionSumDto };

type SessionListProps = { sums: readonly SessionSumDto[]; more: boolean; chosen: string | null; onSession: (session: string) => void; onEnd: () => void; onKey: FlowViewProps["onKey"] };

function SessionList({ sums, more, chosen, onSession, onEnd, onKey }: SessionListProps) {
  const { t } = useTranslation();
  const items: SessionItem[] = sums.map((sum) => ({ key: sum.session.id, level: 1, height: 46, expandable: false, open: false, sum }));
  return (
    <section aria-label={t("sessions.title")} className="flex min-h-0 flex-col border-e border-line">
      <p className="chrome flex h-7 flex-none items-center justify-between border-b border-line px-4 text-caption text-t3">
        <span>{t("sessions.count", { count: sums.length, shown: `${sums.length}${more ? "+" : ""}` })}</span>
        <span>{t("sessions.order")}</span>
      </p>
      <TreeGrid
        label={t("sessions.title")}
        items={items}
        selected={chosen}
        onToggle={() => {}}
        onAll={() => {}}
        onOpen={(item) => onSession(item.key)}
        onClose={() => {}}
        onEnd={onEnd}
        onKey={onKey}
        render={({ sum }) => (
          <div className="grid h-full grid-cols-[14px_minmax(0,1fr)] gap-x-2 border-b border-line-row px-4 py-1">
            <span role="gridcell" className="grid h-5 place-items-center">
              <SessionMark sum={sum} />
            </span>
            <span role="gridcell" className="min-w-0">
              <SessionWords sum={sum} />
            </span>
          </div>
        )}
      />
    </section>
  );
}

type WaterfallProps = Pick<FlowViewProps, "query" | "operation" | "onOpen" | "onClose" | "onKey"> & { session: string; sum: SessionSumDto | undefined };

function Waterfall({ session, sum, query, operation, onOpen, onClose, onKey }: WaterfallProps) {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useFlow(session, query);
  const slow = useDeferred(isPending, 150);
  return (
    <section aria-label={t("flow.label")} className="flex min-h-0 min-w-0 flex-col">
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {slow ? <Skeleton rows={10} /> : null}
      {data && data.session.id === session ? <Drawn flow={data} sum={sum} query={query} operation={operation} onOpen={onOpen} onClose={onClose} onKey={onKey} /> : null}
    </section>
  );
}

type FlowItem = TreeItem & { row: FlowRow };

export function itemOf(row: FlowRow, below: number): FlowItem {
  if (row.kind === "turn") return { key: row.key, level: below + 1, height: 28, expandable: true, open: row.open, row };
  if (row.kind === "part") return { key: row.key, level: below + row.node.depth + 3, height: 28, expandable: false, open: false, row };
  return { key: row.key, level: below + row.node.depth + 2, height: 28, expandable: row.node.below > 0, open: row.open, row };
}

type ScaledItem = FlowItem & { scale: Scale };

/** Each row with the scale of its turn. */
function scaled(rows: readonly FlowRow[]): ScaledItem[] {
  const found: ScaledItem[] = [];
  let scale = scaleOf(undefined);
  for (const row of rows) {
    if (row.kind === "turn") scale = scaleOf(row.turn);
    found.push({ ...itemOf(row, 0), scale });
  }
  return found;
}

function Drawn({ flow, sum, query, operation, onOpen, onClose, onKey }: Omit<WaterfallProps, "session"> & { flow: FlowDto }) {
  const { t } = useTranslation();
  const [closed, setClosed] = useState<Closed>(() => firstClosed(flow, operation));
  const [sought, setSought] = useState<string | null>(null);
  const find = useRef<HTMLInputElement>(null);
  // Beside the pane each row is an action: what it shows is told by the row.
  const items = useMemo(() => {
    const rows = flat(flow, closed, sought ?? "");
    return scaled(operation === null && sought === null ? spans(rows) : rows);
  }, [flow, closed, sought, operation]);
  const toggle = (item: FlowItem, open: boolean) => setClosed((now) => new Set(open ? [...now].filter((key) => key !== item.key) : [...now, item.key]));
  const onFind = () => {
    setSought((now) => now ?? "");
    requestAnimationFrame(() => find.current?.focus());
  };
  return (
    <>
      <Head flow={flow} sum={sum} onFind={onFind} />
      {sought === null ? null : (
        <div className="flex h-9 flex-none items-center gap-2 border-b border-line px-4">
          <Search size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
          <input
            ref={find}
            value={sought}
            aria-label={t("flow.find")}
            placeholder={t("flow.find")}
            onChange={(event) => setSought(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") setSought(null);
            }}
            className="mono h-full min-w-0 flex-1 bg-transparent text-caption outline-none placeholder:text-t3"
          />
          <span role="status" className="text-caption text-t3">
            {t("flow.found", { count: items.filter((item) => item.row.kind === "node").length })}
          </span>
        </div>
      )}
      <div className={`chrome h-7 flex-none border-b border-line text-caption font-medium text-t3 ${columns(true)}`}>
        <span>{t("timeline.column.action")}</span>
        <span className="text-end">{t("timeline.column.cost")}</span>
        <span className="text-end">{t("timeline.column.time")}</span>
        <span />
      </div>
      {flow.nodes.length === 0 ? <Empty icon={Search} title={t("flow.empty")}>{query === "" ? t("flow.emptyMore") : t("timeline.noneMore")}</Empty> : null}
      {flow.nodes.length === 0 ? null : (
        <TreeGrid
          label={t("flow.label")}
          items={items}
          selected={operation}
          begin={turnKey(flow.turns.length)}
          onToggle={toggle}
          onAll={(item) => setClosed((now) => openBelow(flow, now, item.row))}
          onOpen={(item) => (item.row.kind === "turn" ? (operation === null ? toggle(item, !item.open) : undefined) : onOpen(item.row.node.id))}
          onClose={onClose}
          onFind={onFind}
          onKey={onKey}
          render={(item, onToggle) =>
            item.row.kind === "turn" ? (
              <TurnLine turn={item.row.turn} number={item.row.number} open={item.open} onToggle={onToggle} scale={item.scale} />
            ) : (
              <NodeLine node={item.row.node} part={item.row.kind === "part" ? item.row.part : null} open={item.open} onToggle={onToggle} scale={item.scale} />
            )
          }
        />
      )}
      {flow.capped ? <p className="flex-none border-t border-line bg-ask-tint px-4 py-1.5 text-caption text-ask">{t("flow.capped", { shown: flow.nodes.length.toLocaleString("en-US") })}</p> : null}
    </>
  );
}

function Head({ flow, sum, onFind }: { flow: FlowDto; sum: SessionSumDto | undefined; onFind: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const now = useNow();
  const { session } = flow;
  const waiting = flow.nodes.find((node) => node.state === "held");
  const denied = flow.turns.reduce((all, turn) => all + turn.denied, 0);
  const cost = flow.turns.reduce((all, turn) => all + turn.cost, 0);
  const waited = flow.turns.reduce((all, turn) => all + turn.wait, 0);
  const copy = () => void navigator.clipboard?.writeText(`reeve://session/${session.id}`).then(() => toast("done", t("actions.linkCopied")));
  return (
    <header className="flex-none border-b border-line px-4 pt-3 pb-2.5">
      <div className="flex min-w-0 items-center gap-2">
        <AgentTile name={session.agentName} />
        <h2 className="min-w-0 truncate text-section font-semibold tracking-[-0.01em]">
          <Untrusted text={titleOf(session)} max={80} />
        </h2>
        {waiting ? (
          <Badge tone="ask">
            <Glyph shape="held" size={10} />
            {t("sessions.waits")}
          </Badge>
        ) : null}
        <span className="flex-1" />
        <Button kind="icon" aria-label={t("flow.find")} title={t("flow.find")} onClick={onFind}>
          <Search size={14} strokeWidth={1.5} aria-hidden />
        </Button>
        <Button kind="icon" aria-label={t("actions.copyLink")} title={t("actions.copyLink")} onClick={copy}>
          <LinkIcon size={14} strokeWidth={1.5} aria-hidden />
        </Button>
        {sum && sum.held > 0 ? (
          <Link to="/inbox" className="chrome inline-flex h-7 items-center rounded-control border border-line-button px-2.5 font-medium hover:bg-hover">
            {t("flow.inbox")}
          </Link>
        ) : null}
      </div>
      <p className="mt-0.5 flex min-w-0 flex-wrap items-center text-t2">
        <b className="font-medium text-t1">{countdown(lastedMs(session, now))}</b>
        <Dot />
        {t("flow.actions", { count: flow.nodes.length, shown: flow.nodes.length.toLocaleString("en-US") })}
        <Dot />
        <b className="font-medium text-t1">{money(cost)}</b>
        {denied > 0 ? (
          <>
            <Dot />
            {t("flow.denied", { count: denied })}
          </>
        ) : null}
        {waited > 0 ? (
          <>
            <Dot />
            {t("flow.waited", { time: countdown(waited) })}
          </>
        ) : null}
        <Dot />
        <code className="mono min-w-0 truncate text-caption">
          <Untrusted text={session.cwd} max={48} />
        </code>
        <Dot />
        {session.endedBecause === null ? t("sessions.runs") : t(`sessions.because.${session.endedBecause}`)}
      </p>
    </header>
  );
}
