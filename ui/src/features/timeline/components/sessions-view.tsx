// Sessions: a tree of all that match; what is opened shows its turns and actions.
import { useQueries } from "@tanstack/react-query";
import { type KeyboardEvent, useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../../components/badge";
import { EngineFailure, Skeleton } from "../../../components/empty";
import { Untrusted } from "../../../components/untrusted";
import { useDeferred } from "../../../components/use-deferred";
import { useNow } from "../../../components/use-now";
import type { FlowDto } from "../../../engine/bindings/FlowDto";
import type { SessionSumDto } from "../../../engine/bindings/SessionSumDto";
import type { Call, EngineError } from "../../../engine/client";
import { keyOf, useEngine } from "../../../engine/query";
import { money } from "../../../lib/money";
import { countdown, day } from "../../../lib/time";
import { type Closed, flat, type FlowRow, lastedMs, openBelow, placeOf, titleOf } from "../flow-model";
import { useSessions } from "../queries";
import { itemOf, NoSessions } from "./flow-view";
import { columns, NodeLine, TurnLine, Twist } from "./flow-rows";
import { SessionMark } from "./session-line";
import { TreeGrid, type TreeItem } from "./tree-grid";

type SessionsViewProps = {
  query: string;
  operation: string | null;
  onOpen: (operation: string) => void;
  onClose: () => void;
  onKey: (event: KeyboardEvent) => boolean;
};

type Item = TreeItem & { session: string; sum?: SessionSumDto; row?: FlowRow };

const flowCall = (session: string, query: string) => ({ call: "sessions.flow", input: { session, query } }) as const satisfies Call;

export function SessionsView({ query, operation, onOpen, onClose, onKey }: SessionsViewProps) {
  const { t } = useTranslation();
  const engine = useEngine();
  const sessions = useSessions(query);
  const sums = useMemo(() => sessions.data?.pages.flatMap((page) => page.rows) ?? [], [sessions.data]);
  const [opened, setOpened] = useState<readonly string[]>([]);
  const [closed, setClosed] = useState<Closed>(new Set());
  const slow = useDeferred(sessions.isPending, 150);
  const flows = useQueries({
    queries: opened.map((session) => ({ queryKey: keyOf(flowCall(session, query)), queryFn: () => engine.call(flowCall(session, query)), gcTime: 30_000 })),
    combine: (results) => results.map(({ data, error }): { data: FlowDto | undefined; error: EngineError | null } => ({ data, error: error as EngineError | null })),
  });
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = sessions;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);

  const items = sums.flatMap((sum): Item[] => {
    const session = sum.session.id;
    const at = opened.indexOf(session);
    const head: Item = { key: session, level: 1, height: 36, expandable: sum.actions > 0, open: at >= 0, session, sum };
    if (at < 0) return [head];
    const flow = flows[at]?.data;
    // A turn's number means something within its session only.
    const scoped = new Set([...closed].filter((key) => key.startsWith(`${session}/`)).map((key) => key.slice(session.length + 1)));
    const rows = flow ? flat(flow, scoped).map((row): Item => ({ ...itemOf(row, 1), key: row.kind === "turn" ? `${session}/${row.key}` : row.key, session, row })) : [];
    return [head, ...(flow ? rows : [{ key: `${session}/loading`, level: 2, height: 28, expandable: false, open: false, session }])];
  });
  const toggle = (item: Item, open: boolean) => {
    if (item.sum) setOpened((now) => (open ? [...now, item.session] : now.filter((one) => one !== item.session)));
    else {
      const key = item.row?.kind === "turn" ? item.key : `${item.session}/${item.key}`;
      setClosed((now) => new Set(open ? [...now].filter((one) => one !== key) : [...now, key]));
    }
  };
  const all = (item: Item) => {
    const flow = flows[opened.indexOf(item.session)]?.data;
    if (item.sum && !item.open) toggle(item, true);
    if (!flow) return;
    const mine = [...closed].filter((key) => key.startsWith(`${item.session}/`)).map((key) => key.slice(item.session.length + 1));
    const left = item.row ? openBelow(flow, new Set(mine), item.row) : new Set<string>();
    setClosed((now) => new Set([...[...now].filter((key) => !key.startsWith(`${item.session}/`)), ...[...left].map((key) => `${item.session}/${key}`)]));
  };

  if (sessions.error) return <EngineFailure error={sessions.error} onRetry={() => void sessions.refetch()} />;
  if (slow) {
    return (
      <div role="status" aria-label={t("timeline.loading")} className="overflow-hidden">
        <Skeleton rows={12} />
      </div>
    );
  }
  if (sessions.data && sums.length === 0) return <NoSessions query={query} />;
  const failed = flows.find((one) => one.error)?.error;
  return (
    <section aria-label={t("sessions.title")} className="flex min-h-0 min-w-0 flex-col">
      <div className={`chrome h-7 flex-none border-b border-line text-caption font-medium text-t3 ${columns(false)}`}>
        <span>{t("sessions.column")}</span>
        <span className="text-end">{t("timeline.column.cost")}</span>
        <span className="text-end">{t("timeline.column.time")}</span>
      </div>
      {failed ? <EngineFailure error={failed} /> : null}
      <TreeGrid
        label={t("sessions.title")}
        items={items}
        selected={operation}
        onToggle={toggle}
        onAll={all}
        onOpen={(item) => (item.row?.kind === "node" ? onOpen(item.key) : item.expandable && operation === null ? toggle(item, !item.open) : undefined)}
        onClose={onClose}
        onEnd={onEnd}
        onKey={onKey}
        render={(item, onToggle) => <Line item={item} onToggle={onToggle} />}
      />
    </section>
  );
}

function Line({ item, onToggle }: { item: Item; onToggle: () => void }) {
  const { t } = useTranslation();
  if (item.sum) return <SessionRow sum={item.sum} open={item.open} onToggle={onToggle} />;
  if (item.row?.kind === "turn") {
    return (
      <div className="h-full ps-5">
        <TurnLine turn={item.row.turn} number={item.row.number} open={item.open} onToggle={onToggle} scale={null} />
      </div>
    );
  }
  if (item.row) {
    return (
      <div className="h-full ps-10">
        <NodeLine node={item.row.node} part={null} open={item.open} onToggle={onToggle} scale={null} />
      </div>
    );
  }
  return (
    <div role="gridcell" className="flex h-full items-center ps-15 text-caption text-t3">
      {t("timeline.loading")}
    </div>
  );
}

function SessionRow({ sum, open, onToggle }: { sum: SessionSumDto; open: boolean; onToggle: () => void }) {
  const { t } = useTranslation();
  const now = useNow();
  const { session } = sum;
  return (
    <div className={`${columns(false)} h-full border-b border-line-row`}>
      <span role="gridcell" className="flex min-w-0 items-center gap-2 whitespace-nowrap">
        {sum.actions > 0 ? <Twist open={open} onToggle={onToggle} label={t(open ? "flow.close" : "flow.open")} /> : <span className="w-4 flex-none" />}
        <SessionMark sum={sum} />
        <AgentTile name={session.agentName} />
        <span className="flex-none font-medium">
          <Untrusted text={session.agentName} max={24} />
        </span>
        <span className="mono min-w-0 truncate text-caption">
          <Untrusted text={titleOf(session)} max={48} />
        </span>
        <span className="flex min-w-0 flex-none items-center gap-2 text-caption text-t3">
          <Untrusted text={placeOf(session.cwd)} max={20} />
          <span>{day(session.openedAt, now)}</span>
          <span>{t("flow.actions", { count: sum.actions, shown: sum.actions.toLocaleString("en-US") + (sum.capped ? "+" : "") })}</span>
          {sum.denied > 0 ? <span className="text-deny">{t("flow.denied", { count: sum.denied })}</span> : null}
          {sum.held > 0 ? <span className="text-ask">{t("flow.held", { count: sum.held })}</span> : null}
        </span>
      </span>
      <span role="gridcell" className="text-end">
        {sum.cost === 0 ? <span className="text-caption text-t3">{t("sessions.noCost")}</span> : money(sum.cost)}
      </span>
      <span role="gridcell" className="text-end text-t2">
        {countdown(lastedMs(session, now))}
      </span>
    </div>
  );
}
