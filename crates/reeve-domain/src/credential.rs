//! A secret in the keychain, the agents and places it is bound to, and the slot it is put into.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::id::{AgentId, CredentialId};

/// What Reeve knows of a credential; the secret itself is in the vault only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub id: CredentialId,
    /// What people call it.
    pub name: String,
    /// The decoy that agents hold, for example `sk-ant-reeve-…`; its shape satisfies the tools that check for one.
    pub placeholder: String,
    /// Variables that carry the placeholder in a session's environment, for example `ANTHROPIC_API_KEY`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    pub bindings: Vec<Binding>,
    pub added_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<DateTime<Utc>>,
    /// Days after which the secret is worth replacing; `None`: nobody is reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_days: Option<u32>,
}

impl Credential {
    /// Since when the secret is what it is.
    #[must_use]
    pub fn set_at(&self) -> DateTime<Utc> {
        self.rotated_at.unwrap_or(self.added_at)
    }

    /// When it is worth replacing.
    #[must_use]
    pub fn rotation_due(&self) -> Option<DateTime<Utc>> {
        self.rotate_days.map(|days| self.set_at() + chrono::Duration::days(i64::from(days)))
    }
}

/// Agent × place: where, how and for whom the secret is injected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Empty: every agent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentId>,
    pub place: Place,
    pub slot: Slot,
}

/// Where a credential may go: https only, an exact host, and optionally only some methods and a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub host: Host,
    pub port: u16,
    /// Exact upper-case methods; empty: every method.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Prefix of whole path segments (`/repos/acme` covers `/repos/acme` and `/repos/acme/x`); `None`: every path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// `GET POST api.github.com:443/repos/acme`.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for method in &self.methods {
            write!(f, "{method} ")?;
        }
        write!(f, "{}:{}{}", self.host, self.port, self.path.as_deref().unwrap_or_default())
    }
}

/// The one place in the request that the secret is put into, replacing everything the client had there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "slot")]
pub enum Slot {
    /// A header with the secret as its value.
    Header { name: String },
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// `Authorization: Basic base64(user:secret)`.
    Basic { user: String },
    /// A query parameter.
    Query { name: String },
    /// The placeholder inside the path, replaced.
    Path,
    /// The placeholder inside the body, replaced.
    Body,
}

/// As a person types it: `bearer`, `header:NAME`, `basic:USER`, `query:NAME`, `path`, `body`.
impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header { name } => write!(f, "header:{name}"),
            Self::Bearer => f.write_str("bearer"),
            Self::Basic { user } => write!(f, "basic:{user}"),
            Self::Query { name } => write!(f, "query:{name}"),
            Self::Path => f.write_str("path"),
            Self::Body => f.write_str("body"),
        }
    }
}
