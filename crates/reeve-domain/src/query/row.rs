//! One operation as the timeline knows it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Query;
use super::key::{Key, RISKS};
use super::matching::{Searched, matches};
use crate::approval::{GrantScope, Surface};
use crate::health::Looped;
use crate::id::{AgentId, ApprovalId, BudgetId, CredentialId, OperationId, SessionId, TeamId};
use crate::money::NanoUsd;
use crate::operation::{Digest, Purpose};
use crate::outcome::ToolEnd;
use crate::settings::Mode;
use crate::verdict::{Decision, Denial, DenialKind, Risk, Verdict};

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    Allowed,
    Held,
    Denied,
    Approved,
    Refused,
    Expired,
    /// The session ended before an answer came.
    Withdrawn,
    /// Observe: it passed, and a rule or a budget would have denied it.
    WouldDeny,
    /// Observe: it passed, and would have been held.
    WouldHold,
}

impl Decided {
    pub const ALL: [Self; 9] = [
        Self::Allowed,
        Self::Held,
        Self::Denied,
        Self::Approved,
        Self::Refused,
        Self::Expired,
        Self::Withdrawn,
        Self::WouldDeny,
        Self::WouldHold,
    ];

    /// As the query grammar writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Held => "held",
            Self::Denied => "denied",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::WouldDeny => "would_deny",
            Self::WouldHold => "would_hold",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decided| decided.as_str() == text)
    }

    /// Of an operation that passed.
    #[must_use]
    pub fn admitted(approved: bool, would: Option<&Denial>, verdict: &Verdict) -> Self {
        match (would, verdict.decision()) {
            (Some(_), Decision::Ask) => Self::WouldHold,
            (Some(_), _) => Self::WouldDeny,
            (None, _) if approved => Self::Approved,
            (None, _) => Self::Allowed,
        }
    }

    /// Of an operation that was turned away.
    #[must_use]
    pub fn denied(kind: DenialKind) -> Self {
        match kind {
            DenialKind::Refused => Self::Refused,
            DenialKind::Expired => Self::Expired,
            _ => Self::Denied,
        }
    }

    /// Whether something went (or may go) upstream.
    #[must_use]
    pub fn passed(self) -> bool {
        matches!(self, Self::Allowed | Self::Approved | Self::WouldDeny | Self::WouldHold)
    }
}

/// One operation: the projection of its events that lists, facets and CSV read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationRow {
    /// Rises with time; newest first is highest first.
    pub id: u64,
    pub operation: OperationId,
    /// Number and hash of its first record.
    pub record: u64,
    pub hash: Digest,
    /// When it was first recorded.
    pub at: DateTime<Utc>,
    pub agent: AgentId,
    pub session: SessionId,
    pub user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Working directory of its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OperationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// `llm`, `http`, `mcp`, `shell` or `file`.
    pub kind: String,
    pub summary: String,
    /// Host, port, method and path of what is a request of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The server of a tool call; its tool is in `tools`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Of a tool call: the definition it was made by, and how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<ToolEnd>,
    /// The farthest that it brought a loop of its agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looped: Option<Looped>,
    /// The programs of a command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
    /// Status that a command ended with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    pub decision: Decided,
    /// Rules, or Reeve's own checks, that determined it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Rules that only observe and would have had a say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observing: Vec<String>,
    /// Unknown when it was refused before it was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// Who answered, from where, and how far the answer reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<GrantScope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<NanoUsd>,
    /// Settled; `None` while open, and where nothing costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<NanoUsd>,
    /// At list price; equals `cost` when metered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worth: Option<NanoUsd>,
    /// The provider gave no final count.
    pub estimated: bool,
    /// All prompt tokens, cached or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_in: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_out: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_cached: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetId>,
    /// Status of the upstream's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it ended badly, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Address that was connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Milliseconds from admission to the end, and to the first byte of the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_ms: Option<u64>,
    pub request_bytes: u64,
    pub response_bytes: u64,
    /// Credentials that the request names or that were injected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<CredentialId>,
    /// Tools the model asked its agent for, or the tool that is called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Why a tool is called: by the agent, or by Reeve for a call of the agent's, its `parent`.
    #[serde(default, skip_serializing_if = "Purpose::is_call")]
    pub purpose: Purpose,
    /// Nothing was carried out: this is what that operation came to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<OperationId>,
    /// The agent's first operation to this host, of this tool or with this program that passed.
    pub first_seen: bool,
    pub injected: bool,
    /// A credential was masked in the answer.
    pub redacted: bool,
    pub observed: bool,
    /// A person pinned it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// What a person wrote to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// No end is recorded yet: held or under way.
    pub open: bool,
    /// Words of the view that a human was shown, where it was held; what free text matches besides the summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_text: Option<String>,
}

impl OperationRow {
    /// Texts that a key of kind text, word or rank is compared with; none: the row has no such value.
    #[must_use]
    pub fn texts(&self, key: Key) -> Vec<String> {
        let some = |text: Option<&dyn std::fmt::Display>| text.map(ToString::to_string).into_iter().collect();
        match key {
            Key::Agent => vec![self.agent.to_string()],
            Key::Session => vec![self.session.to_string()],
            Key::User => vec![self.user.clone()],
            Key::Team => some(self.team.as_ref().map(|t| t as _)),
            Key::Parent => some(self.parent.as_ref().map(|t| t as _)),
            Key::Cwd => some(self.cwd.as_ref().map(|t| t as _)),
            Key::Kind => vec![self.kind.clone()],
            Key::Tool => self.tools.clone(),
            Key::Server => some(self.server.as_ref().map(|t| t as _)),
            Key::Program => self.programs.clone(),
            Key::End => self.end.map(ToolEnd::as_str).map(str::to_owned).into_iter().collect(),
            Key::Loop => self.looped.iter().flat_map(|looped| looped.words()).map(str::to_owned).collect(),
            Key::Method => some(self.method.as_ref().map(|t| t as _)),
            Key::Path => some(self.path.as_ref().map(|t| t as _)),
            Key::Model => some(self.model.as_ref().map(|t| t as _)),
            Key::Provider => some(self.provider.as_ref().map(|t| t as _)),
            Key::Error => some(self.error.as_ref().map(|t| t as _)),
            Key::Host => some(self.host.as_ref().map(|t| t as _)),
            Key::Domain => self.domains().map(str::to_owned).collect(),
            Key::Ip => some(self.ip.as_ref().map(|t| t as _)),
            Key::Decision => vec![self.decision.as_str().to_owned()],
            Key::Rule => self.rules.iter().chain(&self.observing).cloned().collect(),
            Key::Mode => self.mode.map(name_of_mode).map(str::to_owned).into_iter().collect(),
            Key::Risk => self.risk.and_then(name_of_risk).map(str::to_owned).into_iter().collect(),
            Key::Approver => some(self.approver.as_ref().map(|t| t as _)),
            Key::Scope => self.scope.as_ref().map(name_of_scope).map(str::to_owned).into_iter().collect(),
            Key::Surface => self.surface.map(Surface::as_str).map(str::to_owned).into_iter().collect(),
            Key::Budget => self.budgets.iter().map(ToString::to_string).collect(),
            Key::Record => vec![self.operation.to_string(), self.record.to_string()],
            Key::Trace => some(self.conversation.as_ref().map(|t| t as _)),
            Key::Credential => self.credentials.iter().map(ToString::to_string).collect(),
            Key::Hash => vec![self.hash.0.clone()],
            Key::Is => self.flags(),
            Key::Has => self.note.iter().map(|_| "note".to_owned()).collect(),
            // Nothing of these is recorded yet, so nothing has them.
            _ => Vec::new(),
        }
    }

    /// The number that a key of an ordered kind is compared with: tokens, nano-USD, milliseconds, status, port.
    #[must_use]
    pub fn number(&self, key: Key) -> Option<u64> {
        let nano = |amount: Option<NanoUsd>| amount.map(|amount| u64::try_from(amount.0).unwrap_or(0));
        match key {
            Key::Status => self.status.map(u64::from),
            Key::Port => self.port.map(u64::from),
            Key::Exit => self.exit.and_then(|code| u64::try_from(code).ok()),
            Key::Cost => nano(self.cost),
            Key::Reserved => nano(self.reserved),
            Key::TokensIn => self.tokens_in,
            Key::TokensOut => self.tokens_out,
            Key::TokensCached => self.tokens_cached,
            Key::Latency => self.latency_ms,
            _ => None,
        }
    }

    /// The host and every domain above it; an address is only itself.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        self.host.as_deref().into_iter().flat_map(|host| {
            let address = host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[');
            let above = host.char_indices().filter(move |(_, c)| *c == '.' && !address);
            std::iter::once(host).chain(above.filter_map(move |(dot, _)| host.get(dot + 1..)))
        })
    }

    fn flags(&self) -> Vec<String> {
        let flags = [
            (self.first_seen, "first_seen"),
            (self.injected, "injected"),
            (self.redacted, "redacted"),
            (self.observed, "observed"),
            (self.pinned, "pinned"),
            (self.purpose == Purpose::Preview, "preview"),
            (self.purpose == Purpose::Probe, "probe"),
            (self.repeats.is_some(), "repeat"),
        ];
        flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned()).collect()
    }

    /// Whether a query means this row: the reference that every index must agree with. `now` is what durations before now
    /// count from.
    #[must_use]
    pub fn matches(&self, query: &Query, now: DateTime<Utc>) -> bool {
        matches(self, query, now)
    }
}

impl Searched for OperationRow {
    fn at(&self) -> DateTime<Utc> {
        self.at
    }

    fn texts(&self, key: Key) -> Vec<String> {
        Self::texts(self, key)
    }

    fn number(&self, key: Key) -> Option<u64> {
        Self::number(self, key)
    }

    fn prose(&self) -> Vec<&str> {
        let more = self.view_text.as_deref().into_iter().chain(self.note.as_deref());
        std::iter::once(self.summary.as_str()).chain(more).collect()
    }
}

fn name_of_risk(risk: Risk) -> Option<&'static str> {
    RISKS.get(risk as usize).copied()
}

fn name_of_mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    }
}

fn name_of_scope(scope: &GrantScope) -> &'static str {
    match scope {
        GrantScope::Once => "once",
        GrantScope::Session => "session",
        GrantScope::Until { .. } => "until",
        GrantScope::Always => "always",
    }
}
