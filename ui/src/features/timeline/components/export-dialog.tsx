// The present query as a file with a signed manifest: what goes in, where it lies, and how anybody checks it.
import { useMutation } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Fact, Facts } from "../../../components/facts";
import { DialogForm, FIELD, Labelled } from "../../../components/form";
import { Inset } from "../../../components/inset";
import { Modal } from "../../../components/modal";
import { Untrusted, UntrustedBlock } from "../../../components/untrusted";
import type { ExportedDto } from "../../../engine/bindings/ExportedDto";
import type { ExportFormatDto } from "../../../engine/bindings/ExportFormatDto";
import type { ExportInput } from "../../../engine/bindings/ExportInput";
import type { EngineError } from "../../../engine/client";
import { useEngine } from "../../../engine/query";
import { shellWord } from "../model";

const FORMATS: readonly ExportFormatDto[] = ["jsonl", "csv"];

type ExportDialogProps = { query: string; matches: number; capped: boolean; onClose: () => void };

export function ExportDialog({ query, matches, capped, onClose }: ExportDialogProps) {
  const { t } = useTranslation();
  const engine = useEngine();
  const id = useId();
  const [format, setFormat] = useState<ExportFormatDto>("jsonl");
  const [path, setPath] = useState("");
  const write = useMutation<ExportedDto, EngineError, ExportInput>({ mutationFn: (input) => engine.call({ call: "operations.export", input }) });
  const inert = path.trim() === "" || matches === 0 || write.isPending;
  return (
    <Modal title={t("export.title")} open onOpen={(open) => (open ? undefined : onClose())}>
      {write.data ? (
        <Written done={write.data} onClose={onClose} />
      ) : (
        <DialogForm submit={t(write.isPending ? "export.writing" : "export.write")} inert={inert} error={write.error} onCancel={onClose} onSubmit={(read) => write.mutate({ query, format, path: read("path") })}>
          <p>
            {t("export.rows", { count: matches, shown: matches.toLocaleString("en-US") + (capped ? "+" : "") })}{" "}
            {query === "" ? t("export.everything") : <code className="mono text-caption break-all"><Untrusted text={query} max={200} /></code>}
          </p>
          <fieldset>
            <legend className="mb-1 text-caption font-semibold text-t2">{t("export.format")}</legend>
            {FORMATS.map((one) => (
              <label key={one} className="flex items-baseline gap-2 py-0.5">
                <input type="radio" name={`${id}-format`} checked={format === one} onChange={() => setFormat(one)} className="accent-accent" />
                <span className="font-medium">{t(`export.${one}`)}</span>
                <span className="text-caption text-t2">{t(`export.${one}More`)}</span>
              </label>
            ))}
          </fieldset>
          <Labelled label={t("export.path")} more={t("export.pathMore")}>
            <input name="path" value={path} spellCheck={false} autoComplete="off" onChange={(event) => setPath(event.target.value)} className={`${FIELD} mono text-caption`} />
          </Labelled>
          <p className="text-caption text-t2">{t("export.secrets")}</p>
        </DialogForm>
      )}
    </Modal>
  );
}

function Written({ done, onClose }: { done: ExportedDto; onClose: () => void }) {
  const { t } = useTranslation();
  const command = `reeve verify ${shellWord(done.path)}`;
  return (
    <div role="status" className="flex flex-col gap-4">
      <p className="font-medium">{t("export.done", { count: done.count, shown: done.count.toLocaleString("en-US") })}</p>
      {done.redacted > 0 ? <p>{t("export.redacted", { count: done.redacted, shown: done.redacted.toLocaleString("en-US") })}</p> : null}
      <Facts narrow>
        <Fact label={t("export.file")}>
          <code className="mono text-caption break-all">
            <Untrusted text={done.path} />
          </code>
        </Fact>
        <Fact label={t("export.manifest")}>
          <code className="mono text-caption break-all">
            <Untrusted text={done.manifest} />
          </code>
        </Fact>
        <Fact label={t("export.size")}>{t("export.bytes", { count: done.bytes, shown: done.bytes.toLocaleString("en-US") })}</Fact>
      </Facts>
      <Inset small caption={t("export.check")} copy={command}>
        <UntrustedBlock text={command} />
      </Inset>
      <div className="flex justify-end">
        <Button large kind="primary" onClick={onClose}>
          {t("common.close")}
        </Button>
      </div>
    </div>
  );
}
