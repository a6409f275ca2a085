// The strip: always there, and the single truth about protection. Shape, word and colour, then facts.
import { Link2, Link2Off, TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { Trans, useTranslation } from "react-i18next";
import type { Shape } from "../../../components/glyph";
import { Untrusted } from "../../../components/untrusted";
import type { StatusDto } from "../../../engine/bindings/StatusDto";
import { type Connection, useCall, useConnection, useTimedCall } from "../../../engine/query";
import { moneyShort } from "../../../lib/money";
import { minute } from "../../../lib/time";
import { useResume, useStatus } from "../queries";
import { LimitMark, NearestLimit } from "./limit-marks";
import { StripDetails } from "./strip-details";

/** Where in the settings a state is mended. */
export type Fix = "doctor" | "protection";

type Shown = { state: string; shape: Shape; colour: string; word: string; cause: string | null; more: string; fix: "resume" | Fix | null };

/** A day's counts are dear, and the strip is always there: they are asked for by the clock, in milliseconds, not with every action. */
const DAY_AGAIN = 60_000;

/** What observing has shown in a day. */
function useWould(observing: boolean): string | null {
  const { t } = useTranslation();
  const { data } = useTimedCall({ call: "operations.facets", input: { query: "since:24h" } }, DAY_AGAIN, observing);
  if (!observing || !data || data.matches === 0) return null;
  const decided = data.groups.find(({ key }) => key === "decision")?.values ?? [];
  const count = (name: string) => decided.find(({ value }) => value.replace("-", "_") === name)?.count ?? 0;
  return t("strip.would", { count: data.matches, shown: data.matches.toLocaleString("en-US") + (data.capped ? "+" : ""), held: count("would_hold"), denied: count("would_deny") });
}

function useShown(status: StatusDto | undefined, connection: Connection): Shown {
  const { t } = useTranslation();
  const would = useWould(connection.kind !== "lost" && status?.protection.state === "observing");
  if (connection.kind === "lost") return { state: "lost", shape: "high", colour: "text-deny", word: t("strip.lost"), cause: connection.error.message, more: t("strip.lostMore"), fix: null };
  if (!status) return { state: "connecting", shape: "would", colour: "text-t3", word: t("strip.connecting"), cause: null, more: t("strip.connectingMore"), fix: null };
  const { protection } = status;
  switch (protection.state) {
    case "stopped":
      return { state: "stopped", shape: "square", colour: "text-deny", word: t("strip.stopped"), cause: null, more: status.stop === undefined ? t("strip.stoppedMore") : t("strip.stoppedSince", { time: minute(status.stop.at), count: status.stop.sessions }), fix: "resume" };
    case "degraded":
      return { state: "degraded", shape: "high", colour: "text-deny", word: t("strip.degraded"), cause: protection.cause, more: t("strip.degradedMore"), fix: "doctor" };
    case "paused":
      return { state: "paused", shape: "bars", colour: "text-ask", word: protection.until === null ? t("strip.pausedOpen") : t("strip.paused", { time: minute(protection.until) }), cause: null, more: t("strip.pausedMore"), fix: "resume" };
    case "observing":
      return { state: "observing", shape: "would", colour: "text-info", word: t("strip.observing"), cause: null, more: would ?? t("strip.observingMore"), fix: "protection" };
    case "protected":
      return { state: "protected", shape: "dot", colour: "text-allow", word: t("strip.protected"), cause: null, more: t("strip.protectedMore"), fix: null };
  }
}

type StatusStripProps = { onFix: (fix: Fix) => void; onRecord: (record: number) => void };

export function StatusStrip({ onFix, onRecord }: StatusStripProps) {
  const { t } = useTranslation();
  const { data: status } = useStatus();
  const connection = useConnection();
  const shown = useShown(status, connection);
  const lost = shown.state === "lost" || shown.state === "degraded";
  const said = shown.cause ?? (shown.state === "protected" ? null : shown.more);
  const mend = shown.fix === null ? null : shown.fix === "resume" ? <ResumeButton stopped={shown.state === "stopped"} /> : <FixButton fix={shown.fix} onFix={onFix} />;
  return (
    <footer aria-label={t("strip.label")} data-state={shown.state} className="flex h-7 flex-none items-center gap-4 overflow-hidden border-t border-line bg-canvas px-4 text-caption whitespace-nowrap text-t2">
      <span role={lost ? "alert" : "status"} className="flex min-w-0 flex-none">
        <StripDetails shape={shown.shape} colour={shown.colour} word={shown.word} cause={shown.cause} meaning={shown.more} action={mend} />
      </span>
      {said === null ? null : (
        <span className="min-w-0 truncate">
          <Untrusted text={said} />
        </span>
      )}
      {status && connection.kind !== "lost" && said === null ? <Facts status={status} /> : null}
      <span className="flex-1" />
      {mend}
      {status && connection.kind !== "lost" ? <Chain status={status} onRecord={onRecord} /> : null}
    </footer>
  );
}

function FixButton({ fix, onFix }: { fix: Fix; onFix: (fix: Fix) => void }) {
  const { t } = useTranslation();
  return (
    <button type="button" className="chrome flex-none font-medium text-accent" onClick={() => onFix(fix)}>
      {t(`strip.fix.${fix}`)}
    </button>
  );
}

function Facts({ status }: { status: StatusDto }) {
  const { t } = useTranslation();
  const strong = { b: <b className="font-medium text-t1" /> };
  const cost = moneyShort(status.costToday);
  return (
    <>
      <span className="inline-flex items-center">
        {status.agentsRunning === 0 ? t("strip.noAgents") : t("strip.agents", { count: status.agentsRunning })}
        <Gaps />
      </span>
      <span>
        {status.limitToday === null ? (
          <Trans i18nKey="strip.today" values={{ cost }} components={strong} />
        ) : (
          <Trans i18nKey="strip.todayOf" values={{ cost, limit: moneyShort(status.limitToday) }} components={strong} />
        )}
      </span>
      {status.limitToday === null ? null : <LimitMark used={status.costToday} limit={status.limitToday} />}
      <NearestLimit />
      {status.demo ? <span className="text-info">{t("strip.demo")}</span> : null}
    </>
  );
}

/** Running agents of which some kind of action is not seen in full. */
function Gaps() {
  const { t } = useTranslation();
  const { data: agents = [] } = useCall({ call: "agents.list" });
  const gaps = agents.filter(({ running, coverage }) => running > 0 && (coverage.length === 0 || coverage.some(({ sight }) => sight !== "full"))).length;
  if (gaps === 0) return null;
  return (
    <span className="inline-flex items-center gap-1">
      {", "}
      <TriangleAlert size={12} strokeWidth={1.75} aria-hidden className="ms-1 text-ask" />
      {t("strip.gaps", { count: gaps })}
    </span>
  );
}

function Chain({ status, onRecord }: { status: StatusDto; onRecord: (record: number) => void }) {
  const { t } = useTranslation();
  const { chain } = status;
  if (!chain.ok) {
    const at = chain.brokenAt ?? chain.head;
    return (
      <span role="alert" className="flex-none">
        <button type="button" title={chain.problem ?? undefined} onClick={() => onRecord(at)} className="chrome inline-flex items-center gap-1.5 font-semibold text-deny">
          <Link2Off size={12} strokeWidth={1.5} aria-hidden />
          {t("strip.chainBroken", { at })}
        </button>
      </span>
    );
  }
  return (
    <span className="inline-flex flex-none items-center gap-1.5">
      <Link2 size={12} strokeWidth={1.5} aria-hidden />
      {chain.head === 0 ? t("strip.chainEmpty") : <span><Trans i18nKey="strip.chainOk" values={{ head: chain.head.toLocaleString("en-US") }} components={{ b: <b className="font-medium text-t1" /> }} /></span>}
    </span>
  );
}

/** To the question, not to one of its answers: a key that is still down answers nothing. */
function focus(question: HTMLElement | null): void {
  question?.focus();
}

/** Stopping needs no confirmation; resuming from a stop does, also where the tray asks for it. */
function ResumeButton({ stopped }: { stopped: boolean }) {
  const { t } = useTranslation();
  const change = useResume();
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    const ask = () => setAsking(stopped);
    window.addEventListener("reeve:resume", ask);
    return () => window.removeEventListener("reeve:resume", ask);
  }, [stopped]);
  const resume = () => {
    setAsking(false);
    change();
  };
  if (!stopped || !asking) {
    return (
      <button type="button" className="chrome flex-none font-medium text-accent" onClick={stopped ? () => setAsking(true) : resume}>
        {stopped ? t("strip.resume") : t("strip.resumeNow")}
      </button>
    );
  }
  return (
    <span role="group" aria-label={t("stop.ask")} tabIndex={-1} ref={focus} className="inline-flex flex-none items-center gap-3 -outline-offset-2">
      {t("stop.ask")}
      <button type="button" className="chrome font-medium text-accent" onClick={resume}>
        {t("strip.confirm")}
      </button>
      <button type="button" className="chrome font-medium text-t2" onClick={() => setAsking(false)}>
        {t("common.cancel")}
      </button>
    </span>
  );
}
