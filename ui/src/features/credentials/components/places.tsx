// The only places of a credential: shown, changed, and taken away one by one after it was said what that means.
import { Pencil, Trash2 } from "lucide-react";
import { type ReactNode, type RefObject, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Fact, Facts } from "../../../components/facts";
import { HostName } from "../../../components/host-name";
import { Modal } from "../../../components/modal";
import { Untrusted } from "../../../components/untrusted";
import type { BindingDto } from "../../../engine/bindings/BindingDto";
import type { CredentialDto } from "../../../engine/bindings/CredentialDto";
import { cutMiddle, plain } from "../../../lib/text";
import { placeName } from "../model";
import { usesQuery } from "../queries";
import { Bind, Unbind } from "./forms";
import { AgentLinks, UsedBy, Uses } from "./uses";

type Open = { what: "change" | "unbind"; place: BindingDto };

export function OwnPlaces({ credential }: { credential: CredentialDto }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<Open | null>(null);
  const region = useRef<HTMLDivElement>(null);
  // The row that the dialog was opened from goes with its place: the focus then goes to those that are left.
  const gone = useRef(false);
  const show = (wanted: Open) => {
    gone.current = false;
    setOpen(wanted);
  };
  const modal = (what: Open["what"]) => ({ open: open?.what === what, onOpen: (wanted: boolean) => (wanted ? undefined : setOpen(null)) });
  const close = () => setOpen(null);
  const controls = (place: BindingDto) => {
    const name = cutMiddle(plain(placeName(place)), 120);
    return (
      <span className="flex justify-end">
        <Button kind="icon" aria-label={t("credentials.changeOf", { place: name })} title={t("credentials.changeTitle")} onClick={() => show({ what: "change", place })}>
          <Pencil size={14} strokeWidth={1.5} aria-hidden />
        </Button>
        <Button kind="icon" aria-label={t("credentials.unbindOf", { place: name })} title={t("credentials.unbindTitle")} onClick={() => show({ what: "unbind", place })}>
          <Trash2 size={14} strokeWidth={1.5} aria-hidden />
        </Button>
      </span>
    );
  };
  return (
    <>
      <Places places={credential.bindings} region={region} controls={controls} />
      <Modal title={t("credentials.changeTitle")} {...modal("change")}>
        {open ? <Bind credential={credential.id} known={open.place} onDone={close} /> : null}
      </Modal>
      <Modal title={t("credentials.unbindTitle")} after={() => (gone.current ? region.current : null)} {...modal("unbind")}>
        {open ? (
          <Unbind credential={credential.id} place={open.place} onDone={close} onUnbound={() => (gone.current = true)}>
            <Consequence credential={credential} place={open.place} />
          </Unbind>
        ) : null}
      </Modal>
    </>
  );
}

/** What will not work any more, and who did it lately. */
function Consequence({ credential, place }: { credential: CredentialDto; place: BindingDto }) {
  const { t } = useTranslation();
  const query = usesQuery(credential.id, place);
  return (
    <>
      <p>
        <Untrusted text={placeName(place)} max={120} className="font-semibold wrap-anywhere" />
        {". "}
        {t("credentials.unbindMore")}
      </p>
      {credential.bindings.length === 1 ? <p>{t("credentials.unbindLast")}</p> : null}
      <Facts>
        <Fact label={t("credentials.inject")}>
          <Untrusted text={place.slot} max={60} className="mono text-caption" />
        </Fact>
        <Fact label={t("credentials.agents")}>
          <Agents places={[place]} />
        </Fact>
        <Fact label={t("credentials.uses")}>
          <Uses query={query} />
        </Fact>
        <Fact label={t("credentials.usedBy")}>
          <UsedBy query={query} />
        </Fact>
      </Facts>
    </>
  );
}

/** `controls`: what can be done with one. */
export function Places({ places, region, controls }: { places: readonly BindingDto[]; region?: RefObject<HTMLDivElement | null>; controls?: (place: BindingDto) => ReactNode }) {
  const { t } = useTranslation();
  return (
    <div ref={region} className="overflow-x-auto rounded-card border border-line" tabIndex={0} role="region" aria-label={t("credentials.places")}>
      {places.length === 0 ? (
        <p className="px-3 py-1.5 text-t2">{t("credentials.noPlaces")}</p>
      ) : (
        <>
          <table className="w-full">
            <thead>
              <tr className="h-7 border-b border-line text-start text-caption text-t3">
                {(["host", "methods", "path", "inject", "agents"] as const).map((name) => (
                  <th key={name} scope="col" className="px-3 font-medium whitespace-nowrap">
                    {t(`credentials.${name}`)}
                  </th>
                ))}
                {controls ? (
                  <th scope="col">
                    <span className="sr-only">{t("credentials.controls")}</span>
                  </th>
                ) : null}
              </tr>
            </thead>
            <tbody>
              {places.map((place, at) => (
                <tr key={at} className="border-b border-line-row align-top">
                  <td className="px-3 py-1.5">
                    <HostName host={place.port === 443 ? place.host : `${place.host}:${place.port}`} />
                  </td>
                  <td className="mono px-3 py-1.5 text-caption text-t2">{place.methods.length === 0 ? t("credentials.everyMethod") : place.methods.join(" ")}</td>
                  <td className="mono px-3 py-1.5 text-caption text-t2">{place.path === null ? t("credentials.everyPath") : <Untrusted text={place.path} max={48} />}</td>
                  <td className="px-3 py-1.5 text-caption">
                    <Untrusted text={place.slot} max={60} className="mono" />
                  </td>
                  <td className="px-3 py-1.5 text-caption text-t2">{place.agents.length === 0 ? t("credentials.everyAgent") : <Untrusted text={place.agents.join(", ")} max={80} />}</td>
                  {controls ? <td className="px-1">{controls(place)}</td> : null}
                </tr>
              ))}
            </tbody>
          </table>
          <p className="px-3 py-1.5 text-caption text-t3">{t("credentials.redirect")}</p>
        </>
      )}
    </div>
  );
}

/** Who may use it, over all these places. */
export function Agents({ places }: { places: readonly BindingDto[] }) {
  const { t } = useTranslation();
  if (places.length === 0) return <span className="text-t2">{t("credentials.none")}</span>;
  if (places.some((place) => place.agents.length === 0)) return <span>{t("credentials.everyAgent")}</span>;
  return <AgentLinks agents={[...new Set(places.flatMap((place) => place.agents))]} />;
}
