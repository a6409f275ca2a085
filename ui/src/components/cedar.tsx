// Policy text as it will be written: numbered lines, three syntax colours at most.
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { plain } from "../lib/text";
import { CopyButton } from "./inset";

const WORDS = /(@\w+)|("(?:[^"\\]|\\.)*")|\b(permit|forbid|when|unless|if|then|else|in|like|has|is)\b|(\/\/.*$)/g;

/** `file`: where it will be written; none: it is given for a session. `caption`: something else about it. */
export function CedarText({ text, file, caption }: { text: string; file: string | null; caption?: string }) {
  const { t } = useTranslation();
  return (
    <figure className="overflow-hidden rounded-control border border-line bg-inset">
      <figcaption className="flex h-7.5 items-center gap-1.5 border-b border-line ps-3 pe-1.5 text-caption text-t3">
        {caption ?? (file === null ? t("always.givenAs") : t("always.writtenTo"))}
        {file === null ? null : <code className="mono text-t1">{file}</code>}
        <span className="flex-1" />
        <CopyButton text={text} />
      </figcaption>
      <pre className="mono py-2 text-[12px]/[18px] text-t1">
        {text.split("\n").map((line, at) => (
          <span key={at} className="block ps-10 pe-3 -indent-10 whitespace-pre-wrap wrap-anywhere">
            <span aria-hidden="true" className="me-3 inline-block w-7 text-end indent-0 text-t3 select-none">
              {at + 1}
            </span>
            <Coloured line={plain(line)} />
          </span>
        ))}
      </pre>
    </figure>
  );
}

function Coloured({ line }: { line: string }) {
  const parts: { text: string; colour: string }[] = [];
  let last = 0;
  for (const match of line.matchAll(WORDS)) {
    if (match.index > last) parts.push({ text: line.slice(last, match.index), colour: "" });
    parts.push({ text: match[0], colour: match[1] ? "text-info" : match[2] ? "text-allow" : match[3] ? "text-budget" : "text-t3" });
    last = match.index + match[0].length;
  }
  parts.push({ text: line.slice(last), colour: "" });
  return parts.map((part, at) => (
    <Fragment key={at}>{part.colour === "" ? part.text : <span className={part.colour}>{part.text}</span>}</Fragment>
  ));
}
