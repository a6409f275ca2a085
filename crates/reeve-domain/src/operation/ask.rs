//! What an MCP server asks of the agent's side in the middle of its work: a model's answer, or something of the person.

use serde::{Deserialize, Serialize};

use super::McpTransport;

/// What a server asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "wants")]
pub enum Wanted {
    /// `sampling/createMessage`: an answer of the agent's model, which the agent's side pays for.
    Sampling {
        /// Most tokens that the server asks for; `None`: it does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_tokens: Option<u64>,
        /// Models that it would like, by name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        models: Vec<String>,
        /// Tools that the model may call meanwhile.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tools: Vec<String>,
        messages: u64,
        /// `none`, `thisServer` or `allServers`: what of the conversation it wants to be told to the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<String>,
    },
    /// `elicitation/create` in its form mode: values that the person types.
    Form {
        /// Names of the fields.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<String>,
    },
    /// `elicitation/create` in its URL mode: a page that the person opens.
    Url {
        /// Without what looks like a secret.
        url: String,
        /// Where it leads; `None`: it is no address that Reeve can read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
    },
}

/// A request of an MCP server to the agent that uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpAsk {
    /// As it is registered, not as it calls itself.
    pub server: String,
    pub transport: McpTransport,
    #[serde(flatten)]
    pub wanted: Wanted,
    /// Size of the request's parameters as sent.
    pub bytes: u64,
}

impl McpAsk {
    /// `sampling`, or `elicitation` in either mode.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self.wanted {
            Wanted::Sampling { .. } => "sampling",
            Wanted::Form { .. } | Wanted::Url { .. } => "elicitation",
        }
    }

    #[must_use]
    pub fn is_sampling(&self) -> bool {
        matches!(self.wanted, Wanted::Sampling { .. })
    }
}
