// What happened beside actions, in full: the sentence, what it is about, and its record with the proof.
import { Link } from "@tanstack/react-router";
import { ShieldAlert, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { EngineFailure, Skeleton } from "../../../components/empty";
import { Fact, Facts } from "../../../components/facts";
import { Glyph } from "../../../components/glyph";
import { Prose } from "../../../components/prose";
import { Untrusted } from "../../../components/untrusted";
import { useDeferred } from "../../../components/use-deferred";
import type { NoticeDto } from "../../../engine/bindings/NoticeDto";
import { exact } from "../../../lib/time";
import { TONE_COLOURS } from "../model";
import { useRecord } from "../queries";
import { Section } from "./pane-parts";
import { EventProof } from "./pane-proof";

type NoticePaneProps = { record: number; onOpen: (id: string) => void; onClose: () => void };

export function NoticePane({ record, onOpen, onClose }: NoticePaneProps) {
  const { t } = useTranslation();
  const { data, error, isPending } = useRecord(record);
  const slow = useDeferred(isPending, 150);
  const notice = data?.notice;
  return (
    <aside
      id="detail"
      tabIndex={-1}
      aria-label={t("pane.label")}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
      className="col-start-2 row-span-2 row-start-2 flex min-h-0 min-w-0 flex-col border-s border-line bg-surface -outline-offset-2"
    >
      <header className="flex h-10 flex-none items-center gap-2 border-b border-line ps-4 pe-2">
        {notice ? (
          <span className={`inline-flex items-center gap-2 font-semibold ${TONE_COLOURS[notice.tone]}`}>
            <Glyph shape="medium" size={12} />
            {t(`notice.tone.${notice.tone}`)}
          </span>
        ) : null}
        <code className="mono text-caption text-t3">{t("pane.record", { seq: record.toLocaleString("en-US") })}</code>
        <span className="flex-1" />
        <Button kind="icon" aria-label={t("common.close")} title={t("common.close")} onClick={onClose}>
          <X size={14} strokeWidth={1.5} aria-hidden />
        </Button>
      </header>
      <div className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto px-4 py-3">
        {error ? <EngineFailure error={error} /> : null}
        {slow ? <Skeleton rows={6} /> : null}
        {data && data.problem !== null ? (
          <div role="alert" className="mb-3 flex items-start gap-2 rounded-control bg-deny-tint px-3 py-2 text-deny">
            <ShieldAlert size={14} strokeWidth={1.5} aria-hidden className="mt-0.75 flex-none" />
            <div>
              <p className="font-semibold">{t("record.broken")}</p>
              <p className="first-letter:uppercase wrap-anywhere">
                <Prose text={`${data.problem}.`} />
              </p>
            </div>
          </div>
        ) : null}
        {notice ? <Told notice={notice} onOpen={onOpen} /> : null}
        {data?.event ? (
          <Section title={t("pane.chain")}>
            <ol>
              <EventProof event={data.event} />
            </ol>
          </Section>
        ) : null}
        <Section>
          <Link to="/record/$record" params={{ record: String(record) }} className="text-accent">
            {t("notice.record")}
          </Link>
        </Section>
      </div>
    </aside>
  );
}

function Told({ notice, onOpen }: { notice: NoticeDto; onOpen: (id: string) => void }) {
  const { t } = useTranslation();
  const { operation, agent, server, credential } = notice;
  return (
    <>
      <Section>
        <h2 className="font-medium wrap-anywhere">
          <Prose text={notice.summary} />
        </h2>
        {notice.more.map((line) => (
          <p key={line} className="mt-1 wrap-anywhere text-t2">
            <Prose text={line} />
          </p>
        ))}
      </Section>
      <Section>
        <Facts narrow>
          <Fact label={t("pane.when")}>{exact(notice.at)}</Fact>
          {agent === null ? null : (
            <Fact label={t("pane.agent")}>
              <Link to="/agents/$agent" params={{ agent }} className="text-accent">
                <Untrusted text={notice.agentName ?? agent} max={40} />
              </Link>
            </Fact>
          )}
          {server === null ? null : (
            <Fact label={t("pane.server")}>
              <Untrusted text={server} max={40} />
            </Fact>
          )}
          {credential === null ? null : (
            <Fact label={t("pane.credential")}>
              <Link to="/credentials/$credential" params={{ credential }} className="text-accent">
                <Untrusted text={credential} max={40} />
              </Link>
            </Fact>
          )}
          {operation === null ? null : (
            <Fact label={t("notice.operation")}>
              <button type="button" className="text-accent" onClick={() => onOpen(operation)}>
                {t("notice.open")}
              </button>
            </Fact>
          )}
        </Facts>
      </Section>
    </>
  );
}
