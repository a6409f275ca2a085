// One credential: where it is kept, what agents see of it, its only places, a test, its last uses, and what removing it breaks.
import { Link } from "@tanstack/react-router";
import { Plus, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile, Badge } from "../../../components/badge";
import { Button } from "../../../components/button";
import { CommandLine, EngineFailure } from "../../../components/empty";
import { Dot, Fact, Facts } from "../../../components/facts";
import { HostName } from "../../../components/host-name";
import { Mending } from "../../../components/mending";
import { Modal } from "../../../components/modal";
import { Prose } from "../../../components/prose";
import { Untrusted } from "../../../components/untrusted";
import { useNow } from "../../../components/use-now";
import type { RefusedDto } from "../../../engine/bindings/RefusedDto";
import type { CredentialDto } from "../../../engine/bindings/CredentialDto";
import { clock, day, took } from "../../../lib/time";
import { rotationDue } from "../model";
import { useChange, useKeeping, useLastUses, useRulesNaming, usesQuery, useTest } from "../queries";
import { AskChoice } from "./ask";
import { Bind, Remove, Replace } from "./forms";
import { Agents, OwnPlaces, Places } from "./places";
import { Uses } from "./uses";

type Open = "replace" | "bind" | "remove" | null;

export function Detail({ credential }: { credential: CredentialDto }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const modal = (which: Open) => ({ open: open === which, onOpen: (wanted: boolean) => setOpen(wanted ? which : null) });
  return (
    <section>
      <div className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-4 py-2">
        <h2 className="min-w-0 flex-1 text-section font-semibold wrap-anywhere">
          <Untrusted text={credential.name} max={120} />
        </h2>
        <Button onClick={() => setOpen("replace")}>{t("credentials.replace")}</Button>
        <Button kind="danger" onClick={() => setOpen("remove")}>
          {t("credentials.remove")}
        </Button>
      </div>
      {(credential.refused ?? []).map((refused) => (
        <Refused key={refused.host} refused={refused} />
      ))}
      <div className="px-4 py-3">
        <Known credential={credential} />
        <Section
          title={t("credentials.places")}
          action={
            <Button kind="ghost" onClick={() => setOpen("bind")}>
              <Plus size={14} strokeWidth={1.5} aria-hidden />
              {t("credentials.bind")}
            </Button>
          }
        >
          <OwnPlaces credential={credential} />
        </Section>
        <Section title={t("credentials.rules")}>
          <Facts>
            <Fact label={t("credentials.agents")}>
              <Agents places={credential.bindings} />
            </Fact>
            <Fact label={t("credentials.ask.label")}>
              <AskChoice credential={credential.id} />
            </Fact>
            <Fact label={t("credentials.guard")}>{t("credentials.guardMore")}</Fact>
            <Fact label={t("credentials.remind")}>
              <Reminder credential={credential} />
            </Fact>
          </Facts>
        </Section>
        <Test credential={credential.id} />
        <LastUses credential={credential.id} />
      </div>
      <Modal title={t("credentials.replaceTitle")} {...modal("replace")}>
        <Replace credential={credential.id} onDone={close} />
      </Modal>
      <Modal title={t("credentials.bindTitle")} {...modal("bind")}>
        <Bind credential={credential.id} onDone={close} />
      </Modal>
      <Modal title={t("credentials.removeTitle")} {...modal("remove")}>
        <Remove credential={credential.id} onDone={close}>
          <p>
            <Untrusted text={credential.name} max={80} className="font-semibold" />
            {". "}
            {t("credentials.removeMore")}
          </p>
          <Places places={credential.bindings} />
          <Facts>
            <Fact label={t("credentials.agents")}>
              <Agents places={credential.bindings} />
            </Fact>
            <Fact label={t("credentials.uses")}>
              <Uses query={usesQuery(credential.id)} />
            </Fact>
            <Fact label={t("credentials.rulesNaming")}>
              <RulesNaming credential={credential.id} />
            </Fact>
          </Facts>
        </Remove>
      </Modal>
    </section>
  );
}

/** A host refuses it: until it takes it once, requests with it are answered here. */
function Refused({ refused }: { refused: RefusedDto }) {
  const { t } = useTranslation();
  return (
    <p role="status" className="flex items-start gap-2 border-b border-line bg-deny-tint px-4 py-2">
      <TriangleAlert size={14} strokeWidth={1.75} aria-hidden className="mt-0.75 flex-none text-deny" />
      <span className="min-w-0">
        <HostName host={refused.host} /> {t(`credentials.refusals.${refused.why}`)} {t("credentials.refusedMore", { count: refused.times, since: clock(refused.since).time, time: clock(refused.nextTrial).time })}
      </span>
    </p>
  );
}

/** When to be reminded of replacing it, and whether that time has come. */
function Reminder({ credential }: { credential: CredentialDto }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const { send, pending, error } = useChange();
  const due = rotationDue(credential, now);
  const remind = (days: number) => void send({ call: "credentials.remind", input: { credential: credential.id, days: days === 0 ? null : days } });
  const known = [0, 30, 90, 180, 365];
  const days = credential.rotateDays ?? 0;
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <select aria-label={t("credentials.remind")} value={days} disabled={pending} onChange={(event) => remind(Number(event.target.value))} className="h-7 rounded-control border border-line-control bg-surface px-1.5">
        {(known.includes(days) ? known : [...known, days]).map((one) => (
          <option key={one} value={one}>
            {one === 0 ? t("credentials.remindOff") : t("credentials.remindDays", { count: one })}
          </option>
        ))}
      </select>
      {due ? (
        <span className="inline-flex items-center gap-1.5 text-ask">
          <TriangleAlert size={13} strokeWidth={1.75} aria-hidden />
          {t("credentials.overdue")}
        </span>
      ) : null}
      {error ? <span className="text-deny">{t("common.failed", { message: error.message })}</span> : null}
    </span>
  );
}

function RulesNaming({ credential }: { credential: string }) {
  const { t } = useTranslation();
  const rules = useRulesNaming(credential);
  if (rules.length === 0) return <span className="text-t2">{t("credentials.noRules")}</span>;
  return (
    <ul>
      {rules.map((rule) => (
        <li key={`${rule.layer} ${rule.id}`}>
          <Link to="/policies/$rule" params={{ rule: rule.id }} className="mono inline-flex min-h-6 items-center text-caption text-accent">
            <Untrusted text={rule.id} max={48} />
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Section({ title, action, children }: { title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <div className="mt-3 border-t border-line pt-3">
      <div className="mb-1.5 flex min-h-7 items-center gap-2">
        <h3 className="flex-1 text-caption font-semibold text-t2">{title}</h3>
        {action}
      </div>
      {children}
    </div>
  );
}

function Known({ credential }: { credential: CredentialDto }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const { data: keeping } = useKeeping();
  return (
    <Facts>
      <Fact label={t("credentials.stored")}>
        {keeping ? t(`credentials.stores.${keeping.store}`) : t("common.unknown")}
        <Dot />
        {t("credentials.addedOn", { day: day(credential.addedAt, now) })}
        <Dot />
        {credential.rotatedAt === null ? t("credentials.neverReplaced") : t("credentials.replacedOn", { day: day(credential.rotatedAt, now) })}
        <Dot />
        {credential.lastUsedAt === undefined ? t("credentials.neverUsedYet") : t("credentials.lastUsed", { day: day(credential.lastUsedAt, now) })}
      </Fact>
      <Fact label={t("credentials.id")}>
        <Untrusted text={credential.id} className="mono text-caption" />
      </Fact>
      <Fact label={t("credentials.placeholder")}>
        <CommandLine command={credential.placeholder} /> <span className="text-t3">{t("credentials.placeholderMore")}</span>
      </Fact>
      <Fact label={t("credentials.variables")}>
        <Untrusted text={credential.variables.join(", ") || t("credentials.none")} className="mono text-caption" />
      </Fact>
    </Facts>
  );
}

/** First what is known without sending; then one read to a place, whose method and address stand there before it goes. */
function Test({ credential }: { credential: string }) {
  const { t } = useTranslation();
  const { mutate, data, error, isPending, variables } = useTest(credential);
  return (
    <Section
      title={t("credentials.test")}
      action={
        <Button inert={isPending} onClick={() => mutate(null)}>
          {t("credentials.testLook")}
        </Button>
      }
    >
      {error ? <EngineFailure error={error} /> : null}
      {!data && !error ? <p className="text-caption text-t3">{t("credentials.testMore")}</p> : null}
      <div aria-live="polite">
        {data ? (
          <ul>
            {data.checks.map((check, at) => (
              <li key={at} className="flex min-h-7 flex-wrap items-center gap-x-2">
                <span className={check.ok ? "text-allow" : "text-deny"}>{check.ok ? t("credentials.testOk") : t("credentials.testBad")}</span>
                <Prose text={check.name} />
                <span className="min-w-0 text-t2">
                  <Prose text={check.evidence} />
                </span>
                {check.fix === null || check.fix.kind === "repair" ? null : <Mending fix={check.fix} />}
              </li>
            ))}
          </ul>
        ) : null}
        {data?.requests.map((request) => (
          <div key={request.place} className="mt-1 flex min-h-8 flex-wrap items-center gap-x-2 border-t border-line-row pt-1">
            <code className="mono min-w-0 text-caption wrap-anywhere">
              {request.method} <Untrusted text={request.url} max={90} />
            </code>
            {data.answer && variables === request.place ? (
              <>
                {data.answer.status === null ? null : <Badge tone={data.answer.ok ? "allow" : "deny"}>{data.answer.status}</Badge>}
                {data.answer.milliseconds === null ? null : <span className="text-t3">{t("credentials.testIn", { time: took(data.answer.milliseconds) })}</span>}
                <span className="text-t2">
                  <Prose text={data.answer.text} />
                </span>
              </>
            ) : null}
            <span className="flex-1" />
            <Button inert={isPending} onClick={() => mutate(request.place)}>
              {t("credentials.testSend")}
            </Button>
          </div>
        ))}
      </div>
    </Section>
  );
}

function LastUses({ credential }: { credential: string }) {
  const { t } = useTranslation();
  const { data } = useLastUses(credential);
  return (
    <Section title={t("credentials.lastUses")} action={<Uses query={usesQuery(credential)} />}>
      {data?.rows.length === 0 ? <p className="text-t2">{t("credentials.neverUsed")}</p> : null}
      <ul>
        {data?.rows.map((row) => (
          <li key={row.id}>
            <Link to="/timeline" search={{ q: `record:${row.record}`, op: row.id }} className="grid min-h-7 grid-cols-[72px_132px_minmax(0,1fr)_40px] items-center gap-3 border-b border-line-row hover:bg-hover">
              <span className="text-t3 tabular-nums">{clock(row.at).time}</span>
              <span className="flex min-w-0 items-center gap-2">
                <AgentTile name={row.agentName} />
                <Untrusted text={row.agentName} max={16} className="truncate" />
              </span>
              <Untrusted text={row.summary} max={64} className="mono truncate text-caption" />
              <span className="text-end text-t3 tabular-nums">{row.status === null ? "" : row.status}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
