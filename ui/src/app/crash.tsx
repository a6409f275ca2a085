// A part of the window that broke; protection does not depend on it.
import { useTranslation } from "react-i18next";
import { Failure } from "../components/empty";

export function Crash({ error }: { error?: unknown }) {
  const { t } = useTranslation();
  return <Failure title={t("error.crash")} meaning={t("error.crashMore")} code={error instanceof Error ? error.name : "not-found"} />;
}
