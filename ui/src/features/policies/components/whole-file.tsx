// A whole file of rules or cases: as it is, as an earlier version had it, or about to come to be.
import { useTranslation } from "react-i18next";
import { LayerBadge } from "../../../components/badge";
import { EngineFailure, Skeleton } from "../../../components/empty";
import { Untrusted } from "../../../components/untrusted";
import type { PolicyFileDto } from "../../../engine/bindings/PolicyFileDto";
import type { PolicyStateDto } from "../../../engine/bindings/PolicyStateDto";
import { exact } from "../../../lib/time";
import { fileAt, FIRST_CASE, FIRST_TOOLS, isCaseFile, isToolsFile, OWN_TOOLS, targetOfFile } from "../model";
import { useHistory } from "../queries";
import { Drafting } from "./drafting";

/** `address`: as `addressOf` says it. */
export function WholeFile({ address, version, files, state, onSaved }: { address: string; version: string | null; files: readonly PolicyFileDto[]; state: PolicyStateDto; onSaved: () => void }) {
  const history = useHistory();
  const { t } = useTranslation();
  if (version !== null && history.error) return <EngineFailure error={history.error} />;
  if (version !== null && !history.data) return <Skeleton rows={3} />;
  const shown = fileAt(address, files);
  const file = shown?.file ?? address;
  const earlier = history.data?.find((one) => one.id === version);
  const start = version === null ? undefined : earlier?.files.find((one) => one.file === file)?.before;
  const known = shown !== undefined;
  const first = isCaseFile(file) ? FIRST_CASE : file === OWN_TOOLS ? FIRST_TOOLS : undefined;
  const target = targetOfFile(address, files, start === undefined && !known ? first : start);
  const title = (
    <>
      <h2 className="mono min-w-0 truncate text-body font-semibold">
        <Untrusted text={file} max={70} />
      </h2>
      <LayerBadge layer={shown?.layer ?? "mine"} />
    </>
  );
  return (
    <Drafting
      target={target}
      state={state}
      title={title}
      mode="enforce"
      wide
      note={earlier ? t("policies.backTo", { time: exact(earlier.at) }) : null}
      onSaved={onSaved}
      aside={() => (
        <p className="text-t2">
          {target.part.kind === "gone" ? t("policies.fileGone") : earlier ? t("policies.fileFrom", { time: exact(earlier.at) }) : isCaseFile(file) ? t("policies.case.noneMore") : shown?.own === false ? t(shown.layer === "preset" ? "policies.readOnlyFilePreset" : "policies.readOnlyFile") : isToolsFile(file) ? t("policies.toolsMore") : known ? t("policies.wholeFile") : t("policies.noSuchFile")}
        </p>
      )}
    />
  );
}
