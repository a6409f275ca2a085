// The strip: always there, and the single truth about protection. Shape, word and colour, then facts.
import { Link2, Link2Off } from "lucide-react";
import { useState } from "react";
import { Trans, useTranslation } from "react-i18next";
import { Glyph, type Shape } from "../../../components/glyph";
import type { StatusDto } from "../../../engine/bindings/StatusDto";
import { type Connection, useConnection } from "../../../engine/query";
import { moneyShort } from "../../../lib/money";
import { minute } from "../../../lib/time";
import { useResume, useStatus } from "../queries";

type Shown = { state: string; shape: Shape; colour: string; word: string; more: string | null; action: "resume" | null };

function useShown(status: StatusDto | undefined, connection: Connection): Shown {
  const { t } = useTranslation();
  if (connection.kind === "lost") return { state: "lost", shape: "high", colour: "text-deny", word: t("strip.lost"), more: t("strip.lostMore", { message: connection.error.message }), action: null };
  if (!status) return { state: "connecting", shape: "would", colour: "text-t3", word: t("strip.connecting"), more: t("strip.connectingMore"), action: null };
  const { protection } = status;
  switch (protection.state) {
    case "stopped":
      return { state: "stopped", shape: "square", colour: "text-deny", word: t("strip.stopped"), more: t("strip.stoppedMore"), action: "resume" };
    case "degraded":
      return { state: "degraded", shape: "high", colour: "text-deny", word: t("strip.degraded", { cause: protection.cause }), more: t("strip.degradedMore"), action: null };
    case "paused":
      return { state: "paused", shape: "bars", colour: "text-ask", word: protection.until === null ? t("strip.pausedOpen") : t("strip.paused", { time: minute(protection.until) }), more: t("strip.pausedMore"), action: "resume" };
    case "observing":
      return { state: "observing", shape: "would", colour: "text-info", word: t("strip.observing"), more: t("strip.observingMore"), action: null };
    case "protected":
      return { state: "protected", shape: "dot", colour: "text-allow", word: t("strip.protected"), more: null, action: null };
  }
}

export function StatusStrip() {
  const { t } = useTranslation();
  const { data: status } = useStatus();
  const connection = useConnection();
  const shown = useShown(status, connection);
  const lost = shown.state === "lost" || shown.state === "degraded";
  return (
    <footer aria-label={t("strip.label")} data-state={shown.state} className="flex h-7 flex-none items-center gap-4 overflow-hidden border-t border-line bg-canvas px-4 text-caption whitespace-nowrap text-t2">
      <span role={lost ? "alert" : "status"} className={`inline-flex max-w-3/5 flex-none items-center gap-1.5 font-semibold ${shown.colour}`}>
        <Glyph shape={shown.shape} />
        <span className="truncate">{shown.word}</span>
      </span>
      {shown.more === null ? null : <span className="min-w-0 truncate">{shown.more}</span>}
      {status && connection.kind !== "lost" && shown.more === null ? <Facts status={status} /> : null}
      <span className="flex-1" />
      {shown.action === null ? null : <ResumeButton stopped={shown.state === "stopped"} />}
      {status && connection.kind !== "lost" ? <Chain status={status} /> : null}
    </footer>
  );
}

function Facts({ status }: { status: StatusDto }) {
  const { t } = useTranslation();
  const strong = { b: <b className="font-medium text-t1" /> };
  const cost = moneyShort(status.costToday);
  return (
    <>
      <span>{status.agentsRunning === 0 ? t("strip.noAgents") : t("strip.agents", { count: status.agentsRunning })}</span>
      <span>
        {status.limitToday === null ? (
          <Trans i18nKey="strip.today" values={{ cost }} components={strong} />
        ) : (
          <Trans i18nKey="strip.todayOf" values={{ cost, limit: moneyShort(status.limitToday) }} components={strong} />
        )}
      </span>
      {status.demo ? <span className="text-info">{t("strip.demo")}</span> : null}
    </>
  );
}

function Chain({ status }: { status: StatusDto }) {
  const { t } = useTranslation();
  const { chain } = status;
  if (!chain.ok) {
    return (
      <span role="alert" title={chain.problem ?? undefined} className="inline-flex items-center gap-1.5 font-semibold text-deny">
        <Link2Off size={12} strokeWidth={1.5} aria-hidden />
        {t("strip.chainBroken", { at: chain.brokenAt ?? chain.head })}
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

/** Stopping needs no confirmation; resuming from a stop does. */
function ResumeButton({ stopped }: { stopped: boolean }) {
  const { t } = useTranslation();
  const change = useResume();
  const [asking, setAsking] = useState(false);
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
    <span className="inline-flex flex-none items-center gap-3">
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
