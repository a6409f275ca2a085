//! Who is on a connection, and where it leads.

use std::time::Duration;

use reeve_domain::event::EventBody;
use reeve_domain::session::{Opener, SessionEnd};
use reeve_domain::settings::Mode;
use tokio::io::AsyncWriteExt;

use crate::client::{self, authorization, closes, connect, exchange, get, https, tls, tunnel};
use crate::upstream::{Reply, Upstream};
use crate::world::World;

async fn world() -> (World, Upstream) {
    let upstream = Upstream::start(&["a.example", "b.example"], false, |_| Reply::text("hello")).await;
    (World::start(&["a.example:443", "b.example:443"], &upstream).await, upstream)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_gets_a_challenge_without_echo_and_may_try_again() {
    let (world, _upstream) = world().await;
    let mut tcp = connect(&world).await;
    let reply =
        exchange(&mut tcp, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nX-Mine: secret-word\r\n\r\n")
            .await;
    assert_eq!(reply.status, 407);
    assert_eq!(reply.headers["proxy-authenticate"], "Basic realm=\"reeve\"");
    assert!(!reply.text().contains("secret-word") && !reply.text().contains("a.example"), "{}", reply.text());
    assert_eq!(world.refused().await, "no_session");
    let auth = authorization(&world.token);
    let again = format!("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nProxy-Authorization: {auth}\r\n\r\n");
    tcp.write_all(again.as_bytes()).await.unwrap();
    let mut reader = reeve_proxy::framing::reader::Reader::new(&mut tcp, bytes::BytesMut::new());
    assert_eq!(reader.response_head().await.unwrap().unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_two_tokens_are_refused() {
    let (world, upstream) = world().await;
    let wrong = authorization("wrong");
    let right = authorization(&world.token);
    let cases = [
        (format!("Proxy-Authorization: {wrong}\r\n"), 407),
        ("Proxy-Authorization: Bearer x\r\n".to_owned(), 407),
        (format!("Proxy-Authorization: {right}\r\nProxy-Authorization: {right}\r\n"), 400),
    ];
    for (headers, status) in cases {
        for line in ["CONNECT a.example:443", "GET http://a.example/"] {
            let mut tcp = connect(&world).await;
            let reply = exchange(&mut tcp, format!("{line} HTTP/1.1\r\nHost: a.example\r\n{headers}\r\n")).await;
            assert_eq!(reply.status, status, "{line} {headers}");
        }
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_serves_nothing_itself() {
    let (world, _upstream) = world().await;
    let host = world.address();
    for headers in ["", "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n"] {
        for line in ["GET /", "OPTIONS /", "POST /v1/messages"] {
            let mut tcp = connect(&world).await;
            let reply = exchange(&mut tcp, format!("{line} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n")).await;
            assert_eq!(reply.status, 403, "{line}");
            assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control")));
        }
    }
    assert_eq!(world.refused().await, "not_a_server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_through_and_is_recorded_before_and_after() {
    let (world, upstream) = world().await;
    let reply = get(&world, "a.example", "/p?q=1").await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
    let arrived = upstream.last();
    assert_eq!((arrived.target.as_str(), arrived.header("host")), ("/p?q=1", Some("a.example")));
    assert!(arrived.header("proxy-authorization").is_none());
    let outcome = world.outcome().await;
    assert_eq!((outcome.status, outcome.response_bytes), (Some(200), 5));
    assert_eq!(outcome.peer, Some(upstream.address.to_string()));
    assert!(matches!(outcome.ending, reeve_domain::outcome::Ending::Complete));
    assert!(world.events().iter().any(|event| matches!(event, EventBody::OperationAdmitted { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn target_name_and_host_must_be_the_same() {
    let (world, upstream) = world().await;
    assert!(tls(&world, "a.example:443", "b.example", &[]).await.is_err());
    assert_eq!(world.refused().await, "name_mismatch");
    let mut io = https(&world, "a.example").await;
    let reply = exchange(&mut io, "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n").await;
    assert_eq!(reply.status, 421);
    let absolute = exchange(&mut io, "GET https://b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n").await;
    assert_eq!(absolute.status, 421);
    assert_eq!(upstream.count(), 0);
    let same = exchange(&mut io, "GET https://a.example/x HTTP/1.1\r\nHost: a.example:443\r\n\r\n").await;
    assert_eq!((same.status, upstream.last().target.as_str()), (200, "/x"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_neither_tls_nor_http_is_closed_and_recorded() {
    let (world, upstream) = world().await;
    for bytes in [b"SSH-2.0-OpenSSH_9.2\r\n".as_slice(), &[0, 1, 2, 3], b"\x16garbage that is no hello at all......"] {
        let mut tcp = tunnel(&world, "a.example:443").await;
        tcp.write_all(bytes).await.unwrap();
        assert!(closes(&mut tcp, Duration::from_secs(12)).await, "{bytes:?}");
    }
    assert_eq!(upstream.count(), 0);
    assert!(world.events().iter().filter(|e| matches!(e, EventBody::ConnectionRefused { .. })).count() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_tunnel_is_closed() {
    let (world, _upstream) = world().await;
    let mut tcp = tunnel(&world, "a.example:443").await;
    assert!(closes(&mut tcp, Duration::from_secs(20)).await);
    assert_eq!(world.refused().await, "silent_tunnel");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_in_a_tunnel_is_refused() {
    let (world, upstream) = world().await;
    let mut io = https(&world, "a.example").await;
    let reply = exchange(&mut io, "CONNECT b.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n").await;
    assert_eq!(reply.status, 400);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaf_names_exactly_its_host_and_lives_a_week_at_most() {
    let (world, _upstream) = world().await;
    let io = https(&world, "a.example").await;
    let chain = io.get_ref().1.peer_certificates().unwrap().to_vec();
    let text = String::from_utf8_lossy(&chain[0]).into_owned();
    assert!(text.contains("a.example") && !text.contains("b.example"));
    // Two UTCTime values: `YYMMDDHHMMSSZ`.
    let times: Vec<chrono::NaiveDateTime> = chain[0]
        .windows(15)
        .filter(|w| w[..2] == [0x17, 13])
        .filter_map(|w| std::str::from_utf8(&w[2..14]).ok())
        .filter_map(|t| chrono::NaiveDateTime::parse_from_str(t, "%y%m%d%H%M%S").ok())
        .collect();
    assert_eq!(times.len(), 2);
    assert!(times[1] - times[0] <= chrono::Duration::days(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_session_ends_its_connections_and_its_certificate() {
    let (world, _upstream) = world().await;
    let mut io = https(&world, "a.example").await;
    let mut silent = tunnel(&world, "a.example:443").await;
    world.engine.end_session(world.session.id(), SessionEnd::Stopped).await.unwrap();
    assert!(closes(&mut io, Duration::from_secs(4)).await);
    assert!(closes(&mut silent, Duration::from_secs(4)).await);
    let mut tcp = connect(&world).await;
    let auth = authorization(&world.token);
    let reply =
        exchange(&mut tcp, format!("CONNECT a.example:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {auth}\r\n\r\n"))
            .await;
    assert_eq!(reply.status, 407);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_goes_by_absolute_form_with_an_identity_per_request() {
    let upstream = Upstream::plain(|_| Reply::text("plain")).await;
    let world = World::start(&["plain.example:80"], &upstream).await;
    let mut tcp = connect(&world).await;
    let auth = authorization(&world.token);
    let good =
        format!("GET http://plain.example/x HTTP/1.1\r\nHost: plain.example\r\nProxy-Authorization: {auth}\r\n\r\n");
    assert_eq!(exchange(&mut tcp, &good).await.text(), "plain");
    assert_eq!(exchange(&mut tcp, &good).await.text(), "plain");
    assert_eq!((upstream.last().target.as_str(), upstream.last().header("host")), ("/x", Some("plain.example")));
    let bare = exchange(&mut tcp, "GET http://plain.example/x HTTP/1.1\r\nHost: plain.example\r\n\r\n").await;
    assert_eq!(bare.status, 407);
    assert_eq!(upstream.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_inside_a_tunnel_is_judged_like_any_other() {
    let upstream = Upstream::plain(|_| Reply::text("plain")).await;
    let world = World::start(&["plain.example:80"], &upstream).await;
    let mut tcp = tunnel(&world, "plain.example:80").await;
    let reply = exchange(&mut tcp, "GET /x HTTP/1.1\r\nHost: plain.example\r\n\r\n").await;
    assert_eq!(reply.text(), "plain");
    let other = exchange(&mut tcp, "GET /x HTTP/1.1\r\nHost: other.example\r\n\r\n").await;
    assert_eq!(other.status, 421);
    assert!(!client::closes(&mut tcp, Duration::from_millis(300)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctors_probe_is_answered_under_any_rules_and_nothing_of_it_leaves_or_is_recorded() {
    let upstream = Upstream::start(&["a.example"], false, |_| Reply::text("hello")).await;
    let nothing = "@id(\"none\") @reason(\"tests\") forbid(principal, action, resource);\n";
    let world = World::with(&["a.example:443"], &upstream, Mode::Enforce, nothing, None).await;
    let reply = get(&world, reeve_proxy::PROBE_HOST, "/").await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "reeve\n"));
    assert_eq!(get(&world, "a.example", "/").await.status, 403);
    let recorded = world.events();
    assert!(recorded.iter().all(|event| !format!("{event:?}").contains(reeve_proxy::PROBE_HOST)), "{recorded:?}");
    assert_eq!(upstream.count(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_lent_opens_nothing_for_another_user() {
    let (world, upstream) = world().await;
    let mine = reeve_proxy::attribution::opener(std::process::id()).unwrap();
    let somebody = Opener { uid: mine.uid + 1, ..mine.clone() };
    for (opener, status) in [(mine, 200), (somebody, 403)] {
        let (session, token) = world.open_as(opener).await;
        world.proxy.open(&session).unwrap();
        let auth = authorization(&token);
        let mut tcp = connect(&world).await;
        let request =
            format!("GET http://a.example:443/ HTTP/1.1\r\nHost: a.example:443\r\nProxy-Authorization: {auth}\r\n\r\n");
        let reply = exchange(&mut tcp, request).await;
        assert_eq!(reply.status == 403, status == 403, "{}: {}", reply.status, reply.text());
    }
    assert_eq!(world.refused().await, "other_user");
    assert!(upstream.count() <= 1);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_on_a_lent_session_is_recorded_and_not_refused() {
    let (world, _upstream) = world().await;
    let mine = reeve_proxy::attribution::opener(std::process::id()).unwrap();
    // A process that runs and is no ancestor of this one.
    let mut other = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let process = reeve_proxy::attribution::opener(other.id()).unwrap().process;
    let (session, token) = world.open_as(Opener { process, parent: None, ..mine }).await;
    world.proxy.open(&session).unwrap();
    let auth = authorization(&token);
    let mut tcp = connect(&world).await;
    let request =
        format!("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nProxy-Authorization: {auth}\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let detail = world
        .event(|event| match event {
            EventBody::ConnectionUnattributed { detail } => Some(detail.clone()),
            _ => None,
        })
        .await;
    assert!(detail.contains(&other.id().to_string()), "{detail}");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_question_says_which_stranger_asks_and_many_connections_of_it_are_one_line() {
    let upstream = Upstream::start(&["a.example"], false, |_| Reply::text("hello")).await;
    let ask = "@id(\"ask\") @reason(\"tests\") @liftable\nforbid (principal, action, resource) unless { context.approved };\n";
    let world = World::with(&["a.example:443"], &upstream, Mode::Enforce, ask, None).await;
    let mine = reeve_proxy::attribution::opener(std::process::id()).unwrap();
    let mut other = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let process = reeve_proxy::attribution::opener(other.id()).unwrap().process;
    let stranger = Opener { process, parent: None, ..mine.clone() };
    for (opener, is_stranger) in [(mine, false), (stranger, true)] {
        let (session, token) = world.open_as(opener).await;
        world.proxy.open(&session).unwrap();
        let auth = authorization(&token);
        let mut held = Vec::new();
        for path in ["one", "two"] {
            let mut tcp = connect(&world).await;
            let request = format!(
                "GET http://a.example:443/{path} HTTP/1.1\r\nHost: a.example:443\r\nProxy-Authorization: {auth}\r\n\r\n"
            );
            tcp.write_all(request.as_bytes()).await.unwrap();
            held.push(tcp);
        }
        let asked = |all: Vec<EventBody>| -> Vec<_> {
            let of_session = |body| match body {
                EventBody::ApprovalRequested { approval, .. } if approval.session == *session.id() => Some(approval.id),
                _ => None,
            };
            all.into_iter().filter_map(of_session).collect()
        };
        let mut told = Vec::new();
        for _ in 0..1_000 {
            told.clear();
            let questions = asked(world.events());
            for id in &questions {
                let question = world.engine.question_of(id).await.unwrap();
                told.extend(question.stranger().map(str::to_owned));
            }
            // What is known of it may come after the question.
            if questions.len() == 2 && (!is_stranger || told.len() == 2) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!((asked(world.events()).len(), told.len()), (2, if is_stranger { 2 } else { 0 }), "{told:?}");
        assert!(told.iter().all(|program| program.starts_with('/')), "{told:?}");
        drop(held);
    }
    let lines = world.events().into_iter().filter(|event| matches!(event, EventBody::ConnectionUnattributed { .. }));
    assert_eq!(lines.count(), 1);
    other.kill().unwrap();
    other.wait().unwrap();
}
