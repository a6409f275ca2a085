// Governing another tool: those found on this machine with the command that starts each, and a name for anything else.
import { useTranslation } from "react-i18next";
import { Badge } from "../../../components/badge";
import { CommandLine, EngineFailure } from "../../../components/empty";
import { DialogForm, FIELD, Labelled } from "../../../components/form";
import { Untrusted } from "../../../components/untrusted";
import { useAct, useTools } from "../queries";
import { Coverage } from "./coverage";
import { StartButton } from "./start";

export function Govern({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useTools();
  return (
    <>
      <h3 className="text-caption font-semibold text-t2">{t("agents.found")}</h3>
      <p className="text-caption text-t3">{t("agents.foundMore")}</p>
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {data?.length === 0 ? <p className="mt-2 text-t2">{t("agents.foundNone")}</p> : null}
      <ul className="mt-1">
        {data?.map((tool) => (
          <li key={tool.key} className="grid gap-1 border-b border-line-row py-2.5">
            <span className="flex min-w-0 flex-wrap items-center gap-2">
              <span className="font-medium">{tool.name}</span>
              <Badge>{tool.version === null ? t("agents.versionUnknown") : <Untrusted text={tool.version} max={24} />}</Badge>
              {tool.registered ? <span className="text-caption text-t3">{t("agents.alreadyHere")}</span> : null}
              <span className="flex-1" />
              <StartButton tool={tool} />
            </span>
            <Coverage coverage={tool.coverage} />
            <Untrusted text={tool.program} max={64} className="mono text-caption text-t3" />
            <CommandLine command={tool.command} />
            {tool.measured === null ? <p className="text-caption text-ask">{t("agents.neverMeasured")}</p> : null}
          </li>
        ))}
      </ul>
      <Register onDone={onDone} />
    </>
  );
}

/** A name for a tool that the catalog does not know. */
function Register({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const { mutate, isPending, error } = useAct();
  return (
    <div className="mt-4">
      <h3 className="text-caption font-semibold text-t2">{t("agents.add")}</h3>
      <p className="mb-2 text-caption text-t3">{t("agents.addMore")}</p>
      <DialogForm submit={t("agents.register")} inert={isPending} error={error} onCancel={onDone} onSubmit={(read) => mutate({ call: "agents.add", agent: read("agent") }, { onSuccess: onDone })}>
        <Labelled label={t("agents.id")}>
          <input name="agent" required maxLength={64} spellCheck={false} autoComplete="off" className={`${FIELD} mono`} />
        </Labelled>
      </DialogForm>
    </div>
  );
}
