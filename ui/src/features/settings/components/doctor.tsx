// The doctor: what protection needs, probed for real, with what was found and what mends it. What Reeve can mend itself is shown
// step by step before it is done.
import { Check, TriangleAlert } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { EngineFailure } from "../../../components/empty";
import { DialogForm } from "../../../components/form";
import { Mending } from "../../../components/mending";
import { Modal } from "../../../components/modal";
import { Prose } from "../../../components/prose";
import { useToast } from "../../../components/toasts";
import type { CheckDto } from "../../../engine/bindings/CheckDto";
import { useDoctor, useRepair } from "../queries";

export function Doctor() {
  const { t } = useTranslation();
  const doctor = useDoctor();
  const failed = doctor.data?.filter((check) => !check.ok).length ?? 0;
  const [steps, setSteps] = useState<string[] | null>(null);
  const run = useRef<HTMLButtonElement>(null);
  const tried = useRef(false);
  const show = (wanted: string[]) => {
    tried.current = false;
    setSteps(wanted);
  };
  const close = () => {
    setSteps(null);
    // Where a step failed, others may have changed what stands here.
    if (tried.current) doctor.mutate();
  };
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <Button kind="primary" ref={run} inert={doctor.isPending} onClick={() => doctor.mutate()}>
          {doctor.isPending ? t("settings.doctor.running") : t("settings.doctor.run")}
        </Button>
        <p role="status" className="min-w-0 flex-1 text-t2">
          {doctor.data ? (failed === 0 ? t("settings.doctor.well", { count: doctor.data.length }) : t("settings.doctor.ill", { count: failed, all: doctor.data.length })) : t("settings.doctor.more")}
        </p>
      </div>
      {doctor.error ? <EngineFailure error={doctor.error} /> : null}
      {doctor.data ? (
        <ul className="border-t border-line">
          {doctor.data.map((check) => (
            <Found key={check.name} check={check} onRepair={show} />
          ))}
        </ul>
      ) : null}
      <Modal title={t("settings.doctor.title")} open={steps !== null} onOpen={(wanted) => (wanted ? undefined : close())} after={() => (tried.current ? run.current : null)}>
        {steps ? <Repair steps={steps} onTry={() => (tried.current = true)} onDone={close} /> : null}
      </Modal>
    </>
  );
}

function Found({ check, onRepair }: { check: CheckDto; onRepair: (steps: string[]) => void }) {
  const { t } = useTranslation();
  const { fix } = check;
  return (
    <li className="grid grid-cols-[14px_136px_minmax(0,1fr)] gap-x-2.5 border-b border-line-row py-2 small:grid-cols-[14px_minmax(0,1fr)]">
      {check.ok ? <Check size={14} strokeWidth={2} aria-hidden className="mt-0.75 text-allow" /> : <TriangleAlert size={14} strokeWidth={1.75} aria-hidden className="mt-0.75 text-deny" />}
      <span className="font-medium">
        <span className="sr-only">{check.ok ? t("settings.doctor.ok") : t("settings.doctor.problem")}</span> <Prose text={check.name} />
      </span>
      <div className="min-w-0 wrap-anywhere text-t2 small:col-start-2">
        <Prose text={check.evidence} />
        {fix === null ? null : (
          <div className="mt-1.5">
            {fix.kind === "repair" ? (
              <Button onClick={() => onRepair(fix.steps)}>
                {t("settings.doctor.open")}
                <span className="sr-only">
                  {" "}
                  <Prose text={check.name} />
                </span>
              </Button>
            ) : (
              <Mending fix={fix} />
            )}
          </div>
        )}
      </div>
    </li>
  );
}

/** Every step as it will be taken, before it is. */
function Repair({ steps, onTry, onDone }: { steps: string[]; onTry: () => void; onDone: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const repair = useRepair();
  const done = () => {
    toast("done", t("settings.doctor.repaired"));
    onDone();
  };
  const submit = () => {
    onTry();
    repair.mutate(steps, { onSuccess: done });
  };
  return (
    <DialogForm submit={t(repair.isPending ? "settings.doctor.repairing" : "settings.doctor.repair")} inert={repair.isPending} error={repair.error} onSubmit={submit} onCancel={onDone}>
      <p>{t("settings.doctor.steps")}</p>
      <ol className="list-decimal ps-5 text-t2">
        {steps.map((step) => (
          <li key={step} className="py-0.5 wrap-anywhere">
            <Prose text={step} whole />
          </li>
        ))}
      </ol>
    </DialogForm>
  );
}
