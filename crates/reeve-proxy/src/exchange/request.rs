//! The head of a request, checked and cleaned: one authority, one reading of its path, no header that steers a server
//! past what was judged.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use reeve_domain::host::Authority;
use reeve_domain::operation::{Endpoint, Scheme};
use reeve_domain::path::RequestPath;

use crate::framing::MAX_HEADERS;
use crate::framing::head::is_method;
use crate::payload::Payload;
use crate::refusal::Refusal;
use crate::websocket;

/// A request as it came from a client, in either version of HTTP.
pub(crate) struct Incoming {
    pub method: String,
    /// Scheme and authority where the request line or the pseudo-headers name them.
    pub scheme: Option<String>,
    pub authority: Option<String>,
    /// Path and query as sent.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Payload,
    /// Declared length of the body; `None` when it is not known beforehand.
    pub length: Option<u64>,
    /// The connection can be given over to another protocol (HTTP/1.1 only).
    pub upgradable: bool,
}

/// A checked head. What is in it is what is judged and what is forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub endpoint: Endpoint,
    pub query: Option<String>,
    /// End-to-end headers only.
    pub headers: HeaderMap,
    /// Lower-case protocol of an upgrade.
    pub upgrade: Option<String>,
    /// The client takes trailers (`TE: trailers`), which some upstreams insist on.
    pub trailers: bool,
}

/// Headers that concern one connection only, and framing, which is always made anew.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
    "http2-settings",
    "host",
];

/// Headers that make a server see another method, host, path or client than was judged.
const STEERING: &[&str] = &[
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-original-host",
    "x-host",
    "proxy",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-prefix",
    "x-forwarded-path",
    "x-forwarded-uri",
];

/// Names that `Connection` may list without asking for the removal of something that matters.
const CONNECTION_OPTIONS: &[&str] =
    &["close", "keep-alive", "upgrade", "te", "http2-settings", "proxy-connection", "trailer", "transfer-encoding"];

/// End-to-end headers that `Connection` may never name.
const PROTECTED: &[&str] = &[
    "authorization",
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "cookie",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "proxy-authorization",
    "expect",
    "range",
    "accept",
    "accept-encoding",
];

/// Checks the head of a request on a connection to `target`.
///
/// # Errors
/// With the cause and the place, when it is malformed, ambiguous, or for another host.
pub(crate) fn check(incoming: &Incoming, scheme: Scheme, target: &Authority) -> Result<Asked, Refusal> {
    if incoming.headers.len() > MAX_HEADERS {
        return Err(Refusal::malformed("The request has more than 200 header fields."));
    }
    if incoming.method == "CONNECT" {
        return Err(Refusal::malformed("A CONNECT inside a tunnel is not accepted."));
    }
    if !is_method(&incoming.method) {
        return Err(Refusal::malformed("The method is not an upper-case token."));
    }
    check_authority(incoming, scheme, target)?;
    let (path, query) = split_target(&incoming.target)?;
    let endpoint =
        Endpoint { scheme, host: target.host.clone(), port: target.port, method: incoming.method.clone(), path };
    check_expect(&incoming.headers)?;
    Ok(Asked {
        endpoint,
        query,
        upgrade: upgrade(incoming)?,
        trailers: names(&incoming.headers, "te", "trailers"),
        headers: end_to_end(&incoming.headers)?,
    })
}

fn check_authority(incoming: &Incoming, scheme: Scheme, target: &Authority) -> Result<(), Refusal> {
    if incoming.scheme.as_deref().is_some_and(|asked| !asked.eq_ignore_ascii_case(scheme.as_str())) {
        return Err(Refusal::misdirected("The request names another scheme than its connection has."));
    }
    let mut hosts = incoming.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::malformed("The request has more than one `Host` header."));
    }
    if host.is_none() && incoming.authority.is_none() {
        return Err(Refusal::malformed("The request names no host."));
    }
    let host = host.map(|value| value.to_str().unwrap_or_default());
    for named in incoming.authority.as_deref().into_iter().chain(host) {
        let named = Authority::parse(named, Some(scheme.default_port()))
            .map_err(|error| Refusal::malformed(format!("The host of the request is malformed: {}.", error.rule())))?;
        if named != *target {
            return Err(Refusal::misdirected("The request is for another host than its connection leads to."));
        }
    }
    Ok(())
}

pub(crate) fn split_target(target: &str) -> Result<(RequestPath, Option<String>), Refusal> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let path = RequestPath::parse(path)
        .map_err(|error| Refusal::malformed(format!("The path of the request is ambiguous: {}.", error.rule())))?;
    let plain = |query: &str| query.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'#');
    match query {
        Some(query) if !plain(query) => Err(Refusal::malformed("The query of the request is malformed.")),
        query => Ok((path, query.map(ToOwned::to_owned))),
    }
}

fn check_expect(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(header::EXPECT) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => Err(Refusal::new(
            http::StatusCode::EXPECTATION_FAILED,
            "unknown_expectation",
            "The request expects something other than `100-continue`.",
            "Leave the `Expect` header out.",
        )),
        _ => Ok(()),
    }
}

/// An upgrade to WebSocket, whose frames are looked through. One to HTTP/2, which is never negotiated this way here, is
/// treated as not asked for; any other would carry bytes that nobody can look through.
fn upgrade(incoming: &Incoming) -> Result<Option<String>, Refusal> {
    let asked = incoming.upgradable && names(&incoming.headers, "connection", "upgrade");
    let mut values = incoming.headers.get_all(header::UPGRADE).iter();
    let Some(value) = values.next().filter(|_| asked) else { return Ok(None) };
    let protocol = value.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    if values.next().is_some() || protocol.is_empty() || !protocol.bytes().all(good) {
        return Err(Refusal::malformed("The `Upgrade` header does not name exactly one protocol."));
    }
    if protocol.starts_with("h2") || protocol.starts_with("http/") {
        return Ok(None);
    }
    if protocol != "websocket" {
        let message = format!("An upgrade to `{protocol}` would carry bytes that Reeve cannot look through.");
        let advice = "Use plain HTTP or a WebSocket.";
        return Err(Refusal::new(http::StatusCode::FORBIDDEN, "unknown_upgrade", message, advice));
    }
    websocket::check_request(&incoming.headers, &protocol)
        .map_err(|error| Refusal::malformed(format!("The upgrade is malformed: {error}.")))?;
    Ok(Some(protocol))
}

/// Whether a list header holds a word.
pub(crate) fn names(headers: &HeaderMap, header: &str, word: &str) -> bool {
    listed(headers, header).any(|item| item == word)
}

/// The items of a list header in lower case, parameters dropped.
fn listed(headers: &HeaderMap, header: &str) -> impl Iterator<Item = String> {
    headers.get_all(header).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| {
        value.split(',').map(|item| item.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    })
}

fn end_to_end(headers: &HeaderMap) -> Result<HeaderMap, Refusal> {
    let mut kept = headers.clone();
    for name in listed(headers, "connection").filter(|name| !CONNECTION_OPTIONS.contains(&name.as_str())) {
        if PROTECTED.contains(&name.as_str()) {
            let message = format!("The `Connection` header asks for the removal of `{name}`.");
            return Err(Refusal::malformed(message));
        }
        kept.remove(&name);
    }
    for name in HOP_BY_HOP.iter().chain(STEERING) {
        kept.remove(*name);
    }
    join_cookies(&mut kept);
    Ok(kept)
}

/// HTTP/2 clients may send cookies one by one; HTTP/1 has them in one line.
fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(b"; ".as_slice()))
    {
        headers.insert(header::COOKIE, joined);
    }
}

/// What is left of an upstream's headers for the client: end-to-end ones. `Alt-Svc` would lead clients past Reeve.
pub(crate) fn clean_response(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> =
        listed(headers, "connection").filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP.iter().filter(|name| **name != "content-length").chain(&["alt-svc"]) {
        headers.remove(*name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(method: &str, target: &str, fields: &[(&'static str, &str)]) -> Incoming {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Incoming {
            method: method.to_owned(),
            scheme: None,
            authority: None,
            target: target.to_owned(),
            headers,
            body: crate::payload::empty(),
            length: Some(0),
            upgradable: true,
        }
    }

    fn checked(incoming: &Incoming) -> Result<Asked, Refusal> {
        check(incoming, Scheme::Https, &Authority::parse("a.example:443", None).unwrap())
    }

    #[test]
    fn a_plain_request_keeps_its_end_to_end_headers_only() {
        let fields = [
            ("host", "A.Example."),
            ("authorization", "Bearer x"),
            ("connection", "keep-alive, X-Mine"),
            ("x-mine", "1"),
            ("te", "trailers"),
            ("keep-alive", "5"),
            ("x-forwarded-host", "b"),
            ("x-http-method-override", "DELETE"),
            ("accept", "*/*"),
            ("proxy-authorization", "Basic x"),
            ("content-length", "0"),
        ];
        let asked = checked(&incoming("GET", "/a%7Eb?c=%zz", &fields)).unwrap();
        let mut left: Vec<_> = asked.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "authorization"]);
        assert_eq!((asked.endpoint.path.as_str(), asked.query.as_deref()), ("/a~b", Some("c=%zz")));
        assert!(asked.trailers && asked.upgrade.is_none());
    }

    #[test]
    fn ambiguous_requests_are_refused_with_their_cause() {
        let host: (&'static str, &str) = ("host", "a.example");
        let table: &[(&str, &str, &[(&'static str, &str)], u16)] = &[
            ("GET", "/", &[], 400),
            ("GET", "/", &[host, host], 400),
            ("GET", "/", &[("host", "b.example")], 421),
            ("GET", "/", &[("host", "a.example:8443")], 421),
            ("GET", "/", &[("host", "a.example,b.example")], 400),
            ("GET", "/", &[("host", "user@a.example")], 400),
            ("GET", "/", &[("host", "a%2eexample")], 400),
            ("GET", "/", &[("host", "")], 400),
            ("GET", "/a/../b", &[host], 400),
            ("GET", "/a%2fb", &[host], 400),
            ("GET", "//a", &[host], 400),
            ("GET", "/a;b", &[host], 400),
            ("GET", "/?a#b", &[host], 400),
            ("GET", "*", &[host], 400),
            ("CONNECT", "b.example:443", &[host], 400),
            ("get", "/", &[host], 400),
            ("GET", "/", &[host, ("connection", "authorization")], 400),
            ("GET", "/", &[host, ("connection", "close, Host")], 400),
            ("GET", "/", &[host, ("expect", "200-ok")], 417),
            ("GET", "/", &[host, ("connection", "upgrade"), ("upgrade", "websocket, h2c")], 400),
            ("GET", "/", &[host, ("connection", "upgrade"), ("upgrade", "websocket")], 400),
            ("POST", "/", &[host, ("connection", "upgrade"), ("upgrade", "tcp")], 403),
            ("GET", "/", &[host, ("connection", "upgrade"), ("upgrade", "SPDY/3.1")], 403),
        ];
        for (method, target, fields, status) in table {
            let refusal = checked(&incoming(method, target, fields)).unwrap_err();
            assert_eq!(refusal.status.as_u16(), *status, "{method} {target} {fields:?}: {}", refusal.message);
        }
    }

    #[test]
    fn the_authority_of_the_request_line_counts_as_much_as_the_host_header() {
        let mut request = incoming("GET", "/", &[("host", "a.example")]);
        request.authority = Some("b.example".to_owned());
        assert_eq!(checked(&request).unwrap_err().status.as_u16(), 421);
        request.authority = Some("a.example:443".to_owned());
        request.scheme = Some("http".to_owned());
        assert_eq!(checked(&request).unwrap_err().status.as_u16(), 421);
    }

    #[test]
    fn an_upgrade_to_http_2_is_never_asked_for_upstream() {
        let upgrade = |to: &str| {
            let fields = [
                ("host", "a.example"),
                ("connection", "Upgrade, HTTP2-Settings"),
                ("upgrade", to),
                ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
                ("sec-websocket-version", "13"),
            ];
            checked(&incoming("GET", "/", &fields)).unwrap().upgrade
        };
        assert_eq!(upgrade("h2c"), None);
        assert_eq!(upgrade("WebSocket"), Some("websocket".to_owned()));
    }

    #[test]
    fn cookies_that_came_apart_are_joined() {
        let asked =
            checked(&incoming("GET", "/", &[("host", "a.example"), ("cookie", "a=1"), ("cookie", "b=2")])).unwrap();
        assert_eq!(asked.headers.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    }
}
