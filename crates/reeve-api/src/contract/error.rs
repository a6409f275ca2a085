//! What a shell hears when a call did not work.

use serde::{Deserialize, Serialize};

/// What a shell branches on; everything else is words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum ApiCode {
    /// The engine does not answer.
    Unreachable,
    /// The call is not one of ours, or its input is not what the call takes.
    Invalid,
    /// This surface may not do that.
    NotPermitted,
    /// Nothing has this id.
    NotFound,
    /// The question has an answer already, or its session ended.
    AlreadyResolved,
    /// The card was not shown long enough, or its nonce was used.
    NotArmed,
    /// A human is to be proven first: the passphrase is missing or wrong.
    NeedsProof,
    /// The question is not the one that was shown.
    Changed,
    /// A rule was not written, because others would still decide.
    StillDecides,
    /// The engine could not do it.
    Failed,
}

/// What happened, for people, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct ApiError {
    pub code: ApiCode,
    /// What happened and what it means: lower case, no full stop.
    pub message: String,
    /// The next step, where there is one.
    #[serde(default)]
    pub hint: Option<String>,
}

impl ApiError {
    #[must_use]
    pub fn new(code: ApiCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
