//! What passes: versions translated, streams event by event, endings noticed on both sides.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use http_body_util::Full;
use reeve_domain::event::EventBody;
use reeve_domain::health::{LoopCase, LoopStage};
use reeve_domain::outcome::Ending;
use reeve_domain::session::SessionEnd;
use reeve_domain::settings::Mode;
use reeve_proxy::framing::body::{BodyDecoder, BodyLength, of_request};
use reeve_proxy::framing::reader::Reader;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{ACCEPT, KEY, PATIENCE, exchange, get, http2, https, over_http2, post};
use crate::upstream::{Reply, Upstream, acceptor};
use crate::world::{PERMIT_ALL, World};

const HOST: &str = "a.example";

async fn world_over(
    http2: bool,
    script: impl Fn(&crate::upstream::Received) -> Reply + Send + Sync + 'static,
) -> (World, Upstream) {
    let upstream = Upstream::start(&[HOST], http2, script).await;
    (World::start(&["a.example:443"], &upstream).await, upstream)
}

fn request(method: &str, path: &str, body: &str) -> http::Request<Full<Bytes>> {
    http::Request::builder()
        .method(method)
        .uri(format!("https://{HOST}{path}"))
        .header("x-mine", "1")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_versions_is_translated() {
    for upstream_http2 in [false, true] {
        let (world, upstream) = world_over(upstream_http2, |received| {
            Reply::Pieces(201, vec![("x-back", "y".to_owned())], vec![(0, Bytes::from(received.body.clone()))])
        })
        .await;
        let one = post(&world, HOST, "/one?x=1", "X-Mine: 1\r\n", "body one").await;
        assert_eq!((one.status, one.text().as_str(), &one.headers["x-back"]), (201, "body one", &"y".parse().unwrap()));
        let mut sender = http2(&world, HOST).await;
        let two = over_http2(&mut sender, request("POST", "/two?x=2", "body two")).await;
        assert_eq!((two.status, two.text().as_str(), &two.headers["x-back"]), (201, "body two", &"y".parse().unwrap()));
        let arrived = upstream.last();
        let how = (arrived.method.as_str(), arrived.target.as_str(), arrived.http2);
        assert_eq!(how, ("POST", "/two?x=2", upstream_http2));
        assert_eq!((arrived.header("x-mine"), arrived.header("cookie")), (Some("1"), Some("a=1; b=2")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_lead_nowhere_are_loops_where_the_limits_look_at_them() {
    let (world, upstream) = world_over(false, |received| {
        // One place says something new each time.
        let told = if received.target == "/clock" { format!("{:?}", Instant::now()) } else { "the same".to_owned() };
        Reply::Pieces(200, Vec::new(), vec![(0, Bytes::from(told))])
    })
    .await;
    for _ in 0..6 {
        assert_eq!(get(&world, HOST, "/before").await.status, 200);
    }
    world.limit("loops: { warn: 2, hold: 3, pause: 20, also: [http] }\n").await;
    for _ in 0..6 {
        assert_eq!(get(&world, HOST, "/clock").await.status, 200);
    }
    // To read the same again and again is told, and never held.
    for _ in 0..3 {
        assert_eq!(post(&world, HOST, "/stuck", "", "again").await.status, 200);
    }
    let looped = |stage: LoopStage| {
        world.event(move |event| match event {
            EventBody::AgentLooped { stage: now, case, times, .. } if *now == stage => Some((*case, *times)),
            _ => None,
        })
    };
    assert_eq!(looped(LoopStage::Warned).await, (LoopCase::Stuck, 2));
    assert_eq!(looped(LoopStage::Held).await, (LoopCase::Stuck, 3));
    let many = world.events().iter().filter(|event| matches!(event, EventBody::AgentLooped { .. })).count();
    assert_eq!((many, upstream.count()), (2, 15));
}

#[tokio::test(flavor = "multi_thread")]
async fn upstream_connections_stay_warm() {
    for upstream_http2 in [false, true] {
        let (world, upstream) = world_over(upstream_http2, |_| Reply::text("hello")).await;
        for _ in 0..5 {
            assert_eq!(get(&world, HOST, "/").await.status, 200);
        }
        let accepted = upstream.accepted.load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(accepted, 1, "HTTP/2: {upstream_http2}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_follow_each_other_on_one_connection() {
    let (world, upstream) = world_over(false, |_| Reply::text("hello")).await;
    let mut io = https(&world, HOST).await;
    for n in 0..3 {
        let body = "x".repeat(n * 40_000);
        let length = body.len();
        let reply =
            exchange(&mut io, format!("PUT /{n} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n{body}"))
                .await;
        assert_eq!(reply.text(), "hello");
        assert_eq!(upstream.last().body.len(), length);
    }
    let chunked =
        "POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(exchange(&mut io, chunked).await.status, 200);
    assert_eq!(upstream.last().body, b"abcde");
}

#[tokio::test(flavor = "multi_thread")]
async fn expectations_are_handled_here() {
    let (world, upstream) = world_over(false, |_| Reply::text("hello")).await;
    let mut io = https(&world, HOST).await;
    io.write_all(b"POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await
        .unwrap();
    let mut interim = [0; 25];
    io.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(exchange(&mut io, "body").await.status, 200);
    assert!(upstream.last().header("expect").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_pass_one_by_one_as_they_come() {
    for upstream_http2 in [false, true] {
        let (world, _upstream) = world_over(upstream_http2, |_| {
            let event = |n: u32| (if n == 0 { 0 } else { 1_000 }, Bytes::from(format!("data: {n}\n\n")));
            Reply::Pieces(200, vec![("content-type", "text/event-stream".to_owned())], (0..3).map(event).collect())
        })
        .await;
        let mut io = https(&world, HOST).await;
        io.write_all(b"GET /events HTTP/1.1\r\nHost: a.example\r\n\r\n").await.unwrap();
        let mut reader = Reader::new(&mut io, BytesMut::new());
        assert_eq!(reader.response_head().await.unwrap().unwrap().status, 200);
        let mut decoder = BodyDecoder::new(BodyLength::Chunked);
        let mut seen = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| reader.poll_body(cx, &mut decoder)).await.unwrap() {
            seen.push((Instant::now(), frame.into_data().unwrap()));
        }
        let texts: Vec<_> = seen.iter().map(|(_, data)| data.clone()).collect();
        assert_eq!(texts, ["data: 0\n\n", "data: 1\n\n", "data: 2\n\n"]);
        for pair in seen.windows(2) {
            assert!(pair[1].0 - pair[0].0 > Duration::from_millis(300), "events came together");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_takes_the_upstream_call_with_it() {
    for reply in [Reply::Silent, Reply::Endless] {
        let (world, upstream) = world_over(false, move |_| reply.clone()).await;
        let mut io = https(&world, HOST).await;
        io.write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await.unwrap();
        while upstream.count() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(io);
        assert!(upstream.closed_within(Duration::from_secs(2)).await);
        assert_eq!(world.outcome().await.ending, Ending::CutByClient);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_http_2_stream_cancels_the_upstream_call() {
    let (world, upstream) = world_over(false, |_| Reply::Silent).await;
    let mut sender = http2(&world, HOST).await;
    let call = sender.send_request(request("GET", "/", ""));
    assert!(tokio::time::timeout(Duration::from_millis(700), call).await.is_err());
    assert!(upstream.closed_within(Duration::from_secs(2)).await);
    assert_eq!(world.outcome().await.ending, Ending::CutByClient);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_a_session_cuts_its_live_streams_within_a_second() {
    let (world, upstream) = world_over(false, |_| Reply::Endless).await;
    let mut io = https(&world, HOST).await;
    io.write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await.unwrap();
    let mut some = vec![0; 300_000];
    io.read_exact(&mut some).await.unwrap();
    world.engine.end_session(world.session.id(), SessionEnd::Stopped).await.unwrap();
    assert!(upstream.closed_within(Duration::from_secs(1)).await);
    let ending = world.outcome().await.ending;
    assert!(matches!(ending, Ending::CutByReeve { .. }), "{ending:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_now_denies_cuts_live_streams_within_a_second() {
    let upstream = Upstream::start(&[HOST], false, |_| Reply::Endless).await;
    let world = World::with(&["a.example:443"], &upstream, Mode::Enforce, PERMIT_ALL, None).await;
    let mut io = https(&world, HOST).await;
    io.write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await.unwrap();
    let mut some = vec![0; 100_000];
    io.read_exact(&mut some).await.unwrap();
    let deny = "@id(\"none\") @reason(\"tests\") forbid(principal, action, resource);\n";
    let changed = Utc::now();
    std::fs::write(world.folder.path().join("config/policies/mine.cedar"), deny).unwrap();
    assert!(upstream.closed_within(PATIENCE).await);
    // Reading changed rules has a bound of its own, generous to a busy machine; the promised second begins when they are in
    // force.
    let in_force = world.moment(|event| matches!(event, EventBody::PolicyReloaded { .. })).await;
    let ended = world.moment(|event| matches!(event, EventBody::OperationSettled { .. })).await;
    assert!((changed..=changed + PATIENCE).contains(&in_force), "changed {changed}, in force {in_force}");
    assert!((in_force..=in_force + Duration::from_secs(1)).contains(&ended), "in force {in_force}, ended {ended}");
    let ending = world.outcome().await.ending;
    assert!(matches!(ending, Ending::CutByReeve { .. }), "{ending:?}");
    assert_eq!(get(&world, HOST, "/").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_turned_away_in_the_middle_of_its_body_still_hears_why() {
    let upstream = Upstream::start(&["api.anthropic.com"], false, |_| Reply::text("x")).await;
    let world = World::start(&["api.anthropic.com:443"], &upstream).await;
    let body = "x".repeat(34 << 20);
    let reply = post(&world, "api.anthropic.com", "/v1/messages", "", &body[..1 << 20]).await;
    assert_eq!(reply.status, 400);
    let reply = post(&world, "api.anthropic.com", "/v1/messages", "", &body).await;
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (413, Some("too_large")));
    assert_eq!(upstream.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_at_once_all_end_well() {
    let (world, _upstream) = world_over(true, |_| {
        let event = |n: u32| (100, Bytes::from(format!("data: {n}\n\n")));
        Reply::Pieces(200, vec![("content-type", "text/event-stream".to_owned())], (0..5).map(event).collect())
    })
    .await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let sender = http2(&world, HOST).await;
        for _ in 0..100 {
            let mut sender = sender.clone();
            calls.spawn(async move { over_http2(&mut sender, request("GET", "/", "")).await });
        }
    }
    let replies = calls.join_all().await;
    assert_eq!(replies.len(), 400);
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.text().ends_with("data: 4\n\n")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_not_there_is_named_as_the_one_at_fault() {
    let (_world, upstream) = world_over(false, |_| Reply::text("x")).await;
    let gone = Upstream { address: "127.0.0.1:1".parse().unwrap(), ..upstream };
    let world = World::start(&["a.example:443"], &gone).await;
    let reply = get(&world, HOST, "/").await;
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (502, Some("upstream_failed")));
    assert!(matches!(world.outcome().await.ending, Ending::NotSent { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_cannot_prove_its_name_is_not_talked_to() {
    let upstream = Upstream::start(&["other.example"], false, |_| Reply::text("x")).await;
    let world = World::start(&["a.example:443"], &upstream).await;
    let reply = get(&world, HOST, "/").await;
    assert_eq!(reply.status, 502);
    assert!(reply.text().contains("TLS"), "{}", reply.text());
    assert_eq!(upstream.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_the_machine_itself_are_refused_after_the_look_up() {
    let (world, upstream) = world_over(false, |_| Reply::text("x")).await;
    let port = world.address().port();
    for target in [
        "localhost:9",
        "127.0.0.1:9",
        "[::1]:9",
        "[::ffff:127.0.0.1]:9",
        "169.254.169.254:80",
        &format!("127.0.0.1:{port}"),
    ] {
        let mut tcp = crate::client::tunnel(&world, target).await;
        let reply = exchange(&mut tcp, format!("GET / HTTP/1.1\r\nHost: {target}\r\n\r\n")).await;
        assert_eq!(reply.status, 403, "{target}: {}", reply.text());
    }
    assert_eq!(upstream.count(), 0);
    assert!(matches!(world.outcome().await.ending, Ending::NotSent { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_for_the_client_to_follow() {
    let (world, upstream) = world_over(false, |_| {
        Reply::Pieces(302, vec![("location", "https://elsewhere.example/".to_owned())], Vec::new())
    })
    .await;
    let reply = get(&world, HOST, "/").await;
    assert_eq!((reply.status, &reply.headers["location"]), (302, &"https://elsewhere.example/".parse().unwrap()));
    assert_eq!(upstream.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coded_answer_is_forwarded_byte_for_byte() {
    let coded = zstd::encode_all("text ".repeat(100).as_bytes(), 3).unwrap();
    let sent = coded.clone();
    let (world, _upstream) = world_over(false, move |_| {
        Reply::Pieces(200, vec![("content-encoding", "zstd".to_owned())], vec![(0, Bytes::from(sent.clone()))])
    })
    .await;
    let reply = get(&world, HOST, "/").await;
    assert_eq!((reply.body, &reply.headers["content-encoding"]), (coded, &"zstd".parse().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_pass_both_ways_whole() {
    for upstream_http2 in [false, true] {
        let (world, upstream) = world_over(upstream_http2, |received| {
            let piece = Bytes::from(received.body[..1_000_000].to_vec());
            Reply::Pieces(200, Vec::new(), vec![(0, piece); 5])
        })
        .await;
        let body = "0123456789".repeat(500_000);
        let reply = post(&world, HOST, "/", "", &body).await;
        assert_eq!(reply.body.len(), 5_000_000);
        assert_eq!(upstream.last().body.len(), 5_000_000);
        assert_eq!(world.outcome().await.request_bytes, 5_000_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_keeps_memory_bounded() {
    let (world, _upstream) = world_over(false, |_| Reply::Endless).await;
    let before = resident();
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut io = https(&world, HOST).await;
        io.write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await.unwrap();
        clients.push(io);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB", grown >> 20);
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_upstream_proxy_is_asked_for_the_way() {
    let upstream = Upstream::start(&[HOST], true, |_| Reply::text("far away")).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let far = upstream.address;
    let corporate = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut reader = Reader::new(tcp, BytesMut::new());
        let head = reader.request_head().await.unwrap().unwrap();
        let (mut tcp, _) = reader.into_parts();
        tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut onward = tokio::net::TcpStream::connect(far).await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut tcp, &mut onward).await });
        (head.method, head.target, head.headers["proxy-authorization"].to_str().unwrap().to_owned())
    });
    let world = World::through(&format!("http://dana:word@{address}"), &upstream).await;
    assert_eq!(get(&world, HOST, "/").await.text(), "far away");
    let asked = corporate.await.unwrap();
    assert_eq!(asked, ("CONNECT".to_owned(), "a.example:443".to_owned(), "Basic ZGFuYTp3b3Jk".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_not_reached_by_web_socket() {
    let upstream = Upstream::start(&["api.openai.com"], false, |_| Reply::text("x")).await;
    let world = World::start(&["api.openai.com:443"], &upstream).await;
    let mut io = https(&world, "api.openai.com").await;
    let head = "GET /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    let upgrade = format!("{head}{KEY}\r\n");
    assert_eq!(exchange(&mut io, upgrade).await.status, 426);
    assert_eq!(upstream.count(), 0);
    assert_eq!(world.refused().await, "llm_web_socket");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_elsewhere_is_relayed_after_101_with_its_bytes_counted() {
    let (world, upstream) = world_over(true, |received| {
        assert_eq!(received.header("upgrade"), Some("websocket"));
        let head =
            format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{ACCEPT}\r\n");
        Reply::Raw([head.as_bytes(), b"\x81\x02hi"].concat())
    })
    .await;
    let mut io = https(&world, HOST).await;
    let upgrade =
        format!("GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{KEY}\r\n");
    io.write_all(upgrade.as_bytes()).await.unwrap();
    let mut reader = Reader::new(&mut io, BytesMut::new());
    let head = reader.response_head().await.unwrap().unwrap();
    assert_eq!((head.status, head.headers.contains_key("sec-websocket-accept")), (101, true));
    let (io, ahead) = reader.into_parts();
    let mut first = ahead.to_vec();
    while first.len() < 4 {
        let mut more = [0; 16];
        let read = io.read(&mut more).await.unwrap();
        assert_ne!(read, 0);
        first.extend_from_slice(&more[..read]);
    }
    assert_eq!(first, b"\x81\x02hi");
    io.shutdown().await.unwrap();
    assert!(upstream.closed_within(Duration::from_secs(2)).await);
    let outcome = world.outcome().await;
    assert_eq!((outcome.status, outcome.response_bytes), (Some(101), 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_with_a_scope_is_asked_for_as_npm_asks() {
    let policy = "@id(\"types\") @reason(\"tests\") permit(principal, action == Action::\"http.request\", resource) when { context.path like \"/@types%2F*\" };\n\
                  @id(\"acme\") @reason(\"tests\") forbid(principal, action == Action::\"http.request\", resource) when { context.path_segments.contains(\"@acme%2Fui\") };\n";
    let upstream = Upstream::start(&[HOST], false, |_| Reply::text("{}")).await;
    let world = World::with(&["a.example:443"], &upstream, Mode::Enforce, policy, None).await;
    let npm = "npm-command: install\r\nUser-Agent: npm/10.8.2 node/v20.19.2 linux x64 workspaces/false\r\nAccept: application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*\r\n";
    let ask = async |path: &str| {
        let mut io = https(&world, HOST).await;
        exchange(&mut io, format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{npm}\r\n")).await.status
    };
    assert_eq!(ask("/@types%2fnode").await, 200);
    assert_eq!(upstream.last().target, "/@types%2Fnode", "what was judged is what is sent");
    assert_eq!(ask("/@acme%2fui").await, 403);
    for refused in ["/@types%2f..%2fadmin", "/types%2fnode", "/@types%2fnode%2fx", "/@types%2f.."] {
        assert_eq!(ask(refused).await, 400, "{refused}");
    }
    assert_eq!(upstream.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_path_is_judged_and_sent_as_it_is_and_recorded_without_it() {
    let secret = "Zk3vQ9xLr7TbW2mNc8YpHd5s";
    let policy = format!(
        "@id(\"hook\") @reason(\"tests\") permit(principal, action == Action::\"http.request\", resource) when {{ context.path == \"/services/{secret}\" }};\n"
    );
    let upstream = Upstream::start(&[HOST], false, |_| Reply::text("ok")).await;
    let world = World::with(&["a.example:443"], &upstream, Mode::Enforce, &policy, None).await;
    assert_eq!(get(&world, HOST, &format!("/services/{secret}")).await.status, 200);
    assert_eq!(upstream.last().target, format!("/services/{secret}"));
    world.outcome().await;
    let recorded = serde_json::to_string(&world.events()).unwrap();
    assert!(recorded.contains("/services/(redacted.") && !recorded.contains(secret), "{recorded}");
    let files =
        ["reeve.db", "reeve.db-wal"].map(|name| std::fs::read(world.folder.path().join(name)).unwrap_or_default());
    assert!(files.iter().all(|bytes| memchr::memmem::find(bytes, secret.as_bytes()).is_none()), "nor in the store");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_found_its_warm_connection_closed_goes_once_over_a_new_one() {
    // Each connection serves one request, says that it stays, and closes.
    let (root, acceptor) = acceptor(&[HOST], false);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (closing, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let (seeing, mut seen) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut io = acceptor.accept(tcp).await.unwrap();
            let mut reader = Reader::new(&mut io, BytesMut::new());
            let head = reader.request_head().await.unwrap().unwrap();
            let mut decoder = BodyDecoder::new(of_request(&head.headers, head.version).unwrap());
            let mut body = Vec::new();
            while let Some(frame) = std::future::poll_fn(|cx| reader.poll_body(cx, &mut decoder)).await.unwrap() {
                body.extend_from_slice(frame.data_ref().unwrap());
            }
            seeing.send(String::from_utf8(body).unwrap()).unwrap();
            io.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            io.shutdown().await.unwrap();
            drop(io);
            closing.send(()).unwrap();
        }
    });
    let world = World::over("a.example:443", address, &root).await;
    for round in 0..8 {
        let body = format!("body {round}");
        let reply = post(&world, HOST, "/v", "", &body).await;
        assert_eq!((reply.status, reply.text()), (200, "ok".to_owned()), "round {round}");
        assert_eq!(seen.recv().await, Some(body));
        closed.recv().await.unwrap();
    }
    assert!(seen.try_recv().is_err(), "each came once");
}
