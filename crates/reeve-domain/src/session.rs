//! One run of an agent: own token, own CA, own environment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, SessionId, TeamId};
use crate::settings::Mode;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub agent: AgentId,
    pub user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Working directory it was opened in.
    pub cwd: String,
    /// Program name and arguments as started, secrets never among them; empty for `reeve env`.
    pub command: Vec<String>,
    /// What a person chose for this session alone (`reeve run --mode`); none: the mode of everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    pub opened_at: DateTime<Utc>,
    /// Only sessions of `reeve env` expire by the clock, after at most 12 hours (C-03).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_because: Option<SessionEnd>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// The child exited, or the one who held the session open let go.
    Exited,
    /// A human stopped or revoked it.
    Stopped,
    Expired,
    /// The engine stopped; the session's CA was memory.
    EngineStopped,
}
