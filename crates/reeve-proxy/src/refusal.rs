//! Requests that are turned away before they are operations: JSON with a code, a cause and what to do. Never
//! repeats what the client sent, but for the id of a message, by which it knows what was turned away.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use reeve_protocol::mcp_headers::{MISMATCH, Mismatch};
use serde_json::{Value, json};

use crate::payload::{Payload, full};

/// A request turned away at the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    /// Stable and machine-readable.
    pub code: &'static str,
    /// One sentence: the cause and the place.
    pub message: String,
    /// What to do instead.
    pub advice: &'static str,
    header: Option<(HeaderName, HeaderValue)>,
    /// The id of the message that it answers with a JSON-RPC error of this code.
    rpc: Option<(Value, i64)>,
}

const RESEND: &str = "Send a well-formed request.";

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>, advice: &'static str) -> Self {
        Self { status, code, message: message.into(), advice, header: None, rpc: None }
    }

    /// The request breaks a grammar or is ambiguous.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_request", message, RESEND)
    }

    /// The headers of an MCP message say something else than it says itself: whatever stands before its server would judge
    /// another message than Reeve.
    pub fn mismatch(id: Value, mismatch: &Mismatch) -> Self {
        let message = format!("The headers of the MCP message do not go together with it: {mismatch}.");
        let advice = "Send headers that say what the message says.";
        Self { rpc: Some((id, MISMATCH)), ..Self::new(StatusCode::BAD_REQUEST, "mcp_header_mismatch", message, advice) }
    }

    /// The request is for another host than its connection leads to.
    pub fn misdirected(message: impl Into<String>) -> Self {
        let advice = "Open a connection to the host that the request names.";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "misdirected_request", message, advice)
    }

    /// No token, or one that belongs to no running session.
    pub fn unidentified() -> Self {
        let challenge = HeaderValue::from_static("Basic realm=\"reeve\"");
        Self {
            header: Some((http::header::PROXY_AUTHENTICATE, challenge)),
            ..Self::new(
                StatusCode::PROXY_AUTHENTICATION_REQUIRED,
                "no_session",
                "This proxy serves running Reeve sessions only, and the request carries the token of none.",
                "Start the tool with `reeve run`, or take its environment from `reeve env`.",
            )
        }
    }

    /// The upstream could not be reached or did not answer in HTTP.
    pub fn upstream(message: impl Into<String>) -> Self {
        let advice = "The fault lies with the upstream or the way to it, not with a rule. Try again later.";
        Self::new(StatusCode::BAD_GATEWAY, "upstream_failed", message, advice)
    }

    /// A limit of size or number was passed.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "Send less at once.")
    }

    /// The body as JSON.
    #[must_use]
    pub fn body(&self) -> Bytes {
        let text = match &self.rpc {
            None => json!({
                "error": {
                    "type": self.code, "code": self.code, "message": self.message, "advice": self.advice, "by": "reeve",
                }
            }),
            Some((id, code)) => {
                let data = json!({ "code": self.code, "advice": self.advice, "by": "reeve" });
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": self.message, "data": data } })
            }
        };
        Bytes::from(text.to_string())
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    #[must_use]
    pub fn response(&self) -> Response<Payload> {
        let mut response = Response::new(full(self.body()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // What the upstream's fault is may be gone with the next attempt.
        if !self.status.is_server_error() {
            response.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
        }
        if let Some((name, value)) = &self.header {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }
}
