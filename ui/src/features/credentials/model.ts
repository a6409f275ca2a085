// What is known of a credential's age and places, and when its use asks: a rule of its own says so, as any other rule.
import type { BindingDto } from "../../engine/bindings/BindingDto";
import type { CredentialDto } from "../../engine/bindings/CredentialDto";
import type { FileChangeDto } from "../../engine/bindings/FileChangeDto";
import type { NewBindingDto } from "../../engine/bindings/NewBindingDto";
import type { RuleDto } from "../../engine/bindings/RuleDto";

/** Whether the secret is as old as its reminder says. */
export function rotationDue({ rotateDays, rotatedAt, addedAt }: CredentialDto, now: number): boolean {
  return rotateDays !== undefined && Date.parse(rotatedAt ?? addedAt) + rotateDays * 86_400_000 <= now;
}

/** `api.github.com`, `localhost:8443`: as it is typed. */
export function hostOf({ host, port }: BindingDto): string {
  return port === 443 && !host.includes(":") ? host : `${host}:${port}`;
}

/** `GET POST api.github.com/repos/acme`. */
export function placeName(place: BindingDto): string {
  return [...place.methods, `${hostOf(place)}${place.path ?? ""}`].join(" ");
}

/** Names it to the engine. */
export function asGiven({ host, port, methods, path, slotTyped }: BindingDto): NewBindingDto {
  return { host, port, methods, path, slot: slotTyped };
}

/** `rules`: nothing of its own. `session`: a yes may reach over a session. `always`: it reaches over this one use. */
export const ASKS = ["rules", "session", "always", "never"] as const;
export type Ask = (typeof ASKS)[number];

const FILE = "mine.cedar";

/** Name of the rule that is the credential's own. */
export function ownRuleId(credential: string): string {
  return `use-of-${credential}`;
}

/** Asks that are about the use of a credential, and that their owner lets others answer. */
export function answerable(rules: readonly RuleDto[]): string[] {
  return rules.filter((rule) => rule.kind === "ask" && rule.liftable && rule.mode === "enforce" && rule.text.includes("context.uses_credential")).map((rule) => rule.id);
}

/** The text of its own rule; none where the other rules decide alone. */
export function askText(credential: string, ask: Ask, lifts: readonly string[]): string {
  const id = `@id("${ownRuleId(credential)}")`;
  const when = `when { context has credential && context.credential == "${credential}" }`;
  switch (ask) {
    case "rules":
      return "";
    case "never":
      return `${id}\n@reason("this credential needs no question of its own")\n@lifts("${lifts.join(", ")}")\npermit (principal, action, resource)\n${when};`;
    case "session":
      return `${id}\n@reason("ask before this credential is used")\n@liftable\nforbid (principal, action, resource)\n${when}\nunless { context.approved };`;
    case "always":
      return `${id}\n@reason("ask every time this credential is used")\nforbid (principal, action, resource)\n${when}\nunless { context.approved };`;
  }
}

/** What its own rule says now; `edited` where somebody wrote it otherwise. */
export function askOf(credential: string, rules: readonly RuleDto[]): { ask: Ask | "edited"; rule: RuleDto | null } {
  const rule = rules.find((one) => one.id === ownRuleId(credential)) ?? null;
  if (rule === null) return { ask: "rules", rule };
  const ask = ASKS.find((one) => one !== "rules" && askText(credential, one, rule.lifts) === rule.text);
  return { ask: ask ?? "edited", rule };
}

/** The change that makes it so; none where the text is not a plain rule of the person's own. */
export function askChange(credential: string, ask: Ask, rules: readonly RuleDto[]): FileChangeDto | null {
  const { rule } = askOf(credential, rules);
  const text = askText(credential, ask, answerable(rules));
  if (rule !== null) return rule.layer === "mine" ? { file: rule.file, part: { kind: "rule", id: rule.id }, text } : null;
  return text === "" ? null : { file: FILE, part: { kind: "new" }, text };
}
