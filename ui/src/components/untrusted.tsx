// The one way foreign text reaches a screen: as text, with everything that would act drawn as a token.
import { memo, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { cutMiddle, pieces, plain } from "../lib/text";

/** Above this many pieces the rest is drawn only when asked for, so that a hostile text cannot freeze the window. */
const AT_ONCE = 4_000;

/** In a sentence, a row or a cell: one line, cut from the middle where `max` characters are given. */
export const Untrusted = memo(function Untrusted({ text, max, className = "" }: { text: string; max?: number; className?: string }) {
  const line = useMemo(() => plain(text.length > 20_000 ? text.slice(0, 20_000) : text), [text]);
  const shown = max === undefined ? line : cutMiddle(line, max);
  return (
    <bdi dir="ltr" className={className} title={shown === line ? undefined : cutMiddle(line, 2_000)}>
      {pieces(shown).map((piece, at) => (/[⟨⏎]/.test(piece.text) ? <Marked key={at} text={piece.text} /> : piece.text))}
    </bdi>
  );
});

/** Tokens inside an already flattened line. */
function Marked({ text }: { text: string }) {
  return text.split(/(⟨[^⟨⟩]{1,24}⟩|⏎)/).map((part, at) => (at % 2 === 1 ? <Token key={at} text={part} /> : part));
}

function Token({ text }: { text: string }) {
  return <span className="rounded-mark bg-ask-tint px-0.5 text-badge text-ask">{text}</span>;
}

/** A whole text, wrapped and complete, with its own line breaks. `inline`: a part of one that others go on with. */
export const UntrustedBlock = memo(function UntrustedBlock({ text, inline = false }: { text: string; inline?: boolean }) {
  const { t } = useTranslation();
  const [whole, setWhole] = useState(false);
  const all = useMemo(() => pieces(text), [text]);
  const shown = whole ? all : all.slice(0, AT_ONCE);
  return (
    <bdi dir="ltr" className={`${inline ? "" : "block "}whitespace-pre-wrap wrap-anywhere`}>
      {shown.map((piece, at) => (piece.kind === "token" ? <Token key={at} text={piece.text} /> : piece.text))}
      {shown.length < all.length ? (
        <button type="button" className="ms-1 font-sans text-caption font-medium text-accent" onClick={() => setWhole(true)}>
          {t("untrusted.rest", { count: all.length - shown.length })}
        </button>
      ) : null}
    </bdi>
  );
});
