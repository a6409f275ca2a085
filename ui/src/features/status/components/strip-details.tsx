// What stands behind the strip's word: the cause, what it means, and the one thing that mends it.
import { Popover } from "@base-ui/react/popover";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Glyph, type Shape } from "../../../components/glyph";
import { Prose } from "../../../components/prose";

type StripDetailsProps = {
  shape: Shape;
  colour: string;
  word: string;
  /** The engine's own sentence about it. */
  cause: string | null;
  meaning: string;
  /** The one thing to do about it. */
  action: ReactNode;
};

export function StripDetails({ shape, colour, word, cause, meaning, action }: StripDetailsProps) {
  const { t } = useTranslation();
  return (
    <Popover.Root>
      <Popover.Trigger className={`chrome -mx-1 inline-flex flex-none items-center gap-1.5 rounded-badge px-1 font-semibold hover:bg-hover ${colour}`}>
        <Glyph shape={shape} />
        {word}
        <span className="sr-only">{t("strip.details")}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner side="top" align="start" sideOffset={8} className="z-20">
          <Popover.Popup className="w-90 max-w-[calc(100vw-32px)] rounded-card border border-line bg-surface p-4 shadow-overlay">
            <Popover.Title className={`flex items-center gap-1.5 font-semibold ${colour}`}>
              <Glyph shape={shape} />
              {word}
            </Popover.Title>
            {cause === null ? null : (
              <p className="mt-1.5 wrap-anywhere">
                <Prose text={cause} />
              </p>
            )}
            <Popover.Description className="mt-1.5 text-t2">{meaning}</Popover.Description>
            {action === null ? null : <div className="mt-3 flex">{action}</div>}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
