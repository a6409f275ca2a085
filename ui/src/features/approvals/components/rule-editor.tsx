// The proposed rule, edited in place: read by the engine while somebody types. Keys that are typed here write; they never decide.
import { Check, LoaderCircle, X } from "lucide-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Prose } from "../../../components/prose";
import { useToast } from "../../../components/toasts";
import type { ProblemDto } from "../../../engine/bindings/ProblemDto";
import { useAssist } from "../queries";

const SourceEditor = lazy(() => import("../../../components/source-editor").then((module) => ({ default: module.SourceEditor })));

type RuleEditorProps = { text: string; onText: (text: string) => void; file: string; problems: readonly ProblemDto[]; /** It is weighed, and may be written. */ isReady: boolean };

export function RuleEditor({ text, onText, file, problems, isReady }: RuleEditorProps) {
  const { t } = useTranslation();
  const toast = useToast();
  const assist = useAssist();
  const failed = (message: string) => toast("failed", t("policies.formatFailed", { message }));
  const format = () =>
    void assist.format(text).then(
      (formatted) => (formatted.text === null ? failed(formatted.problem ?? "") : onText(formatted.text.trim())),
      (error: Error) => failed(error.message),
    );
  return (
    // ⌘↵ and ⌘⌫ are the editor's own while one writes.
    <div role="group" aria-label={t("rule.edited")} onKeyDown={(event) => (event.key === "Enter" || event.key === "Backspace" ? event.stopPropagation() : undefined)}>
      <div className="mb-1.5 flex min-h-6 items-center gap-1.5 text-caption text-t3">
        {t("always.writtenTo")}
        <code className="mono truncate text-t1">{file}</code>
        <span className="flex-1" />
        <State problems={problems} isReady={isReady} />
        <Button kind="ghost" className="h-6 text-caption" onClick={format}>
          {t("policies.format")}
        </Button>
      </div>
      <div className="flex max-h-72 flex-col">
        <Suspense fallback={<div className="h-40 rounded-control bg-inset" />}>
          <SourceEditor language="cedar" text={text} onText={onText} readOnly={false} label={t("rule.edited")} problems={problems} firstLine={1} complete={assist.complete} onSave={() => undefined} />
        </Suspense>
      </div>
      {problems.length === 0 ? null : (
        <ul role="alert" className="mt-2 grid gap-1 text-deny">
          {problems.map((one) => (
            <li key={`${one.file} ${one.line} ${one.column} ${one.message}`}>
              <span className="text-caption text-t2">{one.here ? t("policies.problem", { line: one.line }) : t("policies.elsewhere", { file: one.file, line: one.line })}</span> <Prose text={one.message} />
            </li>
          ))}
        </ul>
      )}
      <p className="mt-1.5 text-caption text-t2">{t("rule.editedMore")}</p>
    </div>
  );
}

function State({ problems, isReady }: Pick<RuleEditorProps, "problems" | "isReady">) {
  const { t } = useTranslation();
  const icon = { size: 12, strokeWidth: 2, "aria-hidden": true } as const;
  const [tone, mark, words] = problems.length > 0 ? ["text-deny", <X key="i" {...icon} />, t("policies.state.broken")] : isReady ? ["text-allow", <Check key="i" {...icon} />, t("rule.weighed")] : ["text-t3", <LoaderCircle key="i" {...icon} />, t("policies.state.checking")];
  return (
    <span role="status" className={`inline-flex items-center gap-1 ${tone as string}`}>
      {mark}
      {words}
    </span>
  );
}
