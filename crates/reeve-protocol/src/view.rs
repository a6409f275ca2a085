//! What a human is shown of a held request: decoded, complete, as JSON. Long base64 is shown by size and hash.

use reeve_domain::operation::Digest;
use serde_json::{Map, Value, json};

use crate::RequestHead;
use crate::body::Node;
use crate::llm::Facts;
use crate::provider::Provider;

/// Base64 longer than this is a file, not something to read.
const LONG_BASE64: usize = 1024;

/// Bytes of an HTTP body that are shown; what is beyond is named by size and hash.
const SHOWN_BODY: usize = 1024 * 1024;

/// Model, and the whole body under the provider's own names: messages, system prompt, tools and every setting.
pub fn llm(head: &RequestHead, provider: &Provider, facts: &Facts, root: &Node<'_>) -> Value {
    json!({
        "kind": "llm.call",
        "host": head.endpoint.host.to_string(),
        "path": head.endpoint.path.shown(),
        "provider": provider.name,
        "dialect": provider.dialect,
        "model": facts.model,
        "stream": facts.stream,
        "output_limit": facts.output_limit,
        "tools": facts.tools_offered,
        "body": value(root),
    })
}

/// Request line, and the body as text, JSON or, where it is neither, by size and hash.
pub fn http(head: &RequestHead, body: Option<&[u8]>) -> Value {
    json!({
        "kind": "http.request",
        "method": head.endpoint.method,
        "scheme": head.endpoint.scheme,
        "host": head.endpoint.host.to_string(),
        "port": head.endpoint.port,
        "path": head.endpoint.path.shown(),
        "query": head.query,
        "body": body.map(shown),
    })
}

fn shown(body: &[u8]) -> Value {
    if let Ok(node) = Node::parse(body, SHOWN_BODY) {
        return json!({ "bytes": body.len(), "json": value(&node) });
    }
    let (start, whole) = (body.get(..SHOWN_BODY).unwrap_or(body), body.len() <= SHOWN_BODY);
    let text = match std::str::from_utf8(start) {
        Ok(text) => Some(text),
        // Cut inside a character.
        Err(error) if !whole && error.error_len().is_none() => {
            start.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok())
        }
        Err(_) => None,
    };
    let mut view = Map::new();
    view.insert("bytes".to_owned(), json!(body.len()));
    if let Some(text) = text {
        view.insert("text".to_owned(), json!(text));
    }
    if text.is_none() || !whole {
        view.insert("sha256".to_owned(), json!(Digest::of(body).as_str()));
    }
    Value::Object(view)
}

fn value(node: &Node<'_>) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(flag) => Value::Bool(*flag),
        Node::Number(number) => Value::Number(number.clone()),
        Node::Text(text) => readable(text),
        Node::List(items) => Value::Array(items.iter().map(value).collect()),
        Node::Map(fields) => {
            Value::Object(fields.0.iter().map(|(key, inner)| (key.to_string(), value(inner))).collect())
        }
    }
}

fn readable(text: &str) -> Value {
    let data_url = text.starts_with("data:").then(|| text.split_once(";base64,")).flatten();
    let data = data_url.map_or(text, |(_, data)| data);
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=');
    if data.len() > LONG_BASE64 && data.bytes().all(is_base64) {
        json!({ "base64_characters": data.len(), "sha256_of_text": Digest::of(text.as_bytes()).as_str() })
    } else {
        Value::String(text.to_owned())
    }
}
