//! What is looked at before a message is read: for whom the request is, from which page it comes, and whose token it shows.

use std::sync::Arc;

use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use reeve_domain::sensitive::Secret;
use reeve_engine::{Engine, LiveSession};
use reeve_protocol::mcp_headers;
use rmcp::model::{ErrorCode, ProtocolVersion};
use serde_json::Value;

use crate::http::{Turned, answer};

pub(super) const JSON: &str = "application/json";
pub(super) const EVENTS: &str = "text/event-stream";
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
pub(super) const VERSION: HeaderName = HeaderName::from_static(mcp_headers::VERSION);

/// A page that a name server points at this port names another host (DNS rebinding).
pub(super) fn host(headers: &HeaderMap, port: u16) -> Result<(), Turned> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known =
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host.eq_ignore_ascii_case(&format!("{name}:{port}")));
    if known && hosts.next().is_none() {
        return Ok(());
    }
    Err(answer::refused(StatusCode::FORBIDDEN, "the request is for another host than this endpoint"))
}

/// Pages of other places may not ask, whatever token they show.
pub(super) fn origin(headers: &HeaderMap) -> Result<(), Turned> {
    let local = |origin: &str| {
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))?;
        let name = match rest.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() => name,
            _ => rest,
        };
        ["127.0.0.1", "localhost", "[::1]"].contains(&name).then_some(())
    };
    let foreign = headers.get_all(ORIGIN).iter().any(|value| value.to_str().ok().and_then(local).is_none());
    if foreign {
        return Err(answer::refused(StatusCode::FORBIDDEN, "pages of other places may not use this endpoint"));
    }
    Ok(())
}

/// The server that a path names. What is no letter or digit may come percent-encoded.
pub(super) fn path(path: &str) -> Result<String, Turned> {
    let name = path.strip_prefix("/mcp/").map(|name| name.strip_suffix('/').unwrap_or(name));
    let name = name.filter(|name| !name.is_empty() && !name.contains('/')).and_then(unescaped);
    name.ok_or_else(|| answer::refused(StatusCode::NOT_FOUND, "the path of a server is `/mcp/` and its name"))
}

/// A name as it stands in a path: what is no plain letter or digit comes percent-encoded.
pub(super) fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let shown = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    name.bytes().map(shown).collect()
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if *byte != b'%' {
            bytes.push(*byte);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok().filter(|name| !name.contains(char::is_control))
}

/// Whose token it is.
pub(super) fn identity(engine: &Engine, headers: &HeaderMap) -> Result<(Arc<LiveSession>, Secret), Turned> {
    let unknown = || {
        let why = "the request carries the token of no running session: use the one in `REEVE_MCP_TOKEN` as bearer";
        answer::refused(StatusCode::UNAUTHORIZED, why)
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).ok_or_else(unknown)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(unknown)?;
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unknown());
    }
    let token = token.trim();
    let session = engine.sessions().authenticate(token).ok_or_else(unknown)?;
    Ok((session, Secret::from(token.to_owned())))
}

/// The version that a header names is one that there is.
pub(super) fn version(headers: &HeaderMap) -> Result<(), Turned> {
    let Some(value) = headers.get(VERSION) else { return Ok(()) };
    let known =
        value.to_str().is_ok_and(|named| ProtocolVersion::KNOWN_VERSIONS.iter().any(|one| one.as_str() == named));
    if known {
        return Ok(());
    }
    let code = i64::from(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION.0);
    Err(answer::error(StatusCode::BAD_REQUEST, &Value::Null, code, "the protocol version of the request is not known"))
}

/// Whether a client takes this kind of answer.
pub(super) fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let (family, _) = kind.split_once('/').unwrap_or((kind, ""));
    headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(
        |item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            !refused && (named == kind || named == "*/*" || named == format!("{family}/*"))
        },
    )
}

/// Whether a message belongs to no MCP session: what follows the 2026-07-28 protocol names its version by itself.
pub(super) fn is_stateless(headers: &HeaderMap, message: &Value) -> bool {
    if headers.contains_key(SESSION) || message.get("method").and_then(Value::as_str) == Some("initialize") {
        return false;
    }
    let in_body = message.pointer("/params/_meta").and_then(|meta| meta.get(mcp_headers::VERSION_KEY)).is_some();
    let discovers = message.get("method").and_then(Value::as_str) == Some("server/discover");
    in_body || discovers || mcp_headers::is_newest(headers)
}

/// What the one server is kept under that serves a session's clients without MCP sessions. No id that is handed out has a
/// space.
pub(super) fn shared_key(session: &LiveSession, server: &str) -> String {
    format!("{} {server}", session.id())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_the_endpoints_own_names_are_served() {
        for good in ["127.0.0.1:4100", "localhost:4100", "LOCALHOST:4100", "[::1]:4100"] {
            assert!(host(&headers(&[("host", good)]), 4100).is_ok(), "{good}");
        }
        for bad in ["evil.example:4100", "127.0.0.1", "127.0.0.1:4101", "localhost.evil.example:4100", ""] {
            assert!(host(&headers(&[("host", bad)]), 4100).is_err(), "{bad}");
        }
        assert!(host(&headers(&[("host", "localhost:1"), ("host", "evil.example")]), 1).is_err());
        assert!(host(&HeaderMap::new(), 1).is_err());
    }

    #[test]
    fn pages_of_this_machine_may_ask_and_no_others() {
        for good in ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:1"] {
            assert!(origin(&headers(&[("origin", good)])).is_ok(), "{good}");
        }
        for bad in [
            "null",
            "http://evil.example",
            "http://localhost.evil.example",
            "http://localhost:80@evil.example",
            "file://",
        ] {
            assert!(origin(&headers(&[("origin", bad)])).is_err(), "{bad}");
        }
        assert!(origin(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_path_names_one_server() {
        assert_eq!(path("/mcp/files").unwrap(), "files");
        assert_eq!(path("/mcp/files/").unwrap(), "files");
        assert_eq!(path("/mcp/%40acme%2fmail").unwrap(), "@acme/mail");
        assert_eq!(path(&format!("/mcp/{}", escaped("@acme/mail ü"))).unwrap(), "@acme/mail ü");
        for bad in [
            "/",
            "/mcp",
            "/mcp/",
            "/mcp/a/b",
            "/mcp/a%2",
            "/mcp/a%0a",
            "/mcp/%+1",
            "/.well-known/oauth-protected-resource",
        ] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_held_against_headers_is_named_as_the_library_names_it() {
        assert_eq!(i64::from(ErrorCode::HEADER_MISMATCH.0), mcp_headers::MISMATCH);
        assert_eq!(ProtocolVersion::STANDARD_HEADERS.as_str(), mcp_headers::SINCE);
    }

    #[test]
    fn accepting_is_read_with_its_wildcards_and_refusals() {
        let accept = |text: &str| headers(&[("accept", text)]);
        assert!(accepts(&accept("application/json, text/event-stream"), EVENTS));
        assert!(accepts(&accept("*/*"), EVENTS) && accepts(&accept("text/*;q=0.1"), EVENTS));
        assert!(!accepts(&accept("application/json"), EVENTS));
        assert!(!accepts(&accept("text/event-stream;q=0, application/json"), EVENTS));
    }
}
