// What mends a failed check where Reeve cannot: a command to copy, or a sentence.
import type { FixDto } from "../engine/bindings/FixDto";
import { CommandLine } from "./empty";
import { Prose } from "./prose";

export function Mending({ fix }: { fix: Exclude<FixDto, { kind: "repair" }> }) {
  if (fix.kind === "command") return <CommandLine command={fix.line} />;
  return (
    <span className="block text-t1 first-letter:uppercase">
      <Prose text={`${fix.text}.`} />
    </span>
  );
}
