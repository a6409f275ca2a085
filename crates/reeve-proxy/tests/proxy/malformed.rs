//! Bad input: a clear refusal, a record, no contact with any upstream, and an engine that goes on.

use reeve_domain::event::EventBody;

use crate::client::{authorization, connect, exchange, get, https, post};
use crate::upstream::{Reply, Upstream};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn smuggling_and_malformed_heads_are_refused_with_their_cause() {
    let upstream = Upstream::start(&["a.example"], false, |_| Reply::text("hello")).await;
    let world = World::start(&["a.example:443"], &upstream).await;
    let long = format!("GET / HTTP/1.1\r\nHost: a.example\r\nX: {}\r\n\r\n", "y".repeat(70_000));
    let many = format!("GET / HTTP/1.1\r\nHost: a.example\r\n{}\r\n", "A: b\r\n".repeat(201));
    let table: &[(&str, u16, &str)] = &[
        (
            "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400,
            "Content-Length",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            400,
            "Content-Length",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "both",
        ),
        ("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400, "Transfer-Encoding"),
        (
            "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
            400,
            "Transfer-Encoding",
        ),
        ("GET / HTTP/1.1\r\nHost: a.example\r\nX: a\r\n b\r\n\r\n", 400, "folded"),
        ("GET / HTTP/1.1\nHost: a.example\n\n", 400, "line feed"),
        ("GET / HTTP/1.1\r\nHost: a.example\rX: b\r\n\r\n", 400, "line feed"),
        ("GET / HTTP/1.1\r\nHost: a.exa\0mple\r\n\r\n", 400, "NUL"),
        ("GET / HTTP/1.1\r\nHost : a.example\r\n\r\n", 400, "header name"),
        ("GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n", 400, "more than one"),
        ("GET / HTTP/1.1\r\n\r\n", 400, "no host"),
        ("GET /a/../b HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, "ambiguous"),
        ("GET /a%2e%2e/b HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, "ambiguous"),
        ("GET //b HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, "ambiguous"),
        ("get / HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, "method"),
        ("GET / HTTP/3.0\r\nHost: a.example\r\n\r\n", 505, "version"),
        ("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: authorization\r\n\r\n", 400, "removal"),
        ("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "chunk size"),
        (
            "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            400,
            "chunk size",
        ),
        (&long, 431, "64 KiB"),
        (&many, 431, "200"),
    ];
    for (request, status, cause) in table {
        let mut io = https(&world, "a.example").await;
        let reply = exchange(&mut io, request).await;
        let shown: String = request.chars().take(60).collect();
        assert_eq!(reply.status, *status, "{shown:?}: {}", reply.text());
        let error = reply.json()["error"].clone();
        assert!(error["message"].as_str().unwrap().contains(cause), "{shown:?}: {error}");
        assert!(error["advice"].as_str().is_some_and(|advice| !advice.is_empty()));
    }
    assert_eq!(upstream.count(), 0);
    let refused = world.events().iter().filter(|e| matches!(e, EventBody::ConnectionRefused { .. })).count();
    assert_eq!(refused, table.len());
    assert_eq!(get(&world, "a.example", "/").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn tricks_with_the_target_host_are_refused_before_any_look_up() {
    let upstream = Upstream::start(&["a.example"], false, |_| Reply::text("hello")).await;
    let world = World::start(&["a.example:443"], &upstream).await;
    let auth = authorization(&world.token);
    for target in [
        "user@a.example:443",
        "a%2eexample:443",
        "a.example:0",
        "a.example:65536",
        "a.example:+443",
        "a.example",
        "xn--zzzz--.example:443",
        "a..example:443",
        "2130706433:443",
        "0x7f.1:443",
        "127.1:443",
        "[::1%25lo]:443",
        "a_b.example:443",
        "-a.example:443",
        ":443",
        "a.example:443:443",
        "\u{e4}.example:443",
    ] {
        let mut tcp = connect(&world).await;
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {auth}\r\n\r\n");
        let reply = exchange(&mut tcp, request).await;
        assert_eq!(reply.status, 400, "{target}");
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_no_strict_http_are_not_passed_on() {
    let bad: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"nonsense\r\n\r\n",
    ];
    for bytes in bad {
        let upstream = Upstream::start(&["a.example"], false, |_| Reply::Raw(bytes.to_vec())).await;
        let world = World::start(&["a.example:443"], &upstream).await;
        let reply = get(&world, "a.example", "/").await;
        assert_eq!(reply.status, 502, "{:?}", String::from_utf8_lossy(bytes));
        assert_eq!(reply.json()["error"]["code"], "upstream_failed");
        let ending = world.outcome().await.ending;
        assert!(matches!(ending, reeve_domain::outcome::Ending::CutByUpstream { .. }), "{ending:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_cut_short_by_the_upstream_is_cut_for_the_client_too() {
    let raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n".to_vec();
    let upstream = Upstream::start(&["a.example"], false, move |_| Reply::Raw(raw.clone())).await;
    let world = World::start(&["a.example:443"], &upstream).await;
    let mut io = https(&world, "a.example").await;
    tokio::io::AsyncWriteExt::write_all(&mut io, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await.unwrap();
    assert!(crate::client::read(&mut io, "GET").await.is_none(), "a part was passed off as the whole");
    let ending = world.outcome().await.ending;
    assert!(matches!(ending, reeve_domain::outcome::Ending::CutByUpstream { .. }), "{ending:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_call_that_cannot_be_read_is_refused_and_never_passed_on_as_plain_http() {
    let upstream = Upstream::start(&["api.anthropic.com"], false, |_| Reply::text("hello")).await;
    let world = World::start(&["api.anthropic.com:443"], &upstream).await;
    let json = "Content-Type: application/json\r\n";
    for (headers, body) in [
        (json, "not json"),
        (json, "{\"model\":\"a\",\"model\":\"b\",\"max_tokens\":1,\"messages\":[]}"),
        ("Content-Encoding: gzip\r\n", "not gzip"),
        ("Content-Encoding: snappy\r\n", "{}"),
        (json, ""),
    ] {
        let reply = crate::client::post(&world, "api.anthropic.com", "/v1/messages", headers, body).await;
        assert_eq!(reply.status, 400, "{headers} {body}: {}", reply.text());
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error", "not in the dialect: {}", reply.text());
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_decoded_is_refused_and_recorded() {
    let upstream = Upstream::start(&["a.example"], false, |_| Reply::text("x")).await;
    let world = World::start(&["a.example:443"], &upstream).await;
    let large = "x".repeat(2_000_000);
    for (headers, body) in [
        ("Content-Encoding: snappy\r\n", "plain"),
        ("Content-Encoding: snappy\r\n", large.as_str()),
        ("Content-Encoding: gzip\r\n", "not gzip at all"),
        ("Content-Encoding: gzip\r\n", large.as_str()),
    ] {
        let reply = post(&world, "a.example", "/", headers, body).await;
        assert_eq!(reply.status, 400, "{headers} {}", reply.text());
    }
    assert_eq!(upstream.count(), 0);
    assert_eq!(world.refused().await, "malformed_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_trailers_is_refused() {
    let upstream = Upstream::start(&["a.example"], false, |_| Reply::text("x")).await;
    let world = World::start(&["a.example:443"], &upstream).await;
    for body in ["abc".to_owned(), "x".repeat(2_000_000)] {
        let mut io = https(&world, "a.example").await;
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\nX-Late: 1\r\n\r\n",
            body.len()
        );
        let reply = exchange(&mut io, request).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(reply.text().contains("trailers"), "{}", reply.text());
    }
    assert_eq!(upstream.count(), 0);
}
