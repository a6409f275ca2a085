// A call that a budget holds: what is left, what this call would take, and the ways to give it more.
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../../components/badge";
import { Hatch } from "../../../components/budget-bar";
import { Button } from "../../../components/button";
import { Fact, Facts } from "../../../components/facts";
import { FIELD } from "../../../components/form";
import { Untrusted } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import type { CardAccountDto } from "../../../engine/bindings/CardAccountDto";
import { amountOf, raiseBy, shortOf } from "../model";
import type { Decide } from "./card";

/** The budget that this call does not fit into; the tightest of several. */
export function BudgetHold({ question, decide }: { question: ApprovalDto; decide: Decide }) {
  const { t } = useTranslation();
  const account = question.facts?.accounts.find((one) => shortOf(one) > 0);
  if (!account) return null;
  const by = raiseBy(account);
  return (
    <div className="mt-3 border-t border-line pt-3">
      <Facts>
        <Fact label={t("card.whyHeld")}>
          <span className="inline-flex flex-wrap items-center gap-x-1.5">
            {t("card.budget")}
            <span className="font-semibold">
              <Untrusted text={account.budget} max={40} />
            </span>
            <Badge tone="budget">{t("card.hold.atLimit")}</Badge>
          </span>
        </Fact>
        <Fact label={t("card.hold.free")}>
          <span className="font-medium">{amountOf(account, Math.max(0, account.free))}</span>
          <span className="text-t3"> {t("card.hold.ofLimit", { limit: amountOf(account, account.limit) })}</span>
          {", "}
          <span className="font-semibold text-ask">{t("card.hold.short", { amount: amountOf(account, shortOf(account)) })}</span>
        </Fact>
      </Facts>
      <HoldBar account={account} />
      <div className="mt-3 flex flex-wrap gap-2">
        <Button large data-decides inert={!decide.mayAllow} onClick={() => decide.raise(account.budget, by)}>
          {t("card.hold.raise", { amount: amountOf(account, by) })}
        </Button>
        <RaiseMore account={account} decide={decide} />
      </div>
    </div>
  );
}

/** *Raise limit…* asks how far; the files stay as they are, and the raise ends with the session. */
function RaiseMore({ account, decide }: { account: CardAccountDto; decide: Decide }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const [typed, setTyped] = useState("");
  const id = useId();
  const whole = Number(typed) * (account.unit === "money" ? 1_000_000_000 : 1);
  const by = Math.round(whole) - account.limit;
  const fits = typed !== "" && Number.isFinite(whole) && by >= shortOf(account);
  if (!asking) {
    return (
      <Button large onClick={() => setAsking(true)}>
        {t("card.hold.raiseTo")}
      </Button>
    );
  }
  return (
    <span className="inline-flex items-center gap-2">
      <label htmlFor={id} className="text-t2">
        {t(account.unit === "money" ? "card.hold.toDollars" : "card.hold.toTokens")}
      </label>
      <input id={id} inputMode="decimal" value={typed} onChange={(event) => setTyped(event.target.value)} className={`${FIELD} max-w-24 text-end`} />
      <Button large data-decides inert={!decide.mayAllow || !fits} onClick={() => decide.raise(account.budget, by)}>
        {t("card.hold.raiseAndAllow")}
      </Button>
    </span>
  );
}

/** Settled, reserved and this call on one line; the limit is a mark inside it, because this call goes past it. */
function HoldBar({ account }: { account: CardAccountDto }) {
  const { t } = useTranslation();
  const id = useId();
  const whole = Math.max(account.limit, account.settled + account.reserved + account.needed, 1);
  const share = (amount: number) => `${(Math.max(0, amount) / whole) * 100}%`;
  const spoken = t("card.hold.bar", { settled: amountOf(account, account.settled), reserved: amountOf(account, account.reserved), call: amountOf(account, account.needed), limit: amountOf(account, account.limit) });
  return (
    <div className="mt-2.5">
      <svg role="img" aria-label={spoken} width="100%" height="20" className="block overflow-visible">
        <defs>
          <clipPath id={`${id}c`}>
            <rect y="4" width="100%" height="12" rx="3" />
          </clipPath>
          <Hatch id={`${id}h`} />
        </defs>
        <g clipPath={`url(#${id}c)`}>
          <rect y="4" width="100%" height="12" className="fill-inset" />
          <rect y="4" width={share(account.settled)} height="12" className="fill-budget" />
          <rect x={share(account.settled)} y="4" width={share(account.reserved)} height="12" fill={`url(#${id}h)`} />
          <rect x={share(account.settled + account.reserved)} y="4" width={share(account.needed)} height="12" className="fill-ask-tint stroke-ask" />
        </g>
        <svg x={share(account.limit)} overflow="visible">
          <rect x="-1" width="2" height="20" className="fill-deny" />
        </svg>
      </svg>
      <p aria-hidden="true" className="mt-1 flex flex-wrap justify-between gap-x-4 text-caption text-t3">
        <span>{t("card.hold.settled", { amount: amountOf(account, account.settled) })}</span>
        <span>{t("card.hold.reserved", { amount: amountOf(account, account.reserved) })}</span>
        <span className="text-ask">{t("card.hold.call", { amount: amountOf(account, account.needed) })}</span>
        <span className="text-deny">{t("card.hold.limit", { amount: amountOf(account, account.limit) })}</span>
      </p>
    </div>
  );
}
