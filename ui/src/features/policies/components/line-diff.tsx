// Two versions of a file side by side in one column: what went, what came, and a little around it.
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { hunks, lineDiff } from "../../../lib/diff";
import { plain } from "../../../lib/text";

const LOOK = { same: "text-t2", gone: "bg-deny-tint text-t1", new: "bg-allow-tint text-t1" };
const SIGN = { same: " ", gone: "−", new: "+" };

export function LineDiff({ before, after, label }: { before: string; after: string; label: string }) {
  const { t } = useTranslation();
  const lines = lineDiff(before, after);
  const shown = hunks(lines);
  const hidden = lines.length - shown.filter((line) => line !== null).length;
  return (
    <figure className="overflow-hidden rounded-control border border-line bg-inset">
      <pre aria-label={label} role="region" tabIndex={0} className="mono max-h-[60vh] overflow-y-auto py-2 text-[12px]/[18px]">
        {shown.map((line, at) =>
          line === null ? (
            <span key={at} className="block px-3 text-t3" aria-hidden="true">
              {"⋯"}
            </span>
          ) : (
            <span key={at} className={`block ps-8 pe-3 -indent-5 whitespace-pre-wrap wrap-anywhere ${LOOK[line.kind]}`}>
              <span aria-hidden="true" className="inline-block w-5 indent-0 select-none">
                {SIGN[line.kind]}
              </span>
              {line.kind === "same" ? null : <span className="sr-only">{line.kind === "new" ? t("policies.added") : t("policies.removed")}</span>}
              <Fragment>{plain(line.text)}</Fragment>
            </span>
          ),
        )}
      </pre>
      {hidden > 0 ? <figcaption className="border-t border-line px-3 py-1 text-caption text-t3">{t("policies.unchanged", { count: hidden })}</figcaption> : null}
    </figure>
  );
}
