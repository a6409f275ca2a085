// Every version of the person's rules: who changed them, when and how; and the way back.
import { Link, useNavigate } from "@tanstack/react-router";
import { History as HistoryIcon } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Empty, EngineFailure, Skeleton } from "../../../components/empty";
import { Untrusted } from "../../../components/untrusted";
import { useNow } from "../../../components/use-now";
import type { VersionDto } from "../../../engine/bindings/VersionDto";
import { day, exact } from "../../../lib/time";
import { useHistory } from "../queries";
import { LineDiff } from "./line-diff";

export function HistoryView({ chosen }: { chosen: string | null }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useHistory();
  if (error) return <EngineFailure error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton rows={4} />;
  const shown = data.find((one) => one.id === chosen) ?? data[0];
  if (!shown) {
    return (
      <Empty icon={HistoryIcon} title={t("policies.historyEmpty")}>
        {t("policies.historyEmptyMore")}
      </Empty>
    );
  }
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[268px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] wide:grid-cols-[356px_minmax(0,1fr)]">
      <nav aria-label={t("policies.history")} className="min-h-0 overflow-y-auto border-e border-line">
        <ul>
          {data.map((version) => (
            <li key={version.id}>
              <Row version={version} chosen={version.id === shown.id} />
            </li>
          ))}
        </ul>
      </nav>
      <div className="min-h-0 overflow-y-auto" tabIndex={0} role="region" aria-label={t("policies.changes")}>
        <Shown version={shown} />
      </div>
    </div>
  );
}

function Row({ version, chosen }: { version: VersionDto; chosen: boolean }) {
  const now = useNow();
  return (
    <Link to="/policies" search={{ tab: "history", version: version.id }} replace aria-current={chosen ? "true" : undefined} className={`grid min-h-12 content-center gap-x-2 border-b border-line-row px-4 py-1 -outline-offset-2 ${chosen ? "bg-selected" : "hover:bg-hover"}`}>
      <span className="flex gap-2">
        <span className="min-w-0 flex-1 truncate font-medium">
          <Untrusted text={version.note ?? version.files.map((file) => file.file).join(", ")} max={60} />
        </span>
        <span className="flex-none text-caption text-t2">{day(version.at, now)}</span>
      </span>
      <span className="truncate text-caption text-t2">
        <How version={version} />
      </span>
    </Link>
  );
}

function How({ version }: { version: VersionDto }) {
  const { t } = useTranslation();
  return (
    <>
      {t(`policies.how.${version.how}`)}
      {version.by === null ? null : ` ${t("policies.by", { name: version.by })}`}
      {version.files.length > 1 ? ` · ${t("policies.files", { count: version.files.length })}` : null}
    </>
  );
}

function Shown({ version }: { version: VersionDto }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <section className="px-4 py-3">
      <h2 className="text-section font-semibold">{exact(version.at)}</h2>
      <p className="text-t2">
        <How version={version} />
      </p>
      {version.note === null ? null : (
        <p className="mt-1">
          <Untrusted text={version.note} max={300} />
        </p>
      )}
      {version.files.map((file) => (
        <div key={file.file} className="mt-4">
          <div className="mb-1.5 flex flex-wrap items-center gap-2">
            <code className="mono text-caption">
              <Untrusted text={file.file} max={80} />
            </code>
            <span className="text-t2">{file.before === null ? t("policies.came") : file.after === null ? t("policies.went") : ""}</span>
            <span className="flex-1" />
            {version.how === "found" ? null : <Button onClick={() => void navigate({ to: "/policies/file/$file", params: { file: file.file }, search: { version: version.id } })}>{t("policies.revert")}</Button>}
          </div>
          <LineDiff before={file.before ?? ""} after={file.after ?? ""} label={file.file} />
        </div>
      ))}
      {version.how === "found" ? null : <p className="mt-3 text-caption text-t2">{t("policies.revertMore")}</p>}
    </section>
  );
}
