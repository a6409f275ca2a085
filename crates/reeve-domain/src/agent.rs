//! A registered AI tool or managed agent, with its own identity.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, TeamId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    /// What people call it, for example `Claude Code`.
    pub name: String,
    /// Key in the catalog of known tools (`claude-code`, `codex`, `gemini-cli`, `opencode`, …); `None` for anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    pub registered_at: DateTime<Utc>,
    /// Since when a person has paused it; its operations are denied until it is resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<DateTime<Utc>>,
    /// A removed agent keeps its row, so that the timeline can still name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<DateTime<Utc>>,
}
