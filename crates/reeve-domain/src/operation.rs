//! One thing attempted: principal, action, resource, and the facts policy and budgets judge it by.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::id::{CredentialId, OperationId};
use crate::path::RequestPath;
use crate::principal::Principal;

mod ask;
mod mcp;
mod shell;

pub use ask::{McpAsk, Wanted};
pub use mcp::{
    Argument, ArgumentValue, DataFound, DataKind, McpToolCall, McpTransport, Purpose, RowCount, SchemaCheck,
    SchemaProblem, ToolAnnotations,
};
pub use shell::{Effect, ShellExec, ShellPiece};

/// Cedar's verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    #[serde(rename = "http.request")]
    HttpRequest,
    #[serde(rename = "llm.call")]
    LlmCall,
    #[serde(rename = "mcp.tool_call")]
    McpToolCall,
    #[serde(rename = "mcp.sampling")]
    McpSampling,
    #[serde(rename = "mcp.elicitation")]
    McpElicitation,
    #[serde(rename = "shell.exec")]
    ShellExec,
    #[serde(rename = "file.write")]
    FileWrite,
}

impl Action {
    pub const ALL: [Self; 7] = [
        Self::HttpRequest,
        Self::LlmCall,
        Self::McpToolCall,
        Self::McpSampling,
        Self::McpElicitation,
        Self::ShellExec,
        Self::FileWrite,
    ];

    /// The Cedar name, for example `http.request`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HttpRequest => "http.request",
            Self::LlmCall => "llm.call",
            Self::McpToolCall => "mcp.tool_call",
            Self::McpSampling => "mcp.sampling",
            Self::McpElicitation => "mcp.elicitation",
            Self::ShellExec => "shell.exec",
            Self::FileWrite => "file.write",
        }
    }

    /// Said in MCP, by a client or a server.
    #[must_use]
    pub fn is_mcp(self) -> bool {
        matches!(self, Self::McpToolCall | Self::McpSampling | Self::McpElicitation)
    }

    /// The short kind the console and the query grammar use: `http`, `llm`, `mcp`, `shell`, `file`.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::HttpRequest => "http",
            Self::LlmCall => "llm",
            Self::McpToolCall | Self::McpSampling | Self::McpElicitation => "mcp",
            Self::ShellExec => "shell",
            Self::FileWrite => "file",
        }
    }
}

/// SHA-256 in lower-case hex (64 characters).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One thing attempted. Holds no secret: header values that carry credentials are never part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub id: OperationId,
    pub at: DateTime<Utc>,
    pub principal: Principal,
    pub subject: Subject,
    /// Hash of the canonical content as the client sent it, **without** the output bound (that one is hashed into the
    /// fingerprint apart, because Reeve may lower it). For `llm.call`: host, model, messages, system, tools and tool
    /// settings; not `stream`, metadata, request ids, headers or credentials. For `http.request`: method, scheme,
    /// authority, path, query, body. For `mcp.tool_call`: server, tool, arguments. For `mcp.sampling` and `mcp.elicitation`: server and parameters. For `shell.exec`: command and folder.
    pub content: Digest,
    /// One line from a fixed template, for example `POST api.github.com/repos/acme/api/merges`.
    pub summary: String,
    /// What the client calls this conversation, where it says so on the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// The credential whose placeholder the request carries, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    /// The operation this one belongs under in the session's tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OperationId>,
}

impl Operation {
    /// Whether it changes nothing: the safe methods of RFC 9110 section 9.2.1 and of the IANA registry, model calls, tools
    /// whose server says so, and commands that are known to.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        const SAFE: [&str; 8] = ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"];
        match &self.subject {
            Subject::Llm(_) => true,
            Subject::Http(call) => SAFE.contains(&call.endpoint.method.as_str()),
            Subject::Mcp(call) => call.annotations.only_reads(),
            Subject::McpAsk(_) => false,
            Subject::Shell(line) => line.only_reads(),
        }
    }

    #[must_use]
    pub fn action(&self) -> Action {
        match self.subject {
            Subject::Http(_) => Action::HttpRequest,
            Subject::Llm(_) => Action::LlmCall,
            Subject::Mcp(_) => Action::McpToolCall,
            Subject::McpAsk(ref ask) if ask.is_sampling() => Action::McpSampling,
            Subject::McpAsk(_) => Action::McpElicitation,
            Subject::Shell(_) => Action::ShellExec,
        }
    }

    /// Where it goes; `None` for what is no request of its own: commands, and calls of tools on this machine.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match &self.subject {
            Subject::Http(call) => Some(&call.endpoint),
            Subject::Llm(call) => Some(&call.endpoint),
            Subject::Mcp(call) => call.endpoint.as_ref(),
            Subject::McpAsk(_) | Subject::Shell(_) => None,
        }
    }

    #[must_use]
    pub fn llm(&self) -> Option<&LlmCall> {
        match &self.subject {
            Subject::Llm(call) => Some(call),
            _ => None,
        }
    }

    #[must_use]
    pub fn mcp(&self) -> Option<&McpToolCall> {
        match &self.subject {
            Subject::Mcp(call) => Some(call),
            _ => None,
        }
    }

    /// What a server asks of the agent's side.
    #[must_use]
    pub fn mcp_ask(&self) -> Option<&McpAsk> {
        match &self.subject {
            Subject::McpAsk(ask) => Some(ask),
            _ => None,
        }
    }

    /// The MCP server that the call goes to, or that asks.
    #[must_use]
    pub fn mcp_server(&self) -> Option<&str> {
        self.mcp().map(|call| call.server.as_str()).or_else(|| self.mcp_ask().map(|ask| ask.server.as_str()))
    }

    #[must_use]
    pub fn shell(&self) -> Option<&ShellExec> {
        match &self.subject {
            Subject::Shell(line) => Some(line),
            _ => None,
        }
    }

    /// What "the first time here" is counted by: the host, the tool, or every program of a command. The names of tools and
    /// programs hold a `/`, which no host does. A tool that its server comes to call a reading one is another place.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        match &self.subject {
            Subject::Http(call) => vec![call.endpoint.host.to_string()],
            Subject::Llm(call) => vec![call.endpoint.host.to_string()],
            Subject::Mcp(call) if call.annotations.only_reads() => vec![format!("mcp#reads/{}", call.resource())],
            Subject::Mcp(call) => vec![format!("mcp/{}", call.resource())],
            Subject::McpAsk(ask) => vec![format!("mcp#{}/{}", ask.what(), ask.server)],
            Subject::Shell(line) if line.pieces.is_empty() => vec!["shell/".to_owned()],
            Subject::Shell(line) => line.programs().into_iter().map(|program| format!("shell/{program}")).collect(),
        }
    }

    /// What answers compete for: two calls to a model that differ only in how the answer is drawn ask the same.
    #[must_use]
    pub fn question(&self) -> &Digest {
        self.llm().and_then(|call| call.question.as_ref()).unwrap_or(&self.content)
    }

    /// What an approval is bound to: the content after Reeve's own rewrites. `output_limit` is the bound the request
    /// will carry upstream. The mouth hashes again what it sends, and the two must be equal. Rows that were counted belong
    /// to it: who says yes to 5 rows says nothing of 5000.
    #[must_use]
    pub fn fingerprint(&self, output_limit: Option<u64>) -> Digest {
        let bound = match (output_limit, self.mcp().map(|call| &call.rows)) {
            (Some(limit), _) => limit.to_string(),
            (None, Some(RowCount::Counted { rows, .. })) => format!("{rows} rows"),
            // A yes to an answer that is kept is none to the call itself.
            (None, Some(RowCount::Repeats { .. })) => "a kept answer".to_owned(),
            (None, _) => "none".to_owned(),
        };
        Digest::of(format!("reeve-fingerprint-1\n{}\n{}\n{bound}", self.action().as_str(), self.content.0).as_bytes())
    }
}

/// What is attempted, with the facts of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Subject {
    Http(HttpCall),
    Llm(LlmCall),
    Mcp(McpToolCall),
    McpAsk(McpAsk),
    Shell(ShellExec),
}

/// Scheme of a request as judged; plain http is judged by the same code as https.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Scheme, host, port, method and path: all of them part of what a rule and a binding match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub scheme: Scheme,
    pub host: Host,
    pub port: u16,
    /// Exact upper-case token.
    pub method: String,
    /// Canonical; the bytes forwarded are these bytes.
    pub path: RequestPath,
}

/// A request that is not a call to a language model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpCall {
    pub endpoint: Endpoint,
    /// Raw query without the `?`; kept out of the log where it carries a placeholder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Bytes of the query as it is sent, where `query` is shorter because something was taken out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Declared size of the body in bytes; `None` when it is chunked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
    /// Lower-case protocol of an upgrade, for example `websocket`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<String>,
    /// It ends an MCP session that its sender was seen to open there, and deletes nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ends_session: bool,
}

impl HttpCall {
    /// A request for what is there, with neither query nor body.
    #[must_use]
    pub fn to(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            query: None,
            query_bytes: None,
            content_type: None,
            body_bytes: Some(0),
            upgrade: None,
            ends_session: false,
        }
    }
}

/// The shape a provider's requests and answers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    AnthropicMessages,
    OpenaiChat,
    OpenaiResponses,
    Gemini,
    /// Gemini Code Assist (`/v1internal:…`): Gemini inside `request` and `response`.
    GeminiCodeAssist,
}

/// How the provider is paid for this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Billing {
    /// By token, at list price.
    Metered,
    /// A flat-rate login: counted in tokens, shown at list price as *worth*.
    FlatRate,
}

/// Part of a workflow that lets several answers compete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Makes one of the answers that compete.
    Generation,
    /// Chooses among them.
    Judge,
    /// Carries out what was chosen.
    Commit,
}

/// A tool that the provider runs on its side and may charge for by use, for example a web search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerTool {
    pub name: String,
    /// Cap on its uses that the request sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
}

/// A call to a language model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmCall {
    pub endpoint: Endpoint,
    pub dialect: Dialect,
    /// As the price table names providers: `anthropic`, `openai`, `gemini`, or what `config.toml` declares for a
    /// compatible host.
    pub provider: String,
    pub model: String,
    pub stream: bool,
    /// Upper bound of the input in tokens, images and documents at their caps included.
    pub input_bound: u64,
    /// Most tokens of the input that could be written to a cache that costs more than plain input (0: no cache asked
    /// for), and whether any of it asks for the one-hour kind.
    pub cache_write_bound: u64,
    pub cache_one_hour: bool,
    /// Output limit that the request asks for; `None`: the model's own applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_limit: Option<u64>,
    /// Answers asked for at once (`n`, `candidateCount`); each may use the whole output limit.
    pub candidates: u64,
    /// Hash of what is asked without how the answer is drawn (temperature, seed, …); `None`: the content says it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Digest>,
    /// What the client says the call is for. A hint: it may only add to what is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Thinking budget inside the output limit; the limit is never lowered under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking_budget: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools_offered: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server_tools: Vec<ServerTool>,
    /// `service_tier` asked for, where it changes the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Price multipliers asked for, by their key in the price table (`us`, `fast`, …).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub multipliers: Vec<String>,
    pub billing: Billing,
    pub body_bytes: u64,
}

impl LlmCall {
    /// Whether the provider takes an output limit at all: what a ChatGPT login asks refuses one (`400 Unsupported
    /// parameter: max_output_tokens`, and Codex never sends it there).
    #[must_use]
    pub fn takes_output_limit(&self) -> bool {
        let chatgpt = self.provider == "openai" && self.billing == Billing::FlatRate;
        !(chatgpt && self.dialect == Dialect::OpenaiResponses)
    }
}
