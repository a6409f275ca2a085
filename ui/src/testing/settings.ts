// Settings and the doctor's findings as a recorded engine has them.
import type { CheckDto } from "../engine/bindings/CheckDto";
import type { SettingsDto } from "../engine/bindings/SettingsDto";
import { settings as recorded } from "./recorded/state";

export function settings(large: boolean): SettingsDto {
  return {
    ...recorded,
    mode: "enforce",
    preset: "balanced",
    notifications: { waiting: true, budget: true, deniedHigh: true },
    secrets: "keychain",
    holdLlm: 120,
    holdHttp: 120,
    holdMcp: 600,
    holdLongest: 600,
    holdLongestMcp: 3_600,
    file: large ? `/home/dana/${"a-long-folder/".repeat(12)}config.toml` : "/home/dana/.config/reeve/config.toml",
    data: {
      ...recorded.data,
      database: "/home/dana/.local/share/reeve/reeve.db",
      bytes: large ? 4_210_000_000 : 61_300_000,
      records: large ? 9_048_210 : 48_210,
      since: "2026-09-02T08:11:00Z",
      keep: { days: 90, megabytes: large ? 5_000 : 0 },
      removedTo: large ? 2_140_000 : 0,
      removedAt: large ? "2026-11-19T02:00:00Z" : null,
      removing: large,
      problem: null,
    },
  };
}

export function checks(): CheckDto[] {
  return [
    { name: "engine", ok: true, evidence: "version 0.1.0", fix: null },
    { name: "proxy", ok: true, evidence: "listens on 127.0.0.1:7117", fix: null },
    { name: "keychain", ok: true, evidence: "keychain: written, read and removed a probe", fix: null },
    { name: "trust: node", ok: false, evidence: "self-signed certificate in certificate chain", fix: "see README, trust per runtime" },
    { name: "disk", ok: true, evidence: "182 GB free", fix: null },
    { name: "chain", ok: true, evidence: "48210 records verified", fix: null },
  ];
}
