// The person's own files, changed outside and looser than what is in force: what differs, and what becomes of it.
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Prose } from "../../../components/prose";
import { useToast } from "../../../components/toasts";
import { Untrusted } from "../../../components/untrusted";
import type { WaitingDto } from "../../../engine/bindings/WaitingDto";
import type { EngineError } from "../../../engine/client";
import { useWaiting } from "../queries";
import { LineDiff } from "./line-diff";

export function Waiting({ problem, waiting: { revision, files }, folder }: { problem: string; waiting: WaitingDto; folder: string }) {
  const { t } = useTranslation();
  const toast = useToast();
  const { load, keep, again } = useWaiting();
  const ends = (done: string) => ({
    onSuccess: () => toast("done", done),
    onError: (error: EngineError) => toast("failed", t("common.failed", { message: error.message })),
    onSettled: () => void again(),
  });
  const busy = load.isPending || keep.isPending;
  return (
    <section aria-label={t("policies.waiting.label")} className="flex-none border-b border-line bg-ask-tint px-4 py-2">
      <div role="status" className="flex flex-wrap items-center gap-3">
        <p className="min-w-0 flex-1 basis-80 wrap-anywhere">
          <Prose text={problem} />
        </p>
        <Button inert={busy} onClick={() => load.mutate({ folder, revision }, ends(t("policies.waiting.loaded")))}>
          {t("policies.waiting.load")}
        </Button>
        <Button inert={busy} onClick={() => keep.mutate({ revision }, ends(t("policies.waiting.kept")))}>
          {t("policies.waiting.keep")}
        </Button>
      </div>
      <div role="region" tabIndex={0} aria-label={t("policies.changes")} className="mt-2 max-h-[30vh] overflow-y-auto">
        {files.map(({ file, before, after }) => (
          <div key={file} className="mb-2 last:mb-0">
            <p className="mb-1 flex flex-wrap items-center gap-2">
              <code className="mono text-caption">
                <Untrusted text={file} max={80} />
              </code>
              <span className="text-t2">{before === null ? t("policies.came") : after === null ? t("policies.went") : ""}</span>
            </p>
            <LineDiff before={before ?? ""} after={after ?? ""} label={file} />
          </div>
        ))}
      </div>
    </section>
  );
}
