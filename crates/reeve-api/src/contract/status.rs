//! The one truth about protection that the strip, the tray and `reeve status` show.

use chrono::{DateTime, Utc};
use reeve_domain::settings::{Mode, Preset, Protection};
use serde::{Deserialize, Serialize};

use super::credentials::TypedSecret;

/// State of protection, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum ProtectionDto {
    Stopped,
    Degraded { cause: String },
    Paused { until: Option<DateTime<Utc>> },
    Observing,
    Protected,
}

impl From<&Protection> for ProtectionDto {
    fn from(protection: &Protection) -> Self {
        match protection {
            Protection::Stopped => Self::Stopped,
            Protection::Degraded { cause } => Self::Degraded { cause: cause.clone() },
            Protection::Paused { until } => Self::Paused { until: *until },
            Protection::Observing => Self::Observing,
            Protection::Protected => Self::Protected,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum ModeDto {
    Observe,
    Enforce,
}

impl From<ModeDto> for Mode {
    fn from(mode: ModeDto) -> Self {
        match mode {
            ModeDto::Observe => Self::Observe,
            ModeDto::Enforce => Self::Enforce,
        }
    }
}

impl From<Mode> for ModeDto {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Observe => Self::Observe,
            Mode::Enforce => Self::Enforce,
        }
    }
}

/// What decides where no rule says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum PresetDto {
    Balanced,
    Strict,
}

impl From<PresetDto> for Preset {
    fn from(preset: PresetDto) -> Self {
        match preset {
            PresetDto::Balanced => Self::Balanced,
            PresetDto::Strict => Self::Strict,
        }
    }
}

impl From<Preset> for PresetDto {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Balanced => Self::Balanced,
            Preset::Strict => Self::Strict,
        }
    }
}

/// The head of the audit chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ChainDto {
    /// Number of the newest record; 0 when nothing was recorded yet.
    pub head: u64,
    pub ok: bool,
    /// The first record that is missing, changed or reordered.
    pub broken_at: Option<u64>,
    /// In words, when it is not ok.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct StatusDto {
    pub protection: ProtectionDto,
    pub mode: ModeDto,
    pub preset: PresetDto,
    pub engine_version: String,
    /// `127.0.0.1:port` of the proxy; none while it does not run.
    pub proxy_address: Option<String>,
    /// Agents with at least one live session.
    pub agents_running: u32,
    pub sessions_running: u32,
    /// Questions that wait for a person.
    pub held: u32,
    /// MCP servers and tools that are held until a person looked at what is new or changed in them.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<u32>"))]
    pub to_review: u32,
    /// Credentials that a host refuses again and again, each counted once for each host.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<u32>"))]
    pub refused_credentials: u32,
    /// The person's rules or limits were loosened outside Reeve, which waits for their word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub policy_waits: bool,
    /// nano-USD settled since local midnight.
    pub cost_today: i64,
    /// The tightest money budget per day over all agents (nano-USD), where one is set.
    pub limit_today: Option<i64>,
    pub chain: ChainDto,
    /// The words of the mark that only genuine Reeve windows show; none for agents and in the terminal.
    pub mark: Option<String>,
    /// 0 to 5: the colour of the mark's stripe; 0 where there are no words.
    pub mark_stripe: u8,
    /// A throw-away profile of the demo.
    pub demo: bool,
    /// What *Stop all* did, while it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub stop: Option<StopDto>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What *Stop all* did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct StopDto {
    pub at: DateTime<Utc>,
    /// Sessions that it ended.
    pub sessions: u32,
}

/// For how long to pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PauseInput {
    /// Minutes; none: until resumed.
    pub minutes: Option<u32>,
    /// The passphrase, for longer than an hour.
    #[serde(default)]
    pub proof: Option<TypedSecret>,
}

/// One check of the doctor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CheckDto {
    pub name: String,
    pub ok: bool,
    /// What was found.
    pub evidence: String,
    /// What mends it, where something does.
    pub fix: Option<FixDto>,
}

/// What mends a failed check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum FixDto {
    /// Reeve does it when a person says so.
    Repair {
        /// Each in words, and exactly what `status.repair` takes.
        steps: Vec<String>,
    },
    /// A person types it in a terminal.
    Command { line: String },
    /// A person does it elsewhere.
    Advice { text: String },
}

impl FixDto {
    #[must_use]
    pub fn command(line: impl Into<String>) -> Self {
        Self::Command { line: line.into() }
    }

    #[must_use]
    pub fn advice(text: impl Into<String>) -> Self {
        Self::Advice { text: text.into() }
    }
}

/// What a person has seen and agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RepairInput {
    /// Steps of a `FixDto`. Those that are needed no longer are left out, and no other is taken.
    pub steps: Vec<String>,
}

/// What `audit.verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct VerificationDto {
    pub ok: bool,
    pub events: u64,
    /// The last record that a seal vouches for.
    pub sealed_to: u64,
    /// Everything up to this record is gone, and a signed removal says so; 0 where nothing is.
    #[serde(default)]
    pub removed_to: u64,
    /// Records of an export from which something was taken out: only its manifest vouches for what they hold.
    #[serde(default)]
    pub redacted: u64,
    /// Whether signatures were checked against this profile's own key.
    pub key_trusted: bool,
    /// What the keychain's copy of the head says; none where there is no engine to ask it.
    #[serde(default)]
    pub keychain: Option<String>,
    /// The first record that is missing, changed or reordered.
    pub broken_at: Option<u64>,
    pub problem: Option<String>,
}
