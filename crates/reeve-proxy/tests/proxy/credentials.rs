//! Secrets: put in last, kept from going astray, masked when they come back.

use std::time::Duration;

use bytes::Bytes;
use reeve_domain::credential::Slot;
use reeve_domain::event::EventBody;
use reeve_domain::settings::Mode;
use reeve_domain::verdict::DenialKind;

use crate::client::{KEY, get, post};
use crate::upstream::{Reply, Upstream};
use crate::world::{PERMIT_ALL, PLACEHOLDER, SECRET, World, credential};

const HOST: &str = "a.example";

async fn world(
    slot: Slot,
    script: impl Fn(&crate::upstream::Received) -> Reply + Send + Sync + 'static,
) -> (World, Upstream) {
    let upstream = Upstream::start(&[HOST, "b.example"], false, script).await;
    let names = ["a.example:443", "b.example:443"];
    (World::with(&names, &upstream, Mode::Observe, PERMIT_ALL, Some(credential(HOST, slot))).await, upstream)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_placeholder_becomes_the_secret_upstream_and_its_echo_is_masked() {
    let (world, upstream) = world(Slot::Header { name: "x-api-key".to_owned() }, |received| {
        let key = received.header("x-api-key").unwrap().to_owned();
        let body = format!("you sent {key}, in hex {}", key.bytes().map(|b| format!("{b:02x}")).collect::<String>());
        let (one, two) = body.split_at(20);
        let pieces = vec![(0, Bytes::from(one.to_owned())), (50, Bytes::from(two.to_owned()))];
        Reply::Pieces(200, vec![("x-echo", key)], pieces)
    })
    .await;
    let headers = format!("X-Api-Key: {PLACEHOLDER}\r\nAuthorization: Bearer {PLACEHOLDER}\r\nRange: bytes=1-\r\n");
    let reply = post(&world, HOST, "/", &headers, "{}").await;
    let arrived = upstream.last();
    assert_eq!((arrived.header("x-api-key"), arrived.header("authorization")), (Some(SECRET), None));
    assert!(arrived.header("range").is_none());
    let shown = format!("{:?} {}", reply.headers, reply.text());
    assert!(!shown.contains(SECRET) && !shown.contains("736b2d6c697665"), "{shown}");
    assert!(reply.text().starts_with("you sent *reeve-masked:acme*, in hex *reeve-masked:acme*"), "{shown}");
    let outcome = world.outcome().await;
    assert_eq!((outcome.masked, outcome.injected.len()), (3, 1));
    world.event(|event| matches!(event, EventBody::CredentialMasked { times: 3, .. }).then_some(())).await;
    let log = format!("{:?}", world.events());
    assert!(!log.contains(SECRET), "the secret was recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coded_echo_is_decoded_masked_and_sent_on_as_identity() {
    let (world, upstream) = world(Slot::Bearer, |received| {
        let text = format!("echo {}", received.header("authorization").unwrap());
        let coded = zstd::encode_all(text.as_bytes(), 3).unwrap();
        Reply::Pieces(200, vec![("content-encoding", "zstd".to_owned())], vec![(0, Bytes::from(coded))])
    })
    .await;
    let headers = format!("Authorization: Bearer {PLACEHOLDER}\r\nAccept-Encoding: zstd, snappy\r\n");
    let reply = post(&world, HOST, "/", &headers, "").await;
    assert_eq!(reply.text(), "echo Bearer *reeve-masked:acme*");
    assert!(!reply.headers.contains_key("content-encoding"));
    assert_eq!(upstream.last().header("accept-encoding"), Some("zstd"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placeholder_or_a_secret_for_elsewhere_stops_the_request() {
    let (world, upstream) = world(Slot::Bearer, |_| Reply::text("x")).await;
    let hex: String = SECRET.bytes().map(|b| format!("{b:02x}")).collect();
    let cases = [
        ("/", format!("Authorization: Bearer {PLACEHOLDER}\r\n"), String::new()),
        ("/", String::new(), format!("key={SECRET}")),
        ("/", String::new(), format!("key={hex}")),
        (&format!("/?k={PLACEHOLDER}"), String::new(), String::new()),
        (&format!("/{SECRET}"), String::new(), String::new()),
    ];
    for (path, headers, body) in &cases {
        let reply = post(&world, "b.example", path, headers, body).await;
        assert_eq!(reply.status, 403, "{path} {headers} {body}");
        assert!(!reply.text().contains(SECRET));
    }
    assert_eq!(upstream.count(), 0);
    let events = world.events();
    let stopped = events.iter().filter(|e| matches!(e, EventBody::CredentialLeakStopped { .. })).count();
    assert_eq!(stopped, cases.len());
    assert!(
        events
            .iter()
            .any(|e| matches!(e, EventBody::OperationDenied { denial, .. } if denial.kind == DenialKind::Leak))
    );
    assert!(!format!("{events:?}").contains(SECRET), "the secret was recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_far_inside_a_large_body_cuts_the_request() {
    let (world, upstream) = world(Slot::Bearer, |_| Reply::text("x")).await;
    let body = format!("{}{SECRET}{}", "x".repeat(3_000_000), "y".repeat(1_000_000));
    let reply = post(&world, "b.example", "/", "", &body).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert_eq!(upstream.count(), 0);
    world.event(|event| matches!(event, EventBody::CredentialLeakStopped { .. }).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_placeholder_nothing_is_injected() {
    let (world, upstream) = world(Slot::Bearer, |_| Reply::text("x")).await;
    assert_eq!(get(&world, HOST, "/").await.status, 200);
    assert!(upstream.last().header("authorization").is_none());
    let own = post(&world, HOST, "/", "Authorization: Bearer my-own-login\r\n", "").await;
    assert_eq!((own.status, upstream.last().header("authorization")), (200, Some("Bearer my-own-login")));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_goes_into_an_upgrade() {
    let (world, upstream) = world(Slot::Bearer, |_| Reply::text("x")).await;
    let mut io = crate::client::https(&world, HOST).await;
    let upgrade = format!(
        "GET /ws HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{KEY}Authorization: Bearer {PLACEHOLDER}\r\n\r\n"
    );
    assert_eq!(crate::client::exchange(&mut io, upgrade).await.status, 403);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placeholder_where_nothing_replaces_it_stops_the_request() {
    let hex: String = PLACEHOLDER.bytes().map(|b| format!("{b:02x}")).collect();
    let header = format!("Authorization: Bearer {PLACEHOLDER}\r\n");
    let query = Slot::Query { name: "key".to_owned() };
    let cases = [
        (Slot::Bearer, format!("/?k={PLACEHOLDER}"), String::new(), String::new()),
        (Slot::Bearer, format!("/{PLACEHOLDER}"), header.clone(), String::new()),
        (Slot::Bearer, "/".to_owned(), header.clone(), PLACEHOLDER.to_owned()),
        (Slot::Bearer, "/".to_owned(), header.clone(), format!("{}{PLACEHOLDER}", "x".repeat(2_000_000))),
        (Slot::Bearer, "/".to_owned(), format!("{header}X-Other: {hex}\r\n"), String::new()),
        (query.clone(), format!("/?key={PLACEHOLDER}&other={PLACEHOLDER}"), String::new(), String::new()),
        (Slot::Body, "/".to_owned(), String::new(), format!("{PLACEHOLDER} {hex}")),
    ];
    for (slot, path, headers, body) in cases {
        let (world, upstream) = world(slot.clone(), |_| Reply::text("x")).await;
        let reply = post(&world, HOST, &path, &headers, &body).await;
        assert_eq!(reply.status, 403, "{slot:?} {path} {headers}");
        assert_eq!(upstream.count(), 0);
        world.event(|event| matches!(event, EventBody::CredentialLeakStopped { .. }).then_some(())).await;
    }
    for (slot, path, body) in [
        (query, format!("/?a=1&key={PLACEHOLDER}"), ""),
        (Slot::Path, format!("/bot{PLACEHOLDER}/x"), ""),
        (Slot::Body, "/".to_owned(), PLACEHOLDER),
    ] {
        let (world, upstream) = world(slot.clone(), |_| Reply::text("x")).await;
        assert_eq!(post(&world, HOST, &path, "", body).await.status, 200, "{slot:?}");
        let arrived = upstream.last();
        let all = format!("{} {}", arrived.target, String::from_utf8_lossy(&arrived.body));
        assert!(all.contains(SECRET) && !all.contains(PLACEHOLDER), "{slot:?} {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_decoded_is_recorded_and_masked_as_far_as_it_can_be() {
    let (world, _upstream) = world(Slot::Bearer, |received| {
        let key = received.header("authorization").unwrap();
        let body = format!("not snappy: {key}");
        let head = "HTTP/1.1 200 OK\r\ncontent-encoding: snappy\r\ntransfer-encoding: chunked\r\n\r\n";
        Reply::Raw(format!("{head}{:x}\r\n{body}\r\n0\r\nx-late: {key}\r\n\r\n", body.len()).into_bytes())
    })
    .await;
    let reply = post(&world, HOST, "/", &format!("Authorization: Bearer {PLACEHOLDER}\r\nTE: trailers\r\n"), "").await;
    assert_eq!(reply.text(), "not snappy: Bearer *reeve-masked:acme*");
    assert_eq!(reply.headers["content-encoding"], "snappy");
    let blocked = world
        .event(|event| match event {
            EventBody::CredentialUnmasked { blocked, .. } => Some(*blocked),
            _ => None,
        })
        .await;
    assert!(!blocked);
    assert_eq!(world.outcome().await.masked, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_taken_away_gets_nothing_more_but_what_is_under_way_and_the_others_stay() {
    let (world, upstream) = world(Slot::Bearer, |received| {
        let key = received.header("authorization").unwrap().to_owned();
        Reply::Pieces(200, Vec::new(), vec![(0, Bytes::from("you ")), (300, Bytes::from(format!("sent {key}")))])
    })
    .await;
    let (here, there) = (credential(HOST, Slot::Bearer).0, credential("b.example", Slot::Bearer).0);
    let credentials = world.engine.credentials();
    credentials.bind(&here.id, there.bindings[0].clone()).await.unwrap();
    world.engine.refresh_secrets().await;
    let header = format!("Authorization: Bearer {PLACEHOLDER}\r\n");
    let taking_away = async {
        while upstream.count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        credentials.unbind(&here.id, &here.bindings[0]).await.unwrap();
    };
    let (under_way, ()) = tokio::join!(post(&world, HOST, "/", &header, ""), taking_away);
    assert_eq!((under_way.status, under_way.text().as_str()), (200, "you sent Bearer *reeve-masked:acme*"));

    // The session still holds the secret, as nobody has told it: places count as they are known now.
    for told in [false, true] {
        if told {
            world.engine.refresh_secrets().await;
        }
        let stopped = post(&world, HOST, "/", &header, "").await;
        assert_eq!((stopped.status, upstream.count()), (403, 1), "{}", stopped.text());
        world.event(|event| matches!(event, EventBody::CredentialLeakStopped { .. }).then_some(())).await;
    }
    let other = post(&world, "b.example", "/", &header, "").await;
    assert_eq!(
        (other.status, upstream.last().header("authorization")),
        (200, Some(format!("Bearer {SECRET}").as_str()))
    );
    world.event(|event| matches!(event, EventBody::CredentialUnbound { .. }).then_some(())).await;
}
