// The two halves of Agents: who acts, and the tools and servers they act with. What waits for a review is counted.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

const ITEM = "inline-flex h-6 items-center gap-1.5 rounded-badge px-2 font-medium";
const look = (on: boolean) => `${ITEM} ${on ? "bg-surface text-t1 outline outline-line" : "text-t2"}`;

export function AgentPlaces({ place, review }: { place: "agents" | "servers"; /** So many servers and tools wait. */ review: number }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t("agentPlaces.label")} className="chrome ms-2 inline-flex gap-0.5 rounded-control bg-inset p-0.5">
      <Link to="/agents" aria-current={place === "agents" ? "page" : undefined} className={look(place === "agents")}>
        {t("agentPlaces.agents")}
      </Link>
      <Link to="/servers" aria-current={place === "servers" ? "page" : undefined} className={look(place === "servers")}>
        {t("agentPlaces.servers")}
        {review === 0 ? null : (
          <span className="rounded-badge bg-ask-tint px-1 text-badge font-semibold text-ask">
            <span aria-hidden="true">{review}</span>
            <span className="sr-only">{t("agentPlaces.review", { count: review })}</span>
          </span>
        )}
      </Link>
    </nav>
  );
}
