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

const TRUST = "/run/user/1000/reeve/trust/trust-ses_";

/** What a crash left behind: the steps of the only repair. */
export const LEFT_OVER = ["00000000000000000000000007", "00000000000000000000000008"].map((session) => `remove the trust file \`${TRUST}${session}.pem\` of a session that is over`);

const well = (name: string, evidence: string): CheckDto => ({ name, ok: true, evidence, fix: null });

/** As the engine finds it, and behind it the shell. */
export function checks(repaired: boolean): CheckDto[] {
  return [
    well("engine", "version 0.1.0"),
    well("proxy", "listens on 127.0.0.1:7117"),
    well("keychain", "keychain: written, read and removed a probe"),
    { name: "trust: node", ok: false, evidence: "self-signed certificate in certificate chain", fix: { kind: "advice", text: "see README, trust per runtime" } },
    well("profile", "its folders are there, and only you can look into them"),
    repaired
      ? well("left over", "nothing of engines and sessions that are gone")
      : { name: "left over", ok: false, evidence: `\`${TRUST}00000000000000000000000007.pem\` is of a session that is over; \`${TRUST}00000000000000000000000008.pem\` is of a session that is over`, fix: { kind: "repair", steps: LEFT_OVER } },
    well("disk", "182 GB free"),
    well("clock", "2026-11-20 13:03 UTC, not behind the record"),
    well("chain", "48210 records verified"),
    { name: "policy", ok: false, evidence: "`mine.cedar` was edited outside of Reeve and lets more pass: it is not in force", fix: { kind: "command", line: "reeve policy acknowledge --mine" } },
    well("tool: Codex", "nothing of Reeve in `/home/dana/.codex/config.toml`"),
    well("tray", "Reeve's icon is in it"),
    well("notifications", "the desktop shows them"),
    well("web view", "WebKitGTK 2.50.1"),
  ];
}
