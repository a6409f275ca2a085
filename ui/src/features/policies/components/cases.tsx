// Cases: examples with what is expected of them, as the rules in force answer them; their files are drafted beside the list.
import { Link, useNavigate } from "@tanstack/react-router";
import { Check, FlaskConical, Minus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Empty, EngineFailure } from "../../../components/empty";
import { Prose } from "../../../components/prose";
import { Untrusted } from "../../../components/untrusted";
import type { CaseDto } from "../../../engine/bindings/CaseDto";
import type { PolicyFileDto } from "../../../engine/bindings/PolicyFileDto";
import type { PolicyStateDto } from "../../../engine/bindings/PolicyStateDto";
import { isCaseFile, OWN_CASES } from "../model";
import { useCases } from "../queries";
import { WholeFile } from "./whole-file";

export function CasesView({ file, version, files, state }: { file: string | null; version: string | null; files: readonly PolicyFileDto[]; state: PolicyStateDto }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { data, error, refetch } = useCases(state.revision, files);
  const known = files.filter((one) => isCaseFile(one.file)).map((one) => one.file);
  const chosen = file ?? known[0] ?? null;
  const open = (name: string) => void navigate({ to: "/policies/file/$file", params: { file: name } });
  if (chosen === null) {
    return (
      <Empty icon={FlaskConical} title={t("policies.case.none")} footer={<Button onClick={() => open(OWN_CASES)}>{t("policies.case.first")}</Button>}>
        {t("policies.case.noneMore")}
      </Empty>
    );
  }
  const failing = data?.cases.filter((one) => !one.passed).length ?? 0;
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[268px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] wide:grid-cols-[356px_minmax(0,1fr)]">
      <section aria-label={t("policies.cases")} className="flex min-h-0 flex-col border-e border-line">
        <p role="status" className="flex h-7 flex-none items-center border-b border-line px-4 text-caption text-t3">
          {data ? (failing === 0 ? t("policies.case.pass", { count: data.cases.length }) : t("policies.case.fail", { count: failing })) : null}
        </p>
        <nav aria-label={t("policies.cases")} className="min-h-0 flex-1 overflow-y-auto">
          {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
          <ul>
            {known.map((name) => (
              <li key={name}>
                <Link to="/policies/file/$file" params={{ file: name }} aria-current={name === chosen ? "true" : undefined} className={`flex h-9 items-center border-b border-line-row px-4 -outline-offset-2 ${name === chosen ? "bg-selected" : "hover:bg-hover"}`}>
                  <span className="mono min-w-0 truncate text-[12px] font-medium">
                    <Untrusted text={name} max={60} />
                  </span>
                </Link>
                <ul>
                  {data?.caseProblems
                    .filter((one) => one.file === name)
                    .map((one) => (
                      <li key={`${one.line} ${one.message}`} className="border-b border-line-row px-4 py-1.5 text-deny">
                        <span className="text-caption text-t2">{t("policies.problem", { line: one.line })}</span> <Prose text={one.message} />
                      </li>
                    ))}
                  {data?.cases
                    .filter((one) => one.file === name)
                    .map((one) => (
                      <li key={one.line}>
                        <Row of={one} />
                      </li>
                    ))}
                </ul>
              </li>
            ))}
          </ul>
        </nav>
        <p className="flex-none border-t border-line px-4 py-2 text-caption text-t2">{t("policies.casesMore")}</p>
      </section>
      <div className="flex min-h-0 min-w-0 flex-col">
        <WholeFile key={`${chosen} ${version ?? ""}`} address={chosen} version={version} files={files} state={state} onSaved={() => open(chosen)} />
      </div>
    </div>
  );
}

function Row({ of: one }: { of: CaseDto }) {
  const { t } = useTranslation();
  const mark = { size: 14, strokeWidth: 2, "aria-hidden": true } as const;
  return (
    <div className="grid min-h-9 grid-cols-[14px_minmax(0,1fr)] items-start gap-x-2.5 border-b border-line-row px-4 py-2">
      <span className="mt-0.75">{one.skipped ? <Minus {...mark} className="text-t3" /> : one.passed ? <Check {...mark} className="text-allow" /> : <X {...mark} className="text-deny" />}</span>
      <span className="min-w-0">
        <Untrusted text={one.name} max={120} />
        <span className="block text-caption text-t2">
          {one.skipped
            ? t("policies.case.skipped")
            : one.passed
              ? t(`policies.decision.${one.decided}`)
              : t("policies.expected", { expected: t(`policies.decision.${one.expected}`), decided: t(`policies.decision.${one.decided}`) })}{" "}
          <span className="text-t3">{t("policies.line", { line: one.line })}</span>
        </span>
      </span>
    </div>
  );
}
