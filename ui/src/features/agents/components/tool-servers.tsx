// The MCP servers whose tools the agent called, and what of them waits for a review.
import { Link } from "@tanstack/react-router";
import { Check, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { EngineFailure } from "../../../components/empty";
import { Untrusted } from "../../../components/untrusted";
import { useServersOf } from "../queries";

export function ToolServers({ agent }: { agent: string }) {
  const { t } = useTranslation();
  const used = useServersOf(agent);
  if (used === null) return <p className="text-t3">{t("agents.counting")}</p>;
  if (used.error) return <EngineFailure error={used.error} />;
  return (
    <>
      {used.servers.length === 0 ? <p className="text-t2">{t("agents.noServers")}</p> : null}
      <ul className="max-w-180">
        {used.servers.map(({ name, known, good, of, tools }) => {
          const held = (known?.toReview ?? 0) > 0;
          const Icon = held ? TriangleAlert : Check;
          return (
            <li key={name}>
              <Link to="/servers/$server" params={{ server: name }} className="grid h-9 grid-cols-[16px_minmax(0,1fr)_96px_128px_minmax(0,1fr)] items-center gap-x-3 border-b border-line-row hover:bg-hover">
                <Icon size={14} strokeWidth={1.75} aria-hidden className={held ? "text-ask" : known ? "text-allow" : "invisible"} />
                <Untrusted text={name} max={40} className="mono truncate text-caption font-medium" />
                <span className="text-t2">{t("agents.toolsUsed", { count: tools })}</span>
                <span className="text-end text-t2 tabular-nums">{t("agents.wentWell", { good, count: of })}</span>
                <span className={`truncate text-end ${held ? "font-medium text-ask" : "text-t3"}`}>{held ? t("agents.toReview") : known === undefined ? t("agents.notPinned") : known.version === null ? "" : <Untrusted text={known.version} max={24} />}</span>
              </Link>
            </li>
          );
        })}
      </ul>
      <Link to="/servers" className="mt-2 inline-flex min-h-6 items-center text-accent">
        {t("agents.allServers")}
      </Link>
    </>
  );
}
