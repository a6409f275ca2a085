// Two versions of a foreign text in one: what went is struck out, what came is marked, and what hides itself is drawn as a token.
import { useTranslation } from "react-i18next";
import { UntrustedBlock } from "./untrusted";

export type DiffPart = { kind: "same" | "gone" | "new"; text: string };

/** What stays the same between two changes only as a space or a comma: read apart from both, it helps nobody. */
const JOINT = /^[\s.,;:!?'"`()-]*$/;

/** Parts as a person reads them: a stretch that was rewritten is what went and then what came, not a zip of both. */
export function stretches(parts: readonly DiffPart[]): DiffPart[] {
  const found: DiffPart[] = [];
  let [gone, came] = ["", ""];
  const close = () => {
    if (gone !== "") found.push({ kind: "gone", text: gone });
    if (came !== "") found.push({ kind: "new", text: came });
    [gone, came] = ["", ""];
  };
  parts.forEach((part, at) => {
    const inside = gone !== "" && came !== "" && parts[at + 1] !== undefined && JOINT.test(part.text);
    if (part.kind === "gone") gone += part.text;
    else if (part.kind === "new") came += part.text;
    else if (inside) [gone, came] = [gone + part.text, came + part.text];
    else {
      close();
      found.push(part);
    }
  });
  close();
  return found;
}

const LOOK = { same: "text-t2", gone: "bg-deny-tint text-t1 line-through decoration-deny", new: "bg-allow-tint text-t1 no-underline" };

export function WordDiff({ parts }: { parts: readonly DiffPart[] }) {
  const { t } = useTranslation();
  return (
    <p className="whitespace-pre-wrap wrap-anywhere">
      {stretches(parts).map((part, at) => {
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
