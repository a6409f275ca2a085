//! What the endpoint answers by itself: a refusal with its cause, one message, a stream.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Full};
use serde_json::{Value, json};

use crate::http::check::{EVENTS, JSON, SESSION};
use crate::http::{Body, Turned};

/// Turns a request away; `why` is one sentence that repeats nothing of the client's but names.
pub(super) fn refused(status: StatusCode, why: &str) -> Turned {
    error(status, &Value::Null, -32000, why)
}

/// A JSON-RPC error with a status of its own.
pub(super) fn error(status: StatusCode, id: &Value, code: i64, why: &str) -> Turned {
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": why } });
    let mut response = message(status, Bytes::from(body.to_string()), None);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"reeve\""));
    }
    Box::new(response)
}

/// One message.
pub(super) fn message(status: StatusCode, message: Bytes, session: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Full::new(message).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    named(response, session)
}

/// A stream of events.
pub(super) fn events(body: Body, session: Option<&str>) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    named(response, session)
}

pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn named(mut response: Response<Body>, session: Option<&str>) -> Response<Body> {
    if let Some(value) = session.and_then(|id| HeaderValue::from_str(id).ok()) {
        response.headers_mut().insert(SESSION, value);
    }
    response
}
