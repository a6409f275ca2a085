// The source of rules: numbered, coloured, with what is wrong underlined and what can stand there offered. It lives in a
// shadow root, because only there may an editor bring its own styles under the window's content policy.
import { autocompletion, type CompletionContext, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, indentUnit } from "@codemirror/language";
import { type Diagnostic, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Text } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { CompletionsDto } from "../engine/bindings/CompletionsDto";
import type { ProblemDto } from "../engine/bindings/ProblemDto";
import { plain } from "../lib/text";
import { cedar, yaml } from "./cedar-mode";

export type SourceEditorProps = {
  language: keyof typeof LANGUAGES;
  text: string;
  onText: (text: string) => void;
  readOnly: boolean;
  label: string;
  problems: readonly ProblemDto[];
  /** Number of the first line in its file. */
  firstLine: number;
  /** Null: nothing is known of what can stand in it. */
  complete: ((text: string, offset: number) => Promise<CompletionsDto>) | null;
  onSave: () => void;
};

const LANGUAGES = { cedar, yaml };

const THEME = EditorView.theme({
  "&": { color: "var(--text-1)", backgroundColor: "var(--inset)", fontSize: "12px", borderRadius: "6px", border: "1px solid var(--border)", maxHeight: "inherit" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace', fontVariantLigatures: "none", lineHeight: "18px", overflow: "auto" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--text-1)" },
  ".cm-line": { padding: "0 12px 0 8px" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--text-3)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 4px 0 12px", minWidth: "32px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--fill)", color: "inherit", outline: "1px solid var(--border-control)" },
  ".cm-specialChar": { color: "var(--ask)", backgroundColor: "var(--ask-tint)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--deny)", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--ask)", textUnderlineOffset: "3px" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text-1)", border: "1px solid var(--border)", borderRadius: "6px", boxShadow: "0 12px 32px -4px var(--shadow-far)", fontFamily: '"Inter Variable", system-ui, sans-serif' },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace', maxHeight: "200px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 8px", lineHeight: "20px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--selected)", color: "var(--text-1)" },
  ".cm-completionDetail": { color: "var(--text-3)", fontStyle: "normal", fontFamily: '"Inter Variable", system-ui, sans-serif', marginLeft: "12px" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
  ".cm-diagnostic": { borderLeft: "3px solid var(--deny)", padding: "4px 8px", maxWidth: "440px" },
});

export function SourceEditor({ language, text, onText, readOnly, label, problems, firstLine, complete, onSave }: SourceEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const completes = complete !== null;
  const latest = useRef({ text, onText, complete, onSave, problems });
  useEffect(() => {
    latest.current = { text, onText, complete, onSave, problems };
  });
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const editor = new EditorView({ root, parent: root, state: EditorState.create({ doc: latest.current.text, extensions: extensions(latest, { language, readOnly, label, firstLine, completes }) }) });
    view.current = editor;
    mark(editor, latest.current.problems);
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, [language, readOnly, label, firstLine, completes]);
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    // Only what came from elsewhere: formatting, another mode, discarding.
    if (editor.state.doc.toString() !== text) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);
  useEffect(() => {
    if (view.current) mark(view.current, problems);
  }, [problems]);
  // Keys that are typed here mean nothing to the window around it.
  return <div ref={host} dir="ltr" className="max-h-inherit" onKeyDown={(event) => (event.ctrlKey || event.metaKey || event.key === "Tab" ? undefined : event.stopPropagation())} />;
}

type Latest = { current: Pick<SourceEditorProps, "onText" | "complete" | "onSave"> };

function extensions(latest: Latest, { language, readOnly, label, firstLine, completes }: Pick<SourceEditorProps, "language" | "readOnly" | "label" | "firstLine"> & { completes: boolean }) {
  return [
    THEME,
    LANGUAGES[language],
    lineNumbers({ formatNumber: (line) => String(line + firstLine - 1) }),
    highlightSpecialChars({ render: token, addSpecialChars: /[\p{Cf}\p{Co}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f]|(?! )\p{Zs}/gu }),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", ...(readOnly ? { "aria-readonly": "true" } : {}) }),
    EditorState.readOnly.of(readOnly),
    indentUnit.of("  "),
    ...(readOnly
      ? []
      : [
          history(),
          closeBrackets(),
          bracketMatching(),
          ...(completes ? [autocompletion({ override: [(context) => offered(latest, context)], icons: false, activateOnTyping: true })] : []),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onText(update.state.doc.toString());
          }),
        ]),
    keymap.of([
      {
        key: "Mod-s",
        run: () => {
          latest.current.onSave();
          return true;
        },
      },
      ...completionKeymap,
      ...historyKeymap,
      ...defaultKeymap,
    ]),
  ];
}

async function offered(latest: Latest, context: CompletionContext) {
  // While typing a word or right behind what opens a place; elsewhere only when asked for.
  const behind = context.matchBefore(/[\w"@./]$/);
  if (!context.explicit && !behind) return null;
  const found = await latest.current.complete?.(context.state.doc.toString(), context.pos).catch(() => null);
  if (!found || found.items.length === 0) return null;
  const word = /^[\w.:*/-]*$/;
  return { from: found.from, options: found.items.map((item) => ({ label: item.text, detail: item.detail.slice(0, 80) })), validFor: word };
}

function mark(editor: EditorView, problems: readonly ProblemDto[]): void {
  const diagnostics = problems.filter((one) => one.here && one.line > 0 && one.line <= editor.state.doc.lines).map((one) => diagnostic(editor.state.doc, one));
  editor.dispatch(setDiagnostics(editor.state, diagnostics));
}

/** What hides or moves text is drawn as it is everywhere else. */
function token(code: number, description: string | null): HTMLElement {
  const drawn = document.createElement("span");
  drawn.className = "cm-specialChar";
  drawn.textContent = plain(String.fromCodePoint(code));
  drawn.title = description ?? "";
  return drawn;
}

/** The engine counts characters; the editor counts UTF-16 units. */
function diagnostic(doc: Text, problem: ProblemDto): Diagnostic {
  const line = doc.line(problem.line);
  const characters = [...line.text];
  const before = characters.slice(0, Math.max(0, problem.column - 1)).join("").length;
  const rest = line.text.slice(before);
  const length = problem.length > 0 ? [...doc.sliceString(line.from + before)].slice(0, problem.length).join("").length : (/^(?:\w+|\W)/.exec(rest)?.[0].length ?? 0);
  const from = line.from + before;
  return { from, to: Math.min(doc.length, from + Math.max(length, rest === "" ? 0 : 1)), severity: "error", message: problem.message };
}
