// What the palette offers here: the places, the switch that stops, and what the typed text may name.
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useToast } from "../components/toasts";
import { type Command, Palette } from "../features/palette/palette";
import { useSwitch } from "../features/status/queries";
import { plain } from "../lib/text";
import { destination } from "./links";

export function Commands() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const toast = useToast();
  const { mutate } = useSwitch();
  const commands: Command[] = [
    { id: "inbox", label: t("places.inbox"), keys: ["mod", "1"], run: () => void navigate({ to: "/inbox" }) },
    { id: "timeline", label: t("places.timeline"), keys: ["mod", "2"], run: () => void navigate({ to: "/timeline" }) },
    {
      id: "stop",
      label: t("stop.all"),
      keys: ["mod", "shift", "."],
      run: () => mutate("status.stop_all", { onSuccess: () => toast("denied", t("stop.done")), onError: (error) => toast("failed", t("stop.failed", { message: error.message })) }),
    },
  ];
  const dynamic = (typed: string): Command[] => {
    const place = /^op_\w+$/.test(typed) ? "record" : /^ses_\w+$/.test(typed) ? "session" : /^apr_\w+$/.test(typed) ? "inbox" : null;
    if (place !== null) return [{ id: "open", label: t("palette.open", { id: typed }), run: () => void navigate(destination(`reeve://${place}/${typed}`)) }];
    return [{ id: "search", label: t("palette.search", { text: plain(typed) }), run: () => void navigate({ to: "/timeline", search: { q: typed } }) }];
  };
  return <Palette commands={commands} dynamic={dynamic} />;
}
