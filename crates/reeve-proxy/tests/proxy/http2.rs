//! HTTP/2 towards the upstream under load and under its faults: streams do not disturb each other, and what the upstream
//! did not process is sent again while everything else is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::client::{PATIENCE, exchange, get, https, post, tls};
use crate::upstream::{Reply, Upstream, acceptor};
use crate::world::World;

const HOST: &str = "a.example";

/// Asks for `path` and reads nothing of the answer but what fits into a window of a kilobyte.
async fn unread(world: &World, path: &str) -> h2::RecvStream {
    let io = tls(world, "a.example:443", HOST, &[b"h2"]).await.unwrap();
    let (sender, connection) =
        h2::client::Builder::new().initial_window_size(1024).handshake::<_, Bytes>(io).await.unwrap();
    tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let request = http::Request::get(format!("https://{HOST}{path}")).body(()).unwrap();
    let (answer, _) = sender.send_request(request, true).unwrap();
    let body = timeout(PATIENCE, answer).await.unwrap().unwrap().into_body();
    // The connection lives as long as its sender.
    tokio::spawn(async move {
        let _sender = sender;
        std::future::pending::<()>().await
    });
    body
}

async fn read(mut body: h2::RecvStream) -> Result<usize, h2::Error> {
    let mut read = 0;
    while let Some(piece) = timeout(PATIENCE, body.data()).await.expect("nothing came in time") {
        let piece = piece?;
        read += piece.len();
        body.flow_control().release_capacity(piece.len())?;
    }
    Ok(read)
}

#[tokio::test(flavor = "multi_thread")]
async fn small_events_that_nobody_reads_do_not_end_the_connection_that_others_share() {
    const EVENTS: usize = 12_000;
    let upstream = Upstream::start(&[HOST], true, |received| match received.target.as_str() {
        "/events" => Reply::Pieces(200, Vec::new(), vec![(0, Bytes::from_static(b"data: one event\n\n....")); EVENTS]),
        _ => Reply::text("hello"),
    })
    .await;
    let world = World::start(&["a.example:443"], &upstream).await;
    assert_eq!(get(&world, HOST, "/").await.text(), "hello");
    let mut stalled = Vec::new();
    for _ in 0..3 {
        stalled.push(unread(&world, "/events").await);
        for _ in 0..10 {
            assert_eq!(get(&world, HOST, "/").await.text(), "hello");
        }
    }
    for body in stalled {
        assert_eq!(read(body).await.unwrap(), EVENTS * 21);
    }
    assert_eq!(upstream.accepted.load(Ordering::SeqCst), 1, "all of it went over one connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_do_not_stop_the_others_of_their_connection() {
    let piece = Bytes::from(vec![b'x'; 16 * 1024]);
    let upstream = Upstream::start(&[HOST], true, move |received| match received.target.as_str() {
        "/much" => Reply::Pieces(200, Vec::new(), vec![(0, piece.clone()); 64]),
        _ => Reply::text("hello"),
    })
    .await;
    let world = World::start(&["a.example:443"], &upstream).await;
    assert_eq!(get(&world, HOST, "/").await.text(), "hello");
    let mut stalled = Vec::new();
    for _ in 0..12 {
        stalled.push(unread(&world, "/much").await);
    }
    for _ in 0..20 {
        assert_eq!(get(&world, HOST, "/").await.text(), "hello");
    }
    assert_eq!(read(stalled.remove(0)).await.unwrap(), 1024 * 1024);
    assert_eq!(upstream.accepted.load(Ordering::SeqCst), 1, "all of it went over one connection");
}

/// An upstream that answers without end as far as its streams' windows allow it, and how many bytes those were in all;
/// `/` it answers with nothing.
async fn endless() -> (std::net::SocketAddr, String, Arc<AtomicUsize>) {
    let (root, acceptor) = acceptor(&[HOST], true);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, given) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
    let counted = given.clone();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (acceptor, given) = (acceptor.clone(), given.clone());
            tokio::spawn(async move {
                let io = acceptor.accept(tcp).await.unwrap();
                let mut connection = h2::server::handshake(io).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let over = request.uri().path() == "/";
                    let mut stream = respond.send_response(http::Response::new(()), over).unwrap();
                    let given = given.clone();
                    tokio::spawn(async move {
                        if over {
                            return;
                        }
                        loop {
                            stream.reserve_capacity(16 * 1024);
                            let Some(Ok(room)) = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await else {
                                return;
                            };
                            if stream.send_data(Bytes::from(vec![b'x'; room]), false).is_err() {
                                return;
                            }
                            given.fetch_add(room, Ordering::SeqCst);
                        }
                    });
                }
            });
        }
    });
    (address, root, counted)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_stalled_readers_leave_unread_is_bounded_for_all_of_them_together() {
    const MIB: usize = 1024 * 1024;
    let (address, root, given) = endless().await;
    let world = World::over("a.example:443", address, &root).await;
    let mut stalled = Vec::new();
    for _ in 0..3 {
        let io = tls(&world, "a.example:443", HOST, &[b"h2"]).await.unwrap();
        let (sender, connection) =
            h2::client::Builder::new().initial_window_size(1024).handshake::<_, Bytes>(io).await.unwrap();
        tokio::spawn(connection);
        let mut sender = sender.ready().await.unwrap();
        for _ in 0..200 {
            sender = sender.ready().await.unwrap();
            let request = http::Request::get(format!("https://{HOST}/endless")).body(()).unwrap();
            stalled.push(sender.send_request(request, true).unwrap().0);
        }
        stalled.push(
            sender.send_request(http::Request::get(format!("https://{HOST}/")).body(()).unwrap(), true).unwrap().0,
        );
    }
    let mut bodies = Vec::new();
    for answer in stalled {
        bodies.push(timeout(3 * PATIENCE, answer).await.unwrap().unwrap().into_body());
    }
    // Until nothing moves any more.
    let (mut before, mut still) = (0, 0);
    while still < 20 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let now = given.load(Ordering::SeqCst);
        assert!(now <= 64 * MIB, "{} MiB came for readers that read nothing", now / MIB);
        still = if now == before && now > 32 * MIB { still + 1 } else { 0 };
        before = now;
    }
    assert_eq!(get(&world, HOST, "/").await.status, 200, "the others go on");
    assert_eq!(bodies.len(), 603);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_connections_use_http_2_and_those_beyond_http_1() {
    const MOST: usize = 40;
    let names: Vec<String> = (0..=MOST).map(|number| format!("host{number}.example")).collect();
    let hosts: Vec<&str> = names.iter().map(String::as_str).collect();
    let upstream = Upstream::start(&hosts, true, |_| Reply::text("hello")).await;
    let authorities: Vec<String> = names.iter().map(|name| format!("{name}:443")).collect();
    let world = World::start(&authorities.iter().map(String::as_str).collect::<Vec<_>>(), &upstream).await;
    for host in &hosts {
        assert_eq!(get(&world, host, "/").await.text(), "hello");
    }
    let by_http2: Vec<bool> = upstream.received.lock().iter().map(|received| received.http2).collect();
    assert_eq!(by_http2, [vec![true; MOST], vec![false]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_beyond_those_that_have_room_are_offered_http_1() {
    const MOST: usize = 136;
    let upstream = Upstream::start(&[HOST], true, |_| Reply::text("hello")).await;
    let world = World::start(&["a.example:443"], &upstream).await;
    let mut held = Vec::new();
    for number in 0..=MOST {
        let io = tls(&world, "a.example:443", HOST, &[b"h2", b"http/1.1"]).await.unwrap();
        let chosen: &[u8] = if number < MOST { b"h2" } else { b"http/1.1" };
        assert_eq!(io.get_ref().1.alpn_protocol(), Some(chosen), "{number}");
        held.push(io);
    }
    let mut last = held.pop().unwrap();
    assert_eq!(exchange(&mut last, format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.text(), "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_in_a_closed_loop_all_end_well_while_others_are_broken_off() {
    let upstream = Upstream::start(&[HOST], true, |received| {
        let pieces = vec![(0, Bytes::from_static(b"event: delta\ndata: {\"text\":\"word \"}\n\n")); 200];
        let sent = format!("{}", received.body.len());
        Reply::Pieces(200, vec![("x-sent", sent)], pieces)
    })
    .await;
    let world = Arc::new(World::start(&["a.example:443"], &upstream).await);
    let body: &'static str = "please ".repeat(300).leak();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..12 {
        let world = Arc::clone(&world);
        callers.spawn(async move {
            let mut io = https(&world, HOST).await;
            for n in 0..20 {
                let length = body.len();
                let request = format!("POST /v HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n{body}");
                if (caller + n) % 4 == 0 {
                    // Gone before the answer, or in the middle of it.
                    let mut gone = https(&world, HOST).await;
                    gone.write_all(request.as_bytes()).await.unwrap();
                    let mut some = vec![0; n * 40];
                    gone.read_exact(&mut some).await.unwrap();
                }
                let reply = exchange(&mut io, request).await;
                assert_eq!((reply.status, reply.body.len()), (200, 200 * 37), "{}", reply.text());
                assert_eq!(reply.headers["x-sent"], length.to_string());
            }
        });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_in_a_streamed_body_is_told_as_one_over_http_2_too() {
    use reeve_domain::credential::Slot;
    use reeve_domain::settings::Mode;
    let upstream = Upstream::start(&[HOST, "b.example"], true, |_| Reply::text("hello")).await;
    let credential = crate::world::credential("b.example", Slot::Bearer);
    let policy = crate::world::PERMIT_ALL;
    let world =
        World::with(&["a.example:443", "b.example:443"], &upstream, Mode::Observe, policy, Some(credential)).await;
    let body = format!("{}{}", "x".repeat(3 * 1024 * 1024), crate::world::SECRET);
    let reply = post(&world, HOST, "/upload", "", &body).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert!(reply.text().contains("not bound"), "{}", reply.text());
}

/// What a raw upstream does with a request.
#[derive(Debug, Clone, Copy)]
enum Act {
    Answer,
    /// `RST_STREAM` with this code.
    Reset(u32),
    /// `GOAWAY` that names the stream before this one as the last, then the end.
    GoAway,
    /// The end without a word.
    Close,
    /// Answers once so many requests have come.
    AnswerWhenThereAre(u32),
}

const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// An upstream that speaks just enough HTTP/2 to misbehave in it.
struct Raw {
    address: std::net::SocketAddr,
    root: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Raw {
    /// `act`: by the number of the connection and of the request on it, both from one.
    async fn start(most_streams: u32, act: impl Fn(usize, usize) -> Act + Send + Sync + 'static) -> Self {
        let (root, acceptor) = acceptor(&[HOST], true);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let raw = Self { address, root, connections: connections.clone(), requests: requests.clone() };
        let (act, gate) = (Arc::new(act), Arc::new(Semaphore::new(0)));
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let number = connections.fetch_add(1, Ordering::SeqCst) + 1;
                let (acceptor, act, requests, gate) = (acceptor.clone(), act.clone(), requests.clone(), gate.clone());
                tokio::spawn(async move {
                    let io = acceptor.accept(tcp).await.unwrap();
                    let _ = serve(io, most_streams, requests, gate, |request| act(number, request)).await;
                });
            }
        });
        raw
    }

    async fn world(&self) -> World {
        World::over("a.example:443", self.address, &self.root).await
    }
}

async fn frame(io: &mut (impl AsyncWrite + Unpin), kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    let _ = io.write_all(&bytes).await;
    let _ = io.flush().await;
}

/// `:status: 200` of the static table; the stream ends with it.
async fn answer(io: &mut (impl AsyncWrite + Unpin), stream: u32) {
    frame(io, 1, 5, stream, &[0x88]).await;
}

async fn serve(
    io: impl AsyncRead + AsyncWrite + Unpin,
    most_streams: u32,
    requests: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
    act: impl Fn(usize) -> Act,
) -> std::io::Result<()> {
    let (mut read, mut write) = tokio::io::split(io);
    let mut preface = [0; 24];
    read.read_exact(&mut preface).await?;
    let mut settings = vec![0, 3];
    settings.extend_from_slice(&most_streams.to_be_bytes());
    frame(&mut write, 4, 0, 0, &settings).await;
    let mut number = 0;
    let mut waiting = Vec::new();
    loop {
        let mut head = [0; 9];
        tokio::select! {
            got = read.read_exact(&mut head) => got?,
            permit = gate.acquire(), if !waiting.is_empty() => {
                permit.unwrap().forget();
                answer(&mut write, waiting.pop().unwrap()).await;
                continue;
            }
        };
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        read.read_exact(&mut payload).await?;
        match (head[3], head[4]) {
            (4, 0) => frame(&mut write, 4, 1, 0, &[]).await,
            (6, 0) => frame(&mut write, 6, 1, 0, &payload).await,
            // The end of a request, with or without a body.
            (0 | 1, flags) if flags & 1 == 1 => {
                number += 1;
                let all = requests.fetch_add(1, Ordering::SeqCst) + 1;
                match act(number) {
                    Act::Answer => answer(&mut write, stream).await,
                    Act::Reset(code) => frame(&mut write, 3, 0, stream, &code.to_be_bytes()).await,
                    Act::GoAway => {
                        let last = (stream - 2).to_be_bytes();
                        frame(&mut write, 7, 0, 0, &[last, [0; 4]].concat()).await;
                        return Ok(());
                    }
                    Act::Close => return Ok(()),
                    Act::AnswerWhenThereAre(most) => {
                        waiting.push(stream);
                        if all == usize::try_from(most).unwrap() {
                            gate.add_permits(all);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_upstream_did_not_process_is_sent_again() {
    for act in [Act::Reset(REFUSED_STREAM), Act::GoAway] {
        let raw = Raw::start(100, move |connection, request| match (connection, request) {
            (1, 2) => act,
            _ => Act::Answer,
        })
        .await;
        let world = raw.world().await;
        assert_eq!(get(&world, HOST, "/").await.status, 200);
        let reply = post(&world, HOST, "/v", "", "a body").await;
        assert_eq!(reply.status, 200, "{act:?}: {}", reply.text());
        assert_eq!(raw.requests.load(Ordering::SeqCst), 3, "{act:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_upstream_may_have_processed_is_not_sent_again() {
    for act in [Act::Reset(ENHANCE_YOUR_CALM), Act::Close] {
        let raw = Raw::start(100, move |_, request| if request == 2 { act } else { Act::Answer }).await;
        let world = raw.world().await;
        assert_eq!(get(&world, HOST, "/").await.status, 200);
        let reply = post(&world, HOST, "/v", "", "a body").await;
        assert_eq!(reply.status, 502, "{act:?}");
        assert_eq!(raw.requests.load(Ordering::SeqCst), 2, "{act:?}: it went out once");
        let told = reply.text();
        let cause = if matches!(act, Act::Close) { "closed" } else { "excessive load" };
        assert!(told.to_lowercase().contains(cause), "the answer names the cause: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_refuses_everything_is_asked_a_few_times_and_no_more() {
    let raw = Raw::start(100, |_, _| Act::Reset(REFUSED_STREAM)).await;
    let world = raw.world().await;
    assert_eq!(post(&world, HOST, "/v", "", "a body").await.status, 502);
    assert_eq!(raw.requests.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_takes_few_streams_gets_more_connections() {
    let raw = Raw::start(2, |connection, request| match (connection, request) {
        (1, 1) => Act::Answer,
        _ => Act::AnswerWhenThereAre(9),
    })
    .await;
    let world = Arc::new(raw.world().await);
    assert_eq!(get(&world, HOST, "/").await.status, 200);
    let raw_answers = |world: Arc<World>| async move { get(&world, HOST, "/wait").await.status };
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        calls.spawn(raw_answers(Arc::clone(&world)));
    }
    while let Some(status) = calls.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert!(raw.connections.load(Ordering::SeqCst) >= 3, "requests did not queue behind two streams");
}
