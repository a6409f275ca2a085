// A host: what somebody registered is strong, the rest light; names that can look like others are flagged.
import { TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { looksAlike, registrable } from "../lib/text";
import { Badge } from "./badge";
import { Untrusted } from "./untrusted";

export function HostName({ host }: { host: string }) {
  const { t } = useTranslation();
  const { rest, domain } = registrable(host);
  return (
    <span className="inline-flex flex-wrap items-center gap-1.5">
      <span>
        {rest === "" ? null : <Untrusted text={rest} className="text-t3" />}
        <Untrusted text={domain} className="font-semibold" />
      </span>
      {looksAlike(host) ? (
        <Badge tone="ask">
          <TriangleAlert size={12} strokeWidth={2} aria-hidden />
          {t("host.lookAlike")}
        </Badge>
      ) : null}
    </span>
  );
}
