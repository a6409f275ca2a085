//! Sessions as the console lists them.

use chrono::{DateTime, Utc};
use reeve_domain::session::{Session, SessionEnd};
use serde::{Deserialize, Serialize};

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
    /// Opens this session and nothing else; handed out once.
    pub token: super::credentials::TypedSecret,
    /// The session's certificate authority, PEM.
    pub ca: String,
    pub placeholders: Vec<PlaceholderDto>,
    /// What `[upstream] proxy` names.
    pub upstream_proxy: Option<String>,
}
