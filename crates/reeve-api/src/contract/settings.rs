//! What a person sets once, where it rests, and how much the record holds.

use chrono::{DateTime, Utc};
use reeve_engine::settings::{Notifications, SecretsStore};
use serde::{Deserialize, Serialize};

use super::credentials::TypedSecret;
use super::retention::RetentionDto;
use super::status::{ModeDto, PresetDto};

/// Which notifications the desktop shows. That protection is lost is always told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct NotificationsDto {
    pub waiting: bool,
    pub budget: bool,
    /// A High or Critical action was denied.
    pub denied_high: bool,
}

impl From<Notifications> for NotificationsDto {
    fn from(from: Notifications) -> Self {
        Self { waiting: from.waiting, budget: from.budget, denied_high: from.denied_high }
    }
}

impl From<NotificationsDto> for Notifications {
    fn from(from: NotificationsDto) -> Self {
        Self { waiting: from.waiting, budget: from.budget, denied_high: from.denied_high }
    }
}

/// Where secrets rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum SecretsDto {
    Keychain,
    File,
    Memory,
}

impl From<SecretsStore> for SecretsDto {
    fn from(from: SecretsStore) -> Self {
        match from {
            SecretsStore::Keychain => Self::Keychain,
            SecretsStore::File => Self::File,
            SecretsStore::Memory => Self::Memory,
        }
    }
}

/// What the record holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct DataDto {
    /// The database file.
    pub database: String,
    /// On disk, with what is not yet merged into it.
    pub bytes: u64,
    pub records: u64,
    /// When the oldest record was made; none where there is none.
    pub since: Option<DateTime<Utc>>,
    /// What is older, or more, goes by itself.
    pub keep: RetentionDto,
    /// The last record that is gone; 0 where none is.
    pub removed_to: u64,
    /// When the last removal was recorded.
    pub removed_at: Option<DateTime<Utc>>,
    /// Whether something is being removed right now.
    pub removing: bool,
    /// Why something is still there that should have gone.
    pub problem: Option<String>,
}

/// The settings as they hold now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SettingsDto {
    /// What holds while nothing is paused.
    pub mode: ModeDto,
    pub preset: PresetDto,
    pub notifications: NotificationsDto,
    /// As `config.toml` had it when the engine started.
    pub secrets: SecretsDto,
    /// Seconds that a question waits: model calls, other HTTP and what is said in MCP, and the furthest that it can be put off.
    pub hold_llm: u64,
    pub hold_http: u64,
    pub hold_mcp: u64,
    pub hold_longest: u64,
    pub hold_longest_mcp: u64,
    /// The file that a change is written to.
    pub file: String,
    pub data: DataDto,
}

/// What is to be otherwise; none: as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SetSettingsInput {
    pub mode: Option<ModeDto>,
    pub preset: Option<PresetDto>,
    pub notifications: Option<NotificationsDto>,
    /// The passphrase, where it is asked for because this loosens protection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub proof: Option<TypedSecret>,
}
