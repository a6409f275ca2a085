// An id as it is written, with its own *Copy*: it is what the command line and other people ask for.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { cutMiddle, plain } from "../lib/text";
import { CopyMark } from "./inset";

/** `children`: shown instead, such as a link. `max`: so many characters have room. */
export function Id({ text, max = 100, children }: { text: string; max?: number; children?: ReactNode }) {
  const { t } = useTranslation();
  return (
    <span className="group/branch inline-flex max-w-full items-start gap-1">
      <span className="min-w-0">{children ?? <code title={plain(text)} className="mono text-caption wrap-anywhere">{cutMiddle(plain(text), max)}</code>}</span>
      <span className="-my-0.5 flex-none">
        <CopyMark text={() => text} label={t("common.copyOf", { what: plain(text) })} />
      </span>
    </span>
  );
}
