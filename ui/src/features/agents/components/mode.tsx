// The mode that holds for every agent, with its preset; a session may have one of its own.
import { useTranslation } from "react-i18next";
import { useStatus } from "../queries";

export function ModeWords() {
  const { t } = useTranslation();
  const { data } = useStatus();
  if (!data) return null;
  return data.mode === "observe" ? <span className="text-info">{t("agents.modes.observe")}</span> : <span className="text-t2">{t("agents.enforce", { preset: t(`agents.presets.${data.preset}`) })}</span>;
}
