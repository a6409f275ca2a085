// The house rules of the console, as lints: arrows between folders, foreign text through `Untrusted` only, no literal words.
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** Which folder may not see which: lib → nothing; components → lib; engine → lib; features → components, engine, lib. */
const arrows = (files, forbidden, why) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns: [{ regex: forbidden, message: why }, ...TAURI] }] },
});
const TAURI = [{ group: ["@tauri-apps/*"], message: "Only ui/src/engine talks to the shell." }];
/** Generated types may be named everywhere. */
const NOT_BINDINGS = "(?!bindings/)";

/** Utilities of one side: a language may run the other way. */
const ONE_SIDED = "(^|[\\s:])-?([mp][lr]-[\\d.[a]|text-(left|right)(\\s|$)|(border|rounded)-[lr](-|\\s|$)|(left|right)-[\\d[])";

/** Fields whose text comes from agents, providers or files: never drawn as they are. */
const FOREIGN = "summary|cwd|command|host|path|model|rule|file|agentName|user|error|message|advice|unaffordable|credential|title|said|branch|stranger|evidence";

export default tseslint.config(
  { ignores: ["dist", "src/engine/bindings", "src/testing/recorded"] },
  ...tseslint.configs.strict,
  hooks.configs.flat["recommended-latest"],
  {
    files: ["src/**/*.{ts,tsx}"],
    rules: {
      "no-restricted-imports": ["error", { patterns: TAURI }],
      "no-restricted-globals": ["error", "fetch", "XMLHttpRequest", "WebSocket", "EventSource"],
      "no-console": "error",
      eqeqeq: "error",
      "max-lines": ["error", { max: 400 }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-dynamic-delete": "off",
      // The list is meant to be measured on every render; the compiler is not in use.
      "react-hooks/incompatible-library": "off",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "No default exports." },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Foreign text is text." },
      ],
    },
  },
  {
    files: ["src/**/*.tsx"],
    ignores: ["src/components/untrusted.tsx", "src/**/*.test.tsx"],
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "No default exports." },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Foreign text is text." },
        { selector: `:matches(JSXElement, JSXFragment) > JSXExpressionContainer > MemberExpression[property.name=/^(${FOREIGN})$/]`, message: "Foreign text is drawn by `Untrusted`." },
        { selector: `:matches(Literal[value=/${ONE_SIDED}/], TemplateElement[value.raw=/${ONE_SIDED}/])`, message: "Lines may run the other way: `ms-`, `pe-`, `text-end`, `border-s`, `inset-s-`." },
        { selector: "JSXText[value=/[A-Za-z]{2,}/]", message: "Words belong to the message file." },
        { selector: "JSXAttribute[name.name=/^(aria-label|aria-description|title|placeholder|alt)$/] > Literal[value=/[A-Za-z]{2,}/]", message: "Words belong to the message file." },
      ],
    },
  },
  arrows(["src/lib/**"], "^\\.\\./(\\.\\./)?(app|routes|features|engine|components|testing)/", "lib sees nothing of ours."),
  arrows(["src/components/**"], `^\\.\\./(app|routes|features|testing|engine/${NOT_BINDINGS})`, "components see lib only."),
  { files: ["src/engine/**"], rules: { "no-restricted-imports": ["error", { patterns: [{ regex: "^\\.\\./(app|routes|features|components)/", message: "engine sees lib only." }] }] } },
  arrows(["src/features/*/*.{ts,tsx}"], "^\\.\\./(\\.\\./(app|routes|testing)/|(?!\\.\\./)[a-z])", "A feature sees components, engine and lib, never another feature."),
  arrows(["src/features/*/components/*.{ts,tsx}"], "^\\.\\./\\.\\./(\\.\\./(app|routes|testing)/|(?!\\.\\./)[a-z])", "A feature sees components, engine and lib, never another feature."),
  {
    files: ["src/**/*.test.{ts,tsx}"],
    rules: { "no-restricted-imports": "off", "@typescript-eslint/no-non-null-assertion": "off" },
  },
);
