// Keys out of an environment file: which lines look like keys, by name; what is ticked goes to the vault. Values are shown nowhere.
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { DialogForm, FIELD, Labelled, type Read } from "../../../components/form";
import { Untrusted } from "../../../components/untrusted";
import type { EnvFileInput } from "../../../engine/bindings/EnvFileInput";
import type { EnvLineDto } from "../../../engine/bindings/EnvLineDto";
import type { ImportedDto } from "../../../engine/bindings/ImportedDto";
import { useImport } from "../queries";

export function Import({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const { scan, take, pending, error } = useImport();
  const pasted = useRef<HTMLTextAreaElement>(null);
  const path = useRef<HTMLInputElement>(null);
  const [lines, setLines] = useState<readonly EnvLineDto[] | null>(null);
  const [fromFile, setFromFile] = useState(false);
  const [done, setDone] = useState<ImportedDto | null>(null);

  /** What was pasted stays in its field until it was taken: it is read from there, and never kept here. */
  const from = (): EnvFileInput => {
    const file = path.current?.value.trim() ?? "";
    return file === "" ? { path: null, text: pasted.current?.value ?? "" } : { path: file, text: null };
  };
  const clear = () => {
    if (pasted.current) pasted.current.value = "";
  };
  const look = async () => {
    const input = from();
    const found = await scan(input);
    setFromFile(input.path !== null);
    setLines(found?.lines ?? null);
  };
  const onSubmit = (text: Read) => {
    if (lines === null) {
      void look();
      return;
    }
    const chosen = lines
      .filter((one) => text(`take-${one.line}`) === "on")
      .map((one) => ({
        line: one.line,
        variable: one.variable,
        id: text(`id-${one.line}`),
        kind: one.kind,
        binding: one.kind === null ? { host: text(`host-${one.line}`), port: null, methods: [], path: null, slot: text(`slot-${one.line}`) || "bearer" } : null,
      }));
    if (chosen.length === 0) return;
    void take({ from: from(), chosen, replace: text("replace") === "on" }).then((taken) => {
      if (!taken) return;
      clear();
      setDone(taken);
    });
  };
  if (done) return <Taken done={done} onDone={onDone} />;
  return (
    <DialogForm
      submit={lines === null ? t("credentials.importLook") : lines.length === 0 ? null : t("credentials.importTake")}
      inert={pending}
      error={error}
      onSubmit={onSubmit}
      onCancel={() => {
        clear();
        onDone();
      }}
      other={
        lines === null ? null : (
          <Button large kind="ghost" onClick={() => setLines(null)}>
            {t("credentials.importBack")}
          </Button>
        )
      }
    >
      <fieldset className={lines === null ? "grid gap-3" : "hidden"}>
        <legend className="sr-only">{t("credentials.importTitle")}</legend>
        <Labelled label={t("credentials.importPath")}>
          <input ref={path} spellCheck={false} autoComplete="off" placeholder={t("credentials.importPathLike")} className={`${FIELD} mono`} />
        </Labelled>
        <Labelled label={t("credentials.importText")} more={t("credentials.importTextMore")}>
          <textarea ref={pasted} rows={4} spellCheck={false} autoComplete="off" className="mono w-full rounded-control border border-line-control bg-surface p-2 font-normal" />
        </Labelled>
      </fieldset>
      {lines === null ? null : <Lines lines={lines} fromFile={fromFile} />}
    </DialogForm>
  );
}

function Lines({ lines, fromFile }: { lines: readonly EnvLineDto[]; fromFile: boolean }) {
  const { t } = useTranslation();
  if (lines.length === 0) return <p className="text-t2">{t("credentials.importNone")}</p>;
  return (
    <>
      <p className="text-t2">{t("credentials.importFound", { count: lines.length })}</p>
      <ul>
        {lines.map((one) => (
          <Line key={one.line} line={one} />
        ))}
      </ul>
      {fromFile ? (
        <label className="flex items-start gap-2">
          <input type="checkbox" name="replace" className="mt-0.75 size-3.5 flex-none accent-accent" />
          <span>
            {t("credentials.importReplace")}
            <span className="block text-caption text-t3">{t("credentials.importReplaceMore")}</span>
          </span>
        </label>
      ) : null}
    </>
  );
}

function Line({ line }: { line: EnvLineDto }) {
  const { t } = useTranslation();
  // What only its name gives away is taken by hand.
  const [taken, setTaken] = useState(line.sign !== "name" && line.known === null);
  return (
    <li className="border-b border-line-row py-2">
      <label className="flex min-h-6 items-center gap-2">
        <input type="checkbox" name={`take-${line.line}`} checked={taken} onChange={(event) => setTaken(event.target.checked)} className="size-3.5 flex-none accent-accent" />
        <Untrusted text={line.variable} max={40} className="mono font-medium" />
        <span className="text-caption text-t3">{t("credentials.importLine", { line: line.line })}</span>
      </label>
      <p className="ps-5.5 text-caption text-t2">
        {t(`credentials.signs.${line.sign}`)}
        {line.host === null ? null : (
          <>
            {". "}
            {t("credentials.importGoes")} <Untrusted text={line.host} max={48} className="mono" />
          </>
        )}
        {line.known === null ? null : (
          <>
            {". "}
            {t("credentials.importKnown")} <Untrusted text={line.known} max={40} className="mono" />
          </>
        )}
      </p>
      {taken ? (
        <div className="mt-1 grid grid-cols-2 gap-2 ps-5.5">
          <label className="grid gap-0.5 text-caption">
            {t("credentials.id")}
            <input name={`id-${line.line}`} required maxLength={64} pattern="[a-z0-9][a-z0-9\-]*" defaultValue={line.id} spellCheck={false} autoComplete="off" className={`${FIELD} mono`} />
          </label>
          {line.kind === null ? (
            <>
              <label className="grid gap-0.5 text-caption">
                {t("credentials.host")}
                <input name={`host-${line.line}`} required spellCheck={false} autoComplete="off" className={`${FIELD} mono`} />
              </label>
              <label className="col-start-2 grid gap-0.5 text-caption">
                {t("credentials.slot")}
                <input name={`slot-${line.line}`} defaultValue="bearer" spellCheck={false} autoComplete="off" className={`${FIELD} mono`} />
              </label>
            </>
          ) : null}
        </div>
      ) : null}
    </li>
  );
}

function Taken({ done, onDone }: { done: ImportedDto; onDone: () => void }) {
  const { t } = useTranslation();
  return (
    <>
      <p role="status">
        {t("credentials.imported", { count: done.added.length })} <Untrusted text={done.added.join(", ")} max={200} className="mono" />
      </p>
      {done.backup === null ? (
        <p className="mt-2 text-t2">{t("credentials.importedKept")}</p>
      ) : (
        <p className="mt-2 text-t2">
          {t("credentials.importedBackup")} <Untrusted text={done.backup} max={80} className="mono text-caption" />
        </p>
      )}
      <div className="mt-4 flex justify-end">
        <Button large kind="primary" onClick={onDone}>
          {t("common.close")}
        </Button>
      </div>
    </>
  );
}
