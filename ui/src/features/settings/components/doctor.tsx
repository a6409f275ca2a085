// The doctor: what protection needs, probed for real, with what was found and the command that mends it.
import { Check, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { CommandLine, EngineFailure } from "../../../components/empty";
import { Prose } from "../../../components/prose";
import type { CheckDto } from "../../../engine/bindings/CheckDto";
import { useDoctor } from "../queries";

export function Doctor() {
  const { t } = useTranslation();
  const doctor = useDoctor();
  const failed = doctor.data?.filter((check) => !check.ok).length ?? 0;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <Button kind="primary" inert={doctor.isPending} onClick={() => doctor.mutate()}>
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
            <Found key={check.name} check={check} />
          ))}
        </ul>
      ) : null}
    </>
  );
}

function Found({ check }: { check: CheckDto }) {
  const { t } = useTranslation();
  return (
    <li className="grid grid-cols-[14px_136px_minmax(0,1fr)] gap-x-2.5 border-b border-line-row py-2 small:grid-cols-[14px_minmax(0,1fr)]">
      {check.ok ? <Check size={14} strokeWidth={2} aria-hidden className="mt-0.75 text-allow" /> : <TriangleAlert size={14} strokeWidth={1.75} aria-hidden className="mt-0.75 text-deny" />}
      <span className="font-medium">
        <span className="sr-only">{check.ok ? t("settings.doctor.ok") : t("settings.doctor.problem")}</span> <Prose text={check.name} />
      </span>
      <div className="min-w-0 wrap-anywhere text-t2 small:col-start-2">
        <Prose text={check.evidence} />
        {check.fix === null ? null : (
          <div className="mt-1.5">
            <CommandLine command={check.fix} />
          </div>
        )}
      </div>
    </li>
  );
}
