//! What a client calls the conversation that a request belongs to: in headers, else in the body.

use ::http::HeaderMap;
use reeve_domain::operation::{Dialect, Digest};

use crate::body::Node;
use crate::text::name;

/// Claude Code; Codex; opencode; Copilot.
const HEADERS: [&str; 5] =
    ["x-claude-code-session-id", "session-id", "session_id", "x-session-id", "x-client-session-id"];

pub fn find(headers: &HeaderMap, dialect: Dialect, root: &Node<'_>) -> Option<String> {
    let named = HEADERS.iter().find_map(|header| headers.get(*header)?.to_str().ok().and_then(name));
    named.or_else(|| match dialect {
        Dialect::AnthropicMessages => anthropic(root),
        Dialect::OpenaiChat | Dialect::OpenaiResponses => openai(root),
        Dialect::Gemini => gemini(root),
        Dialect::GeminiCodeAssist => {
            let request = root.get("request")?;
            request.text_at("session_id").and_then(name).or_else(|| gemini(request))
        }
    })
}

/// `metadata.user_id` is JSON text with a `session_id`, or, in older clients, ends in `_session_<id>`.
fn anthropic(root: &Node<'_>) -> Option<String> {
    let user = root.get("metadata")?.text_at("user_id")?;
    match Node::parse(user.as_bytes(), 4096) {
        Ok(parts) => name(parts.text_at("session_id")?),
        Err(_) => name(user.rsplit_once("_session_")?.1),
    }
}

fn openai(root: &Node<'_>) -> Option<String> {
    let client = root.get("client_metadata").and_then(|metadata| metadata.text_at("session_id"));
    client.or_else(|| root.text_at("prompt_cache_key")).and_then(name)
}

/// Gemini CLI names no conversation; the context it opens each one with tells them apart.
fn gemini(root: &Node<'_>) -> Option<String> {
    let opening = root.items_at("contents").first()?.items_at("parts").first()?.text_at("text")?;
    let digest = opening.starts_with("<session_context>").then(|| Digest::of(opening.as_bytes()))?;
    digest.as_str().get(..16).map(|start| format!("context-{start}"))
}
