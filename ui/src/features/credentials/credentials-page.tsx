// Credentials: what agents may use without ever holding it; the chosen one with its places, agents and uses.
import { Link } from "@tanstack/react-router";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button";
import { CommandLine, Empty, EngineFailure, Skeleton } from "../../components/empty";
import { Fact, Facts } from "../../components/facts";
import { HostName } from "../../components/host-name";
import { Modal } from "../../components/modal";
import { PageBar } from "../../components/page-bar";
import { Untrusted } from "../../components/untrusted";
import type { BindingDto } from "../../engine/bindings/BindingDto";
import type { CredentialDto } from "../../engine/bindings/CredentialDto";
import { exact } from "../../lib/time";
import { Add, Bind, Remove, Replace } from "./components/forms";
import { useCredentials, usesQuery, useUses } from "./queries";

export function CredentialsPage({ selected }: { selected: string | null }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useCredentials();
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageBar title={t("credentials.title")}>
        <span className="flex-1" />
        <Button onClick={() => setAdding(true)}>{t("credentials.add")}</Button>
      </PageBar>
      {error ? <EngineFailure error={error} onRetry={() => void refetch()} /> : null}
      {!error && !data ? <Skeleton rows={4} /> : null}
      {data && !error ? <Content credentials={data} selected={selected} /> : null}
      <Modal title={t("credentials.addTitle")} open={adding} onOpen={setAdding}>
        <Add onDone={() => setAdding(false)} />
      </Modal>
    </>
  );
}

function Content({ credentials, selected }: { credentials: readonly CredentialDto[]; selected: string | null }) {
  const { t } = useTranslation();
  if (credentials.length === 0) {
    return (
      <Empty icon={KeyRound} title={t("credentials.empty")}>
        {t("credentials.emptyMore")}
      </Empty>
    );
  }
  const chosen = credentials.find((one) => one.id === selected) ?? (selected === null ? credentials[0] : undefined);
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[268px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)]">
      <nav aria-label={t("credentials.list")} className="overflow-y-auto border-r border-line">
        <ul>
          {credentials.map((one) => (
            <li key={one.id}>
              <Link to="/credentials/$credential" params={{ credential: one.id }} aria-current={one.id === chosen?.id ? "true" : undefined} className={`grid min-h-11 content-center border-b border-line-row px-4 py-1 ${one.id === chosen?.id ? "bg-selected" : "hover:bg-hover"}`}>
                <span className="truncate font-medium">
                  <Untrusted text={one.name} max={60} />
                </span>
                <span className="truncate text-caption text-t3">
                  <Untrusted text={one.bindings.map((place) => place.host).join(", ") || t("credentials.noPlace")} max={60} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="overflow-y-auto" tabIndex={0} role="region" aria-label={t("credentials.detail")}>
        {chosen ? <Detail key={chosen.id} credential={chosen} /> : <Empty icon={KeyRound} title={t("credentials.gone")}>{t("credentials.goneMore")}</Empty>}
      </div>
    </div>
  );
}

type Open = "replace" | "bind" | "remove" | null;

function Detail({ credential }: { credential: CredentialDto }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const modal = (which: Open) => ({ open: open === which, onOpen: (wanted: boolean) => setOpen(wanted ? which : null) });
  return (
    <section className="px-4 py-3.5">
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="min-w-0 flex-1 text-section font-semibold wrap-anywhere">
          <Untrusted text={credential.name} max={120} />
        </h2>
        <Button onClick={() => setOpen("replace")}>{t("credentials.replace")}</Button>
        <Button kind="danger" onClick={() => setOpen("remove")}>
          {t("credentials.remove")}
        </Button>
      </div>
      <div className="mt-3">
        <Facts>
          <Fact label={t("credentials.id")}>
            <Untrusted text={credential.id} className="mono text-caption" />
          </Fact>
          <Fact label={t("credentials.placeholder")}>
            <CommandLine command={credential.placeholder} />
            <p className="text-caption text-t3">{t("credentials.placeholderMore")}</p>
          </Fact>
          <Fact label={t("credentials.variables")}>
            <Untrusted text={credential.variables.join(", ") || t("credentials.none")} className="mono text-caption" />
          </Fact>
          <Fact label={t("credentials.added")}>{exact(credential.addedAt)}</Fact>
          <Fact label={t("credentials.rotated")}>{credential.rotatedAt === null ? t("credentials.never") : exact(credential.rotatedAt)}</Fact>
          <Fact label={t("credentials.guard")}>{t("credentials.guardMore")}</Fact>
          <Fact label={t("credentials.uses")}>
            <Uses credential={credential.id} />
          </Fact>
        </Facts>
      </div>
      <div className="mt-5 flex items-center gap-2">
        <h3 className="flex-1 text-caption font-semibold text-t2">{t("credentials.places")}</h3>
        <Button onClick={() => setOpen("bind")}>{t("credentials.bind")}</Button>
      </div>
      <Places places={credential.bindings} />
      <Modal title={t("credentials.replaceTitle")} {...modal("replace")}>
        <Replace credential={credential.id} onDone={close} />
      </Modal>
      <Modal title={t("credentials.bindTitle")} {...modal("bind")}>
        <Bind credential={credential.id} onDone={close} />
      </Modal>
      <Modal title={t("credentials.removeTitle")} {...modal("remove")}>
        <Remove credential={credential.id} onDone={close}>
          <p>
            <Untrusted text={credential.name} max={80} className="font-semibold" />
            {". "}
            {t("credentials.removeMore")}
          </p>
          <Places places={credential.bindings} />
          <Uses credential={credential.id} />
        </Remove>
      </Modal>
    </section>
  );
}

function Places({ places }: { places: readonly BindingDto[] }) {
  const { t } = useTranslation();
  return (
    <ul className="mt-1">
      {places.map((place, at) => (
        <li key={at} className="border-b border-line-row py-1.5">
          <div className="flex flex-wrap items-center gap-x-3">
            <HostName host={place.port === 443 ? place.host : `${place.host}:${place.port}`} />
            <span className="text-caption text-t2">{place.methods.length === 0 ? t("credentials.everyMethod") : place.methods.join(" ")}</span>
            <span className="text-caption text-t2">{place.path === null ? t("credentials.everyPath") : <Untrusted text={place.path} max={80} className="mono" />}</span>
          </div>
          <div className="flex flex-wrap gap-x-3 text-caption">
            <Untrusted text={place.slot} max={80} className="mono text-t2" />
            <span className="text-t3">{place.agents.length === 0 ? t("credentials.everyAgent") : <Untrusted text={place.agents.join(", ")} max={200} />}</span>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Uses({ credential }: { credential: string }) {
  const { t } = useTranslation();
  const { data, error } = useUses(credential);
  if (error) return <span className="text-deny">{t("credentials.failed", { message: error.message })}</span>;
  if (!data) return <span className="text-t3">{t("credentials.counting")}</span>;
  return (
    <Link to="/timeline" search={{ q: usesQuery(credential) }} className="text-accent">
      {data.capped ? t("credentials.usedOver", { count: data.matches }) : t("credentials.used", { count: data.matches })}
    </Link>
  );
}
