// The other parts of the detail: what came back, its records with their proof, and everything as recorded.
import { ShieldAlert, ShieldCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Fact, Facts } from "../../../components/facts";
import { Inset } from "../../../components/inset";
import { JsonView } from "../../../components/json-view";
import { Untrusted } from "../../../components/untrusted";
import type { EventDto } from "../../../engine/bindings/EventDto";
import { money, tokens } from "../../../lib/money";
import { clock, exact, took } from "../../../lib/time";
import { useVerify } from "../queries";
import { type Part, Section, Structure } from "./pane-parts";
import { ToolFacts } from "./pane-tool";

export function ResponsePart({ detail }: Part) {
  const { t } = useTranslation();
  const { row, outcome } = detail;
  const local = row.kind === "mcp" || row.kind === "shell";
  if (outcome === null) return <p className="text-t2">{row.settled ? t("pane.noAnswer") : t("pane.noAnswerYet")}</p>;
  return (
    <>
      <Section>
        <Facts narrow>
          {local ? <ToolFacts detail={detail} only="result" /> : <Fact label={t("pane.answer")}>{row.status ?? <span className="text-t3">{t("pane.notSeen")}</span>}</Fact>}
          {row.error === null ? null : (
            <Fact label={t("pane.error")}>
              <span className="text-ask">
                <Untrusted text={row.error} />
              </span>
            </Fact>
          )}
          <Fact label={t("pane.took")}>{row.tookMs === null ? <span className="text-t3">{t("pane.notSeen")}</span> : took(row.tookMs)}</Fact>
          {row.tokensIn === null ? null : <Fact label={t("pane.tokensIn")}>{tokens(row.tokensIn)}</Fact>}
          {row.tokensCached ? <Fact label={t("pane.tokensCached")}>{tokens(row.tokensCached)}</Fact> : null}
          {row.tokensOut === null ? null : <Fact label={t("pane.tokensOut")}>{tokens(row.tokensOut)}</Fact>}
          {row.cost === null ? null : <Fact label={t("pane.settled")}>{money(row.cost)}</Fact>}
        </Facts>
      </Section>
      <Structure value={outcome} title={t("pane.outcome")} />
      <p className="mt-3 text-caption text-t3">{t("pane.noBody")}</p>
    </>
  );
}

export function ChainPart({ detail }: Part) {
  const { t } = useTranslation();
  const verify = useVerify();
  const { seal } = detail;
  return (
    <>
      <ol>
        {detail.events.map((event) => (
          <EventProof key={event.seq} event={event} />
        ))}
      </ol>
      <Section title={t("pane.seal")}>
        {seal === null ? (
          <p className="text-t2">{t("pane.noSeal")}</p>
        ) : (
          <>
            <p className="text-t2">{t("pane.sealed", { seq: seal.seq.toLocaleString("en-US"), at: exact(seal.at) })}</p>
            <p className="mono mt-1 text-[11px]/4 wrap-anywhere text-t3">{seal.signature}</p>
          </>
        )}
        <div className="mt-3 flex items-center gap-3">
          <Button inert={verify.isPending} onClick={() => verify.mutate()}>
            {verify.isPending ? t("pane.verifying") : t("pane.verify")}
          </Button>
          <span role="status" className="min-w-0">
            {verify.data ? (
              <span className={`inline-flex items-center gap-1.5 font-medium ${verify.data.ok ? "text-allow" : "text-deny"}`}>
                {verify.data.ok ? <ShieldCheck size={14} strokeWidth={1.5} aria-hidden /> : <ShieldAlert size={14} strokeWidth={1.5} aria-hidden />}
                {verify.data.ok ? t("pane.allVerified", { count: verify.data.events, shown: verify.data.events.toLocaleString("en-US") }) : t("pane.broken", { at: verify.data.brokenAt ?? "" })}
              </span>
            ) : null}
            {verify.error ? (
              <span className="text-deny">
                <Untrusted text={verify.error.message} />
              </span>
            ) : null}
          </span>
        </div>
      </Section>
    </>
  );
}

export function EventProof({ event }: { event: EventDto }) {
  const { t } = useTranslation();
  return (
    <li className="border-b border-line-row py-2 first:pt-0 last:border-0">
      <div className="flex items-baseline gap-2">
        <code className="mono text-caption font-semibold">{event.name}</code>
        <span className="mono text-caption text-t3">{t("pane.record", { seq: event.seq.toLocaleString("en-US") })}</span>
        <span className="ms-auto text-caption text-t3" title={exact(event.at)}>
          {clock(event.at).time}
        </span>
      </div>
      <dl className="mono mt-1 grid grid-cols-[64px_minmax(0,1fr)] gap-x-2 text-[11px]/4 text-t3">
        <dt>{t("pane.hash")}</dt>
        <dd className="wrap-anywhere">{event.hash}</dd>
        <dt>{t("pane.prev")}</dt>
        <dd className="wrap-anywhere">{event.prev}</dd>
      </dl>
    </li>
  );
}

export function RawPart({ detail }: Part) {
  const text = JSON.stringify(detail.events, null, 2);
  return (
    <Inset small copy={text} caption="JSON">
      <JsonView value={detail.events} />
    </Inset>
  );
}
