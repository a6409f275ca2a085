//! Injection: the secret goes in last, into one slot, and replaces everything that the client had there.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE};
use reeve_domain::credential::Slot;
use reeve_engine::credentials::Injection;
use reeve_protocol::mcp_headers;
use zeroize::Zeroizing;

/// What a secret can be put into.
pub(super) struct Slots<'a> {
    pub headers: &'a mut HeaderMap,
    /// Path and query.
    pub target: &'a mut String,
    /// The whole body after content decoding; `None` where it was not taken in whole.
    pub body: Option<&'a mut Bytes>,
}

/// Why a secret could not be put in; nothing was sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InjectError {
    #[error("the secret cannot be a header value")]
    Value,
    #[error("the slot names a header that cannot be")]
    Name,
    #[error("the body is too large, too slow or too oddly coded to put a credential into")]
    Body,
    #[error("the placeholder is not where the credential's slot is")]
    Absent,
}

/// Puts the secret in. Whether the body changed.
pub(super) fn inject(injection: &Injection, slots: Slots<'_>) -> Result<bool, InjectError> {
    let secret = injection.secret.expose();
    let Slots { headers, target, body } = slots;
    drop_placeholders(headers, &injection.placeholder);
    // An answer to a part would be masked without its beginning.
    headers.remove(RANGE);
    headers.remove(IF_RANGE);
    match &injection.slot {
        Slot::Header { name } => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| InjectError::Name)?;
            put(headers, name, secret)?;
        }
        Slot::Bearer => put(headers, AUTHORIZATION, &joined(b"Bearer ", secret))?,
        Slot::Basic { user } => {
            let pair = joined(format!("{user}:").as_bytes(), secret);
            let encoded = Zeroizing::new(STANDARD.encode(&*pair));
            put(headers, AUTHORIZATION, &joined(b"Basic ", encoded.as_bytes()))?;
        }
        Slot::Query { name } => *target = with_parameter(target, name, secret),
        Slot::Path => {
            let (path, query) = split(target);
            let replaced = path.replace(&injection.placeholder, &percent(secret));
            if replaced == path {
                return Err(InjectError::Absent);
            }
            *target = query.map_or_else(|| replaced.clone(), |query| format!("{replaced}?{query}"));
        }
        Slot::Body => {
            let body = body.ok_or(InjectError::Body)?;
            *body = in_body(body, &injection.placeholder, secret, headers)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Only codings that Reeve decodes are offered upstream when it must read or change the answer.
pub(super) fn limit_codings(headers: &mut HeaderMap) {
    let known = ["gzip", "br", "zstd", "deflate"];
    let offered: Vec<String> = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|item| item.trim().to_ascii_lowercase())
        .filter(|item| known.contains(&item.split(';').next().unwrap_or_default().trim()))
        .collect();
    let value = HeaderValue::from_str(&offered.join(", ")).ok().filter(|value| !value.is_empty());
    headers.insert(ACCEPT_ENCODING, value.unwrap_or_else(|| HeaderValue::from_static("identity")));
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &[u8]) -> Result<(), InjectError> {
    let mut value = HeaderValue::from_bytes(value).map_err(|_| InjectError::Value)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn joined(before: &[u8], secret: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([before, secret].concat())
}

/// Tools that do not know which header a provider wants send their key in several.
pub(super) fn drop_placeholders(headers: &mut HeaderMap, placeholder: &str) {
    let carries = |value: &HeaderValue| {
        let plain = memchr::memmem::find(value.as_bytes(), placeholder.as_bytes()).is_some();
        let basic = value
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let decoded = basic.and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok());
        let mirrored = value.to_str().ok().and_then(mcp_headers::decoded);
        plain
            || decoded.is_some_and(|text| memchr::memmem::find(&text, placeholder.as_bytes()).is_some())
            || mirrored.is_some_and(|text| text.contains(placeholder))
    };
    let names: Vec<HeaderName> =
        headers.iter().filter(|(_, value)| carries(value)).map(|(name, _)| name.clone()).collect();
    for name in names {
        headers.remove(name);
    }
}

fn split(target: &str) -> (&str, Option<&str>) {
    target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)))
}

/// The query with exactly one parameter of this name, where the first one was or at the end.
fn with_parameter(target: &str, name: &str, secret: &[u8]) -> String {
    let (path, query) = split(target);
    let ours = format!("{}={}", percent(name.as_bytes()), percent(secret));
    let is_ours = |pair: &str| unescaped(pair.split('=').next().unwrap_or_default()) == name.as_bytes();
    let mut pairs: Vec<&str> = Vec::new();
    let mut placed = false;
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        if !is_ours(pair) {
            pairs.push(pair);
        } else if !placed {
            pairs.push(&ours);
            placed = true;
        }
    }
    if !placed {
        pairs.push(&ours);
    }
    format!("{path}?{}", pairs.join("&"))
}

/// A query without the parameters of this name.
pub(super) fn without_parameter(query: &str, name: &str) -> String {
    let is_ours = |pair: &&str| unescaped(pair.split('=').next().unwrap_or_default()) == name.as_bytes();
    query.split('&').filter(|pair| !is_ours(pair)).collect::<Vec<_>>().join("&")
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escape = after.get(..2).filter(|_| *byte == b'%').and_then(hex_byte);
        out.push(escape.unwrap_or(if *byte == b'+' { b' ' } else { *byte }));
        rest = after.get(if escape.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    out
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |value, digit| {
        let digit = char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())?;
        Some(value * 16 + digit)
    })
}

fn percent(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn in_body(body: &Bytes, placeholder: &str, secret: &[u8], headers: &HeaderMap) -> Result<Bytes, InjectError> {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let written = Zeroizing::new(if kind.contains("json") {
        let text = std::str::from_utf8(secret).map_err(|_| InjectError::Value)?;
        let quoted = serde_json::to_string(text).map_err(|_| InjectError::Value)?;
        quoted.trim_matches('"').as_bytes().to_vec()
    } else if kind.contains("x-www-form-urlencoded") {
        percent(secret).into_bytes()
    } else {
        secret.to_vec()
    });
    let mut out = Vec::with_capacity(body.len() + written.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(body, placeholder.as_bytes()) {
        out.extend_from_slice(body.get(from..at).unwrap_or_default());
        out.extend_from_slice(&written);
        from = at + placeholder.len();
    }
    if from == 0 {
        return Err(InjectError::Absent);
    }
    out.extend_from_slice(body.get(from..).unwrap_or_default());
    Ok(Bytes::from(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_domain::id::CredentialId;
    use reeve_domain::sensitive::Secret;

    const PLACEHOLDER: &str = "sk-reeve-0001";

    struct Sent {
        headers: HeaderMap,
        target: String,
        body: Bytes,
    }

    fn sent(slot: Slot, fields: &[(&'static str, &str)], target: &str, body: &str) -> Result<Sent, InjectError> {
        let injection = Injection {
            credential: CredentialId::parse("acme").unwrap(),
            placeholder: PLACEHOLDER.to_owned(),
            slot,
            secret: Secret::from("re\"al/1".to_owned()),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let (mut target, mut body) = (target.to_owned(), Bytes::from(body.to_owned()));
        inject(&injection, Slots { headers: &mut headers, target: &mut target, body: Some(&mut body) })?;
        Ok(Sent { headers, target, body })
    }

    #[test]
    fn a_header_slot_replaces_every_value_and_every_other_header_that_holds_the_placeholder() {
        let fields = [
            ("x-api-key", PLACEHOLDER),
            ("x-api-key", "mine"),
            ("authorization", "Bearer sk-reeve-0001"),
            ("range", "bytes=1-"),
            ("if-range", "x"),
            ("accept", "*/*"),
        ];
        let sent = sent(Slot::Header { name: "X-Api-Key".to_owned() }, &fields, "/", "").unwrap();
        let values: Vec<_> = sent.headers.get_all("x-api-key").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(values, [b"re\"al/1"]);
        assert_eq!(sent.headers.len(), 2);
    }

    #[test]
    fn what_says_again_what_the_body_says_goes_too_however_it_is_coded() {
        let coded = mcp_headers::coded(&format!("grün {PLACEHOLDER}"));
        let fields = [("content-type", "application/json"), ("mcp-param-note", coded.as_str()), ("mcp-name", "send")];
        let sent = sent(Slot::Body, &fields, "/", "{\"a\":\"sk-reeve-0001\"}").unwrap();
        assert!(coded.starts_with("=?base64?") && !sent.headers.contains_key("mcp-param-note"));
        assert_eq!(sent.headers["mcp-name"], "send");
    }

    #[test]
    fn bearer_and_basic_replace_the_authorization() {
        let encoded = format!("Basic {}", STANDARD.encode(format!("x:{PLACEHOLDER}")));
        let basic = sent(Slot::Basic { user: "dana".to_owned() }, &[("authorization", &encoded)], "/", "").unwrap();
        assert_eq!(basic.headers["authorization"], format!("Basic {}", STANDARD.encode("dana:re\"al/1")));
        let bearer = sent(Slot::Bearer, &[("authorization", "Bearer sk-reeve-0001")], "/", "").unwrap();
        assert_eq!(bearer.headers["authorization"], "Bearer re\"al/1");
        assert!(bearer.headers["authorization"].is_sensitive());
    }

    #[test]
    fn query_and_path_take_the_secret_escaped() {
        let slot = Slot::Query { name: "key".to_owned() };
        let query = sent(slot.clone(), &[], "/p?a=1&%6bey=sk-reeve-0001&key=x&b=2", "").unwrap();
        assert_eq!(query.target, "/p?a=1&key=re%22al%2F1&b=2");
        assert_eq!(sent(slot, &[], "/p", "").unwrap().target, "/p?key=re%22al%2F1");
        let path = sent(Slot::Path, &[], "/bot/sk-reeve-0001/send?x=1", "").unwrap();
        assert_eq!(path.target, "/bot/re%22al%2F1/send?x=1");
        assert_eq!(sent(Slot::Path, &[], "/bot", "").err(), Some(InjectError::Absent));
    }

    #[test]
    fn a_body_takes_the_secret_in_its_own_escaping() {
        let json = [("content-type", "application/json; charset=utf-8")];
        let body = sent(Slot::Body, &json, "/", "{\"a\":\"sk-reeve-0001\",\"b\":\"sk-reeve-0001\"}").unwrap().body;
        assert_eq!(&body[..], b"{\"a\":\"re\\\"al/1\",\"b\":\"re\\\"al/1\"}");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(&sent(Slot::Body, &form, "/", "t=sk-reeve-0001").unwrap().body[..], b"t=re%22al%2F1");
        assert_eq!(sent(Slot::Body, &form, "/", "t=1").err(), Some(InjectError::Absent));
    }

    #[test]
    fn only_codings_that_are_decoded_are_offered() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=1, snappy, br, *"));
        limit_codings(&mut headers);
        assert_eq!(headers[ACCEPT_ENCODING], "gzip;q=1, br");
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("snappy"));
        limit_codings(&mut headers);
        assert_eq!(headers[ACCEPT_ENCODING], "identity");
    }
}
