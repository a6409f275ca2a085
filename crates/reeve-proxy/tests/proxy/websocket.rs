//! WebSockets that were let through: their frames are looked through both ways.

use std::time::Duration;

use bytes::BytesMut;
use reeve_domain::credential::Slot;
use reeve_domain::event::EventBody;
use reeve_domain::outcome::Ending;
use reeve_domain::settings::Mode;
use reeve_proxy::framing::reader::Reader;
use reeve_proxy::websocket::frame::{Head, unmask};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::client::{ACCEPT, KEY, PATIENCE, https};
use crate::upstream::{Reply, Upstream};
use crate::world::{PERMIT_ALL, PLACEHOLDER, SECRET, World, credential};

const HOST: &str = "a.example";

/// A world with a credential for `bound`, and an upstream that switches protocols and then says `first`.
async fn world(bound: &str, first: Vec<u8>) -> (World, Upstream) {
    let upstream = Upstream::start(&[HOST, "b.example"], true, move |_| {
        let head =
            format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{ACCEPT}\r\n");
        Reply::Raw([head.as_bytes(), &first].concat())
    })
    .await;
    let names = ["a.example:443", "b.example:443"];
    let bound = credential(bound, Slot::Bearer);
    (World::with(&names, &upstream, Mode::Observe, PERMIT_ALL, Some(bound)).await, upstream)
}

/// An open WebSocket, and what the upstream said with its handshake.
async fn open(world: &World) -> (TlsStream<TcpStream>, BytesMut) {
    let mut io = https(world, HOST).await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let head =
        format!("GET /ws HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{offer}{KEY}\r\n");
    io.write_all(head.as_bytes()).await.unwrap();
    let mut reader = Reader::new(io, BytesMut::new());
    let answer = timeout(PATIENCE, reader.response_head()).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.status, 101);
    reader.into_parts()
}

fn text(payload: &str) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut out = BytesMut::new();
    Head::write(&mut out, true, 1, payload.len());
    out[1] |= 0x80;
    out.extend_from_slice(&mask);
    let mut payload = payload.as_bytes().to_vec();
    unmask(&mut payload, mask, 0);
    [out.to_vec(), payload].concat()
}

/// All that comes until the other side closes.
async fn rest(mut io: TlsStream<TcpStream>, ahead: BytesMut) -> Vec<u8> {
    let mut all = ahead.to_vec();
    let _ = timeout(PATIENCE, io.read_to_end(&mut all)).await.expect("it closes");
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_or_placeholder_in_a_frame_ends_the_connection_and_is_recorded() {
    for stopped in [SECRET, PLACEHOLDER] {
        let (world, upstream) = world("b.example", Vec::new()).await;
        let (mut io, ahead) = open(&world).await;
        assert!(upstream.last().header("sec-websocket-extensions").is_none(), "frames must stay readable");
        io.write_all(&text("harmless")).await.unwrap();
        io.write_all(&text(&format!("{{\"key\":\"{stopped}\"}}"))).await.unwrap();
        let told = rest(io, ahead).await;
        assert_eq!(&told[..1], [0x88], "a close frame");
        assert_eq!(u16::from_be_bytes([told[2], told[3]]), 1008);
        assert!(upstream.closed_within(Duration::from_secs(10)).await);
        let place = world.event(|event| match event {
            EventBody::CredentialLeakStopped { place, .. } => Some(place.clone()),
            _ => None,
        });
        assert_eq!(place.await, HOST);
        let outcome = world.outcome().await;
        assert!(matches!(outcome.ending, Ending::CutByReeve { .. }), "{outcome:?}");
        assert!(outcome.request_bytes >= text("harmless").len() as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_may_go_to_its_own_place_and_comes_back_masked() {
    let mut echo = BytesMut::new();
    Head::write(&mut echo, true, 1, SECRET.len() + 4);
    echo.extend_from_slice(format!("you {SECRET}").as_bytes());
    Head::write(&mut echo, true, 8, 2);
    echo.extend_from_slice(&1000_u16.to_be_bytes());
    let (world, _upstream) = world(HOST, echo.to_vec()).await;
    let (mut io, mut ahead) = open(&world).await;
    io.write_all(&text(SECRET)).await.unwrap();
    let end = [&[0x88, 2][..], &1000_u16.to_be_bytes()].concat();
    while !ahead.ends_with(&end) {
        assert_ne!(timeout(PATIENCE, io.read_buf(&mut ahead)).await.unwrap().unwrap(), 0);
    }
    let mark = b"you *reeve-masked:acme*";
    assert_eq!(ahead, [&[0x81, 23][..], mark, &end].concat());
    io.shutdown().await.unwrap();
    let outcome = world.outcome().await;
    assert_eq!((outcome.masked, outcome.ending), (1, Ending::Complete));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_frames_end_the_connection() {
    let (world, upstream) = world("b.example", Vec::new()).await;
    let (mut io, ahead) = open(&world).await;
    // Compressed, which was never agreed on.
    io.write_all(b"\xc1\x80\x01\x02\x03\x04").await.unwrap();
    assert!(rest(io, ahead).await.is_empty());
    assert!(upstream.closed_within(Duration::from_secs(10)).await);
    assert_eq!(world.outcome().await.ending, Ending::CutByClient);
}
