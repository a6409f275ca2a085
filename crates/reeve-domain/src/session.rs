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
    /// The server of a `reeve mcp` that was started outside of any session: that alone is governed, and not the agent above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wraps: Option<String>,
    /// The process that opened it, where the system told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opener: Option<Opener>,
    pub opened_at: DateTime<Utc>,
    /// Only sessions of `reeve env` expire by the clock, after at most 12 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_because: Option<SessionEnd>,
}

/// Who opened a session, as the system told at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opener {
    /// Number of the user.
    pub uid: u32,
    pub process: ProcessMark,
    /// What started that process: the shell of a `reeve env`, which is gone itself by the time its environment is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ProcessMark>,
}

/// A process, so that it can be told from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMark {
    pub pid: u32,
    /// When it began, in clock ticks since the machine did.
    pub started: u64,
    /// Its program, where that may be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exe: Option<String>,
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
