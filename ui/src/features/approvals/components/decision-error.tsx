// An answer that was not taken: what happened, and that nothing was released.
import { CircleAlert } from "lucide-react";
import { Prose } from "../../../components/prose";
import type { EngineError } from "../../../engine/client";

export function DecisionError({ error }: { error: EngineError }) {
  return (
    <p role="alert" className="mb-2 flex items-start gap-2 rounded-control bg-deny-tint px-3 py-2">
      <CircleAlert size={14} strokeWidth={1.5} aria-hidden className="mt-0.75 flex-none text-deny" />
      <span className="min-w-0">
        <Prose text={error.message} />
        {error.hint === null ? null : (
          <span className="block text-t2">
            <Prose text={error.hint} />
          </span>
        )}
      </span>
    </p>
  );
}
