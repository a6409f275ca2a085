// Wiping the record: what goes, what stays, and the words that say it.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Fact, Facts } from "../../../components/facts";
import { DialogForm, FIELD, Labelled, Toggle } from "../../../components/form";
import { useToast } from "../../../components/toasts";
import { useWipe } from "../queries";

/** What the engine takes for a yes. Never translated. */
const WORDS = "wipe the record";

export function Wipe({ records, onDone }: { records: string; onDone: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const wipe = useWipe();
  const [typed, setTyped] = useState("");
  const [credentials, setCredentials] = useState(false);
  const done = () => {
    toast("done", t("data.wiped"));
    onDone();
  };
  const confirm = typed.trim();
  return (
    <DialogForm submit={t("data.wipeNow")} danger inert={confirm !== WORDS || wipe.isPending} error={wipe.error} onSubmit={() => wipe.mutate({ confirm, credentials }, { onSuccess: done })} onCancel={onDone}>
      <Facts>
        <Fact label={t("data.goesAway")}>{t("data.goesAwayList", { records })}</Fact>
        <Fact label={t("data.stays")}>{t("data.staysList")}</Fact>
      </Facts>
      <p className="text-t2">{t("data.runs")}</p>
      <Toggle label={t("data.credentials")} more={t("data.credentialsMore")} on={credentials} onChange={setCredentials} />
      <Labelled label={t("data.confirm", { words: WORDS })}>
        <input value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} className={FIELD} />
      </Labelled>
    </DialogForm>
  );
}
