//! Sessions as the console lists them.

use chrono::{DateTime, Utc};
use reeve_domain::session::{Session, SessionEnd};
use serde::{Deserialize, Serialize};

use super::operations::{QueryProblemDto, RowStateDto};
use super::status::ModeDto;

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum SessionEndDto {
    Exited,
    Stopped,
    Expired,
    EngineStopped,
}

impl From<SessionEnd> for SessionEndDto {
    fn from(end: SessionEnd) -> Self {
        match end {
            SessionEnd::Exited => Self::Exited,
            SessionEnd::Stopped => Self::Stopped,
            SessionEnd::Expired => Self::Expired,
            SessionEnd::EngineStopped => Self::EngineStopped,
        }
    }
}

/// One run of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SessionDto {
    pub id: String,
    pub agent: String,
    pub agent_name: String,
    pub user: String,
    pub cwd: String,
    /// Program and arguments as started; empty for `reeve env`.
    pub command: Vec<String>,
    /// What was chosen for this session alone; none: the mode of everything.
    pub mode: Option<ModeDto>,
    pub opened_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_because: Option<SessionEndDto>,
}

impl SessionDto {
    #[must_use]
    pub fn of(session: &Session, agent_name: &str) -> Self {
        Self {
            id: session.id.to_string(),
            agent: session.agent.to_string(),
            agent_name: agent_name.to_owned(),
            user: session.user.clone(),
            cwd: session.cwd.clone(),
            command: session.command.clone(),
            mode: session.mode.map(Into::into),
            opened_at: session.opened_at,
            expires_at: session.expires_at,
            ended_at: session.ended_at,
            ended_because: session.ended_because.map(Into::into),
        }
    }
}

/// Which session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SessionInput {
    pub session: String,
}

/// Opens a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct OpenSessionInput {
    /// None: by the program's name.
    pub agent: Option<String>,
    pub cwd: String,
    /// Program and arguments; empty for `reeve env`.
    pub command: Vec<String>,
    /// Hours until it ends by itself, at most 12; none: it ends with this connection.
    pub hours: Option<u32>,
    /// For this session alone; none: the mode of everything.
    #[serde(default)]
    pub mode: Option<ModeDto>,
}

/// A variable and the decoy it carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PlaceholderDto {
    pub variable: String,
    pub value: String,
}

/// What the caller needs to lay out the agent's environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct OpenedSessionDto {
    pub session: SessionDto,
    /// `127.0.0.1:port`.
    pub proxy: String,
    /// Where the MCP endpoint is: a server's URL is this, `/` and its name.
    pub mcp: String,
    /// Opens this session and nothing else; handed out once.
    pub token: super::credentials::TypedSecret,
    /// The session's certificate authority, PEM.
    pub ca: String,
    pub placeholders: Vec<PlaceholderDto>,
    /// What `[upstream] proxy` names.
    pub upstream_proxy: Option<String>,
}

/// Sessions with operations that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SearchSessionsInput {
    /// The Timeline's query grammar; empty: also sessions that did nothing.
    pub query: String,
    /// A page's `next`.
    #[serde(default)]
    pub before: Option<String>,
    /// At most 100; the first page has all running sessions besides.
    pub limit: u32,
}

/// A session and what its operations that match add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SessionSumDto {
    pub session: SessionDto,
    pub actions: u64,
    /// Denied, refused and expired.
    pub denied: u64,
    /// Waiting for an answer now.
    pub held: u64,
    /// nano-USD settled.
    pub cost: i64,
    /// There are more than were added up.
    pub capped: bool,
}

/// Running ones first, then the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SessionsPage {
    pub rows: Vec<SessionSumDto>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
    pub problems: Vec<QueryProblemDto>,
}

/// Which session, and which of its operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FlowInput {
    pub session: String,
    pub query: String,
}

/// An operation in the waterfall. Times are milliseconds; what is zero or unknown is left out, because there may be many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FlowNodeDto {
    pub id: String,
    pub kind: String,
    /// Cut at 80 characters.
    pub summary: String,
    pub state: RowStateDto,
    /// 0 within its turn; children are one deeper than their parent, behind which they come.
    pub depth: u32,
    /// Operations below it, at any depth.
    pub below: u32,
    /// From the first operation of the session.
    pub start: u64,
    /// Waited for an answer before anything was sent.
    pub wait: u64,
    /// From being let through to the end; none where nothing was sent or it still waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub work: Option<u64>,
    /// Whether it still runs or waits.
    pub open: bool,
    /// nano-USD settled by it and all below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub cost: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub tokens_in: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub tokens_out: Option<u64>,
    /// What turned it away or held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub rule: Option<String>,
    /// A credential was added on the way out.
    pub injected: bool,
    /// The failed operation that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub retry_of: Option<String>,
    /// It ended badly.
    pub failed: bool,
    /// Reeve called the tool itself for the call that is its parent: `preview`, or `probe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "\"preview\" | \"probe\""))]
    pub purpose: Option<String>,
    /// A human was asked about it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub asked: bool,
}

/// A turn begins with a model call that brings no results of tools: after half a minute in which nothing ran, or in another
/// conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FlowTurnDto {
    /// Place of its first node; it reaches to the next turn's.
    pub first: u32,
    pub actions: u64,
    pub denied: u64,
    /// Milliseconds from the first operation of the session.
    pub start: u64,
    pub end: u64,
    /// Milliseconds of waiting for answers.
    pub wait: u64,
    /// nano-USD settled.
    pub cost: i64,
}

/// One session as a waterfall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FlowDto {
    pub session: SessionDto,
    /// When the first operation was recorded; none where none matches.
    pub began_at: Option<DateTime<Utc>>,
    pub turns: Vec<FlowTurnDto>,
    /// Oldest first.
    pub nodes: Vec<FlowNodeDto>,
    /// There are more; the oldest are here.
    pub capped: bool,
}
