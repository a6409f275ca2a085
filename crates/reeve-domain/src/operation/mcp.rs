//! A call of a tool that an MCP server offers: what is called, what the server claims of it, and what it is given.

use serde::{Deserialize, Serialize};

use super::{Digest, Endpoint};
use crate::id::OperationId;

/// How the server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum McpTransport {
    /// A program on this machine.
    Stdio,
    Http,
}

impl McpTransport {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
        }
    }
}

/// What the server claims of its tool (MCP `ToolAnnotations`). Claims, not facts: `None` where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ToolAnnotations {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_world: Option<bool>,
}

impl ToolAnnotations {
    #[must_use]
    pub fn only_reads(self) -> bool {
        self.read_only.unwrap_or(false)
    }

    /// By the protocol's own default, a tool that says nothing may destroy.
    #[must_use]
    pub fn may_destroy(self) -> bool {
        !self.only_reads() && self.destructive.unwrap_or(true)
    }

    /// By the protocol's own default, a tool that says nothing reaches beyond this machine.
    #[must_use]
    pub fn reaches_out(self) -> bool {
        self.open_world.unwrap_or(true)
    }

    /// Whether the server says nothing of what the tool changes.
    #[must_use]
    pub fn is_silent(self) -> bool {
        self.read_only.is_none() && self.destructive.is_none()
    }
}

/// The value of one argument that is no list and no object. Numbers are text: the record holds no fractions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "value")]
pub enum ArgumentValue {
    Text(String),
    Number(String),
    Bool(bool),
    Null,
}

impl std::fmt::Display for ArgumentValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) | Self::Number(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
        }
    }
}

/// One argument, by where it stands: `options.timeout_ms`, `rows[0].id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    pub path: String,
    #[serde(flatten)]
    pub value: ArgumentValue,
}

/// Where arguments do not fit the tool's input schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaProblem {
    /// As in [`Argument::path`]; empty for the whole.
    pub path: String,
    pub expected: String,
    pub found: String,
}

/// What checking the arguments against the tool's input schema gave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum SchemaCheck {
    /// The server gives no schema, or none was looked at.
    #[default]
    Unchecked,
    Fits,
    Fails {
        problems: Vec<SchemaProblem>,
    },
}

/// Why a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The agent asked for it.
    #[default]
    Call,
    /// Reeve finds out what a call would change.
    Preview,
    /// Reeve finds out whether a call took effect.
    Probe,
}

impl Purpose {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Preview => "preview",
            Self::Probe => "probe",
        }
    }

    #[must_use]
    pub fn is_call(&self) -> bool {
        *self == Self::Call
    }
}

/// What is known of the rows that a call would change. Reeve counts; what the agent claims is no count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "count")]
pub enum RowCount {
    #[default]
    NotCounted,
    Counted {
        rows: u64,
        /// The operation that counted.
        preview: OperationId,
        /// [`Operation::content`](super::Operation) of the call that was counted for, and of no other.
        arguments: Digest,
    },
    /// Nobody can tell.
    Uncountable { why: String },
    /// None: it is answered with what the same call came to before, and is not made.
    Repeats { of: OperationId },
}

impl RowCount {
    fn is_unknown(&self) -> bool {
        *self == Self::NotCounted
    }
}

/// A kind of personal data or secret that is told by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    Email,
    Phone,
    Iban,
    Card,
    Secret,
}

impl DataKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Iban => "iban",
            Self::Card => "card",
            Self::Secret => "secret",
        }
    }
}

/// Personal data or a secret in an argument, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFound {
    /// As in [`Argument::path`].
    pub path: String,
    pub kind: DataKind,
}

/// A call of a tool of an MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpToolCall {
    /// As it is registered, not as it calls itself.
    pub server: String,
    pub transport: McpTransport,
    pub tool: String,
    #[serde(default)]
    pub annotations: ToolAnnotations,
    /// Without what looks like a secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Argument>,
    /// `arguments` holds all of them as they are sent: nothing was too much and nothing was taken out.
    pub is_whole: bool,
    /// Size of the arguments as sent.
    pub argument_bytes: u64,
    #[serde(default)]
    pub schema: SchemaCheck,
    /// Hash of the tool's definition as it is pinned; `None`: the tool was never listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Digest>,
    /// Where an HTTP server is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    #[serde(default, skip_serializing_if = "Purpose::is_call")]
    pub purpose: Purpose,
    /// Rows that it would change.
    #[serde(default, skip_serializing_if = "RowCount::is_unknown")]
    pub rows: RowCount,
    /// What was looked for in the arguments and found; nothing is looked for where no rule for tools says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<DataFound>,
}

impl McpToolCall {
    /// The tool as rules name it: `server/tool`. A `/` in the server's own name is written `%2F`, so that no two tools share
    /// a name.
    #[must_use]
    pub fn resource(&self) -> String {
        format!("{}/{}", self.server.replace('%', "%25").replace('/', "%2F"), self.tool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_says_nothing_may_destroy_and_one_that_only_reads_may_not() {
        let silent = ToolAnnotations::default();
        assert!(silent.may_destroy() && silent.is_silent() && !silent.only_reads());
        let reader = ToolAnnotations { read_only: Some(true), destructive: Some(true), ..silent };
        assert!(!reader.may_destroy() && reader.only_reads());
    }

    #[test]
    fn no_two_tools_share_a_name() {
        let call = |server: &str, tool: &str| McpToolCall {
            server: server.to_owned(),
            transport: McpTransport::Stdio,
            tool: tool.to_owned(),
            annotations: ToolAnnotations::default(),
            arguments: Vec::new(),
            is_whole: true,
            argument_bytes: 0,
            schema: SchemaCheck::Unchecked,
            definition: None,
            endpoint: None,
            purpose: Purpose::Call,
            rows: RowCount::NotCounted,
            data: Vec::new(),
        };
        assert_ne!(call("a", "b/c").resource(), call("a/b", "c").resource());
        assert_ne!(call("a/b", "c").resource(), call("a%2Fb", "c").resource());
    }

    #[test]
    fn an_argument_is_one_flat_object_in_the_record() {
        let argument = Argument { path: "limit".to_owned(), value: ArgumentValue::Number("1e400".to_owned()) };
        let text = serde_json::to_string(&argument).unwrap();
        assert_eq!(text, r#"{"path":"limit","type":"number","value":"1e400"}"#);
        assert_eq!(serde_json::from_str::<Argument>(&text).unwrap(), argument);
        let null = Argument { path: "x".to_owned(), value: ArgumentValue::Null };
        assert_eq!(serde_json::from_str::<Argument>(&serde_json::to_string(&null).unwrap()).unwrap(), null);
    }
}
