// What the palette offers here: what is always there, agents, rules and views by their names, and what the typed text may name.
import { useNavigate } from "@tanstack/react-router";
import { Bookmark, Bot, FileClock, Scale, Search } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Untrusted } from "../components/untrusted";
import { useCall } from "../engine/query";
import { Choice, type Command, GROUPS, Palette } from "../features/palette/palette";
import { plain } from "../lib/text";
import { destination } from "./links";
import { useNamed } from "./named";

/** Most that one group shows. */
const MOST = 6;

export function Commands({ onShortcuts }: { onShortcuts: () => void }) {
  return <Palette>{(close) => <Offer onClose={close} onShortcuts={onShortcuts} />}</Palette>;
}

function Offer({ onClose, onShortcuts }: { onClose: () => void; onShortcuts: () => void }) {
  const [typed, setTyped] = useState("");
  const sought = typed.trim().toLowerCase();
  const named = useNamed(onShortcuts);
  const found = [...useAgents(), ...useRules(), ...useViews()];
  const left = (of: readonly Command[]) => of.filter((one) => one.name.toLowerCase().includes(sought));
  const dynamic = useTyped(typed.trim());
  return <Choice typed={typed} onTyped={setTyped} onClose={onClose} commands={[...left(named), ...(sought === "" ? [] : GROUPS.flatMap((group) => left(found.filter((one) => one.group === group)).slice(0, MOST))), ...dynamic]} />;
}

function useAgents(): Command[] {
  const navigate = useNavigate();
  const { data = [] } = useCall({ call: "agents.list" });
  return data.map(({ id, name }) => ({
    id: `agent-${id}`,
    group: "agents",
    icon: Bot,
    label: <Untrusted text={name} max={64} />,
    name: `${name} ${id}`,
    run: () => void navigate({ to: "/agents/$agent", params: { agent: id } }),
  }));
}

function useRules(): Command[] {
  const navigate = useNavigate();
  const { data = [] } = useCall({ call: "policies.list" });
  return data.map(({ id, reason }) => ({
    id: `rule-${id}`,
    group: "rules",
    icon: Scale,
    label: (
      <>
        <code className="mono">
          <Untrusted text={id} max={40} />
        </code>{" "}
        <Untrusted text={reason} max={60} className="text-t2" />
      </>
    ),
    name: `${id} ${reason}`,
    run: () => void navigate({ to: "/policies/$rule", params: { rule: id } }),
  }));
}

function useViews(): Command[] {
  const navigate = useNavigate();
  const { data } = useCall({ call: "operations.views" });
  return (data?.views ?? []).map(({ name, query }) => ({
    id: `view-${name}`,
    group: "views",
    icon: Bookmark,
    label: <Untrusted text={name} max={64} />,
    name,
    run: () => void navigate({ to: "/timeline", search: { q: query } }),
  }));
}

/** What the typed words may name themselves: an id, else something to look for. */
function useTyped(typed: string): Command[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  if (typed === "") return [];
  const place = /^op_\w+$/.test(typed) ? "record" : /^ses_\w+$/.test(typed) ? "session" : /^apr_\w+$/.test(typed) ? "inbox" : null;
  if (place !== null) return [{ id: "open", group: "records", icon: FileClock, label: t("palette.open", { id: typed }), name: typed, run: () => void navigate(destination(`reeve://${place}/${typed}`)) }];
  return [{ id: "search", group: "commands", icon: Search, label: t("palette.search", { text: plain(typed) }), name: typed, run: () => void navigate({ to: "/timeline", search: { q: typed } }) }];
}
