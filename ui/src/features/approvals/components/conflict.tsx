// A rule that would release nothing, because others still decide: where they are the person's own, they can go, or both stay.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Untrusted } from "../../../components/untrusted";
import { useToast } from "../../../components/toasts";
import type { EngineError } from "../../../engine/client";
import { useConflict } from "../queries";
import { DecisionError } from "./decision-error";

/** Rules that the engine's sentence names. */
function namedIn(message: string): string[] {
  return [...message.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

export function Conflict({ error, approval, text, onCancel }: { error: EngineError; approval: string; /** The rule as it would be written. */ text: string; onCancel: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const { rules, save } = useConflict(approval);
  const names = namedIn(error.message);
  const own = rules.filter((rule) => rule.layer === "mine" && names.includes(rule.id));
  const all = own.length > 0 && own.length === names.length;
  if (save.isSuccess) {
    return (
      <p role="status" className="mb-2 text-t2">
        {t(save.variables.kind === "replace" ? "conflict.replaced" : "conflict.kept")}
      </p>
    );
  }
  const replace = () => save.mutate({ kind: "replace", rules: own }, { onSuccess: () => toast("done", t("conflict.replaced")) });
  const keep = () => save.mutate({ kind: "keep", text }, { onSuccess: () => toast("done", t("conflict.kept")) });
  return (
    <div role="group" aria-label={t("conflict.label")}>
      <DecisionError error={save.error ?? error} />
      {all ? null : <p className="mb-2 text-t2">{t("conflict.notYours")}</p>}
      <div className="mb-2 flex flex-wrap items-center gap-2">
        {own.map((rule) => (
          <Link key={rule.id} to="/policies/$rule" params={{ rule: rule.id }} className="mono inline-flex min-h-6 items-center text-caption text-accent">
            <Untrusted text={rule.id} max={40} />
          </Link>
        ))}
        <span className="flex-1" />
        {all ? (
          <Button inert={save.isPending} onClick={replace}>
            {t("conflict.replace", { count: own.length })}
          </Button>
        ) : null}
        <Button inert={save.isPending || text === ""} onClick={keep}>
          {t("conflict.keep")}
        </Button>
        <Button kind="ghost" onClick={onCancel}>
          {t("common.cancel")}
        </Button>
      </div>
    </div>
  );
}
