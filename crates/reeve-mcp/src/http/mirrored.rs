//! The headers in which a client says again what its message says: whatever stands before a server may judge by them, so they say
//! the same here, and none is missing that the protocol's version wants.

use std::sync::Arc;

use http::{Method, StatusCode};
use reeve_protocol::mcp_headers;
use serde_json::Value;

use crate::http::line::OfLine;
use crate::http::{Asked, Shared, Turned, answer, check};
use crate::lists::Seen;
use crate::message;

/// Of a message for a server of this machine. What an argument's header is the client knows from the list that it was shown.
pub(super) async fn check_here(shared: &Shared, asked: &Asked, message: &Value) -> Result<(), Turned> {
    let seen = {
        let named = asked.head.headers.get(check::SESSION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let key = named.unwrap_or_else(|| check::shared_key(&asked.session, &asked.server));
        let bridges = shared.bridges.lock();
        let mine = bridges.get(&key).filter(|one| one.owner == *asked.session.id() && one.server == asked.server);
        mine.map(|bridge| Arc::clone(&bridge.seen)).unwrap_or_default()
    };
    hold(shared, asked, message, &seen).await
}

/// Of a message for a remote server. One that cannot be read is turned away further on, where all of them are judged.
pub(super) async fn check_remote(shared: &Shared, asked: &Asked) -> Result<(), Turned> {
    let headers = &asked.head.headers;
    let says = mcp_headers::is_newest(headers) || mcp_headers::are_there(headers);
    if asked.head.method != Method::POST || !says {
        return Ok(());
    }
    let Ok(message) = message::strict(&asked.body) else { return Ok(()) };
    let seen = shared.gateway.seen(&asked.session, &asked.server);
    hold(shared, asked, &message, &seen).await
}

async fn hold(shared: &Shared, asked: &Asked, message: &Value, seen: &Seen) -> Result<(), Turned> {
    if asked.head.extensions.get::<OfLine>().is_some() {
        return Ok(());
    }
    let named = message.pointer("/params/name").and_then(Value::as_str);
    let tool = named.and_then(|name| shared.gateway.tool_seen(&asked.server, seen, name));
    let schema = tool.as_ref().and_then(|tool| tool.definition.get("inputSchema"));
    let Err(mismatch) = mcp_headers::complete(&asked.head.headers, message, schema) else { return Ok(()) };
    let why = "an MCP message whose headers do not say what it says";
    shared.gateway.record_refused(&asked.session, why, format!("{}: {mismatch}", asked.server)).await;
    let id = message.get("id").unwrap_or(&Value::Null);
    Err(answer::error(StatusCode::BAD_REQUEST, id, mcp_headers::MISMATCH, &mismatch.to_string()))
}
