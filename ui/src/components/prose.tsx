// A sentence of the engine: values it quotes in backticks are drawn as code, all of it through `Untrusted`.
import { Untrusted } from "./untrusted";

export function Prose({ text, whole = false }: { text: string; /** Values are not cut. */ whole?: boolean }) {
  return text.split("`").map((part, at) =>
    at % 2 === 1 ? (
      <code key={at} className="mono text-[0.923em]">
        <Untrusted text={part} {...(whole ? {} : { max: 64 })} />
      </code>
    ) : part === "" ? null : (
      <Untrusted key={at} text={part} />
    ),
  );
}
