//! The requests that carry a client's messages: what they say in their headers is what the message says.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use http::{Method, Request};
use reeve_protocol::mcp_headers::{self, VERSION_KEY};
use rmcp::model::ProtocolVersion;
use serde_json::Value;

use super::{Line, header};
use crate::http::check::{EVENTS, JSON, SESSION, VERSION, escaped};

/// Marks a request that Reeve's own line made of a message: such a client writes no headers, and what they would say of arguments
/// is written where a remote server is asked.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct OfLine;

/// What was agreed on when the server was greeted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    /// None: the server keeps none.
    pub session: Option<HeaderValue>,
    version: Option<HeaderValue>,
}

impl Spoken {
    /// As a server answered.
    pub fn of(session: Option<HeaderValue>, result: &Value) -> Self {
        let version = result.get("protocolVersion").and_then(Value::as_str).and_then(header);
        Self { session, version }
    }

    pub fn put(&self, headers: &mut HeaderMap) {
        for (name, value) in [(SESSION, &self.session), (VERSION, &self.version)] {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
    }
}

/// The version that a message names by itself: one that belongs to no MCP session.
pub(super) fn own_version(method: &str, params: &Value) -> Option<String> {
    let named = params.get("_meta").and_then(|meta| meta.get(VERSION_KEY)).and_then(Value::as_str).map(str::to_owned);
    let discovers = method == "server/discover";
    named.or_else(|| discovers.then(|| ProtocolVersion::STANDARD_HEADERS.as_str().to_owned()))
}

impl Line {
    /// A request to the server's path, with the session's token.
    pub(super) fn request(&self, method: Method, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        if let Ok(path) = format!("/mcp/{}", escaped(&self.server)).parse() {
            *request.uri_mut() = path;
        }
        let headers = request.headers_mut();
        let bearer = [b"Bearer ", self.token.expose()].concat();
        if let Some(host) = header(&self.endpoint.address().to_string()) {
            headers.insert(HOST, host);
        }
        if let Ok(mut bearer) = HeaderValue::from_bytes(&bearer) {
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        request.extensions_mut().insert(OfLine);
        request
    }

    /// The request that carries a message. What the message names by itself goes before what was agreed on.
    pub(super) fn carrying(
        &self,
        method: &str,
        params: &Value,
        own: Option<&str>,
        spoken: Option<&Spoken>,
        raw: Bytes,
    ) -> Request<Bytes> {
        let mut request = self.request(Method::POST, raw);
        let headers = request.headers_mut();
        match (own, spoken) {
            (Some(version), _) => {
                if let Some(version) = header(version) {
                    headers.insert(VERSION, version);
                }
                mcp_headers::write(headers, method, params, None);
            }
            (None, Some(spoken)) => spoken.put(headers),
            (None, None) => {}
        }
        request
    }

    /// The request for a stream that the server opens by itself, or that broke off behind this event.
    pub(super) fn listening(&self, spoken: &Spoken, last: Option<&str>) -> Request<Bytes> {
        let mut request = self.request(Method::GET, Bytes::new());
        let headers = request.headers_mut();
        headers.remove(CONTENT_TYPE);
        headers.insert(ACCEPT, HeaderValue::from_static(EVENTS));
        spoken.put(headers);
        if let Some(last) = last.and_then(header) {
            headers.insert(crate::http::check::LAST_EVENT, last);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_that_names_its_version_belongs_to_no_session() {
        let meta = json!({ "_meta": { VERSION_KEY: "2026-07-28" }, "name": "x" });
        assert_eq!(own_version("tools/call", &meta).as_deref(), Some("2026-07-28"));
        assert_eq!(own_version("server/discover", &Value::Null).as_deref(), Some("2026-07-28"));
        assert_eq!(own_version("tools/call", &json!({ "name": "x" })), None);
    }
}
