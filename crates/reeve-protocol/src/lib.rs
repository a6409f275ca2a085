//! Bytes of each provider to operations and usage, and denials back to bytes. Pure and synchronous: no input, no output,
//! no clock, no policy, no prices. What cannot be read without doubt is refused here, with its cause and place.

pub mod denial;
pub mod error;
pub mod events;
pub mod http;
pub mod llm;
pub mod mcp;
pub mod mcp_ask;
pub mod mcp_headers;
pub mod meter;
pub mod personal;
pub mod provider;
pub mod redact;
pub mod refusal;
pub mod rewrite;
pub mod shell;

mod body;
mod canonical;
mod text;
mod view;

use reeve_domain::operation::{Digest, Endpoint, Subject};

pub use error::ProtocolError;
pub use meter::{Meter, Metered};
pub use provider::{Provider, Providers};

/// Largest request body that is read as an LLM call, in bytes after content decoding: what Anthropic accepts.
pub const MAX_LLM_BODY: usize = 32 * 1024 * 1024;

/// A request as the mouth framed it: judged endpoint, raw query without `?`, and headers.
#[derive(Debug, Clone)]
pub struct RequestHead {
    pub endpoint: Endpoint,
    pub query: Option<String>,
    pub headers: ::http::HeaderMap,
}

/// What a request turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Classified {
    pub subject: Subject,
    /// See [`reeve_domain::operation::Operation::content`].
    pub content: Digest,
    /// One line from a fixed template: at most 200 characters, control characters escaped, the query left out.
    pub summary: String,
    /// What the client calls this conversation, where it says so on the wire.
    pub conversation: Option<String>,
    /// Tool calls whose results it brings, by id, else by name.
    pub answers: Vec<String>,
    /// Everything a human needs to judge it, decoded. Foreign text; no header is in it.
    pub view: serde_json::Value,
}

/// Reads a request. `body` is the whole body after content decoding; for calls to language models it must be there, for
/// others it is `None` where the mouth does not hold it.
///
/// # Errors
/// When a call to a language model cannot be read without doubt: no body, too large, not JSON, a key twice, or a field
/// of the wrong shape. Such a request must be refused; it is never passed on as plain HTTP.
pub fn classify(head: &RequestHead, body: Option<&[u8]>, providers: &Providers) -> Result<Classified, ProtocolError> {
    match providers.find(&head.endpoint) {
        Some(provider) => llm::classify(head, body.ok_or(ProtocolError::NoBody)?, &provider),
        None => Ok(http::classify(head, body)),
    }
}

#[cfg(test)]
mod samples;
