// The five outcomes, and the sentence of what the next press does.
import { Menu } from "@base-ui/react/menu";
import { Check, ChevronDown, Lock } from "lucide-react";
import { type RefObject, useLayoutEffect } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { FIELD } from "../../../components/form";
import { Prose } from "../../../components/prose";
import { Keys } from "../../../components/keys";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { EngineError } from "../../../engine/client";
import { amountOf, mustBeSeen, presetsOf, shortOf } from "../model";
import type { Decide } from "./card";
import { DecisionError } from "./decision-error";
import type { Seen } from "./exact-text";
import { Mark, type MarkOf } from "./mark";
import { Proof } from "./proof";
import type { Wider } from "./wider-answer";

type CardActionsProps = {
  question: ApprovalDto;
  decide: Decide;
  seen: Seen;
  mark: MarkOf | null;
  proof: RefObject<HTMLInputElement | null>;
  denying: boolean;
  setDenying: (denying: boolean) => void;
  /** The field of the reason, which alone holds it. */
  reason: RefObject<HTMLInputElement | null>;
  onWider: (wider: Wider) => void;
  error: EngineError | null;
};

export function CardActions({ question, decide, seen, mark, proof, denying, setDenying, reason, onWider, error }: CardActionsProps) {
  const { t } = useTranslation();
  return (
    <footer data-actions className="flex-none border-t border-line px-4 pt-3 pb-2.5">
      {error ? <DecisionError error={error} /> : null}
      {!denying && question.facts?.needsProof ? <Proof facts={question.facts} field={proof} sent={decide.sent} /> : null}
      {denying ? <DenyReason question={question} decide={decide} field={reason} onCancel={() => setDenying(false)} /> : null}
      {denying ? null : (
        <div className="flex flex-wrap items-center gap-2">
          <Button large data-decides inert={!decide.armed} onClick={() => setDenying(true)}>
            {t("card.deny")}
            <span className="hidden wide:inline-flex">
              <Keys of={["mod", "backspace"]} />
            </span>
          </Button>
          <Button large kind="danger" data-decides inert={!decide.armed} onClick={() => decide.deny(null, true)}>
            {question.unaffordable === null ? t("card.denyStop") : t("card.stopAgent")}
          </Button>
          <span className="flex-1" />
          {question.unaffordable === null ? <ForLonger question={question} decide={decide} onWider={onWider} /> : null}
          <Button large kind="primary" data-decides inert={!decide.mayAllow} onClick={() => decide.allow({ kind: "once" })}>
            {question.unaffordable === null ? t("card.allowOnce") : t("card.allowCall")}
            <span className="hidden wide:inline-flex">
              <Keys of={["mod", "enter"]} />
            </span>
          </Button>
        </div>
      )}
      <p className="mt-2 flex items-center gap-1.5 text-caption text-t2" aria-live="polite">
        <Says question={question} decide={decide} seen={seen} denying={denying} />
        <span className="flex-1" />
        <Mark mark={mark} />
      </p>
    </footer>
  );
}

/** One button for the session, and behind its arrow the wider one. */
function ForLonger({ question, decide, onWider }: Pick<CardActionsProps, "question" | "decide" | "onWider">) {
  const { t } = useTranslation();
  const { arming } = question;
  const session = decide.mayAllow && Boolean(arming?.sessionText);
  const always = decide.mayAllow && Boolean(arming?.alwaysText);
  return (
    <span className="inline-flex">
      <Button large className="rounded-e-none" data-decides inert={!session} onClick={() => onWider("session")}>
        {t("card.allowSession")}
      </Button>
      <Menu.Root>
        <Menu.Trigger disabled={!always} render={<Button large className="-ms-px w-8 rounded-s-none px-0!" data-decides inert={!always} aria-label={t("card.allowLonger")}>
          <ChevronDown size={14} strokeWidth={1.5} aria-hidden />
        </Button>} />
        <Menu.Portal>
          <Menu.Positioner className="z-20" align="end" side="top" sideOffset={4}>
            <Menu.Popup className="min-w-56 rounded-card border border-line bg-surface p-1 shadow-overlay outline-none">
              <Menu.Item className="chrome flex h-7 items-center gap-3 rounded-control px-2 outline-none data-highlighted:bg-selected" onClick={() => onWider("always")}>
                <span className="flex-1">{t("card.allowAlways")}</span>
                <Keys of={["mod", "shift", "enter"]} />
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </span>
  );
}

/** What is true of the buttons now. */
function Says({ question, decide, seen, denying }: { question: ApprovalDto; decide: Decide; seen: Seen; denying: boolean }) {
  const { t } = useTranslation();
  const must = mustBeSeen(question.risk);
  const unseen = must && !seen.whole && !denying;
  const Icon = decide.armed && !unseen ? Check : Lock;
  return (
    <>
      <Icon size={14} strokeWidth={1.5} aria-hidden className="flex-none" />
      <span className="min-w-0">
        <span className="font-medium text-t1">{decide.armed ? t("card.armed") : t("card.notArmed")}</span>{" "}
        {denying ? t("card.denySays") : unseen ? t("card.unseen", { seen: seen.seen, total: seen.total }) : question.unaffordable !== null ? <OverCap question={question} /> : must ? t("card.seenSays") : t("card.onceSays")}
        {!denying && question.arming?.notLiftable && question.unaffordable === null ? <OnlyOnce why={question.arming.notLiftable} /> : null}
      </span>
    </>
  );
}

/** By how much the tightest budget would end over its limit. */
function OverCap({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const account = question.facts?.accounts.find((one) => shortOf(one) > 0);
  if (!account) return t("card.onceSays");
  return t("card.overSays", { over: amountOf(account, shortOf(account)), limit: amountOf(account, account.limit) });
}

function OnlyOnce({ why }: { why: string }) {
  const { t } = useTranslation();
  return (
    <>
      {` ${t("card.notLiftable")} `}
      <Prose text={why} />
      {"."}
    </>
  );
}

function DenyReason({ question, decide, field, onCancel }: { question: ApprovalDto; decide: Decide; field: RefObject<HTMLInputElement | null>; onCancel: () => void }) {
  const { t } = useTranslation();
  // The person opened this line; typing goes there, from the first letter on.
  useLayoutEffect(() => field.current?.focus(), [field]);
  const put = (form: HTMLFormElement | null, words: string) => {
    const input = form?.elements.namedItem("reason");
    if (!(input instanceof HTMLInputElement)) return;
    input.value = words;
    input.focus();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        decide.deny(field.current?.value.trim() || null, false);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onCancel();
      }}
    >
      <div className="mb-2 flex flex-wrap items-center gap-1.5">
        {presetsOf(question).map((preset) => (
          <Button key={preset} className="h-6 text-caption" onClick={(event) => put(event.currentTarget.form, t(`card.presets.${preset}`))}>
            {t(`card.presets.${preset}`)}
          </Button>
        ))}
      </div>
      <div className="flex items-center gap-2">
        <input ref={field} name="reason" maxLength={200} autoComplete="off" aria-label={t("card.reason")} placeholder={t("card.reasonPlaceholder")} className={`${FIELD} min-w-0 flex-1 placeholder:text-t3`} />
        <Button large kind="ghost" onClick={onCancel}>
          {t("common.cancel")}
        </Button>
        <Button large kind="primary" type="submit" data-decides inert={!decide.armed}>
          {t("card.sendDenial")}
        </Button>
      </div>
    </form>
  );
}
