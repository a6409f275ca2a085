//! How much of the record is kept, what goes under other wishes, and wiping it.

use chrono::{DateTime, Utc};
use reeve_engine::settings::Retention;
use serde::{Deserialize, Serialize};

use super::credentials::TypedSecret;

/// What a person types to wipe the record.
pub const WIPE_WORDS: &str = "wipe the record";

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetentionDto {
    /// Days; 0: for ever.
    pub days: u32,
    /// What the record may take on disk, in megabytes; 0: no limit.
    pub megabytes: u32,
}

impl RetentionDto {
    /// For sentences: `90 days`, `for ever`.
    #[must_use]
    pub fn words(self) -> String {
        Retention::from(self).words()
    }
}

impl From<Retention> for RetentionDto {
    fn from(from: Retention) -> Self {
        Self { days: from.days, megabytes: from.megabytes }
    }
}

impl From<RetentionDto> for Retention {
    fn from(from: RetentionDto) -> Self {
        Self { days: from.days, megabytes: from.megabytes }
    }
}

/// What would go by itself under other wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RemovableDto {
    pub records: u64,
    pub operations: u64,
    /// About so many.
    pub bytes: u64,
    /// When the last of them was made; none where nothing goes.
    pub until: Option<DateTime<Utc>>,
}

/// How much is to be kept from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetRetentionInput {
    pub keep: RetentionDto,
    /// The passphrase, where it is asked for because less is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub proof: Option<TypedSecret>,
}

/// Takes away everything that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WipeInput {
    /// The words that say it: `wipe the record`.
    pub confirm: String,
    /// The credentials and their secrets too.
    pub credentials: bool,
    /// The passphrase, where it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub proof: Option<TypedSecret>,
}
