// An agent that asks faster than anybody reads: one line with three ways out.
import { Link } from "@tanstack/react-router";
import { CloudLightning } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { useToast } from "../../../components/toasts";
import { Untrusted } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import { plain } from "../../../lib/text";
import { useResolveAll, useShown } from "../queries";
import { useArming } from "../use-arming";
import { DecisionError } from "./decision-error";

export function Storm({ agent, agentName, questions }: { agent: string; agentName: string; questions: readonly ApprovalDto[] }) {
  const { t } = useTranslation();
  const toast = useToast();
  const resolve = useResolveAll();
  const [shownAt] = useState(() => Date.now());
  const ids = useMemo(() => questions.map((one) => one.id), [questions]);
  const shown = useShown(ids);
  const nonces = shown.map((one) => one.arming?.nonce).join("/");
  const { armed, guard } = useArming(nonces, shown.length > 0 && !resolve.isPending, shown[0]?.arming?.armsAfterMs ?? 700);
  const name = plain(agentName);
  const deny = (stop: boolean) => {
    if (!armed) return;
    resolve.mutate({ questions: shown, answer: { kind: "refuse", reason: null }, shownAt, ...(stop ? { stop: agent } : {}) }, { onSuccess: (count) => toast("denied", t(stop ? "card.toast.stopped" : "similar.denied", { count, agent: name })) });
  };
  return (
    <section
      aria-label={t("storm.label")}
      onPointerDownCapture={() => guard.press()}
      onClickCapture={(event) => {
        const button = event.target instanceof Element ? event.target.closest("[data-decides]") : null;
        if (button && !guard.takesClick(event.detail > 0)) {
          event.preventDefault();
          event.stopPropagation();
        }
      }}
      className="flex-none border-b border-line bg-ask-tint px-4 py-2.5"
    >
      <p className="flex items-start gap-2">
        <CloudLightning size={14} strokeWidth={1.5} aria-hidden className="mt-0.75 flex-none text-ask" />
        <span className="min-w-0">
          <span className="font-semibold">
            <Untrusted text={agentName} max={40} />
          </span>{" "}
          {t("storm.says", { count: questions.length })}
        </span>
      </p>
      {resolve.error ? <DecisionError error={resolve.error} /> : null}
      <div className="mt-2 flex flex-wrap gap-2">
        <Link to="/inbox/$approval" params={{ approval: questions[0]?.id ?? "" }} className="chrome inline-flex h-7 items-center rounded-control border border-line-button bg-surface px-2.5 font-medium hover:bg-hover">
          {t("storm.review")}
        </Link>
        <Button data-decides inert={!armed} onClick={() => deny(false)}>
          {t("storm.denyAll")}
        </Button>
        <Button data-decides kind="danger" inert={!armed} onClick={() => deny(true)}>
          {t("card.stopAgent")}
        </Button>
      </div>
    </section>
  );
}
