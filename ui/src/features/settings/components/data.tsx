// What the record holds and takes, how long it is kept, its proof, and wiping it.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Fact, Facts } from "../../../components/facts";
import { FormProblem, FormSection, Radios } from "../../../components/form";
import { Modal } from "../../../components/modal";
import { Prose } from "../../../components/prose";
import { useToast } from "../../../components/toasts";
import { Untrusted } from "../../../components/untrusted";
import type { DataDto } from "../../../engine/bindings/DataDto";
import type { RemovableDto } from "../../../engine/bindings/RemovableDto";
import type { RetentionDto } from "../../../engine/bindings/RetentionDto";
import type { SettingsDto } from "../../../engine/bindings/SettingsDto";
import { bytes } from "../../../lib/money";
import { exact } from "../../../lib/time";
import { useRetention, useVerify, useWeighed } from "../queries";
import { Wipe } from "./wipe";

/** Days and megabytes that are offered; 0: for ever, no limit. */
const AGES = [30, 90, 365, 0] as const;
const ROOMS = [0, 500, 2_000, 10_000] as const;

const shown = (count: number) => count.toLocaleString("en-US");
const date = (iso: string) => exact(iso).slice(0, 10);

export function Data({ settings }: { settings: SettingsDto }) {
  const { data } = settings;
  return (
    <>
      <Record data={data} />
      <Retention key={`${data.keep.days} ${data.keep.megabytes}`} keep={data.keep} />
      <Proof />
      <WipeSection data={data} />
    </>
  );
}

function Record({ data }: { data: DataDto }) {
  const { t } = useTranslation();
  return (
    <FormSection title={t("data.title")}>
      <p className="mb-2 text-t2">{t("data.more")}</p>
      <Facts>
        <Fact label={t("data.records")}>{shown(data.records)}</Fact>
        <Fact label={t("data.since")}>{data.since === null ? t("data.none") : exact(data.since)}</Fact>
        <Fact label={t("data.size")}>{bytes(data.bytes)}</Fact>
        <Fact label={t("data.file")}>
          <code className="mono text-caption">
            <Untrusted text={data.database} />
          </code>
        </Fact>
        {data.removedAt === null ? null : <Fact label={t("data.removed")}>{t("data.removedTo", { record: shown(data.removedTo), date: date(data.removedAt) })}</Fact>}
      </Facts>
      {data.removing ? (
        <p role="status" className="mt-2 text-t2">
          {t("data.removing")}
        </p>
      ) : null}
      {data.problem === null ? null : (
        <p role="status" className="mt-2 text-deny">
          <Prose text={data.problem} />
        </p>
      )}
    </FormSection>
  );
}

/** What is offered, and what is in force where that is something else. */
function choices(offered: readonly number[], now: number): number[] {
  return offered.includes(now) ? [...offered] : [now, ...offered];
}

function Retention({ keep }: { keep: RetentionDto }) {
  const { t } = useTranslation();
  const toast = useToast();
  const save = useRetention();
  const [days, setDays] = useState(keep.days);
  const [megabytes, setMegabytes] = useState(keep.megabytes);
  const changed = days !== keep.days || megabytes !== keep.megabytes;
  const weighed = useWeighed({ days, megabytes }, changed);
  const age = (value: number) => (value === 0 ? t("data.forEver") : t("data.days", { count: value, shown: shown(value) }));
  const removes = changed && (weighed.data?.records ?? 0) > 0;
  return (
    <FormSection title={t("data.keepTitle")}>
      <p className="mb-1 text-t2">{t("data.keepMore")}</p>
      <Radios label={t("data.age")} value={String(days)} onChoose={(value) => setDays(Number(value))} options={choices(AGES, keep.days).map((value) => ({ value: String(value), label: age(value) }))} />
      <Radios
        label={t("data.room")}
        value={String(megabytes)}
        onChoose={(value) => setMegabytes(Number(value))}
        options={choices(ROOMS, keep.megabytes).map((value) => ({ value: String(value), label: value === 0 ? t("data.noLimit") : t("data.megabytes", { shown: shown(value) }) }))}
      />
      {changed ? (
        <div className="mt-1 grid justify-items-start gap-2">
          <p role="status" className={removes ? "text-ask" : "text-t2"}>
            {weighed.data ? <Going going={weighed.data} /> : weighed.error ? null : t("data.weighing")}
          </p>
          <FormProblem error={weighed.error ?? save.error} />
          <Button large kind="primary" inert={!weighed.data || save.isPending} onClick={() => save.mutate({ days, megabytes }, { onSuccess: (data) => toast("done", t("data.saved", { words: age(data.keep.days) })) })}>
            {t(removes ? "data.saveRemoves" : "data.save")}
          </Button>
        </div>
      ) : null}
    </FormSection>
  );
}

/** What would go, in one sentence. */
function Going({ going }: { going: RemovableDto }) {
  const { t } = useTranslation();
  if (going.until === null) return t("data.nothingGoes");
  return t("data.goes", {
    actions: t("data.actions", { count: going.operations, shown: shown(going.operations) }),
    records: t("data.recordCount", { count: going.records, shown: shown(going.records) }),
    date: date(going.until),
    size: bytes(going.bytes),
  });
}

function Proof() {
  const { t } = useTranslation();
  const verify = useVerify();
  return (
    <FormSection title={t("data.proof")}>
      <div className="flex items-center gap-3 py-1">
        <Button onClick={() => verify.mutate()}>{verify.isPending ? t("data.verifying") : t("data.verify")}</Button>
        <span role="status" className="min-w-0">
          {verify.data ? (
            verify.data.ok ? (
              <span className="text-allow">{t("data.holds", { count: verify.data.events, shown: shown(verify.data.events) })}</span>
            ) : (
              <span className="text-deny">
                <Prose text={verify.data.problem ?? t("data.broken")} />
              </span>
            )
          ) : null}
          {verify.error ? (
            <span className="text-deny">
              <Prose text={verify.error.message} />
            </span>
          ) : null}
        </span>
      </div>
    </FormSection>
  );
}

function WipeSection({ data }: { data: DataDto }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <FormSection title={t("data.wipeTitle")}>
      <p className="mb-2 text-t2">{t("data.wipeMore")}</p>
      <Button kind="danger" className="-ms-2.5" onClick={() => setOpen(true)}>
        {t("data.wipe")}
      </Button>
      <Modal title={t("data.wipeTitle")} open={open} onOpen={setOpen}>
        <Wipe records={t("data.recordCount", { count: data.records, shown: shown(data.records) })} onDone={() => setOpen(false)} />
      </Modal>
    </FormSection>
  );
}
