// The question before the shell ends: what stops with it, and what goes on without it.
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../components/button";
import { Modal } from "../components/modal";
import { useEngine } from "../engine/query";
import { useStatus } from "../features/status/queries";

export function QuitDialog() {
  const { t } = useTranslation();
  const engine = useEngine();
  const { data: status } = useStatus();
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    const ask = () => setAsking(true);
    window.addEventListener("reeve:quit", ask);
    return () => window.removeEventListener("reeve:quit", ask);
  }, []);
  const answer = (really: boolean) => {
    setAsking(false);
    engine.leave(really);
  };
  const sessions = status?.sessionsRunning ?? 0;
  const held = status?.held ?? 0;
  return (
    <Modal title={t("quit.title")} open={asking} onOpen={(open) => (open ? setAsking(true) : answer(false))}>
      <ul className="grid gap-2">
        {sessions > 0 ? <li>{status?.demo ? t("quit.demo", { count: sessions }) : t("quit.sessions", { count: sessions })}</li> : null}
        {held > 0 ? <li>{t("quit.held", { count: held })}</li> : null}
        <li className="text-t2">{t("quit.silent")}</li>
      </ul>
      <div className="mt-4 flex flex-wrap justify-end gap-2">
        <Button large onClick={() => answer(true)}>
          {t("quit.anyway")}
        </Button>
        <Button large kind="primary" autoFocus onClick={() => answer(false)}>
          {t("quit.stay")}
        </Button>
      </div>
    </Modal>
  );
}
