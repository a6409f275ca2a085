//! The memory of one call that is to have its effect once: who makes it, and what it came to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::OperationId;

/// Where the call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotState {
    /// Somebody makes it, until the lease is over.
    Reserved,
    /// It was made; the result is kept.
    Done,
    /// Nothing of it took effect: the next one makes it.
    FailedRetryable,
    /// It failed, and making it again gives the same.
    FailedFinal,
    /// It was sent, and nobody knows whether it took effect.
    Unknown,
}

/// What is remembered of a call, under the hash that makes two calls the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub state: SlotState,
    /// Which operation makes it or made it.
    pub operation: OperationId,
    pub at: DateTime<Utc>,
    /// While it is reserved: from then on nobody knows.
    pub lease_until: DateTime<Utc>,
    /// Forgotten after this.
    pub keep_until: DateTime<Utc>,
    /// The tool's result as JSON, without what is not to be kept; `None`: there is none, or it was too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// How a call ended that held a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotEnd {
    pub state: SlotState,
    pub result: Option<String>,
}

/// What a call finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It holds the slot and is to be made.
    Fresh,
    /// Made by somebody else right now, or known, or unknown.
    Taken(Slot),
}
