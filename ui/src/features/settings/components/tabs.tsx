// The short tabs: how the window looks, which notices come, and what this is.
import { useTranslation } from "react-i18next";
import { Fact, Facts } from "../../../components/facts";
import { FormProblem, FormRow, FormSection, Radios, Toggle } from "../../../components/form";
import { Untrusted } from "../../../components/untrusted";
import type { SettingsDto } from "../../../engine/bindings/SettingsDto";
import { choicesOf, setView, useView } from "../../../lib/view";
import { useChange, useLogin, useStatus } from "../queries";
import { OwnMark } from "./own-mark";

export function General() {
  const { t } = useTranslation();
  const view = useView();
  return (
    <>
      <FormSection title={t("settings.appearance")}>
        <Radios label={t("settings.theme")} value={view.theme} onChoose={(value) => setView("theme", value)} options={choicesOf("theme").map((value) => ({ value, label: t(`settings.themes.${value}`) }))} />
        <Radios label={t("settings.contrast")} value={view.contrast} onChoose={(value) => setView("contrast", value)} options={choicesOf("contrast").map((value) => ({ value, label: t(`settings.contrasts.${value}`) }))} />
        <Radios label={t("settings.text")} value={view.text} onChoose={(value) => setView("text", value)} options={choicesOf("text").map((value) => ({ value, label: t("settings.percent", { value }) }))} />
        <Radios label={t("settings.rows")} value={view.rows} onChoose={(value) => setView("rows", value)} options={choicesOf("rows").map((value) => ({ value, label: t(`settings.rowsOf.${value}`) }))} />
        <Radios label={t("settings.sidebar")} value={view.sidebar} onChoose={(value) => setView("sidebar", value)} options={choicesOf("sidebar").map((value) => ({ value, label: t(`settings.sidebars.${value}`) }))} />
        <FormRow label={t("settings.language")}>{t("settings.languageMore")}</FormRow>
      </FormSection>
      <FormSection title={t("settings.start")}>
        <AtLogin />
      </FormSection>
      <OwnMark />
    </>
  );
}

/** An entry of the system's own; it is read and written by the window, not by the engine. */
function AtLogin() {
  const { t } = useTranslation();
  const { data, error, set } = useLogin();
  return (
    <>
      <Toggle label={t("settings.login")} more={t("settings.loginMore")} on={data ?? false} fixed={data === undefined} onChange={set} />
      <FormProblem error={error} />
    </>
  );
}

export function Notifications({ settings }: { settings: SettingsDto }) {
  const { t } = useTranslation();
  const change = useChange();
  const { notifications } = settings;
  const set = (part: Partial<typeof notifications>) => change({ notifications: { ...notifications, ...part } });
  return (
    <FormSection title={t("settings.notify.title")}>
      <p className="mb-1 text-t2">{t("settings.notify.more")}</p>
      <Toggle label={t("settings.notify.waiting")} more={t("settings.notify.waitingMore")} on={notifications.waiting} onChange={(waiting) => set({ waiting })} />
      <Toggle label={t("settings.notify.budget")} more={t("settings.notify.budgetMore")} on={notifications.budget} onChange={(budget) => set({ budget })} />
      <Toggle label={t("settings.notify.denied")} more={t("settings.notify.deniedMore")} on={notifications.deniedHigh} onChange={(deniedHigh) => set({ deniedHigh })} />
      <Toggle fixed label={t("settings.notify.lost")} more={t("settings.notify.lostMore")} on />
    </FormSection>
  );
}

export function About({ settings }: { settings: SettingsDto }) {
  const { t } = useTranslation();
  const { data: status } = useStatus();
  return (
    <FormSection title={t("settings.about.title")}>
      <Facts>
        <Fact label={t("settings.about.version")}>{status?.engineVersion ?? t("common.unknown")}</Fact>
        <Fact label={t("settings.about.proxy")}>
          <code className="mono text-caption">{status?.proxyAddress ?? t("common.unknown")}</code>
        </Fact>
        <Fact label={t("settings.about.file")}>
          <code className="mono text-caption">
            <Untrusted text={settings.file} />
          </code>
        </Fact>
        <Fact label={t("settings.about.secrets")}>{t(`settings.secrets.${settings.secrets}`)}</Fact>
        <Fact label={t("settings.about.licence")}>{t("settings.about.licenceIs")}</Fact>
        <Fact label={t("settings.about.updates")}>{t("settings.about.updatesMore")}</Fact>
      </Facts>
    </FormSection>
  );
}
