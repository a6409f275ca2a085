// One limit: its sum and forecast, spending over time, who spent it, and which limit decides the next call.
import { Link } from "@tanstack/react-router";
import { ArrowRight, ChartLine, Pencil, Table2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../../components/badge";
import { BudgetBar } from "../../../components/budget-bar";
import { Button } from "../../../components/button";
import { EngineFailure, Skeleton } from "../../../components/empty";
import { Modal } from "../../../components/modal";
import { Untrusted } from "../../../components/untrusted";
import { useNow } from "../../../components/use-now";
import type { BudgetAccountDto } from "../../../engine/bindings/BudgetAccountDto";
import type { BudgetDetailDto } from "../../../engine/bindings/BudgetDetailDto";
import type { BudgetLineDto } from "../../../engine/bindings/BudgetLineDto";
import type { NextCallDto } from "../../../engine/bindings/NextCallDto";
import { exact } from "../../../lib/time";
import type { BudgetView } from "../budgets-page";
import { amount, lineOf, pace, rough } from "../model";
import { hitsQuery, useDetail, useHits, useLines, usePrices } from "../queries";
import { SpendChart, SpendTable } from "./chart";
import { BudgetForm, Raise, Remove } from "./forms";
import { useWindowWords, Who } from "./names";
import { PriceTable } from "./prices";

type Open = "edit" | "raise" | "remove" | null;

export function Detail({ line, view, onView }: { line: BudgetLineDto; view: BudgetView; onView: (change: Partial<BudgetView>) => void }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<Open>(null);
  const known = line.accounts.some((one) => one.account === view.account);
  const { data, error, refetch } = useDetail(line.id, known ? view.account : null);
  const windowWords = useWindowWords();
  const modal = (which: Open) => ({ open: open === which, onOpen: (wanted: boolean) => setOpen(wanted ? which : null) });
  const close = () => setOpen(null);
  return (
    <div className="flex min-h-0 min-w-0 flex-col">
      <header className="flex h-10 flex-none items-center gap-1 border-b border-line ps-4 pe-2">
        <h2 className="min-w-0 flex-1 truncate font-semibold">
          <Who line={line} />
          {", "}
          {windowWords(line, line.window, line.accounts[0]?.windowStart)}
        </h2>
        {line.editable ? (
          <>
            <Button kind="ghost" onClick={() => setOpen("raise")}>
              {t("budgets.raise")}
            </Button>
            <Button kind="ghost" onClick={() => setOpen("edit")}>
              <Pencil size={14} strokeWidth={1.5} aria-hidden />
              {t("budgets.edit")}
            </Button>
          </>
        ) : null}
        <Button kind="icon" title={view.table ? t("budgets.asChart") : t("budgets.asTable")} aria-label={view.table ? t("budgets.asChart") : t("budgets.asTable")} onClick={() => onView({ table: !view.table })}>
          {view.table ? <ChartLine size={14} strokeWidth={1.5} aria-hidden /> : <Table2 size={14} strokeWidth={1.5} aria-hidden />}
        </Button>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto p-4" tabIndex={0} role="region" aria-label={t("budgets.detail")}>
        {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
        {!error && !data ? <Skeleton rows={4} /> : null}
        {data && !error ? <Body detail={data} table={view.table} onAccount={(account) => onView({ account })} /> : null}
        <Written line={line} onRemove={() => setOpen("remove")} />
      </div>
      <Foot onPrices={() => onView({ open: "prices" })} />
      <Modal title={t("budgets.editTitle")} {...modal("edit")}>
        <BudgetForm known={line} taken={[]} onDone={close} />
      </Modal>
      <Modal title={t("budgets.raiseTitle")} {...modal("raise")}>
        <Raise line={line} onDone={close} />
      </Modal>
      <Modal title={t("budgets.removeTitle")} {...modal("remove")}>
        <Remove line={line} onDone={close} />
      </Modal>
      <Modal title={t("budgets.prices.title")} open={view.open === "prices"} onOpen={(open) => onView({ open: open ? "prices" : null })}>
        <PriceTable />
      </Modal>
    </div>
  );
}

function Section({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <div className="mt-3 border-t border-line pt-3">
      <h3 className="mb-1 text-caption font-semibold text-t2">{title}</h3>
      {children}
    </div>
  );
}

function Body({ detail, table, onAccount }: { detail: BudgetDetailDto; table: boolean; onAccount: (account: string) => void }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const account = detail.line.accounts.find((one) => one.account === detail.account);
  const line = lineOf(detail.line, account);
  if (!account) return <p className="text-t2">{t("budgets.nothing")}</p>;
  const used = account.settled + account.reserved;
  const { forecast } = account;
  return (
    <>
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className="text-page font-semibold tracking-[-0.015em] tabular-nums">{amount(line.unit, used)}</span>
        <span className="text-t3">{t("budgets.of", { limit: amount(line.unit, line.limit) })}</span>
        <span className="flex-1" />
        <span className="text-t2">
          {forecast?.expected === null || forecast?.expected === undefined ? (
            t("budgets.noForecast")
          ) : (
            <>
              {t("budgets.forecastWord")} <span className="font-semibold text-t1">{rough(line.unit, forecast.expected)}</span> {t("budgets.range", { low: rough(line.unit, forecast.low ?? 0).replace("$", ""), high: rough(line.unit, forecast.high ?? 0).replace("$", "") })}
            </>
          )}
        </span>
      </p>
      {detail.points.length === 0 ? null : table ? <SpendTable line={line} account={account} points={detail.points} /> : <SpendChart line={line} account={account} points={detail.points} now={now} />}
      <p className="mt-1 text-caption text-t2">
        <Summary line={line} account={account} now={now} />
      </p>
      {line.accounts.length > 1 ? <Accounts line={detail.line} chosen={account.account} onAccount={onAccount} /> : null}
      {detail.agents.length === 0 ? null : <ByAgent detail={detail} />}
      {detail.next === null ? null : <Next next={detail.next} />}
    </>
  );
}

/** The chart in one or two sentences. */
function Summary({ line, account, now }: { line: BudgetLineDto; account: BudgetAccountDto; now: number }) {
  const { t } = useTranslation();
  const even = pace(account, now);
  const told = t("budgets.facts", { settled: amount(line.unit, account.settled), reserved: amount(line.unit, account.reserved), free: amount(line.unit, account.free) });
  const { forecast } = account;
  return (
    <>
      {told}
      {even === null ? null : `. ${t("budgets.evenWouldBe", { amount: amount(line.unit, Math.round(line.limit * even)) })}`}
      {forecast === null ? `. ${t("budgets.tooFew")}` : `. ${t("budgets.from", { count: forecast.calls, amount: amount(line.unit, forecast.perHour) })}`}
      {forecast?.reachedAt ? `. ${t("budgets.reachedExactly", { time: exact(forecast.reachedAt) })}` : null}
      {"."}
    </>
  );
}

function Accounts({ line, chosen, onAccount }: { line: BudgetLineDto; chosen: string; onAccount: (account: string) => void }) {
  const { t } = useTranslation();
  const shown = line.accounts.slice(0, 50);
  return (
    <Section title={t("budgets.accounts", { count: line.accounts.length })}>
      <ul>
        {shown.map((one) => (
          <li key={one.account}>
            <button type="button" aria-pressed={one.account === chosen} onClick={() => onAccount(one.account)} className={`grid min-h-8 w-full grid-cols-[minmax(0,1fr)_minmax(80px,140px)_84px] items-center gap-3 border-b border-line-row px-1 text-start ${one.account === chosen ? "bg-selected" : "hover:bg-hover"}`}>
              <span className="flex min-w-0 items-center gap-2">
                {one.agentName === null ? null : <AgentTile name={one.agentName} />}
                <Untrusted text={one.agentName ?? one.account} max={28} className="truncate" />
                {one.session === null ? null : <Untrusted text={one.session.slice(-6)} className="mono text-caption text-t3" />}
              </span>
              <BudgetBar label={t("budgets.bar", { used: amount(line.unit, one.settled + one.reserved), limit: amount(line.unit, lineOf(line, one).limit) })} settled={one.settled} reserved={one.reserved} limit={lineOf(line, one).limit} pace={null} />
              <span className="text-end text-t2 tabular-nums">{t("budgets.free", { amount: amount(line.unit, one.free) })}</span>
            </button>
          </li>
        ))}
      </ul>
      {shown.length < line.accounts.length ? <p className="pt-1 text-caption text-t3">{t("budgets.moreAccounts", { count: line.accounts.length - shown.length })}</p> : null}
    </Section>
  );
}

function ByAgent({ detail }: { detail: BudgetDetailDto }) {
  const { t } = useTranslation();
  const sum = detail.agents.reduce((all, one) => all + one.amount, 0);
  const most = Math.max(1, ...detail.agents.map((one) => one.amount));
  return (
    <Section title={t("budgets.byAgent")}>
      <ul>
        {detail.agents.map((one) => {
          const share = sum === 0 ? 0 : (one.amount / sum) * 100;
          return (
            <li key={one.agent} className="grid min-h-7 grid-cols-[132px_minmax(0,1fr)_72px_48px] items-center gap-3 border-b border-line-row">
              <Link to="/agents/$agent" params={{ agent: one.agent }} className="flex min-h-6 min-w-0 items-center gap-2">
                <AgentTile name={one.agentName} />
                <Untrusted text={one.agentName} max={24} className="truncate" />
              </Link>
              <svg width="100%" height="6" aria-hidden="true">
                <rect width={`${(one.amount / most) * 100}%`} height="6" rx="3" className="fill-budget" opacity="0.75" />
              </svg>
              <span className="text-end tabular-nums">{amount(detail.line.unit, one.amount)}</span>
              <span className="text-end whitespace-nowrap text-t3 tabular-nums">{t("budgets.percent", { percent: Math.round(share) })}</span>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

/** The last call that counted here, quoted again: the first limit of the list decides. */
function Next({ next }: { next: NextCallDto }) {
  const { t } = useTranslation();
  const { data: lines = [] } = useLines();
  const windowWords = useWindowWords();
  const first = next.limits[0];
  return (
    <Section
      title={
        <>
          {t("budgets.next")} <Untrusted text={next.model} max={32} className="mono" /> {t("budgets.nextOf")} <Untrusted text={next.agentName} max={24} />
        </>
      }
    >
      <ul>
        {next.limits.map((one) => {
          const line = lines.find((known) => known.id === one.budget);
          return (
            <li key={`${one.budget} ${one.account}`} className="grid min-h-6 grid-cols-[16px_minmax(0,1fr)_auto] items-center gap-2">
              {one.decides ? <ArrowRight size={14} strokeWidth={1.75} role="img" aria-label={t("budgets.decides")} className="text-ask" /> : <span />}
              <Link to="/budgets/$budget" params={{ budget: one.budget }} className={`min-w-0 truncate ${one.decides ? "text-t1" : "text-t2"}`}>
                {line ? (
                  <>
                    <Who line={line} className={one.decides ? "font-semibold" : ""} /> <span className="text-t3">{windowWords(line, line.window, line.accounts[0]?.windowStart)}</span>
                  </>
                ) : (
                  <Untrusted text={one.budget} max={32} />
                )}
              </Link>
              <span className={`text-end tabular-nums ${one.decides ? "font-semibold text-ask" : "text-t2"}`}>{t("budgets.free", { amount: amount(one.unit, one.free) })}</span>
            </li>
          );
        })}
      </ul>
      {first ? (
        <p className="mt-1 text-caption text-t3">
          {t("budgets.needs", { amount: amount(first.unit, first.needed) })} {first.output === null ? t("budgets.affordsNone") : t("budgets.affords", { count: first.output })}
        </p>
      ) : null}
    </Section>
  );
}

/** Where it is written, what it turned away, and the way to be rid of it. */
function Written({ line, onRemove }: { line: BudgetLineDto; onRemove: () => void }) {
  const { t } = useTranslation();
  const since = line.accounts[0]?.windowStart ?? new Date(0).toISOString();
  const { data: hits } = useHits(line.id, since);
  return (
    <Section title={t("budgets.rule")}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Untrusted text={line.id} max={40} className="mono text-caption" />
        <span className="text-caption text-t2">{t(`budgets.atLimit.${line.onExhausted}`)}</span>
        {hits === undefined ? null : (
          <Link to="/timeline" search={{ q: hitsQuery(line.id, since) }} className="inline-flex min-h-6 items-center text-caption text-accent">
            {t("budgets.hits", { count: hits.matches })}
          </Link>
        )}
      </div>
      <div className="flex items-center gap-3">
        <p className="min-w-0 flex-1 text-caption text-t3">
          {line.editable ? t("budgets.writtenHere") : t("budgets.writtenThere")} <Untrusted text={line.file} max={60} className="mono" />
          {t("budgets.atLine", { line: line.line })}
        </p>
        {line.editable ? (
          <Button kind="danger" onClick={onRemove}>
            {t("budgets.remove")}
          </Button>
        ) : null}
      </div>
    </Section>
  );
}

function Foot({ onPrices }: { onPrices: () => void }) {
  const { t } = useTranslation();
  const { data } = usePrices("");
  const now = useNow(3_600_000);
  const dated = data ? t("budgets.pricesOf", { date: new Date(data.date).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" }), age: t("budgets.days", { count: Math.max(0, Math.floor((now - Date.parse(data.date)) / 86_400_000)) }) }) : undefined;
  return (
    <footer className="flex min-h-9 flex-none items-center gap-2 border-t border-line px-4 text-t2">
      <span className="min-w-0 flex-1 truncate" title={dated}>{dated}</span>
      <button type="button" onClick={onPrices} className="min-h-6 font-medium text-accent">
        {t("budgets.prices.title")}
      </button>
    </footer>
  );
}
