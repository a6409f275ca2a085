// Small marks of a server or tool: where it stands with the person, what it claims, how its calls ended.
import { useTranslation } from "react-i18next";
import { Badge } from "../../../components/badge";
import { Rate } from "../../../components/rate";
import { Untrusted } from "../../../components/untrusted";
import type { HealthDto } from "../../../engine/bindings/HealthDto";
import type { ServerToolDto } from "../../../engine/bindings/ServerToolDto";
import type { StandingDto } from "../../../engine/bindings/StandingDto";
import { badEnds, claimsOf, waits } from "../model";

/** Approved is neutral; what waits for a review is not. */
export function Standing({ standing }: { standing: StandingDto | null }) {
  const { t } = useTranslation();
  return <Badge tone={waits(standing) ? "ask" : "neutral"}>{t(`servers.standing.${standing ?? "unseen"}`)}</Badge>;
}

/** Who approved it. */
export function By({ name }: { name: string | null }) {
  const { t } = useTranslation();
  if (name === null) return null;
  return (
    <>
      {t("servers.by")} <Untrusted text={name} max={40} />
    </>
  );
}

export function Success({ health }: { health: HealthDto }) {
  const { t } = useTranslation();
  if (health.rate === null) return <span className="text-t3">{t("rate.none")}</span>;
  const { good, of, low, high } = health.rate;
  return <Rate rate={{ good, of, low: low / 1000, high: high / 1000 }} />;
}

/** The rest of its calls, by how they ended. */
export function BadEnds({ health }: { health: HealthDto }) {
  const { t } = useTranslation();
  const ends = badEnds(health.ends);
  if (ends.length === 0) return null;
  return <span className="text-t2">{ends.map(({ end, count }) => t(`servers.ends.${end}`, { count })).join(", ")}</span>;
}

/** What its server says of it: a claim, never a fact. */
export function Claims({ tool }: { tool: ServerToolDto }) {
  const { t } = useTranslation();
  return (
    <>
      {claimsOf(tool)
        .map((claim) => t(`servers.claims.${claim}`))
        .join(", ")}
    </>
  );
}
