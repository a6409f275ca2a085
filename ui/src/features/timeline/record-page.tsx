// One record as a page: an action with all its parts, or a record of the chain by its number, whatever became of it.
import { Link, Navigate, useRouter } from "@tanstack/react-router";
import { ArrowLeft, ShieldAlert, ShieldCheck } from "lucide-react";
import type { MouseEvent, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Empty, EngineFailure, Skeleton } from "../../components/empty";
import { Inset } from "../../components/inset";
import { JsonView } from "../../components/json-view";
import { PageBar } from "../../components/page-bar";
import { Prose } from "../../components/prose";
import { UntrustedBlock } from "../../components/untrusted";
import { useDeferred } from "../../components/use-deferred";
import type { RecordDto } from "../../engine/bindings/RecordDto";
import { stepsBackTo } from "../../lib/trail";
import { CopyLink, DetailMenu, PaneFoot, PartBody, StateTitle, Tabs, useParts } from "./components/pane";
import { PinButton } from "./components/note";
import { EventProof } from "./components/pane-proof";
import { Section } from "./components/pane-parts";
import { useOperation, useRecord } from "./queries";

type RecordPageProps = { record: string; tab: string | null; onTab: (tab: string) => void };

/** `record`: an operation's id, or a number of the chain. */
export function RecordPage(props: RecordPageProps) {
  return /^\d{1,15}$/.test(props.record) ? <ByNumber seq={Number(props.record)} /> : <ById {...props} />;
}

function Bar({ title, children }: { title: string; children?: ReactNode }) {
  const { t } = useTranslation();
  const { history } = useRouter();
  /** To the Timeline as it was left, with its query, range and selection; to a new one where this window was at none. */
  const back = (event: MouseEvent) => {
    const steps = stepsBackTo("/timeline");
    if (steps === null) return;
    event.preventDefault();
    history.go(-steps);
  };
  return (
    <PageBar title={title}>
      {children}
      <span className="flex-1" />
      <Link to="/timeline" onClick={back} className="chrome inline-flex h-7 items-center gap-1.5 rounded-control px-2 font-medium text-t2 hover:bg-hover">
        <ArrowLeft size={14} strokeWidth={1.5} aria-hidden />
        {t("record.back")}
      </Link>
    </PageBar>
  );
}

function ById({ record, tab, onTab }: RecordPageProps) {
  const { t } = useTranslation();
  const { data, error, isPending } = useOperation(record);
  const { part, step } = useParts(tab, onTab);
  const slow = useDeferred(isPending, 150);
  if (error?.code === "notFound" || error?.code === "invalid") return <Unknown />;
  return (
    <>
      <Bar title={data ? t("record.title", { seq: data.row.record.toLocaleString("en-US") }) : t("record.loading")}>
        <StateTitle detail={data} />
        {data ? (
          <>
            <CopyLink id={data.row.id} />
            <PinButton row={data.row} />
            <DetailMenu detail={data} page />
          </>
        ) : null}
      </Bar>
      <div
        className="flex min-h-0 flex-col"
        onKeyDown={(event) => {
          if (event.key === "]") step(1);
          else if (event.key === "[") step(-1);
        }}
      >
        {slow ? <Skeleton rows={8} /> : null}
        {isPending ? null : (
          <>
            <Tabs part={part} fit={7} onTab={onTab} step={step} />
            <div className="flex min-h-0 flex-1 flex-col *:max-w-200">
              <PartBody part={part} detail={data} error={error} />
            </div>
            {data ? <PaneFoot detail={data} /> : null}
          </>
        )}
      </div>
    </>
  );
}

function Unknown() {
  const { t } = useTranslation();
  return (
    <>
      <Bar title={t("timeline.title")} />
      <Empty icon={ShieldAlert} title={t("record.unknown")}>
        {t("record.unknownMore")}
      </Empty>
    </>
  );
}

function ByNumber({ seq }: { seq: number }) {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useRecord(seq);
  const slow = useDeferred(isPending, 150);
  if (error?.code === "notFound") return <Unknown />;
  // What is in order is shown as the action it belongs to.
  if (data && data.problem === null && data.operation !== null) return <Navigate to="/record/$record" params={{ record: data.operation }} search={{ tab: "chain" }} replace />;
  return (
    <>
      <Bar title={t("record.title", { seq: seq.toLocaleString("en-US") })} />
      <div className="min-h-0 overflow-y-auto px-4 py-3 *:max-w-200">
        {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
        {slow ? <Skeleton rows={6} /> : null}
        {data ? <Shown data={data} /> : null}
      </div>
    </>
  );
}

function Shown({ data }: { data: RecordDto }) {
  const { t } = useTranslation();
  const link = "chrome inline-flex h-7 items-center rounded-control border border-line-button px-2.5 font-medium hover:bg-hover";
  return (
    <>
      <Section>
        {data.problem === null ? (
          <p className="inline-flex items-center gap-1.5 font-medium text-allow">
            <ShieldCheck size={14} strokeWidth={1.5} aria-hidden />
            {t("record.holds")}
          </p>
        ) : (
          <div role="alert" className="flex items-start gap-2 rounded-control bg-deny-tint px-3 py-2 text-deny">
            <ShieldAlert size={14} strokeWidth={1.5} aria-hidden className="mt-0.75 flex-none" />
            <div>
              <h2 className="font-semibold">{t("record.broken")}</h2>
              <p className="first-letter:uppercase">
                <Prose text={`${data.problem}.`} />
              </p>
            </div>
          </div>
        )}
        <p className="mt-3 flex flex-wrap gap-2">
          {data.operation === null ? null : (
            <Link to="/record/$record" params={{ record: data.operation }} className={link}>
              {t("record.operation")}
            </Link>
          )}
          {data.record > 1 ? (
            <Link to="/record/$record" params={{ record: String(data.record - 1) }} className={link}>
              {t("record.previous")}
            </Link>
          ) : null}
          <Link to="/record/$record" params={{ record: String(data.record + 1) }} className={link}>
            {t("record.next")}
          </Link>
        </p>
        {data.event !== null && data.operation === null ? <p className="mt-3 text-t2">{t("record.engine")}</p> : null}
      </Section>
      {data.event === null ? null : (
        <Section title={t("pane.chain")}>
          <ol>
            <EventProof event={data.event} />
          </ol>
          <p className="mt-2 text-t2">{data.seal === null ? t("pane.noSeal") : null}</p>
        </Section>
      )}
      {data.event === null ? null : (
        <Section title={t("pane.raw")}>
          <Inset small caption="JSON" copy={JSON.stringify(data.event, null, 2)}>
            <JsonView value={data.event.body} />
          </Inset>
        </Section>
      )}
      {data.text === null ? null : (
        <Section title={t("record.text")}>
          <Inset small copy={data.text}>
            <UntrustedBlock text={data.text} />
          </Inset>
        </Section>
      )}
    </>
  );
}
