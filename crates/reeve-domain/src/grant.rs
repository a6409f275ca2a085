//! A remembered answer, with scope and expiry.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, ApprovalId, GrantId, RuleId, SessionId};

/// Lifts named ask rules for one agent. A grant for `Session` or `Until` lives in the store; one for `Always` is a standing
/// approval in policy text and is read from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: GrantId,
    pub agent: AgentId,
    /// Only this session, where set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The ask rules it lifts.
    pub lifts: Vec<RuleId>,
    /// The Cedar text of the standing approval: `permit` with `@id`, `@lifts`, and `@expires` where it has an end.
    pub text: String,
    pub approval: ApprovalId,
    pub given_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}
