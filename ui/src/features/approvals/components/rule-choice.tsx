// The rule before it exists: who, what, where and until when; its exact text; what it would have changed.
import { History, Info } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { AgentTile, LayerBadge } from "../../../components/badge";
import { CedarText } from "../../../components/cedar";
import { Risk } from "../../../components/risk";
import { Untrusted } from "../../../components/untrusted";
import { HostName } from "../../../components/host-name";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { LastingDto } from "../../../engine/bindings/LastingDto";
import type { PreviewDto } from "../../../engine/bindings/PreviewDto";
import type { RuleChoiceDto } from "../../../engine/bindings/RuleChoiceDto";
import { widthWord } from "../../../lib/action";
import { hostOf, methodOf } from "../model";
import type { useProposed } from "../queries";
import { DecisionError } from "./decision-error";
import { RuleEditor } from "./rule-editor";

export const PROPOSED: RuleChoiceDto = { width: "useful", lasting: { kind: "days30" } };

type RuleChoiceProps = { question: ApprovalDto; rule: RuleChoiceDto; onRule: (rule: RuleChoiceDto) => void; proposed: ReturnType<typeof useProposed> };

export function RuleChoice({ question, rule, onRule, proposed }: RuleChoiceProps) {
  const { t } = useTranslation();
  const host = hostOf(question);
  const widths = question.arming?.widths ?? [];
  const { preview, problems, error } = proposed;
  const isEdited = rule.text !== undefined;
  return (
    <>
      <div className="grid grid-cols-[96px_minmax(0,1fr)] gap-x-3">
        {/* Who, where and until when are as the text says, once a person edits it. */}
        {isEdited ? null : (
          <Row label={t("rule.who")} group>
            <Choice name="who" chosen={!rule.anyone} onChoose={() => onRule({ ...rule, anyone: false })}>
              <span className="inline-flex items-center gap-1.5">
                <AgentTile name={question.agentName} size={14} />
                <Untrusted text={question.agentName} max={24} />
              </span>
            </Choice>
            {question.cwd === "" ? null : (
              <Choice name="who" chosen={rule.anyone === true} wide onChoose={() => onRule({ ...rule, anyone: true, here: true })}>
                {t("rule.anyone")}
              </Choice>
            )}
          </Row>
        )}
        <Row label={t("rule.what")} group>
          {widths.map((width) => {
            const word = t(`rule.width.${widthWord(question.kind, width)}`, { method: methodOf(question) });
            return (
              <Choice key={width} name="width" wide={word.length > 24} chosen={!isEdited && rule.width === width} onChoose={() => onRule({ width, lasting: rule.lasting, ...(rule.anyone ? { anyone: true } : {}), ...(rule.here ? { here: true } : {}) })}>
                {word}
              </Choice>
            );
          })}
          <Choice name="width" chosen={isEdited} locked={!isEdited && proposed.text === undefined} onChoose={() => onRule({ ...rule, text: proposed.text?.trim() ?? "" })}>
            {t("rule.edit")}
          </Choice>
        </Row>
        {isEdited || (host === null && question.cwd === "") ? null : (
          <Row label={t("rule.where")} group>
            {question.cwd === "" ? (
              <span className="col-span-3 py-1.5">{host === null ? null : <HostName host={host} />}</span>
            ) : (
              <>
                <Choice name="where" chosen={!rule.here} locked={rule.anyone === true} onChoose={() => onRule({ ...rule, here: false })}>
                  {t("rule.anywhere")}
                </Choice>
                <Choice name="where" chosen={rule.here === true} wide onChoose={() => onRule({ ...rule, here: true })}>
                  {t("rule.here")}{" "}
                  <span className="mono text-caption font-normal text-t2">
                    <Untrusted text={question.cwd} max={40} />
                  </span>
                </Choice>
              </>
            )}
          </Row>
        )}
        {isEdited ? null : (
          <Row label={t("rule.until")} group>
            <Until lasting={rule.lasting} asked={question.askedAt} onChoose={(lasting) => onRule({ ...rule, lasting })} />
          </Row>
        )}
      </div>
      <div className="mt-3">
        {error ? <DecisionError error={error} /> : null}
        {isEdited ? (
          <RuleEditor text={rule.text ?? ""} onText={(text) => onRule({ ...rule, text })} file={preview?.file ?? question.arming?.alwaysFile ?? ""} problems={problems} isReady={proposed.text !== undefined} />
        ) : preview ? (
          <CedarText text={preview.text.trimEnd()} file={preview.file} />
        ) : (
          <div role="status" aria-label={t("rule.weighing")} className="h-40 rounded-control border border-line bg-inset" />
        )}
      </div>
      <Effect preview={isEdited && proposed.text === undefined ? undefined : preview} />
      <p className="mt-1.5 flex items-start gap-2 text-t2">
        <Info size={14} strokeWidth={1.5} aria-hidden className="mt-0.75 flex-none text-t3" />
        <span className="inline-flex flex-wrap items-center gap-x-1.5">
          {question.reasons.map((reason) => (
            <span key={reason.rule} className="inline-flex items-center gap-1.5">
              <code className="mono text-caption">
                <Untrusted text={reason.rule} max={64} />
              </code>
              <LayerBadge layer={reason.layer} />
            </span>
          ))}
          {t("rule.still", { count: question.reasons.length })}
        </span>
      </p>
    </>
  );
}

function Row({ label, group = false, children }: { label: string; group?: boolean; children: ReactNode }) {
  return (
    <>
      <div aria-hidden={group || undefined} className="py-1.5 text-t3">
        {label}
      </div>
      {group ? (
        <fieldset className="grid min-w-0 grid-cols-3 items-start gap-x-4 wide:grid-cols-[repeat(3,minmax(0,1fr))_56px]">
          <legend className="sr-only">{label}</legend>
          {children}
        </fieldset>
      ) : (
        <div className="min-w-0">{children}</div>
      )}
    </>
  );
}

type ChoiceProps = { name: string; chosen: boolean; /** Not to be chosen beside another choice. */ locked?: boolean; /** Takes the rest of the line. */ wide?: boolean; onChoose: () => void; children: ReactNode };

function Choice({ name, chosen, locked = false, wide = false, onChoose, children }: ChoiceProps) {
  return (
    <label className={`inline-flex items-center gap-2 py-1.5 ${wide ? "col-span-2" : ""} ${locked ? "text-t3" : ""}`}>
      <input type="radio" name={name} checked={chosen} disabled={locked} onChange={onChoose} className="size-3.5 flex-none accent-accent" />
      <span className={chosen ? "font-medium" : ""}>{children}</span>
    </label>
  );
}

function Until({ lasting, asked, onChoose }: { lasting: LastingDto; asked: string; onChoose: (lasting: LastingDto) => void }) {
  const { t } = useTranslation();
  const end = new Date(Date.parse(asked) + 30 * 86_400_000);
  const picked = lasting.kind === "until" ? lasting.at.slice(0, 10) : "";
  return (
    <>
      <Choice name="until" chosen={lasting.kind === "days30"} onChoose={() => onChoose({ kind: "days30" })}>
        {t("rule.thirtyDays", { date: end.toLocaleDateString("en-GB", { day: "numeric", month: "short" }) })}
      </Choice>
      <Choice name="until" chosen={lasting.kind === "forever"} onChoose={() => onChoose({ kind: "forever" })}>
        {t("rule.forever")}
      </Choice>
      <label className="inline-flex flex-wrap items-center gap-2 py-1.5">
        <input type="radio" name="until" checked={lasting.kind === "until"} onChange={() => onChoose({ kind: "until", at: end.toISOString() })} className="size-3.5 flex-none accent-accent" />
        <span>{t("rule.pick")}</span>
        {lasting.kind === "until" ? (
          <input
            type="date"
            value={picked}
            min={asked.slice(0, 10)}
            aria-label={t("rule.pick")}
            onChange={(event) => {
              const at = Date.parse(`${event.target.value}T23:59:59`);
              if (!Number.isNaN(at)) onChoose({ kind: "until", at: new Date(at).toISOString() });
            }}
            className="h-7 rounded-control border border-line-control bg-surface px-1.5"
          />
        ) : null}
      </label>
    </>
  );
}

function Effect({ preview }: { preview: PreviewDto | undefined }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  if (!preview) return null;
  return (
    <div className="mt-3">
      <p className="flex items-start gap-2">
        <History size={14} strokeWidth={1.5} aria-hidden className="mt-0.75 flex-none text-t3" />
        <span className="min-w-0 flex-1">
          <span className="font-semibold">{t("rule.lastDays", { count: preview.days })}</span> {t("rule.effect", { count: preview.allowed, grave: t("rule.grave", { count: preview.grave }) })}
          {preview.complete ? null : <span className="text-t3"> {t("rule.judged", { count: preview.judged })}</span>}
        </span>
        {preview.changes.length === 0 ? null : (
          <button type="button" aria-expanded={open} className="flex-none font-semibold text-accent" onClick={() => setOpen(!open)}>
            {open ? t("rule.hide") : t("rule.show", { count: preview.changes.length })}
          </button>
        )}
      </p>
      {open ? (
        <ul className="mt-1.5 ms-5.5 border-s-2 border-line-control bg-inset py-1">
          {preview.changes.map((change) => (
            <li key={change.operation} className="flex h-7 items-center gap-2 px-3">
              <Risk risk={change.risk} />
              <span className="mono min-w-0 flex-1 truncate text-caption">
                <Untrusted text={change.summary} max={64} />
              </span>
              <span className="flex-none text-caption text-t3">{t("inbox.times", { count: change.times })}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
