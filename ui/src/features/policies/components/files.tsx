// Every file that rules come from, by layer, with what is to be said of it; the chosen one beside the list, the person's own to be changed.
import { Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { LayerBadge } from "../../../components/badge";
import { Button } from "../../../components/button";
import { Prose } from "../../../components/prose";
import { Untrusted } from "../../../components/untrusted";
import type { PolicyFileDto } from "../../../engine/bindings/PolicyFileDto";
import type { PolicyStateDto } from "../../../engine/bindings/PolicyStateDto";
import type { ProblemDto } from "../../../engine/bindings/ProblemDto";
import { addressOf, fileAt, listedFiles, OWN_TOOLS } from "../model";
import { WholeFile } from "./whole-file";

export function FilesView({ file, version, files, state }: { file: string | null; version: string | null; files: readonly PolicyFileDto[]; state: PolicyStateDto }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const listed = listedFiles(files);
  const named = file === null ? listed[0] : fileAt(file, files);
  const chosen = named ? addressOf(named) : (file ?? OWN_TOOLS);
  const open = (name: string) => void navigate({ to: "/policies/file/$file", params: { file: name } });
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[268px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] wide:grid-cols-[356px_minmax(0,1fr)]">
      <section aria-label={t("policies.filesOf")} className="flex min-h-0 flex-col border-e border-line">
        <nav aria-label={t("policies.filesOf")} className="min-h-0 flex-1 overflow-y-auto">
          <ul>
            {listed.map((one) => (
              <li key={addressOf(one)}>
                <Row of={one} chosen={addressOf(one) === chosen} />
              </li>
            ))}
          </ul>
        </nav>
        {listed.some((one) => one.own && one.file === OWN_TOOLS) ? null : (
          <div className="flex-none border-t border-line px-4 py-2">
            <Button onClick={() => open(OWN_TOOLS)}>{t("policies.firstTools")}</Button>
          </div>
        )}
        <p className="flex-none border-t border-line px-4 py-2 text-caption text-t2">{t("policies.filesMore")}</p>
      </section>
      <div className="flex min-h-0 min-w-0 flex-col">
        <WholeFile key={`${chosen} ${version ?? ""}`} address={chosen} version={version} files={files} state={state} onSaved={() => open(chosen)} />
      </div>
    </div>
  );
}

function Row({ of, chosen }: { of: PolicyFileDto; chosen: boolean }) {
  const { file, layer, problems = [], notices = [] } = of;
  return (
    <>
      <Link to="/policies/file/$file" params={{ file: addressOf(of) }} aria-current={chosen ? "true" : undefined} className={`flex min-h-9 items-center gap-2 border-b border-line-row px-4 py-1 -outline-offset-2 ${chosen ? "bg-selected" : "hover:bg-hover"}`}>
        <span className="mono min-w-0 flex-1 truncate text-[12px] font-medium">
          <Untrusted text={file} max={120} />
        </span>
        <LayerBadge layer={layer} />
      </Link>
      {problems.length + notices.length === 0 ? null : (
        <ul>
          <Said all={problems} tone="text-deny" />
          <Said all={notices} tone="text-ask" />
        </ul>
      )}
    </>
  );
}

function Said({ all, tone }: { all: readonly ProblemDto[]; tone: string }) {
  const { t } = useTranslation();
  return all.map((one) => (
    <li key={`${one.line} ${one.column} ${one.message}`} className={`border-b border-line-row px-4 py-1.5 wrap-anywhere ${tone}`}>
      {one.line === 0 ? null : <span className="text-caption text-t2">{t("policies.problem", { line: one.line })}</span>} <Prose text={one.message} />
    </li>
  ));
}
