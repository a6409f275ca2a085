// Budgets: every limit with what is spent, held and free of it, where it is heading, and the chosen one in detail.
import { Link } from "@tanstack/react-router";
import { Lock, Plus, TriangleAlert, Wallet } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge";
import { BudgetBar, BudgetKey } from "../../components/budget-bar";
import { Button } from "../../components/button";
import { CommandLine, Empty, EngineFailure, Skeleton } from "../../components/empty";
import { Modal } from "../../components/modal";
import { PageBar } from "../../components/page-bar";
import { Untrusted } from "../../components/untrusted";
import { useNow } from "../../components/use-now";
import type { BudgetLineDto } from "../../engine/bindings/BudgetLineDto";
import { minute } from "../../lib/time";
import { Detail } from "./components/detail";
import { BudgetForm } from "./components/forms";
import { useWindowWords, Who } from "./components/names";
import { against, amount, bare, lineOf, mark, pace, rough, scopeOf } from "./model";
import { useLines, useWaiting } from "./queries";

export type BudgetView = { account: string | null; table: boolean; /** The dialog that stands over it. */ open: "prices" | "new" | null };

export function BudgetsPage({ selected, view, onView }: { selected: string | null; view: BudgetView; onView: (change: Partial<BudgetView>) => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useLines();
  const add = (open: boolean) => onView({ open: open ? "new" : null });
  return (
    <>
      <PageBar title={t("budgets.title")}>
        <span className="flex-1" />
        {/* One filled button per view: where there is none yet, it is the one on the page. */}
        <Button kind={data?.length === 0 ? "plain" : "primary"} onClick={() => add(true)}>
          <Plus size={14} strokeWidth={1.5} aria-hidden />
          {t("budgets.add")}
        </Button>
      </PageBar>
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {!error && !data ? <Skeleton rows={5} /> : null}
      {data && !error ? <Content lines={data} selected={selected} view={view} onView={onView} onAdd={() => add(true)} /> : null}
      <Modal title={t("budgets.addTitle")} open={view.open === "new"} onOpen={add}>
        <BudgetForm known={null} taken={data?.map((line) => line.id) ?? []} onDone={() => add(false)} />
      </Modal>
    </>
  );
}

type ContentProps = { lines: readonly BudgetLineDto[]; selected: string | null; view: BudgetView; onView: (change: Partial<BudgetView>) => void; onAdd: () => void };

function Content({ lines, selected, view, onView, onAdd }: ContentProps) {
  const { t } = useTranslation();
  if (lines.length === 0) {
    return (
      <Empty
        icon={Wallet}
        title={t("budgets.empty")}
        footer={
          <>
            <Button kind="primary" large onClick={onAdd}>{t("budgets.addFirst")}</Button>
            <CommandLine command="reeve budget set daily 20.00" />
          </>
        }
      >
        {t("budgets.emptyMore")}
      </Empty>
    );
  }
  const chosen = lines.find((line) => line.id === selected) ?? (selected === null ? lines[0] : undefined);
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)_minmax(380px,464px)] grid-rows-[minmax(0,1fr)]">
      <section aria-label={t("budgets.list")} className="flex min-h-0 flex-col border-e border-line">
        <div className="flex h-7 flex-none items-center gap-4 overflow-hidden border-b border-line px-4 text-caption text-t3">
          <span className="font-medium whitespace-nowrap">{t("budgets.count", { count: lines.length })}</span>
          <span className="flex-1" />
          {(["settled", "reserved", "free", "pace"] as const).map((part) => (
            <span key={part} className="inline-flex items-center gap-1.5 whitespace-nowrap text-t2">
              <BudgetKey part={part} />
              {t(`budgets.part.${part}`)}
            </span>
          ))}
        </div>
        <nav aria-label={t("budgets.list")} className="min-h-0 flex-1 overflow-y-auto">
          <ul>
            {lines.map((line) => (
              <li key={line.id}>
                <Row line={line} chosen={line.id === chosen?.id} />
              </li>
            ))}
          </ul>
        </nav>
      </section>
      {chosen ? (
        <Detail key={chosen.id} line={chosen} view={view} onView={onView} />
      ) : (
        <Empty icon={Wallet} title={t("budgets.gone")}>
          {t("budgets.goneMore")}
        </Empty>
      )}
    </div>
  );
}

function Row({ line: written, chosen }: { line: BudgetLineDto; chosen: boolean }) {
  const { t } = useTranslation();
  const line = lineOf(written, written.accounts[0]);
  const now = useNow(60_000);
  const windowWords = useWindowWords();
  const nearest = line.accounts[0];
  const passed = nearest ? mark(line, nearest) : null;
  const used = nearest ? nearest.settled + nearest.reserved : 0;
  return (
    <Link to="/budgets/$budget" params={{ budget: line.id }} aria-current={chosen ? "true" : undefined} className={`grid h-19.5 content-center gap-0.75 border-b border-line-row px-4 ${chosen ? "bg-selected" : "hover:bg-hover"}`}>
      <span className="flex min-w-0 items-center gap-2">
        <Who line={line} className="min-w-0 truncate font-semibold" />
        <span className="flex-none text-t2">{windowWords(line, line.window, nearest?.windowStart)}</span>
        {passed === null ? null : (
          <Badge tone={passed === 100 ? "deny" : "ask"}>
            <TriangleAlert size={12} strokeWidth={1.75} aria-hidden />
            {passed === 100 ? t("budgets.reached") : t("budgets.over", { percent: passed })}
          </Badge>
        )}
        {line.editable ? null : (
          <Badge>
            <Lock size={12} strokeWidth={1.75} aria-hidden />
            {t("budgets.readOnly")}
          </Badge>
        )}
        <span className="flex-1" />
        <span className="flex-none tabular-nums">
          <span className="font-semibold">{amount(line.unit, used)}</span>
          <span className="text-t3"> {t("budgets.of", { limit: amount(line.unit, line.limit) })}</span>
        </span>
      </span>
      <BudgetBar label={t("budgets.bar", { used: amount(line.unit, used), limit: amount(line.unit, line.limit) })} settled={nearest?.settled ?? 0} reserved={nearest?.reserved ?? 0} limit={line.limit} pace={nearest ? pace(nearest, now) : null} />
      <span className="flex min-w-0 items-center gap-3 text-caption text-t2">
        <Facts line={line} />
        <span className="flex-1" />
        <Outlook line={line} />
      </span>
    </Link>
  );
}

/** Settled, reserved, free; of several accounts, the one with the least left. */
function Facts({ line }: { line: BudgetLineDto }) {
  const { t } = useTranslation();
  const nearest = line.accounts[0];
  const { kind } = scopeOf(line.scope);
  if (!nearest) return <span className="truncate text-t3">{kind === "session" ? t("budgets.noSession") : t("budgets.noAgent")}</span>;
  if (line.window === "call") return <span className="truncate">{t("budgets.eachCall")}</span>;
  if (line.accounts.length > 1) {
    return (
      <span className="truncate">
        {kind === "session" ? t("budgets.sessions", { count: line.accounts.length }) : t("budgets.agents", { count: line.accounts.length })}
        {" · "}
        {t("budgets.nearest")} <Untrusted text={nearest.agentName ?? nearest.account} max={28} />
        {" · "}
        {t("budgets.free", { amount: bare(line.unit, nearest.free) })}
      </span>
    );
  }
  return <span className="truncate">{t("budgets.facts", { settled: bare(line.unit, nearest.settled), reserved: bare(line.unit, nearest.reserved), free: bare(line.unit, nearest.free) })}</span>;
}

/** The one thing to know about it now: who waits, when it is reached, where it will end, or what happens at the limit. */
function Outlook({ line }: { line: BudgetLineDto }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const waiting = useWaiting(line.id);
  const nearest = line.accounts[0];
  const forecast = nearest?.forecast;
  const first = waiting[0];
  if (first) return <span className="flex-none font-medium text-ask">{first.estimate === null ? t("budgets.waiting", { count: waiting.length }) : t("budgets.waitingFor", { count: waiting.length, amount: amount("money", first.estimate) })}</span>;
  if (forecast?.reachedAt) {
    const at = Date.parse(forecast.reachedAt) - now < 86_400_000 ? minute(forecast.reachedAt) : new Date(forecast.reachedAt).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    return <span className="flex-none font-medium text-ask">{t("budgets.reaches", { time: at })}</span>;
  }
  if (nearest && forecast?.expected !== undefined && forecast.expected !== null) {
    const where = against(line, nearest, now);
    return (
      <>
        <span className="flex-none wide:hidden">{t("budgets.forecastShort", { amount: rough(line.unit, forecast.expected) })}</span>
        <span className="flex-none max-wide:hidden">
          {t("budgets.forecast", { amount: rough(line.unit, forecast.expected), low: rough(line.unit, forecast.low ?? 0).replace("$", ""), high: rough(line.unit, forecast.high ?? 0).replace("$", "") })}
          {where === null ? null : `, ${t(`budgets.pace.${where}`)}`}
        </span>
      </>
    );
  }
  return <span className="flex-none">{t(`budgets.atLimit.${line.onExhausted}`)}</span>;
}
