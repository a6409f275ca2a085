// What is not what was approved, word by word, and what a scan found in the words. Everything in it is the server's own text.
import { TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Inset } from "../../../components/inset";
import { Untrusted } from "../../../components/untrusted";
import { WordDiff } from "../../../components/word-diff";
import type { FieldDiffDto } from "../../../engine/bindings/FieldDiffDto";
import type { FindingDto } from "../../../engine/bindings/FindingDto";

export function Changes({ fields }: { fields: readonly FieldDiffDto[] }) {
  const { t } = useTranslation();
  return (
    <div className="grid gap-2">
      {fields.map((field) => (
        <Inset key={field.place} small caption={t("servers.place", { place: placeName(field.place) })}>
          <WordDiff parts={field.parts} />
        </Inset>
      ))}
    </div>
  );
}

/** Names of places are the server's too: shown as plain words of our alphabet, or as a place without a name. */
function placeName(place: string): string {
  return place.replace(/[^\w.[\]/ -]/g, "·").slice(0, 80);
}

export function Findings({ findings }: { findings: readonly FindingDto[] }) {
  const { t } = useTranslation();
  return (
    <ul className="grid gap-2">
      {findings.map((finding, at) => (
        <li key={at}>
          <p className="flex items-start gap-2">
            <TriangleAlert size={14} strokeWidth={1.75} aria-hidden className="mt-0.75 flex-none text-ask" />
            <span className="min-w-0">
              <span className="font-medium">{t(`servers.finding.${finding.kind}`)}</span>{" "}
              <code className="mono text-caption text-t3">
                <Untrusted text={finding.place} max={60} />
              </code>
            </span>
          </p>
          {finding.excerpt === "" ? null : (
            <div className="mt-1 ms-5.5">
              <Inset small warn>
                <Untrusted text={finding.excerpt} />
              </Inset>
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}
