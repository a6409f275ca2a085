// Two versions of a foreign text in one: what went is struck out, what came is marked, and what hides itself is drawn as a token.
import { useTranslation } from "react-i18next";
import { UntrustedBlock } from "./untrusted";

export type DiffPart = { kind: "same" | "gone" | "new"; text: string };

const LOOK = { same: "text-t2", gone: "bg-deny-tint text-t1 line-through decoration-deny", new: "bg-allow-tint text-t1 no-underline" };

export function WordDiff({ parts }: { parts: readonly DiffPart[] }) {
  const { t } = useTranslation();
  return (
    <p className="whitespace-pre-wrap wrap-anywhere">
      {parts.map((part, at) => {
        const Tag = part.kind === "gone" ? "del" : part.kind === "new" ? "ins" : "span";
        return (
          <Tag key={at} className={`rounded-mark ${LOOK[part.kind]}`}>
            {part.kind === "same" ? null : <span className="sr-only">{t(part.kind === "gone" ? "diff.gone" : "diff.new")}</span>}
            <UntrustedBlock text={part.text} inline />
          </Tag>
        );
      })}
    </p>
  );
}
