//! One record of the chain by its number, whatever became of it.

use serde::{Deserialize, Serialize};

use super::notices::NoticeDto;
use super::operations::{EventDto, SealDto};

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RecordInput {
    /// Its number in the chain.
    pub record: u64,
}

/// A record as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RecordDto {
    pub record: u64,
    /// None where it is missing or its text cannot be read as an event.
    pub event: Option<EventDto>,
    /// Its text, where it is there and cannot be read. Foreign text.
    pub text: Option<String>,
    /// The operation it belongs to, where that is known.
    pub operation: Option<String>,
    /// What it tells of, where that is no part of an action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub notice: Option<NoticeDto>,
    /// The first seal that vouches for it.
    pub seal: Option<SealDto>,
    /// Why it proves nothing, in words; none: its hash holds and it follows the record before.
    pub problem: Option<String>,
}
