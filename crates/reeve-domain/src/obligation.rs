//! What an allow carries with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::operation::ArgumentValue;

/// Something that must happen for the permission to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "obligation", rename_all = "snake_case")]
pub enum Obligation {
    /// The output limit in the request is lowered to this many tokens before it is sent.
    ClampOutput { tokens: u64 },
    /// The whole exchange must end within this time.
    Timeout { seconds: u64 },
    /// The name may resolve to addresses inside these ranges (CIDR), which are refused otherwise.
    PermitAddresses { ranges: Vec<String> },
    /// An answer whose coding cannot be decoded is blocked instead of passed on.
    BlockUndecodable,
    /// What the call would change is counted before it is made.
    DryRun { preview: Preview },
    /// The call changes at most this many rows; more needs a human.
    CapRows { max: u64 },
    /// What becomes of personal data and secrets in arguments and result.
    Redact { data: DataRules },
    /// The call has its effect once, however often it is made.
    Idempotent { rules: Idempotence },
    /// Arguments and results are held against the tool's schemas.
    CheckSchema { mode: SchemaMode },
}

/// How Reeve finds out what a call would change, without making it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Preview {
    /// Another tool of the same server, given the same arguments, changes nothing and tells. `rows`: where in its result.
    Tool { tool: String, rows: String },
    /// The same tool with one argument set changes nothing and tells.
    Argument { argument: String, value: ArgumentValue, rows: String },
    /// The argument holds SQL; the rows it would change are counted through the server's tool for reading.
    Sql { argument: String, reader: String, reader_argument: String, dialect: SqlDialect },
}

/// The kind of SQL that a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SqlDialect {
    Sqlite,
    Postgres,
    Mysql,
}

/// What becomes of personal data and secrets that are found in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataAction {
    /// They stay as they are.
    #[default]
    Allow,
    /// They stay, and the record says what kinds were there; what it keeps of a result has placeholders for them.
    Audit,
    /// Placeholders stand for them in the record.
    Redact,
    /// The call is turned away, or its result is held back.
    Block,
}

/// What becomes of personal data and secrets in a tool's arguments and results.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DataRules {
    /// By the name of an argument at the top.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, DataAction>,
    /// Of all other arguments.
    #[serde(default)]
    pub other_arguments: DataAction,
    #[serde(default)]
    pub result: DataAction,
    /// The tool, too, is given placeholders, and the agent sees them in results.
    #[serde(default)]
    pub for_call: bool,
}

impl DataRules {
    /// Of the argument of this name.
    #[must_use]
    pub fn argument(&self, name: &str) -> DataAction {
        self.arguments.get(name).copied().unwrap_or(self.other_arguments)
    }
}

/// How a repeated call is told and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotence {
    /// Arguments that make two calls the same; empty: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_fields: Vec<String>,
    /// Among whose calls a repeat is looked for.
    pub scope: IdempotenceScope,
    /// How long a call is remembered.
    pub cache_ttl_seconds: u64,
    pub on_duplicate: OnDuplicate,
    /// Refuse where it cannot be told whether the call is a repeat.
    pub strict: bool,
    /// How long a call may run before it counts as lost.
    pub lease_seconds: u64,
    pub on_unknown: OnUnknown,
    /// How Reeve finds out whether a call whose end is unknown took effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Words in a tool's error, in small letters, that say that the same call fails the same way each time: a repeat hears that
    /// error, and is not made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub final_errors: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdempotenceScope {
    Session,
    Agent,
    All,
}

/// What a repeat of a call that was done gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    ReturnCached,
    Reject,
    Ask,
}

/// What becomes of a repeat of a call whose end is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    Probe,
    Ask,
    Retry,
    Reject,
}

/// A reading tool that tells whether a call took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Of the same server.
    pub tool: String,
    /// Its arguments, each with the argument of the call that it is given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, String>,
    /// Where in its result stands whether the call took effect: `true`, or a count above zero.
    pub done: String,
}

/// What becomes of a call whose arguments or result do not fit the tool's schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaMode {
    Off,
    /// It is recorded.
    Observe,
    /// The agent is told, and the call is not made or its result held back.
    Enforce,
}
