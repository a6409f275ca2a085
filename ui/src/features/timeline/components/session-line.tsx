// A session in two lines: what was started and what it cost; who, where, how much in how long.
import { Check } from "lucide-react";
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../../components/badge";
import { Glyph } from "../../../components/glyph";
import { Untrusted } from "../../../components/untrusted";
import { useNow } from "../../../components/use-now";
import type { SessionSumDto } from "../../../engine/bindings/SessionSumDto";
import { money } from "../../../lib/money";
import { countdown, day } from "../../../lib/time";
import { lastedMs, placeOf, titleOf } from "../flow-model";

export function SessionMark({ sum }: { sum: SessionSumDto }) {
  const { t } = useTranslation();
  if (sum.held > 0) {
    return (
      <span className="text-ask">
        <Glyph shape="held" />
        <span className="sr-only">{t("sessions.waits")}</span>
      </span>
    );
  }
  if (sum.session.endedAt === null) {
    return (
      <span className="text-allow">
        <Glyph shape="allowed" />
        <span className="sr-only">{t("sessions.runs")}</span>
      </span>
    );
  }
  return (
    <span className="text-t3">
      <Check size={14} strokeWidth={1.5} aria-hidden />
      <span className="sr-only">{t("sessions.ended")}</span>
    </span>
  );
}

/** Beside the mark: name and money above, the rest below. */
export function SessionWords({ sum }: { sum: SessionSumDto }) {
  const { t } = useTranslation();
  const now = useNow(1_000);
  const { session } = sum;
  const running = session.endedAt === null;
  return (
    <>
      <span className="flex h-5 min-w-0 items-center gap-2">
        <span className={`min-w-0 flex-1 truncate ${running ? "font-medium" : "text-t2"}`}>
          <Untrusted text={titleOf(session)} max={60} />
        </span>
        <span className="flex-none text-caption">{sum.cost === 0 ? <span className="text-t3">{t("sessions.noCost")}</span> : money(sum.cost)}</span>
      </span>
      <span className="flex h-4 min-w-0 items-center gap-1.5 text-caption whitespace-nowrap text-t3">
        <AgentTile name={session.agentName} size={14} />
        <span className="min-w-0 truncate text-t2">
          <Untrusted text={placeOf(session.cwd)} max={24} />
        </span>
        {sum.denied > 0 ? <span className="flex-none text-deny">{t("flow.denied", { count: sum.denied })}</span> : null}
        <span className="flex-1" />
        <span className="flex-none" title={t("sessions.began", { time: day(session.openedAt, now) })}>
          {t("sessions.amount", { shown: sum.actions.toLocaleString("en-US") + (sum.capped ? "+" : ""), time: countdown(lastedMs(session, now)) })}
        </span>
      </span>
    </>
  );
}
