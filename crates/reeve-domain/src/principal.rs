//! Who acts: agent, session and the human it acts for.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, SessionId, TeamId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    pub agent: AgentId,
    pub session: SessionId,
    /// Login name of the human on this machine.
    pub user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
}
