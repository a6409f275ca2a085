// What opens over a screen, and how: for the tests that look at it in each language.
import type { Locator, Page } from "@playwright/test";
import { accented } from "../../ui/src/testing/accents";

/** What words of the message files are in the language that is shown: alone, or among others. */
type Say = (words: string | RegExp, alone: boolean) => RegExp;
type Step = (page: Page, say: Say) => Promise<void>;

const patternOf = (words: string | RegExp) => (typeof words === "string" ? words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : words.source);
const among = (pattern: string, alone: boolean, end = "") => new RegExp(alone ? `^${pattern}${end}$` : pattern);

export const inEnglish: Say = (words, alone) => among(patternOf(words), alone);
/** Its words are longer by what stands at their end. */
export const inPseudo: Say = (words, alone) => among(accented(patternOf(words)), alone, "~*");

export const click =
  (name: string | RegExp): Step =>
  (page, say) =>
    page.getByRole("button", { name: say(name, typeof name === "string") }).first().click();
const press =
  (keys: string): Step =>
  (page) =>
    page.keyboard.press(keys);

/** Where, how it is opened, and what stands then. */
export const OPENINGS: readonly [string, readonly Step[], string | RegExp][] = [
  ["/timeline", [press("Control+k")], "dialog"],
  ["/timeline", [press("?")], "Keyboard shortcuts"],
  ["/budgets", [click("New budget")], "New budget"],
  ["/budgets/claude-session", [click("Raise")], /Raise/],
  ["/budgets/claude-session", [click("Edit")], /budget/],
  ["/budgets/claude-session", [click("Remove")], /Remove/],
  ["/credentials", [click("Add credential")], "Add a credential"],
  ["/credentials", [click("Import from a file")], /Import/],
  ["/credentials/github", [click("Replace")], /Replace/],
  ["/credentials/github", [click("Add place")], /place/],
  ["/agents/codex", [click("Remove")], /Remove/],
  ["/servers/weather", [click("Approve…")], /Approve/],
  ["/servers/office", [click("Forget")], /Forget/],
  ["/policies/github-read", [click("What if")], "What if"],
];

export function dialogOf(page: Page, name: string | RegExp, say: Say): Locator {
  return name === "dialog" ? page.getByRole("dialog") : page.getByRole("dialog", { name: say(name, false) });
}
