// When the use of one credential asks: one of a few rules, shown with what it would have changed before it is written.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CedarText } from "../../../components/cedar";
import { DialogForm } from "../../../components/form";
import { Modal } from "../../../components/modal";
import { Prose } from "../../../components/prose";
import { Untrusted } from "../../../components/untrusted";
import type { FileChangeDto } from "../../../engine/bindings/FileChangeDto";
import type { ReplayDto } from "../../../engine/bindings/ReplayDto";
import { answerable, type Ask, askChange, askOf, ASKS } from "../model";
import { useDraft, useRules } from "../queries";

export function AskChoice({ credential }: { credential: string }) {
  const { t } = useTranslation();
  const { data: rules } = useRules();
  const [wanted, setWanted] = useState<Ask | null>(null);
  if (!rules) return <span className="text-t3">{t("credentials.counting")}</span>;
  const { ask, rule } = askOf(credential, rules);
  const asking = answerable(rules);
  const change = wanted === null ? null : askChange(credential, wanted, rules);
  const isOwn = rule === null || rule.layer === "mine";
  return (
    <>
      <fieldset className="flex flex-wrap gap-x-5" disabled={!isOwn}>
        <legend className="sr-only">{t("credentials.ask.label")}</legend>
        {ASKS.filter((one) => one !== "never" || asking.length > 0 || ask === "never").map((one) => (
          <label key={one} className="inline-flex items-center gap-2 py-0.75">
            <input type="radio" name={`ask-${credential}`} checked={ask === one} onChange={() => setWanted(one)} className="size-3.5 flex-none accent-accent" />
            <span className={ask === one ? "font-medium" : ""}>{t(`credentials.ask.${one}`)}</span>
          </label>
        ))}
      </fieldset>
      <span className="block text-caption text-t2">
        {t(`credentials.ask.${ask}More`)}{" "}
        {(rule === null ? asking : [rule.id]).map((id) => (
          <Link key={id} to="/policies/$rule" params={{ rule: id }} className="mono me-2 inline-flex min-h-6 items-center text-accent">
            <Untrusted text={id} max={48} />
          </Link>
        ))}
      </span>
      <Modal title={t("credentials.ask.title")} open={change !== null} onOpen={(open) => (open ? undefined : setWanted(null))}>
        {change === null || wanted === null ? null : <Confirm change={change} wanted={wanted} gone={rule?.text ?? ""} onDone={() => setWanted(null)} />}
      </Modal>
    </>
  );
}

/** The exact text, or the one that goes, and what it would have changed. */
function Confirm({ change, wanted, gone, onDone }: { change: FileChangeDto; wanted: Ask; gone: string; onDone: () => void }) {
  const { t } = useTranslation();
  const { checked, replay, error, save } = useDraft(change);
  const isReady = checked?.ready === true && replay !== undefined && !save.isPending;
  return (
    <DialogForm submit={t(change.text === "" ? "credentials.ask.remove" : "credentials.ask.write")} inert={!isReady} error={save.error ?? error} onCancel={onDone} onSubmit={() => save.mutate(undefined, { onSuccess: onDone })}>
      <p className="text-t2">{t(`credentials.ask.${wanted}More`)}</p>
      <CedarText text={change.text === "" ? gone : change.text} file={change.file} {...(change.text === "" ? { caption: t("credentials.ask.goes") } : {})} />
      {checked?.problems.map((one) => (
        <p key={one.message} role="alert" className="text-deny">
          <Prose text={one.message} />
        </p>
      ))}
      {checked && checked.problems.length === 0 && !checked.ready ? <p className="text-ask">{t("credentials.ask.cases")}</p> : null}
      <Effect replay={replay} />
    </DialogForm>
  );
}

function Effect({ replay }: { replay: ReplayDto | undefined }) {
  const { t } = useTranslation();
  if (replay === undefined) return <p className="text-t3">{t("rule.weighing")}</p>;
  const { newlyAllowed, newlyAsked } = replay;
  return (
    <p>
      <span className="font-semibold">{t("credentials.ask.days")}</span> {t("credentials.ask.asked", { count: newlyAsked.count })}{", "}
      {t("credentials.ask.allowed", { count: newlyAllowed.count })}
      {newlyAllowed.grave > 0 ? <span className="text-deny">{`, ${t("rule.grave", { count: newlyAllowed.grave })}`}</span> : null}
      {replay.complete ? null : <span className="text-t3"> {t("rule.judged", { count: replay.judged })}</span>}
    </p>
  );
}
