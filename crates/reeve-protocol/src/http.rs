//! Requests that are not calls to a language model: facts, summary from a fixed template, and content.

use ::http::HeaderMap;
use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE, UPGRADE};
use reeve_domain::operation::{Digest, HttpCall, Subject};
use reeve_domain::path::RequestPath;

use crate::{Classified, RequestHead, redact, text, view};

/// Reads any request as plain HTTP. `body` is the whole decoded body, or `None` where the mouth does not hold it: then
/// the content says so, and it is not the content of a request without a body. What looks like a secret in path or query
/// is written out nowhere but in the content's hash; the path itself is judged as it is.
#[must_use]
pub fn classify(head: &RequestHead, body: Option<&[u8]>) -> Classified {
    let header = |name| head.headers.get(name).and_then(|value: &::http::HeaderValue| value.to_str().ok());
    let shown = shown(head);
    let call = HttpCall {
        endpoint: shown.endpoint.clone(),
        query_bytes: head.query.as_ref().filter(|_| shown.query != head.query).map(|q| q.len() as u64),
        query: shown.query.clone(),
        content_type: header(CONTENT_TYPE).map(|kind| text::line(kind, 128)),
        body_bytes: declared_bytes(&head.headers),
        upgrade: header(UPGRADE).map(|protocol| text::line(&protocol.to_ascii_lowercase(), 64)),
        // Only the mouth sees sessions begin.
        ends_session: false,
    };
    Classified {
        content: content(head, &call, body),
        summary: summary(&shown),
        conversation: None,
        answers: Vec::new(),
        view: view::http(&shown, body),
        subject: Subject::Http(call),
    }
}

/// The head as it is judged, recorded and shown.
fn shown(head: &RequestHead) -> RequestHead {
    let mut shown = head.clone();
    shown.endpoint.path = shown_path(head);
    shown.query = head.query.as_deref().map(redact::query);
    shown
}

/// The path, written out without what looks like a secret. Rules go on naming it as it is.
pub(crate) fn shown_path(head: &RequestHead) -> RequestPath {
    head.endpoint.path.clone().showing(&redact::path(head.endpoint.path.as_str()))
}

fn declared_bytes(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key("transfer-encoding") {
        return None;
    }
    match headers.get(CONTENT_LENGTH) {
        Some(length) => length.to_str().ok()?.parse().ok(),
        None => Some(0),
    }
}

/// `POST api.github.com/repos/acme/api/merges`; the port where it is not the scheme's own.
fn summary(head: &RequestHead) -> String {
    let endpoint = &head.endpoint;
    let port =
        if endpoint.port == endpoint.scheme.default_port() { String::new() } else { format!(":{}", endpoint.port) };
    text::line(&format!("{} {}{port}{}", endpoint.method, endpoint.host, endpoint.path.shown()), 200)
}

/// Method, scheme, authority, path, query, upgrade and body, each with its length before it.
fn content(head: &RequestHead, call: &HttpCall, body: Option<&[u8]>) -> Digest {
    use sha2::Digest as _;
    let endpoint = &head.endpoint;
    let mut hash = sha2::Sha256::new();
    let mut part = |bytes: Option<&[u8]>| match bytes {
        None => hash.update([0]),
        Some(bytes) => {
            hash.update([1]);
            hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(bytes);
        }
    };
    part(Some(b"reeve-http-1"));
    part(Some(endpoint.method.as_bytes()));
    part(Some(endpoint.scheme.as_str().as_bytes()));
    part(Some(format!("{}:{}", endpoint.host, endpoint.port).as_bytes()));
    part(Some(endpoint.path.as_str().as_bytes()));
    part(head.query.as_deref().map(str::as_bytes));
    part(call.upgrade.as_deref().map(str::as_bytes));
    part(body);
    Digest(hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::head;

    fn read(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Classified {
        classify(&head(method, url, headers), body)
    }

    #[test]
    fn a_request_is_summed_up_without_its_query() {
        let merge = read("POST", "https://api.github.com/repos/acme/api/merges?token=secret", &[], None);
        assert_eq!(merge.summary, "POST api.github.com/repos/acme/api/merges");
        let odd = read("GET", "http://localhost:8080/x", &[], None);
        assert_eq!(odd.summary, "GET localhost:8080/x");
        let long = read("GET", &format!("https://a.example/{}", "x".repeat(500)), &[], None);
        assert_eq!(long.summary.chars().count(), 200);
    }

    #[test]
    fn what_looks_like_a_secret_in_the_line_is_only_in_the_hash() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        let url = format!("https://a.example/raw/x?page={token}&access_token=hunter2");
        let read_one = read("GET", &url, &[], Some(b""));
        let all = format!("{read_one:?}");
        assert!(!all.contains(&token) && !all.contains("hunter2"), "{all}");
        let Subject::Http(call) = &read_one.subject else { panic!("not http") };
        assert_eq!(call.query.as_deref(), Some("page=(redacted)&access_token=(redacted)"));
        assert_eq!(call.query_bytes, Some(66), "rules judge the length that is sent");
        assert_eq!(read_one.view["query"], "page=(redacted)&access_token=(redacted)");
        let other = read("GET", &url.replace("hunter2", "hunter3"), &[], Some(b""));
        assert_ne!(read_one.content, other.content);
    }

    #[test]
    fn a_secret_in_the_path_is_judged_and_written_out_nowhere() {
        let secret = "Zk3vQ9xLr7TbW2mNc8YpHd5s";
        let url = format!("https://hooks.example/services/T1/{secret}");
        let read_one = read("POST", &url, &[], Some(b"{}"));
        assert!(!format!("{read_one:?}").contains(secret), "{read_one:?}");
        assert!(!serde_json::to_string(&read_one.subject).unwrap().contains(secret));
        let Subject::Http(call) = &read_one.subject else { panic!("not http") };
        assert_eq!(call.endpoint.path.judged(), format!("/services/T1/{secret}"));
        assert!(read_one.summary.starts_with("POST hooks.example/services/T1/(redacted."), "{}", read_one.summary);
        let other = read("POST", &url.replace("5s", "6s"), &[], Some(b"{}"));
        assert_ne!(read_one.content, other.content, "an approval of one is none of the other");
        assert_ne!(read_one.summary, other.summary);
    }

    #[test]
    fn facts_come_from_the_head() {
        let Subject::Http(call) =
            read("GET", "https://a.example/ws", &[("upgrade", "WebSocket"), ("content-type", "a/b")], None).subject
        else {
            panic!("not http")
        };
        assert_eq!(call.upgrade.as_deref(), Some("websocket"));
        assert_eq!(call.content_type.as_deref(), Some("a/b"));
        assert_eq!(call.body_bytes, Some(0));
        assert_eq!(declared_bytes(&head("POST", "https://a.example/", &[("content-length", "12")]).headers), Some(12));
        assert_eq!(
            declared_bytes(&head("POST", "https://a.example/", &[("transfer-encoding", "chunked")]).headers),
            None
        );
    }

    #[test]
    fn every_part_of_a_request_is_part_of_its_content() {
        let url = "https://a.example/p?q=1";
        let base = read("POST", url, &[], Some(b"body")).content;
        assert_eq!(
            base,
            read("POST", url, &[("authorization", "Bearer x"), ("user-agent", "y")], Some(b"body")).content
        );
        for other in [
            read("PUT", url, &[], Some(b"body")),
            read("POST", "http://a.example:443/p?q=1", &[], Some(b"body")),
            read("POST", "https://b.example/p?q=1", &[], Some(b"body")),
            read("POST", "https://a.example:8443/p?q=1", &[], Some(b"body")),
            read("POST", "https://a.example/p2?q=1", &[], Some(b"body")),
            read("POST", "https://a.example/p?q=2", &[], Some(b"body")),
            read("POST", "https://a.example/p", &[], Some(b"body")),
            read("POST", url, &[("upgrade", "websocket")], Some(b"body")),
            read("POST", url, &[], Some(b"")),
            read("POST", url, &[], None),
        ] {
            assert_ne!(base, other.content, "{}", other.summary);
        }
    }

    #[test]
    fn the_view_shows_bodies_decoded_and_no_header() {
        let headers = [("authorization", "Bearer secret"), ("cookie", "c=secret")];
        let json = read("POST", "https://a.example/p?q=1", &headers, Some(br#"{"a": [1, "two"]}"#));
        assert_eq!(json.view["body"]["json"]["a"][1], "two");
        assert_eq!(json.view["query"], "q=1");
        assert!(!json.view.to_string().contains("secret"));
        let form = read("POST", "https://a.example/p", &[], Some(b"a=1&b=2"));
        assert_eq!(form.view["body"]["text"], "a=1&b=2");
        let binary = read("POST", "https://a.example/p", &[], Some(b"\xff\xfe\x00"));
        assert_eq!(binary.view["body"]["bytes"], 3);
        assert!(binary.view["body"]["sha256"].is_string());
        let mut long = "x".repeat(1024 * 1024 - 1).into_bytes();
        long.extend("ääää".as_bytes());
        let cut = read("POST", "https://a.example/p", &[], Some(&long));
        assert_eq!(cut.view["body"]["text"].as_str().map(str::len), Some(1024 * 1024 - 1));
        assert!(cut.view["body"]["sha256"].is_string());
    }
}
