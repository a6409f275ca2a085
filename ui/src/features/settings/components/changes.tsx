// What Reeve put on this machine, for every agent, with the command that takes it away again.
import { useTranslation } from "react-i18next";
import { CommandLine } from "../../../components/empty";
import { FormProblem, FormSection } from "../../../components/form";
import { Untrusted } from "../../../components/untrusted";
import { useCall } from "../../../engine/query";

/** Most lines; more are counted. */
const MOST = 30;

export function Changes() {
  const { t } = useTranslation();
  const { data, error } = useCall({ call: "agents.changes" }, { gcTime: 0 });
  const changes = data?.changes ?? [];
  const mentioning = data?.settings.filter((one) => one.mentionsReeve) ?? [];
  return (
    <FormSection title={t("settings.changes.title")}>
      <p className="mb-1 text-t2">{t("settings.changes.more")}</p>
      <FormProblem error={error} />
      {data && changes.length === 0 ? <p>{t("settings.changes.none")}</p> : null}
      <ul>
        {changes.slice(0, MOST).map((one) => (
          <li key={`${one.kind} ${one.place}`} className="grid min-h-9 grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 border-b border-line-row py-1">
            <span className="min-w-0">
              {t(`agents.changeKinds.${one.kind}`)}
              <Untrusted text={one.place} max={72} className="mono block truncate text-caption text-t2" />
            </span>
            {one.undo === null ? null : <CommandLine command={one.undo} />}
          </li>
        ))}
      </ul>
      {changes.length > MOST ? <p className="pt-1 text-caption text-t3">{t("settings.changes.others", { count: changes.length - MOST })}</p> : null}
      {mentioning.map((one) => (
        <p key={one.file} className="mt-1 text-caption text-ask">
          <Untrusted text={one.file} max={72} className="mono" /> {t("agents.mentions")}
        </p>
      ))}
    </FormSection>
  );
}
