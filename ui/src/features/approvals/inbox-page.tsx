// Inbox: what waits for a person, and what was answered.
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { ArrowLeft, Inbox as InboxIcon, Search, TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button";
import { Empty, EngineFailure, Skeleton } from "../../components/empty";
import { Prose } from "../../components/prose";
import { PageBar } from "../../components/page-bar";
import { useNow } from "../../components/use-now";
import type { ApprovalDto } from "../../engine/bindings/ApprovalDto";
import type { ApprovalsPage } from "../../engine/bindings/ApprovalsPage";
import { useCall } from "../../engine/query";
import { AnsweredCard, AnsweredRow } from "./components/answered";
import { Card } from "./components/card";
import { Head, moveFocus, Queue } from "./components/queue";
import type { MarkOf } from "./components/mark";
import { SimilarCard } from "./components/similar";
import { Suggestions } from "./components/suggestions";
import { grouped, inTab, listedOf, quickOf, sorted, type Tab, today } from "./model";
import { useAnswered, useApprovals, useQuestion, useSuggestions } from "./queries";

const TABS: readonly Tab[] = ["held", "decided", "expired", "suggestions"];

export function InboxPage({ tab, selected, query, one = false }: { tab: Tab; selected: string | null; /** What of the answered is listed. */ query: string; /** One question of a group by itself. */ one?: boolean }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useApprovals();
  return (
    <>
      <div>
        <PageBar title={t("inbox.title")}>
          <Tabs tab={tab} page={data} />
          <span className="flex-1" />
          {tab === "held" ? <span className="chrome hidden text-t2 wide:inline">{t("inbox.order")}</span> : null}
        </PageBar>
        <ToReview />
      </div>
      {error ? (
        <EngineFailure error={error} onRetry={() => void refetch()} />
      ) : null}
      {!error && !data ? <Skeleton rows={6} /> : null}
      {data && !error ? <Content tab={tab} selected={selected} query={query} one={one} page={data} /> : null}
    </>
  );
}

/** Tools and servers wait for a review, not for an answer: they stand above the questions and lead to their own place. */
function ToReview() {
  const { t } = useTranslation();
  const { data } = useCall({ call: "status.get" });
  const count = data?.toReview ?? 0;
  if (count === 0) return null;
  return (
    <Link to="/servers" className="chrome flex h-9 items-center gap-2 border-b border-line bg-ask-tint px-4 -outline-offset-2">
      <TriangleAlert size={14} strokeWidth={1.75} aria-hidden className="flex-none text-ask" />
      <span className="min-w-0 flex-1 truncate" title={t("inbox.review", { count })}>{t("inbox.review", { count })}</span>
      <span className="flex-none font-medium text-ask">{t("inbox.reviewNow")}</span>
    </Link>
  );
}

function Tabs({ tab, page }: { tab: Tab; page: ApprovalsPage | undefined }) {
  const { t } = useTranslation();
  const suggestions = useSuggestions(page !== undefined);
  const counts: Record<Tab, number | undefined> = {
    held: page?.open.length,
    decided: page && inTab("decided", page.resolved).length,
    expired: page && inTab("expired", page.resolved).length,
    suggestions: suggestions.data && suggestions.data.suggestions.length + (quickOf(suggestions.data) === null ? 0 : 1),
  };
  return (
    <nav aria-label={t("inbox.tabs")} className="chrome ms-2 inline-flex gap-0.5 rounded-control bg-inset p-0.5">
      {TABS.map((one) => (
        <Link
          key={one}
          to="/inbox"
          search={one === "held" ? {} : { tab: one }}
          aria-current={one === tab ? "page" : undefined}
          className={`inline-flex h-6 items-center gap-1.5 rounded-badge px-2 font-medium ${one === tab ? "bg-surface text-t1 outline outline-line" : "text-t2"}`}
        >
          {t(`inbox.${one}`)}
          <span className="px-1 text-caption font-normal text-t3">{counts[one] ?? ""}</span>
        </Link>
      ))}
    </nav>
  );
}

function Content({ tab, selected, query, one, page }: { tab: Tab; selected: string | null; query: string; one: boolean; page: ApprovalsPage }) {
  const now = useNow();
  const open = sorted(page.open);
  const answered = useAnswered(tab, query);
  const sought = answered.data?.pages.flatMap((one) => one.approvals) ?? [];
  const listed = tab === "held" ? open : tab === "suggestions" ? [] : listedOf(tab, page.resolved, sought, query !== "");
  // Enter in a list asks for the card's focus; the card takes it when it is there, and only then.
  const [wish, setWish] = useState<"none" | "card">("none");
  const onEnter = () => setWish("card");
  // A filter is being written: nothing opens by itself.
  useFirst(tab, selected, query === "" ? (listed[0]?.id ?? null) : null);
  // What was opened by itself stays so: others like it that come later change nothing under a person's hands.
  const [alone, setAlone] = useState<string | null>(null);
  const alike = tab === "held" && !one ? grouped(page.open).find(({ all }) => all.length > 1 && all.some((question) => question.id === selected)) : undefined;
  if (alike === undefined && alone !== selected) setAlone(selected);
  const group = alone === selected ? undefined : alike;
  const status = useCall({ call: "status.get" });
  const mark = status.data?.mark ? { words: status.data.mark, stripe: status.data.markStripe } : null;
  const navigate = useNavigate();
  const onDecided = (next: string | null) => void navigate(next === null ? { to: "/inbox" } : { to: "/inbox/$approval", params: { approval: next }, replace: true });
  if (tab === "suggestions" && selected === null) return <Suggestions />;
  if (listed.length === 0 && selected === null && tab !== "suggestions" && query === "" && !answered.isLoading) return <Nothing tab={tab} page={page} now={now} />;
  return (
    <div className="grid min-h-0 grid-cols-[268px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] small:block small:overflow-y-auto wide:grid-cols-[364px_minmax(0,1fr)]">
      {tab === "suggestions" ? <SuggestionsBack /> : tab === "held" ? <Queue open={open} resolved={page.resolved} selected={selected} now={now} onEnter={onEnter} /> : <AnsweredList tab={tab} listed={listed} answered={answered} query={query} selected={selected} now={now} onEnter={onEnter} />}
      <div className="flex min-h-0 items-start justify-center overflow-hidden bg-canvas wide:p-4">
        {selected === null ? <Choose /> : group ? <SimilarCard key={group.first.shape} group={group} mark={mark} onDecided={onDecided} /> : <Selected key={selected} id={selected} mark={mark} next={nextOf(open, selected)} focus={wish === "card"} onFocused={() => setWish("none")} />}
      </div>
    </div>
  );
}

/** Opens the first question, once, when none is chosen; the address then holds it, so that a newcomer never replaces it. */
function useFirst(tab: Tab, selected: string | null, first: string | null): void {
  const navigate = useNavigate();
  useEffect(() => {
    if (selected === null && first !== null) void navigate({ to: "/inbox/$approval", params: { approval: first }, search: tab === "held" ? {} : { tab }, replace: true });
  }, [navigate, tab, selected, first]);
}

function nextOf(open: readonly { id: string }[], selected: string): string | null {
  const at = open.findIndex((one) => one.id === selected);
  return (open[at + 1] ?? open.find((one) => one.id !== selected))?.id ?? null;
}

type AnsweredListProps = { tab: "decided" | "expired"; listed: readonly ApprovalDto[]; answered: ReturnType<typeof useAnswered>; query: string; selected: string | null; now: number; onEnter: () => void };

function AnsweredList({ tab, listed, answered, query, selected, now, onEnter }: AnsweredListProps) {
  const { t } = useTranslation();
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = answered;
  const problem = error?.message ?? data?.pages[0]?.problems[0]?.message;
  return (
    <section aria-label={t(`inbox.${tab}`)} className="flex min-h-0 flex-col overflow-y-auto border-e border-line" onKeyDown={(event) => moveFocus(event, onEnter)}>
      <Filter query={query} tab={tab} selected={selected} />
      {problem === undefined ? null : (
        <p role="status" className="border-b border-line bg-ask-tint px-4 py-1.5 text-caption">
          <Prose text={problem} />
        </p>
      )}
      <Head left={t(`inbox.${tab}`)} right={hasNextPage ? t("inbox.andOlder", { shown: listed.length }) : String(listed.length)} />
      <ul>
        {listed.map((one) => (
          <li key={one.id}>
            <AnsweredRow question={one} selected={one.id === selected} now={now} tall />
          </li>
        ))}
      </ul>
      {hasNextPage ? (
        <div className="px-4 py-2">
          <Button inert={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t("inbox.older")}
          </Button>
        </div>
      ) : null}
      {query !== "" && listed.length === 0 && data && !hasNextPage ? <p className="px-4 py-3 text-t2">{t("inbox.noneFiltered")}</p> : null}
      {query === "" ? null : (
        <Link to="/timeline" search={{ q: query }} className="inline-flex min-h-8 items-center px-4 text-caption text-accent">
          {t("inbox.inTimeline")}
        </Link>
      )}
    </section>
  );
}

/** In the Timeline's grammar; the address holds it. */
function Filter({ query, tab, selected }: { query: string; tab: "decided" | "expired"; selected: string | null }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const go = (q: string) => {
    const search = { tab, ...(q === "" ? {} : { q }) };
    void navigate(selected === null ? { to: "/inbox", search, replace: true } : { to: "/inbox/$approval", params: { approval: selected }, search, replace: true });
  };
  return (
    <label className="flex h-9 flex-none items-center gap-2 border-b border-line px-4">
      <Search size={14} strokeWidth={1.5} aria-hidden className="flex-none text-t3" />
      <input
        key={tab}
        defaultValue={query}
        aria-label={t("inbox.filter")}
        placeholder={t("inbox.filter")}
        spellCheck={false}
        autoComplete="off"
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Enter") go(event.currentTarget.value.trim());
          else if (event.key === "Escape") {
            event.currentTarget.value = "";
            go("");
          }
        }}
        onBlur={(event) => {
          if (event.currentTarget.value.trim() !== query) go(event.currentTarget.value.trim());
        }}
        className="mono h-full min-w-0 flex-1 bg-transparent text-caption outline-none placeholder:font-sans placeholder:text-t3"
      />
    </label>
  );
}

/** Beside the card that a suggestion opened: the way back to them. */
function SuggestionsBack() {
  const { t } = useTranslation();
  return (
    <section aria-label={t("inbox.suggestions")} className="border-e border-line">
      <Link to="/inbox" search={{ tab: "suggestions" }} className="chrome flex h-9 items-center gap-2 px-4 font-medium text-accent">
        <ArrowLeft size={14} strokeWidth={1.5} aria-hidden />
        {t("inbox.suggestions")}
      </Link>
    </section>
  );
}

const route = getRouteApi("__root__");

function Selected({ id, mark, next, focus, onFocused }: { id: string; mark: MarkOf | null; next: string | null; focus: boolean; onFocused: () => void }) {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const { data, error } = useQuestion(id);
  const shown = data !== undefined;
  useEffect(() => {
    if (!focus || !shown) return;
    document.getElementById("card")?.focus();
    onFocused();
  }, [focus, shown, onFocused]);
  if (error) {
    return error.code === "notFound" ? (
      <Empty icon={InboxIcon} title={t("inbox.gone")}>
        {t("inbox.goneMore")}
      </Empty>
    ) : (
      <EngineFailure error={error} />
    );
  }
  if (!data) return null;
  if (data.resolved) return <AnsweredCard question={data} mark={mark} />;
  const onDecided = () => void navigate(next === null ? { to: "/inbox" } : { to: "/inbox/$approval", params: { approval: next }, replace: true });
  return <Card question={data} mark={mark} onDecided={onDecided} />;
}

function Choose() {
  const { t } = useTranslation();
  return (
    <Empty icon={InboxIcon} title={t("inbox.choose")}>
      {t("inbox.chooseMore")}
    </Empty>
  );
}

function Nothing({ tab, page, now }: { tab: Exclude<Tab, "suggestions">; page: ApprovalsPage; now: number }) {
  const { t } = useTranslation();
  const { data: status } = useCall({ call: "status.get" });
  const review = status?.toReview ?? 0;
  if (tab !== "held") {
    const what = tab === "decided" ? "Decided" : "Expired";
    return (
      <Empty icon={InboxIcon} title={t(`inbox.empty${what}`)}>
        {t(`inbox.empty${what}More`)}
      </Empty>
    );
  }
  const decided = today(page.resolved, now);
  const refused = decided.filter((one) => one.resolved?.resolution.kind === "refused").length;
  return (
    <Empty icon={InboxIcon} title={t(review > 0 ? "inbox.emptyReview" : "inbox.empty")} footer={decided.length > 0 ? t("inbox.emptyFoot", { count: decided.length, refused }) : null}>
      {review > 0 ? (
        <>
          <Link to="/servers" className="font-medium text-accent">
            {t("inbox.waitReview", { count: review })}
          </Link>{" "}
        </>
      ) : null}
      {t("inbox.emptyMore")}
    </Empty>
  );
}
