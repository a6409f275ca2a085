//! What a client posts: one message each. A request is answered by one message where that is all there is to say, else by a
//! stream that ends with the answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use rmcp::model::{ErrorCode, ProtocolVersion};
use serde_json::Value;
use tokio::time::timeout;

use crate::http::bridge::{Bridge, Gone};
use crate::http::{Asked, Body, Shared, Turned, answer, check, find, mirrored, start};
use crate::message;

/// How long an answer in one message is waited for before a stream is begun: the head of an answer must not be late.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn post(shared: &Arc<Shared>, asked: Asked) -> Result<Response<Body>, Turned> {
    let headers = &asked.head.headers;
    let takes_events = check::accepts(headers, check::EVENTS);
    if !takes_events && !check::accepts(headers, check::JSON) {
        let why = "the client must accept application/json and text/event-stream";
        return Err(answer::refused(StatusCode::NOT_ACCEPTABLE, why));
    }
    let message = read(headers, &asked.body)?;
    mirrored::check_here(shared, &asked, &message).await?;
    let is_request = message.get("method").is_some() && message.get("id").is_some();
    let stateless = check::is_stateless(headers, &message);
    let begins = message.get("method").and_then(Value::as_str) == Some("initialize") && is_request;
    let bridge = match (stateless, begins && !headers.contains_key(check::SESSION)) {
        (true, _) => without_session(shared, &asked).await?,
        (false, true) => start(shared, &asked, fresh_id()).await?,
        (false, false) => find(shared, &asked)?,
    };
    if !is_request {
        // Which of the clients without session cancelled what is not known: they cancel by hanging up.
        let cancels = message.get("method").and_then(Value::as_str) == Some("notifications/cancelled");
        if !(stateless && cancels) {
            bridge.tell(message).await.map_err(|Gone| gone())?;
        }
        return Ok(answer::empty(StatusCode::ACCEPTED));
    }
    let session = begins.then(|| bridge.id.clone());
    request(bridge, message, Taking { stateless, takes_events, primed: is_primed(headers) }, session).await
}

/// How a client takes its answer.
struct Taking {
    stateless: bool,
    takes_events: bool,
    /// It understands an event without data, which tells it where to take the stream up.
    primed: bool,
}

async fn request(
    bridge: Arc<Bridge>,
    message: Value,
    taking: Taking,
    session: Option<String>,
) -> Result<Response<Body>, Turned> {
    let begun = bridge.request(message).await.map_err(|Gone| gone())?;
    let hangs_up = HangUp { bridge: Arc::clone(&bridge), number: begun.number, armed: taking.stateless };
    let only = if taking.takes_events {
        timeout(PATIENCE, begun.stream.only()).await.ok().flatten()
    } else {
        // Everything but the answer goes to the stream of its own, or is not heard.
        begun.stream.last().await
    };
    match only {
        Some(only) => {
            let status = if taking.stateless { status_of(&only) } else { StatusCode::OK };
            Ok(answer::message(status, only, session.as_deref()))
        }
        None => {
            let primed = taking.primed && !taking.stateless;
            Ok(answer::events(begun.stream.body(0, primed, hangs_up), session.as_deref()))
        }
    }
}

/// One message, read strictly.
fn read(headers: &HeaderMap, body: &Bytes) -> Result<Value, Turned> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(check::JSON) {
        let why = "the message must be application/json";
        return Err(answer::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let read = message::parse(body).and_then(|_| message::strict(body));
    read.map_err(|error| {
        let code = error.object().get("code").and_then(Value::as_i64).unwrap_or_default();
        answer::error(StatusCode::BAD_REQUEST, &Value::Null, code, &error.to_string())
    })
}

/// The one server that serves this session's clients without MCP sessions.
async fn without_session(shared: &Arc<Shared>, asked: &Asked) -> Result<Arc<Bridge>, Turned> {
    let _one = shared.starting.lock().await;
    let key = check::shared_key(&asked.session, &asked.server);
    let running = shared.bridges.lock().get(&key).filter(|bridge| !bridge.ended.is_cancelled()).map(Arc::clone);
    match running {
        Some(bridge) => Ok(bridge),
        None => start(shared, asked, String::new()).await,
    }
}

/// 128 random bits. Nobody else's token opens what it names.
fn fresh_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

fn is_primed(headers: &HeaderMap) -> bool {
    let version = headers.get("mcp-protocol-version").and_then(|value| value.to_str().ok());
    version.is_some_and(|version| version >= ProtocolVersion::V_2025_11_25.as_str())
}

/// Clients without session are told some errors by the status too.
fn status_of(message: &Bytes) -> StatusCode {
    let code = serde_json::from_slice::<Value>(message).ok();
    let code = code.as_ref().and_then(|value| value.pointer("/error/code")).and_then(Value::as_i64);
    let is = |known: ErrorCode| code == Some(i64::from(known.0));
    if is(ErrorCode::METHOD_NOT_FOUND) {
        StatusCode::NOT_FOUND
    } else if is(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION)
        || is(ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY)
        || is(ErrorCode::HEADER_MISMATCH)
    {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    }
}

fn gone() -> Turned {
    answer::refused(StatusCode::NOT_FOUND, "the MCP session has ended")
}

/// A client without session cancels its request by hanging up; one with a session comes back for the answer.
struct HangUp {
    bridge: Arc<Bridge>,
    number: u64,
    armed: bool,
}

impl Drop for HangUp {
    fn drop(&mut self) {
        if self.armed {
            self.bridge.cancel(self.number);
        }
    }
}
