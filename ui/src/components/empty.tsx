// What a place shows when it has nothing, or could not get anything: what will be here, and the one next step.
import { CircleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";
import { CopyButton } from "./inset";
import { Prose } from "./prose";

export function Empty({ icon: Icon, title, children, footer }: { icon: LucideIcon; title: string; children: ReactNode; footer?: ReactNode }) {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-1.5 p-6 text-center">
      <Icon size={18} strokeWidth={1.5} aria-hidden className="mb-2 text-t3" />
      <h2 className="font-semibold">{title}</h2>
      <p className="max-w-[300px] text-t2">{children}</p>
      {footer ? <div className="mt-2 flex flex-wrap items-center justify-center gap-2 text-caption text-t3">{footer}</div> : null}
    </div>
  );
}

/** A command to copy. */
export function CommandLine({ command }: { command: string }) {
  return (
    <span className="inline-flex h-8 items-center gap-2 rounded-control bg-fill ps-3 pe-1">
      <code className="mono text-caption text-t1">{command}</code>
      <CopyButton text={command} />
    </span>
  );
}

/** What happened, what it means, what to do. */
export function Failure({ title, meaning, code, action }: { title: string; meaning: ReactNode; code: string; action?: ReactNode }) {
  return (
    <div role="alert" className="flex items-start gap-3 p-4">
      <CircleAlert size={16} strokeWidth={1.5} aria-hidden className="mt-0.5 flex-none text-deny" />
      <div className="min-w-0 flex-1">
        <h2 className="font-semibold first-letter:uppercase">{title}</h2>
        <p className="mt-0.5 text-t2 first-letter:uppercase">{meaning}</p>
        <div className="mt-3 flex items-center gap-2">
          {action}
          <code className="mono ms-auto text-caption text-t3">{code}</code>
        </div>
      </div>
    </div>
  );
}

/** The engine could not be read. */
export function EngineFailure({ error, onRetry }: { error: { message: string; hint: string | null; code: string }; onRetry?: () => void }) {
  const { t } = useTranslation();
  const meaning = (
    <>
      <Prose text={`${error.message}.`} />
      {error.hint === null ? null : (
        <span className="block">
          <Prose text={`${error.hint}.`} />
        </span>
      )}
    </>
  );
  return <Failure title={t("error.title")} meaning={meaning} code={error.code} action={onRetry ? <Button onClick={onRetry}>{t("common.retry")}</Button> : null} />;
}

/** Rows in their final measures, without shimmer. */
export function Skeleton({ rows }: { rows: number }) {
  return (
    <div aria-hidden="true">
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} className="grid h-11 grid-cols-[88px_14px_minmax(0,1fr)_auto] content-center items-center gap-x-2 gap-y-1.5 border-b border-line-row ps-4 pe-3">
          <span className="h-2.5 w-18 rounded-badge bg-fill" />
          <span className="size-2.5 rounded-full bg-fill" />
          <span className="h-2.5 rounded-badge bg-fill" style={{ width: `${40 + ((at * 37) % 38)}%` }} />
          <span className="h-2.5 w-11 rounded-badge bg-fill" />
          <span className="col-span-2" />
          <span className="h-2.5 rounded-badge bg-fill" style={{ width: `${20 + ((at * 23) % 30)}%` }} />
          <span className="h-2.5 w-8 justify-self-end rounded-badge bg-fill" />
        </div>
      ))}
    </div>
  );
}
