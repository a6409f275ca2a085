// What happened beside actions, as a line between their rows: a breaker, a refused credential, a loop, a server to review.
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { Glyph } from "../../../components/glyph";
import { Prose } from "../../../components/prose";
import { Untrusted } from "../../../components/untrusted";
import type { NoticeDto } from "../../../engine/bindings/NoticeDto";
import { TONE_COLOURS } from "../model";
import { type RowPlace, rowGrid, When } from "./row";

export const NoticeRow = memo(function NoticeRow({ notice, index, selected, looks, top, onOpen }: RowPlace & { notice: NoticeDto }) {
  const { t } = useTranslation();
  const id = String(notice.record);
  const [first] = notice.more;
  const words = (
    <span className={`truncate ${notice.tone === "plain" ? "text-t2" : ""}`}>
      <Prose text={notice.summary} />
    </span>
  );
  const mark = (
    <span role="gridcell" className={TONE_COLOURS[notice.tone]}>
      <Glyph shape="medium" size={12} />
      <span className="sr-only">{t(`notice.tone.${notice.tone}`)}</span>
    </span>
  );
  const kind = (
    <span className="w-7 flex-none text-badge font-medium text-t3" data-key="kind" data-value="event">
      {t("notice.kind")}
    </span>
  );
  const whose = notice.agentName === null ? t("notice.own") : <Untrusted text={notice.agentName} max={24} />;
  return (
    // Keys are the grid's, as they are for actions.
    <div role="row" id={`row-${id}`} aria-rowindex={index + 1} aria-selected={selected} onClick={() => onOpen(id)} style={{ transform: `translateY(${top}px)` }} className={rowGrid(looks, selected)}>
      <When at={notice.at} today={looks.today} />
      {mark}
      {looks.oneLine ? (
        <>
          <span role="gridcell" />
          <span role="gridcell">{kind}</span>
          <span role="gridcell" className={`flex min-w-0 text-caption ${looks.roomy ? "col-span-4" : "col-span-3"}`}>
            {words}
          </span>
        </>
      ) : (
        <>
          <span role="gridcell" className="col-span-2 flex h-5 min-w-0 items-center gap-2 text-caption">
            {kind}
            {words}
          </span>
          <span role="gridcell" className="col-span-2 col-start-3 row-start-2 flex h-4 min-w-0 items-center gap-1.5 overflow-hidden text-caption whitespace-nowrap text-t3">
            <span className="ms-9 w-19.5 flex-none truncate text-t2">{whose}</span>
            {first === undefined ? null : (
              <span className="min-w-0 truncate">
                <Prose text={first} />
              </span>
            )}
          </span>
        </>
      )}
    </div>
  );
});
