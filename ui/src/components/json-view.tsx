// Structured arguments as a tree: our indentation, their keys and values. What nests can be folded away and copied by itself.
import { ChevronDown, ChevronRight } from "lucide-react";
import { memo, useState } from "react";
import { useTranslation } from "react-i18next";
import { CopyMark } from "./inset";
import { Untrusted, UntrustedBlock } from "./untrusted";

/** Deeper than this is drawn as text, so that a nest of ten thousand brackets stays a line. */
const DEEPEST = 12;

export const JsonView = memo(function JsonView({ value }: { value: unknown }) {
  return <Node value={value} depth={0} />;
});

function Node({ value, depth }: { value: unknown; depth: number }) {
  if (typeof value !== "object" || value === null || depth >= DEEPEST) return <Leaf value={value} />;
  const entries = Array.isArray(value) ? value.map((one, at): [string, unknown] => [String(at), one]) : Object.entries(value);
  if (entries.length === 0) return <span className="text-t3">{Array.isArray(value) ? "[]" : "{}"}</span>;
  return (
    <dl className={depth === 0 ? "" : "border-s border-line-control/40 ps-3"}>
      {entries.map(([key, one]) => (
        <Entry key={key} name={key} value={one} depth={depth} />
      ))}
    </dl>
  );
}

function Entry({ name, value, depth }: { name: string; value: unknown; depth: number }) {
  if (typeof value === "object" && value !== null && depth + 1 < DEEPEST && Object.keys(value).length > 0) return <Branch name={name} value={value} depth={depth} />;
  return (
    <div className="grid grid-cols-[minmax(64px,max-content)_minmax(0,1fr)] gap-x-3">
      <dt className="text-t3">
        <Untrusted text={name} max={40} />
      </dt>
      <dd className="min-w-0">
        <Leaf value={value} />
      </dd>
    </div>
  );
}

/** Open at first: what is not seen has to be closed by the person. */
function Branch({ name, value, depth }: { name: string; value: object; depth: number }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(true);
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <div className="group/branch">
      <dt className="flex min-h-6 items-center text-t3">
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="-ms-3 inline-flex min-h-6 min-w-0 items-center pe-1 text-start -outline-offset-2 hover:text-t1">
          <Icon size={12} strokeWidth={1.5} aria-hidden className="flex-none" />
          <Untrusted text={name} max={40} />
          <span className="ps-2 whitespace-nowrap">{t(Array.isArray(value) ? "json.items" : "json.fields", { count: Object.keys(value).length })}</span>
        </button>
        <CopyMark text={() => JSON.stringify(value, null, 2)} label={t("json.copy")} />
      </dt>
      {open ? (
        <dd>
          <Node value={value} depth={depth + 1} />
        </dd>
      ) : null}
    </div>
  );
}

function Leaf({ value }: { value: unknown }) {
  if (typeof value === "string") return <UntrustedBlock text={value} />;
  return <UntrustedBlock text={JSON.stringify(value) ?? "null"} />;
}
