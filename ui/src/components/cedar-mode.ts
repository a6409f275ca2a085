// Cedar, and YAML for case files, in the editor: four kinds of words, coloured with the console's own tokens and nothing else.
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";

const KEYWORD = /^(?:permit|forbid|when|unless|if|then|else|in|like|has|is|true|false)\b/;

const language = StreamLanguage.define<null>({
  name: "cedar",
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^\/\/.*/)) return "comment";
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return "string";
    if (stream.match(/^@\w+/)) return "meta";
    if (stream.match(KEYWORD)) return "keyword";
    if (stream.match(/^(?:principal|action|resource|context)\b/)) return "variableName";
    if (stream.match(/^[A-Za-z_]\w*/) || stream.match(/^\d+/)) return null;
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: "//" }, closeBrackets: { brackets: ["(", "[", "{", '"'] } },
});

const cases = StreamLanguage.define<null>({
  name: "yaml",
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'[^']*'?/)) return "string";
    if (stream.match(/^[A-Za-z_][\w-]*(?=:(?:\s|$))/)) return "keyword";
    if (stream.match(/^[^\s#"',{}[\]:]+/)) return null;
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["[", "{", '"'] } },
});

const colours = HighlightStyle.define([
  { tag: tags.comment, color: "var(--text-3)" },
  { tag: tags.string, color: "var(--allow)" },
  { tag: tags.meta, color: "var(--info)" },
  { tag: tags.keyword, color: "var(--budget)" },
]);

export const cedar = [language, syntaxHighlighting(colours)];
export const yaml = [cases, syntaxHighlighting(colours)];
