//! Many at once, and those that never end or never read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use reeve_api::contract::operations::RowStateDto;
use reeve_demo::script::{Fault, Group, Mishap, Phase, Script, Step, Tokens};
use reeve_testkit::agent::{Agent, Channel, Speak};
use reeve_testkit::upstream::{Manner, Upstream};
use reeve_tests::stage::{Setting, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::machine::Machine;
use crate::requests::{get, messages};

const STREAMS: usize = 1000;
/// Streams per HTTP/2 connection; every other stream has an HTTP/1.1 connection of its own.
const SHARED: usize = 50;
const MIB: u64 = 1024 * 1024;

/// Resident memory of a process in bytes.
pub fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The test's own end of a thousand connections.
fn many_descriptors() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_streams_at_once_all_come_to_their_end() {
    let pause = Fault::always(Mishap::Hold { phase: Phase::After(2), ms: 60_000 });
    let script = Script::of([Step::text("Patience is a virtue.")]).with_fault(pause);
    let stage = Stage::set(Setting { script, ..Setting::default() }).await.unwrap();
    many_descriptors();
    let (agent, _) = stage.agent("tester").await.unwrap();
    let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut streams = JoinSet::new();
    let mut shared = None;
    for number in 0..STREAMS {
        let channel = if number % 2 == 0 {
            Open::Own(agent.clone())
        } else {
            if number % (2 * SHARED) == 1 {
                shared = Some(agent.open("api.anthropic.com", 443, Speak::H2).await.unwrap());
            }
            let Some(Channel::H2(sender)) = &shared else { panic!("no connection") };
            Open::Shared(Channel::H2(sender.clone()))
        };
        let (begun, ended) = (Arc::clone(&begun), Arc::clone(&ended));
        streams.spawn(async move {
            let mut response = channel.send(number).await;
            assert_eq!(response.status(), StatusCode::OK, "stream {number}");
            let first = response.body_mut().frame().await.unwrap().unwrap();
            begun.fetch_add(1, Ordering::SeqCst);
            let mut body = first.into_data().unwrap().to_vec();
            while let Some(frame) = response.body_mut().frame().await {
                body.extend_from_slice(frame.unwrap().data_ref().unwrap());
            }
            // At the moment of the first end, all others had begun.
            let together =
                if ended.fetch_add(1, Ordering::SeqCst) == 0 { begun.load(Ordering::SeqCst) } else { STREAMS };
            (together, String::from_utf8(body).unwrap())
        });
    }
    let mut together = STREAMS;
    while let Some(stream) = streams.join_next().await {
        let (begun, text) = stream.unwrap();
        together = together.min(begun);
        assert!(text.contains("message_stop"), "{text}");
    }
    assert_eq!(together, STREAMS, "they were not all open at once");
    assert_eq!(stage.provider.calls(Group::Messages).len(), STREAMS);
    stage.verify().await.unwrap();
}

enum Open {
    Own(Agent),
    Shared(Channel),
}

impl Open {
    async fn send(self, number: usize) -> http::Response<hyper::body::Incoming> {
        let request = messages(true, 100, &format!("stream {number}"));
        match self {
            Self::Own(agent) => agent.begin(Speak::H1, request).await.unwrap(),
            Self::Shared(mut channel) => channel.send(request).await.unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_callers_at_once_never_spend_more_than_the_cap() {
    const USAGE: Tokens =
        Tokens { input: 60, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 2_000, reasoning: 0 };
    // A call costs $0.02012 and is bound at a little more.
    let limits = "budgets:\n  - id: purse\n    scope: me\n    window: total\n    max_cost: 1.00\n    output_floor: 2000\n    on_exhausted: deny\n";
    let script = Script::of([Step::text("Fine.")]).with_usage(USAGE);
    let stage = Arc::new(Stage::set(Setting { script, limits, ..Setting::default() }).await.unwrap());
    let mut agents = Vec::new();
    for number in 0..10 {
        agents.push(stage.agent(&format!("tester-{number}")).await.unwrap().0);
    }
    let mut callers = JoinSet::new();
    for number in 0..200 {
        let agent = agents[number % agents.len()].clone();
        let speak = if number % 3 == 0 { Speak::H2 } else { Speak::H1 };
        let request = messages(number % 2 == 0, 2_000, &format!("caller {number}"));
        callers.spawn(async move { agent.send(speak, request).await.unwrap().status });
    }
    let statuses = callers.join_all().await;
    let rows = stage.rows("kind:llm").await.unwrap();
    let admitted = rows.iter().filter(|row| row.state == RowStateDto::Allowed).count();
    let spent: i64 = rows.iter().filter_map(|row| row.cost).sum();
    assert_eq!(rows.len(), 200);
    assert!(spent <= 1_000_000_000, "{spent} nano-USD were spent");
    assert_eq!(spent, i64::try_from(admitted).unwrap() * 20_120_000);
    assert_eq!(stage.provider.calls(Group::Messages).len(), admitted);
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), admitted);
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::PAYMENT_REQUIRED).count(), 200 - admitted);
    assert!(admitted >= 30, "only {admitted} were admitted");
    stage.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_and_a_reader_that_stalls_leave_memory_bounded() {
    let head = Bytes::from_static(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n");
    let upstream = Upstream::tls(Manner::Endless { head, piece: Bytes::from(vec![b'x'; 65_536]) }).await.unwrap();
    let mut machine = Machine::forgetful(upstream.address(), upstream.root_pem(), "");
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    let mut body = agent.begin(Speak::H1, get("https://api.acme.example/endless")).await.unwrap().into_body();
    let before = resident(machine.engine_id());
    let (mut read, mut peak) = (0, 0);
    while read < 128 * MIB {
        read += body.frame().await.unwrap().unwrap().data_ref().unwrap().len() as u64;
        peak = peak.max(resident(machine.engine_id()));
    }
    // From here on nobody reads, in both versions, and the upstream goes on until it is told to wait.
    let idle = agent.begin(Speak::H2, get("https://api.acme.example/endless")).await.unwrap();
    let stalled = settled(&upstream).await;
    peak = peak.max(resident(machine.engine_id()));
    assert!(stalled < 256 * MIB, "the upstream could send {stalled} bytes");
    assert!(peak.saturating_sub(before) < 64 * MIB, "{before} bytes became {peak}");
    drop((body, idle));
    assert!(machine.is_running());
}

/// Waits until the upstream gets rid of nothing more, and says what it had sent.
async fn settled(upstream: &Upstream) -> u64 {
    let mut last = upstream.sent();
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = upstream.sent();
        if now == last {
            return now;
        }
        last = now;
    }
    panic!("the upstream goes on sending to somebody who does not read")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_upload_to_an_upstream_that_does_not_read_leaves_memory_bounded() {
    let upstream = Upstream::tls(Manner::Stall(Bytes::new())).await.unwrap();
    let mut machine = Machine::forgetful(upstream.address(), upstream.root_pem(), "");
    let policy = "@id(\"all\") @lifts(\"ask-first-write\") permit (principal, action, resource);\n";
    machine.world.write_config("policies/mine.cedar", policy).unwrap();
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    let tls = agent.tls("api.acme.example", 443, "api.acme.example", &["http/1.1"]).await.unwrap();
    let (mut read, mut write) = tokio::io::split(tls);
    write
        .write_all(b"POST /up HTTP/1.1\r\nHost: api.acme.example\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let before = resident(machine.engine_id());
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend(vec![b'y'; 65_536]);
    chunk.extend(b"\r\n");
    let (mut sent, mut peak) = (0_u64, 0);
    while sent < 256 * MIB {
        match tokio::time::timeout(Duration::from_secs(5), write.write_all(&chunk)).await {
            Ok(Ok(())) => sent += 65_536,
            // Not taken any more, or turned away.
            Ok(Err(_)) | Err(_) => break,
        }
        if sent.is_multiple_of(MIB) {
            peak = peak.max(resident(machine.engine_id()));
        }
    }
    peak = peak.max(resident(machine.engine_id()));
    assert!(sent > 0 && peak.saturating_sub(before) < 64 * MIB, "after {sent} bytes {before} became {peak}");
    let mut answer = vec![0; 1024];
    let _ = tokio::time::timeout(Duration::from_millis(200), read.read(&mut answer)).await;
    assert!(machine.is_running());
}
