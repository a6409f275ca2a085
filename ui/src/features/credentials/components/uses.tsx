// How often a credential was used lately, and by whom.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { AgentTile } from "../../../components/badge";
import { Untrusted } from "../../../components/untrusted";
import { useAgents, useUses } from "../queries";

export function Uses({ query }: { query: string }) {
  const { t } = useTranslation();
  const { data, error } = useUses(query);
  if (error) return <span className="text-deny">{t("common.failed", { message: error.message })}</span>;
  if (!data) return <span className="text-t3">{t("credentials.counting")}</span>;
  return (
    <Link to="/timeline" search={{ q: query }} className="inline-flex min-h-6 items-center text-accent">
      {data.capped ? t("credentials.usedOver", { count: data.matches }) : t("credentials.used", { count: data.matches })}
    </Link>
  );
}

/** Agents, as links. */
export function AgentLinks({ agents }: { agents: readonly string[] }) {
  const { data: known = [] } = useAgents();
  return (
    <span className="flex flex-wrap gap-1.5">
      {agents.map((id) => {
        const name = known.find((one) => one.id === id)?.name ?? id;
        return (
          <Link key={id} to="/agents/$agent" params={{ agent: id }} className="inline-flex min-h-6 items-center gap-1.5 rounded-badge bg-fill px-2">
            <AgentTile name={name} />
            <Untrusted text={name} max={32} />
          </Link>
        );
      })}
    </span>
  );
}

/** Whose the actions are that the query finds. */
export function UsedBy({ query }: { query: string }) {
  const { t } = useTranslation();
  const { data } = useUses(query);
  if (!data) return <span className="text-t3">{t("common.unknown")}</span>;
  const agents = data.groups.find((group) => group.key === "agent")?.values ?? [];
  return agents.length === 0 ? <span className="text-t2">{t("credentials.nobody")}</span> : <AgentLinks agents={agents.map((one) => one.value)} />;
}
