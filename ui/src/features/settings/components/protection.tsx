// What Reeve does with a verdict, what it starts from, and pausing it.
import { useTranslation } from "react-i18next";
import { Button } from "../../../components/button";
import { Fact, Facts } from "../../../components/facts";
import { FormRow, FormSection, Radios } from "../../../components/form";
import { Untrusted } from "../../../components/untrusted";
import type { SettingsDto } from "../../../engine/bindings/SettingsDto";
import { countdown, minute } from "../../../lib/time";
import { Changes } from "./changes";
import { Presence } from "./presence";
import { useChange, useStatus, useStatusChange } from "../queries";

const MODES = ["enforce", "observe"] as const;
const PRESETS = ["balanced", "strict"] as const;
/** Minutes; none: until resumed. */
const PAUSES = [15, 60, null] as const;

export function Protection({ settings }: { settings: SettingsDto }) {
  const { t } = useTranslation();
  const change = useChange();
  return (
    <>
      <FormSection title={t("settings.protection.title")}>
        <Radios label={t("settings.protection.mode")} value={settings.mode} onChoose={(mode) => change({ mode })} options={MODES.map((value) => ({ value, label: t(`settings.modes.${value}`), more: t(`settings.modes.${value}More`) }))} />
        <Radios label={t("settings.protection.preset")} value={settings.preset} onChoose={(preset) => change({ preset })} options={PRESETS.map((value) => ({ value, label: t(`settings.presets.${value}`), more: t(`settings.presets.${value}More`) }))} />
        <Pause />
      </FormSection>
      <Presence />
      <FormSection title={t("settings.holds.title")}>
        <p className="mb-2 text-t2">{t("settings.holds.more")}</p>
        <Facts>
          <Fact label={t("settings.holds.llm")}>{countdown(settings.holdLlm * 1_000)}</Fact>
          <Fact label={t("settings.holds.http")}>{countdown(settings.holdHttp * 1_000)}</Fact>
          <Fact label={t("settings.holds.mcp")}>{countdown(settings.holdMcp * 1_000)}</Fact>
          <Fact label={t("settings.holds.longest")}>{countdown(settings.holdLongest * 1_000)}</Fact>
          <Fact label={t("settings.holds.longestMcp")}>{countdown(settings.holdLongestMcp * 1_000)}</Fact>
          <Fact label={t("settings.holds.where")}>
            <code className="mono text-caption">
              <Untrusted text={settings.file} />
            </code>
          </Fact>
        </Facts>
      </FormSection>
      <Changes />
    </>
  );
}

function Pause() {
  const { t } = useTranslation();
  const { data: status } = useStatus();
  const change = useStatusChange();
  const paused = status?.protection.state === "paused" ? status.protection : null;
  return (
    <FormRow label={t("settings.pause.title")}>
      {paused ? (
        <div className="flex flex-wrap items-center gap-3">
          <span className="text-ask">{paused.until === null ? t("strip.pausedOpen") : t("strip.paused", { time: minute(paused.until) })}</span>
          <Button onClick={() => change({ call: "status.resume" })}>{t("strip.resumeNow")}</Button>
        </div>
      ) : (
        <div className="flex flex-wrap gap-2">
          {PAUSES.map((minutes) => (
            <Button key={minutes} onClick={() => change({ call: "status.pause", input: { minutes, proof: null } })}>
              {minutes === null ? t("settings.pause.open") : t("settings.pause.for", { count: minutes })}
            </Button>
          ))}
        </div>
      )}
      <p className="mt-1 text-caption text-t2">{t("settings.pause.more")}</p>
    </FormRow>
  );
}
