// The exact thing that will happen, complete: what the human decides on is what the engine holds.
import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Inset } from "../../../components/inset";
import { JsonView } from "../../../components/json-view";
import { UntrustedBlock } from "../../../components/untrusted";
import type { ApprovalDto } from "../../../engine/bindings/ApprovalDto";
import { toolOf } from "../../../lib/action";
import { bytes } from "../../../lib/money";
import { bodyBytes, exact, exactText, field, text } from "../model";

const LINE = 20;

export type Seen = { whole: boolean; seen: number; total: number };

/** How much of a scroll area has been in view, in lines. */
export function useSeen(stamp: string): { area: RefObject<HTMLDivElement | null>; seen: Seen; look: () => void } {
  const area = useRef<HTMLDivElement>(null);
  const deepest = useRef(0);
  const [seen, setSeen] = useState<Seen>({ whole: false, seen: 0, total: 0 });
  const look = useCallback(() => {
    const box = area.current;
    if (!box) return;
    deepest.current = Math.max(deepest.current, box.scrollTop + box.clientHeight);
    // What is folded away is not in view.
    const whole = deepest.current >= box.scrollHeight - 2 && box.querySelector('[aria-expanded="false"]') === null;
    const total = Math.max(1, Math.ceil(box.scrollHeight / LINE));
    setSeen({ whole, seen: whole ? total : Math.min(total - 1, Math.floor(deepest.current / LINE)), total });
  }, []);
  useLayoutEffect(() => {
    deepest.current = 0;
    look();
    const box = area.current;
    if (!box) return;
    const watch = new ResizeObserver(look);
    watch.observe(box);
    for (const child of box.children) watch.observe(child);
    return () => watch.disconnect();
  }, [stamp, look]);
  return { area, seen, look };
}

const CAPTIONS = ["shell", "http", "llm", "mcp", "file"] as const;

export function ExactText({ question, area, look }: { question: ApprovalDto; area: RefObject<HTMLDivElement | null>; look: () => void }) {
  const { t } = useTranslation();
  const kind = CAPTIONS.find((one) => one === question.kind) ?? "http";
  const whole = exactText(question);
  const tool = kind === "mcp" ? toolOf(question.view) : null;
  const size = bytes(tool?.bytes ?? new TextEncoder().encode(whole).length);
  const named = field(question.view, "arguments");
  const given = tool === null || typeof named !== "object" || named === null ? null : Object.keys(named).length;
  const structured = kind === "http" && exact(question).tree !== undefined ? bodyBytes(question) : null;
  // A tree is drawn without its brackets: it has a size, and no lines to count.
  const length = given !== null ? t("card.arguments", { count: given, size }) : structured !== null ? t("card.leavesBody", { size: bytes(structured) }) : t("card.lines", { count: whole.split("\n").length, size });
  if (kind === "llm") {
    return (
      <Inset caption={t("card.exact.llm")} copy={whole} scroll={area} onScroll={look}>
        <ModelCall question={question} />
      </Inset>
    );
  }
  return (
    <Inset caption={t(`card.exact.${kind}`)} length={length} copy={whole} scroll={area} onScroll={look}>
      <ExactLines question={question} />
    </Inset>
  );
}

/** The same without its frame: our lines as lines, everything foreign inside them as text. */
export function ExactLines({ question }: { question: ApprovalDto }) {
  const { head, body, tree } = exact(question);
  return (
    <>
      {head.map((line, at) => (
        <div key={at} className={at === 0 && question.kind === "mcp" ? "mb-0.5 font-semibold" : ""}>
          <UntrustedBlock text={line} />
        </div>
      ))}
      {body === null ? null : <UntrustedBlock text={body} />}
      {tree === undefined ? null : <JsonView value={tree} />}
    </>
  );
}

function ModelCall({ question }: { question: ApprovalDto }) {
  const { t } = useTranslation();
  const tools = field(question.view, "tools");
  const messages = field(field(question.view, "body"), "messages") ?? field(field(question.view, "body"), "input") ?? field(field(question.view, "body"), "contents");
  const rows: [string, string][] = [
    [t("card.model"), text(question.view, "model") ?? question.summary],
    ...(typeof question.facts?.inputTokens === "number" ? [[t("card.maxIn"), t("card.tokens", { count: question.facts.inputTokens, amount: question.facts.inputTokens.toLocaleString("en-US") })] satisfies [string, string]] : []),
    [t("card.maxOut"), question.outputLimit === null ? t("card.noCeiling") : t("card.tokens", { count: question.outputLimit, amount: question.outputLimit.toLocaleString("en-US") })],
    ...(Array.isArray(messages) ? [[t("card.messages"), String(messages.length)] satisfies [string, string]] : []),
    ...(Array.isArray(tools) && tools.length > 0 ? [[t("card.tools"), tools.map(String).join(", ")] satisfies [string, string]] : []),
  ];
  return (
    <dl className="grid grid-cols-[84px_minmax(0,1fr)] gap-x-3">
      {rows.map(([label, value]) => (
        <div key={label} className="contents">
          <dt className="text-t3">{label}</dt>
          <dd className="min-w-0">
            <UntrustedBlock text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
