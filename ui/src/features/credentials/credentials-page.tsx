// Credentials: what agents may use without ever holding it; the chosen one with its places, agents, test and uses.
import { Link } from "@tanstack/react-router";
import { KeyRound, Plus, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button";
import { Empty, EngineFailure, Skeleton } from "../../components/empty";
import { Modal } from "../../components/modal";
import { PageBar } from "../../components/page-bar";
import { Prose } from "../../components/prose";
import { Untrusted } from "../../components/untrusted";
import { useNow } from "../../components/use-now";
import type { CredentialDto } from "../../engine/bindings/CredentialDto";
import { day } from "../../lib/time";
import { Detail } from "./components/detail";
import { Add } from "./components/forms";
import { Import } from "./components/import";
import { rotationDue } from "./model";
import { useAgents, useCredentials, useKeeping } from "./queries";

/** The dialog that stands over the page. */
export type CredentialDialog = "add" | "import";

export function CredentialsPage({ selected, open, onOpen }: { selected: string | null; open: CredentialDialog | null; onOpen: (open: CredentialDialog | null) => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useCredentials();
  const modal = (which: CredentialDialog) => ({ open: open === which, onOpen: (wanted: boolean) => onOpen(wanted ? which : null) });
  const close = () => onOpen(null);
  return (
    <>
      <PageBar title={t("credentials.title")}>
        <span className="flex-1" />
        <Button onClick={() => onOpen("import")}>{t("credentials.import")}</Button>
        {/* One filled button per view: where there is none yet, it is the one on the page. */}
        <Button kind={data?.length === 0 ? "plain" : "primary"} onClick={() => onOpen("add")}>
          <Plus size={14} strokeWidth={1.5} aria-hidden />
          {t("credentials.add")}
        </Button>
      </PageBar>
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {!error && !data ? <Skeleton rows={4} /> : null}
      {data && !error ? <VaultProblem /> : null}
      {data && !error ? <Content credentials={data} selected={selected} onAdd={() => onOpen("add")} /> : null}
      <Modal title={t("credentials.addTitle")} {...modal("add")}>
        <Add onDone={close} />
      </Modal>
      <Modal title={t("credentials.importTitle")} {...modal("import")}>
        <Import onDone={close} />
      </Modal>
    </>
  );
}

/** A vault that is locked or absent: nothing can be injected until it is there again. */
function VaultProblem() {
  const { t } = useTranslation();
  const { data, refetch } = useKeeping();
  if (!data || data.problem === null) return null;
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-ask-tint px-4 py-2">
      <TriangleAlert size={14} strokeWidth={1.75} aria-hidden className="flex-none text-ask" />
      <p className="min-w-0 flex-1">
        <span className="font-medium text-ask">{t("credentials.vaultGone")}</span> <Prose text={data.problem} />
        {data.advice === null ? null : (
          <>
            {". "}
            <Prose text={data.advice} />
          </>
        )}
      </p>
      <Button onClick={() => void refetch()}>{t("common.retry")}</Button>
    </div>
  );
}

function Content({ credentials, selected, onAdd }: { credentials: readonly CredentialDto[]; selected: string | null; onAdd: () => void }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const { data: keeping } = useKeeping();
  const { data: agents = [] } = useAgents();
  if (credentials.length === 0) {
    return (
      <Empty icon={KeyRound} title={t("credentials.empty")} footer={<Button kind="primary" large onClick={onAdd}>{t("credentials.addFirst")}</Button>}>
        {t("credentials.emptyMore")}
      </Empty>
    );
  }
  const chosen = credentials.find((one) => one.id === selected) ?? (selected === null ? credentials[0] : undefined);
  const names = (one: CredentialDto) => [...new Set(one.bindings.flatMap((place) => place.agents))].map((id) => agents.find((agent) => agent.id === id)?.name ?? id).join(", ");
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[356px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] max-wide:grid-cols-[268px_minmax(0,1fr)]">
      <nav aria-label={t("credentials.list")} className="overflow-y-auto border-e border-line">
        <p className="flex h-7 items-center border-b border-line px-4 text-caption font-medium text-t3"><span className="flex-1">{t("credentials.count", { count: credentials.length })}</span><span>{t("credentials.lastUsedHead")}</span></p>
        <ul>
          {credentials.map((one) => (
            <li key={one.id}>
              <Link to="/credentials/$credential" params={{ credential: one.id }} aria-current={one.id === chosen?.id ? "true" : undefined} className={`grid h-12 grid-cols-[16px_minmax(0,1fr)] content-center gap-x-2.5 border-b border-line-row px-4 ${one.id === chosen?.id ? "bg-selected" : "hover:bg-hover"}`}>
                <KeyRound size={14} strokeWidth={1.5} aria-hidden className="row-span-2 mt-0.75 text-t3" />
                <span className="flex min-w-0 items-center gap-2">
                  <span className="min-w-0 flex-1 truncate font-medium">
                    <Untrusted text={one.name} max={48} />
                    {/* Two of one kind have one name: the id tells them apart. */}
                    {one.id === one.name ? null : <Untrusted text={one.id} max={32} className="mono ms-2 text-caption font-normal text-t3" />}
                  </span>
                  {(one.refused ?? []).length > 0 ? <TriangleAlert size={13} strokeWidth={1.75} role="img" aria-label={t("credentials.isRefused")} className="flex-none text-deny" /> : rotationDue(one, now) ? <TriangleAlert size={13} strokeWidth={1.75} role="img" aria-label={t("credentials.overdue")} className="flex-none text-ask" /> : null}
                  <span className="flex-none text-caption text-t3">{one.lastUsedAt === undefined ? t("credentials.unused") : day(one.lastUsedAt, now)}</span>
                </span>
                <span className="flex min-w-0 gap-3 text-caption text-t2">
                  <Untrusted text={one.bindings[0]?.host ?? t("credentials.noPlace")} max={30} className="mono min-w-0 flex-1 truncate" />
                  <span className="max-w-[50%] flex-none truncate text-t3 max-wide:hidden">{names(one) !== "" ? <Untrusted text={names(one)} max={32} /> : one.bindings.length > 0 ? t("credentials.everyAgent") : null}</span>
                </span>
              </Link>
            </li>
          ))}
        </ul>
        {keeping ? <p className="px-4 py-3 text-caption text-t3">{t(`credentials.kept.${keeping.store}`)}</p> : null}
      </nav>
      <div className="overflow-y-auto" tabIndex={0} role="region" aria-label={t("credentials.detail")}>
        {chosen ? <Detail key={chosen.id} credential={chosen} /> : <Empty icon={KeyRound} title={t("credentials.gone")}>{t("credentials.goneMore")}</Empty>}
      </div>
    </div>
  );
}
