//! The question put to a human, and its answer.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::budget::Cap;
use crate::id::{AgentId, ApprovalId, OperationId, SessionId};
use crate::money::NanoUsd;
use crate::operation::{Action, Digest};
use crate::verdict::{Reason, Risk};

/// Where a call to the API came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    MainWindow,
    Tray,
    Cli,
    /// The demo's stand-in for a human; only the demo profile accepts it.
    Demo,
    /// The engine itself, for example an expiry.
    Engine,
}

impl Surface {
    /// As records and queries name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MainWindow => "main_window",
            Self::Tray => "tray",
            Self::Cli => "cli",
            Self::Demo => "demo",
            Self::Engine => "engine",
        }
    }
}

/// How far an approval reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "scope")]
pub enum GrantScope {
    Once,
    Session,
    Until {
        at: DateTime<Utc>,
    },
    /// Writes a standing approval; its exact text was shown before.
    Always,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "resolution")]
pub enum Resolution {
    Approved {
        #[serde(flatten)]
        scope: GrantScope,
    },
    Refused {
        /// What the human wants the agent to hear.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Expired,
    /// The session ended before an answer came.
    Withdrawn,
}

/// Who answered, how and how long they looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    #[serde(flatten)]
    pub resolution: Resolution,
    pub by: String,
    pub surface: Surface,
    pub at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading_ms: Option<u64>,
}

/// A held operation as shown to people. Immutable but for its deadline and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub id: ApprovalId,
    /// The first operation that asked; identical ones join it.
    pub operation: OperationId,
    pub agent: AgentId,
    pub session: SessionId,
    pub user: String,
    pub cwd: String,
    pub action: Action,
    pub summary: String,
    /// What the client asked, before Reeve's rewrites: what a repeated request is found by.
    pub question: Digest,
    /// What will be executed, after Reeve's rewrites: what the approval is bound to.
    pub fingerprint: Digest,
    /// Output limit that `fingerprint` was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_limit: Option<u64>,
    pub reasons: Vec<Reason>,
    pub risk: Risk,
    pub risk_reasons: Vec<String>,
    /// Decoded view made by Reeve from the very bytes that will be sent: request line and body, or model, messages and
    /// tools. Foreign text: shown through `Untrusted` only.
    pub view: serde_json::Value,
    /// Worst-case price of the call, where it is one that costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<NanoUsd>,
    /// Why it is not affordable any more, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unaffordable: Option<String>,
    /// The caps that a yes passes, once: those that `unaffordable` names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Cap>,
    pub asked_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Requests that wait on this answer or have waited.
    pub joined: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolved>,
    /// When the approval was used; an unused one stays valid once, for 10 minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<DateTime<Utc>>,
}
