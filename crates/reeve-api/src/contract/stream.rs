//! What `subscribe` sends: changes in batches, so that a busy minute does not become a thousand messages.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::approvals::ApprovalDto;
use super::error::ApiError;
use super::notices::NoticeDto;
use super::operations::OperationRowDto;
use super::status::StatusDto;

/// New and changed things since the batch before; each id at most once, in its newest state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct StreamBatch {
    pub operations: Vec<OperationRowDto>,
    pub approvals: Vec<ApprovalDto>,
    /// What happened beside actions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<NoticeDto>>"))]
    pub notices: Vec<NoticeDto>,
    pub status: Option<StatusDto>,
    /// Sessions that ended.
    pub ended_sessions: Vec<String>,
    /// Nouns whose calls answer otherwise now and of which no other field tells: `servers`, `credentials`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<String>>"))]
    pub changed: BTreeSet<String>,
    /// Something was missed: read everything again.
    pub lagged: bool,
}

impl StreamBatch {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
            && self.approvals.is_empty()
            && self.notices.is_empty()
            && self.ended_sessions.is_empty()
            && self.changed.is_empty()
            && self.status.is_none()
            && !self.lagged
    }
}

/// What the window hears on its one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum StreamMessage {
    /// The engine answers; its batches follow, the first one `lagged`.
    Connected,
    Batch {
        batch: StreamBatch,
    },
    /// The engine does not answer; it is tried again.
    Lost {
        error: ApiError,
    },
}
