// What approving and forgetting mean, said before either is done.
import { useNavigate } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { DialogForm } from "../../../components/form";
import { useToast } from "../../../components/toasts";
import { Untrusted, UntrustedBlock } from "../../../components/untrusted";
import type { ServerDetailDto } from "../../../engine/bindings/ServerDetailDto";
import { approval, startOf } from "../model";
import { useApprove, useForget } from "../queries";
import { Changes, Findings } from "./changes";

/** `only`: one tool. */
export function Approve({ detail, only, onDone }: { detail: ServerDetailDto; only: string | null; onDone: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const { mutate, isPending, error } = useApprove();
  const wanted = approval(detail, only);
  const chosen = detail.tools.filter((tool) => wanted.tools.some((one) => one.name === tool.name));
  const doubtful = chosen.filter((tool) => tool.findings.length > 0);
  const rest = only === null ? 0 : detail.tools.filter((tool) => tool.standing === "new" || tool.standing === "changed").length - chosen.length;
  return (
    <DialogForm
      submit={wanted.identity === null && chosen.length === 0 ? null : t(wanted.identity === null ? "servers.approveTools" : "servers.approveServer", { count: chosen.length })}
      inert={isPending}
      error={error}
      onCancel={onDone}
      onSubmit={() => mutate(wanted, { onSuccess: () => (toast("done", t("servers.approved")), onDone()) })}
    >
      {wanted.identity === null || detail.identity === null ? null : (
        <div>
          <p>
            {t("servers.approveStart")}{" "}
            <code className="mono text-caption">
              <Untrusted text={startOf(detail.identity)} />
            </code>
          </p>
          {detail.diff.length === 0 ? null : <Changes fields={detail.diff} />}
        </div>
      )}
      {chosen.length === 0 ? (
        <p>{t("servers.approveNothing")}</p>
      ) : (
        <div>
          <p>{t("servers.approveList", { count: chosen.length })}</p>
          {/* Every one by name, with its words, what was found in them and what changed: nothing is approved that is not shown here. */}
          <ul className="mt-1 grid max-h-80 gap-2 overflow-y-auto text-caption" tabIndex={0} aria-label={t("servers.approveList", { count: chosen.length })}>
            {chosen.map((tool) => (
              <li key={tool.name}>
                <span className="flex items-center gap-2">
                  <span className="mono min-w-0 wrap-anywhere">
                    <Untrusted text={tool.name} />
                  </span>
                  {tool.findings.length === 0 ? null : (
                    <span className="inline-flex flex-none items-center gap-1 text-ask">
                      <TriangleAlert size={12} strokeWidth={1.75} aria-hidden />
                      {t("servers.findings", { count: tool.findings.length })}
                    </span>
                  )}
                </span>
                {tool.description === null ? null : (
                  <div className="text-t2">
                    <UntrustedBlock text={tool.description} />
                  </div>
                )}
                {tool.findings.length === 0 ? null : (
                  <div className="mt-1">
                    <Findings findings={tool.findings} />
                  </div>
                )}
                {tool.diff.length === 0 ? null : (
                  <div className="mt-1">
                    <Changes fields={tool.diff} />
                  </div>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
      {doubtful.length === 0 ? null : <p className="rounded-control bg-ask-tint px-3 py-2">{t("servers.doubtful", { count: doubtful.length })}</p>}
      {rest > 0 ? <p className="text-t2">{t("servers.restWaits", { count: rest })}</p> : null}
      <p className="text-t2">{t("servers.approveMeans")}</p>
    </DialogForm>
  );
}

export function Forget({ server, onDone }: { server: string; onDone: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const navigate = useNavigate();
  const { mutate, isPending, error } = useForget();
  const done = () => {
    toast("done", t("servers.forgotten"));
    onDone();
    void navigate({ to: "/servers" });
  };
  return (
    <DialogForm submit={t("servers.forget")} danger inert={isPending} error={error} onCancel={onDone} onSubmit={() => mutate(server, { onSuccess: done })}>
      <p>
        <Untrusted text={server} max={80} className="mono font-semibold" />
        {". "}
        {t("servers.forgetMeans")}
      </p>
    </DialogForm>
  );
}
