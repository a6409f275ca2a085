//! Calls to language models: metered, clamped, held for a human, turned away in words that the agent shows.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reeve_domain::approval::{GrantScope, Resolution, Surface};
use reeve_domain::event::EventBody;
use reeve_domain::outcome::Ending;
use reeve_domain::settings::Mode;
use reeve_engine::decide::Answering;
use reeve_proxy::framing::body::{BodyDecoder, BodyLength};
use reeve_proxy::framing::reader::Reader;
use tokio::io::AsyncWriteExt;

use crate::client::{https, post};
use crate::upstream::{Received, Reply, Upstream};
use crate::world::{PERMIT_ALL, World};

const ANTHROPIC: &str = "api.anthropic.com";
const OPENAI: &str = "api.openai.com";
const JSON: &str = "Content-Type: application/json\r\n";

/// Asks about every call to a model.
const ASK: &str = "@id(\"ask-models\") @reason(\"tests\") @liftable\n\
    forbid(principal, action == Action::\"llm.call\", resource) unless { context.approved };\n";

fn events(lines: &[&str]) -> Reply {
    let pieces = lines.iter().map(|line| (20, Bytes::from(format!("{line}\n\n")))).collect();
    Reply::Pieces(200, vec![("content-type", "text/event-stream".to_owned())], pieces)
}

fn message_stream(_: &Received) -> Reply {
    events(&[
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-opus-4-8\",\"usage\":{\"input_tokens\":100,\"output_tokens\":1}}}",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hello\"}}",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":57}}",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}",
    ])
}

fn messages(stream: bool) -> String {
    let text =
        "{\"model\":\"claude-opus-4-8\",\"max_tokens\":1000,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
    format!("{text},\"stream\":{stream}}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_metered_while_it_passes_unchanged() {
    for http2 in [false, true] {
        let upstream = Upstream::start(&[ANTHROPIC], http2, message_stream).await;
        let world = World::start(&["api.anthropic.com:443"], &upstream).await;
        let reply = post(&world, ANTHROPIC, "/v1/messages?beta=true", JSON, &messages(true)).await;
        assert_eq!(reply.status, 200);
        assert!(
            reply.text().ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
            "{}",
            reply.text()
        );
        assert_eq!(upstream.last().body, messages(true).into_bytes());
        let outcome = world.outcome().await;
        let usage = outcome.usage.unwrap();
        assert_eq!((usage.input, usage.output, outcome.usage_final), (100, 57, true));
        assert!(outcome.first_byte_ms.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coded_body_is_judged_by_what_it_decodes_to_and_forwarded_as_it_came() {
    let upstream = Upstream::start(&[ANTHROPIC], false, message_stream).await;
    let world = World::start(&["api.anthropic.com:443"], &upstream).await;
    let coded = zstd::encode_all(messages(true).as_bytes(), 3).unwrap();
    let mut io = https(&world, ANTHROPIC).await;
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: {ANTHROPIC}\r\n{JSON}Content-Encoding: zstd\r\nContent-Length: {}\r\n\r\n",
        coded.len()
    );
    let reply = crate::client::exchange(&mut io, [head.as_bytes(), &coded].concat()).await;
    assert_eq!(reply.status, 200);
    assert_eq!((upstream.last().header("content-encoding"), &upstream.last().body), (Some("zstd"), &coded));
    let model = world
        .event(|event| match event {
            EventBody::OperationAdmitted { operation, .. } => operation.llm().map(|call| call.model.clone()),
            _ => None,
        })
        .await;
    assert_eq!(model, "claude-opus-4-8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_stream_is_asked_for_its_usage_and_the_client_does_not_see_it() {
    let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5}}";
    let upstream = Upstream::start(&[OPENAI], false, move |received| {
        let asked = String::from_utf8_lossy(&received.body).contains("include_usage");
        assert!(asked);
        events(&[
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}],\"usage\":null}",
            usage,
            "data: [DONE]",
        ])
    })
    .await;
    let world = World::start(&["api.openai.com:443"], &upstream).await;
    let body = "{\"model\":\"gpt-5.2\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    let reply = post(&world, OPENAI, "/v1/chat/completions", JSON, body).await;
    assert!(
        reply.text().ends_with("data: [DONE]\n\n") && !reply.text().contains("completion_tokens"),
        "{}",
        reply.text()
    );
    let outcome = world.outcome().await;
    assert_eq!(outcome.usage.map(|usage| (usage.input, usage.output)), Some((10, 5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_its_client_leaves_keeps_what_was_counted() {
    let upstream = Upstream::start(&[ANTHROPIC], false, |_| {
        let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":100,\"output_tokens\":1}}}\n\n";
        let more = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"word word word word \"}}\n\n";
        let mut pieces = vec![(0, Bytes::from(start))];
        pieces.extend((0..1000).map(|_| (10, Bytes::from(more))));
        Reply::Pieces(200, vec![("content-type", "text/event-stream".to_owned())], pieces)
    })
    .await;
    let world = World::start(&["api.anthropic.com:443"], &upstream).await;
    let mut io = send(&world, &messages(true)).await;
    let mut some = [0; 2000];
    tokio::io::AsyncReadExt::read_exact(&mut io, &mut some).await.unwrap();
    drop(io);
    let outcome = world.outcome().await;
    assert_eq!((outcome.ending, outcome.usage_final), (Ending::CutByClient, false));
    assert_eq!(outcome.usage.unwrap().input, 100);
    assert!(outcome.counted_output >= 20);
}

async fn send(world: &World, body: &str) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    let mut io = https(world, ANTHROPIC).await;
    let length = body.len();
    let request = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: {ANTHROPIC}\r\nUser-Agent: claude-cli/2.1\r\n{JSON}Content-Length: {length}\r\n\r\n{body}"
    );
    io.write_all(request.as_bytes()).await.unwrap();
    io
}

async fn asking() -> (World, Upstream) {
    let upstream = Upstream::start(&[ANTHROPIC], false, message_stream).await;
    let policy = format!("{PERMIT_ALL}{ASK}");
    let world = World::with(&["api.anthropic.com:443"], &upstream, Mode::Enforce, &policy, None).await;
    (world, upstream)
}

async fn question(world: &World) -> reeve_domain::id::ApprovalId {
    world
        .event(|event| match event {
            EventBody::ApprovalRequested { approval, .. } => Some(approval.id.clone()),
            _ => None,
        })
        .await
}

async fn answer(world: &World, resolution: Resolution) {
    let id = question(world).await;
    let ticket = world.engine.approvals().show(&id).unwrap();
    tokio::time::sleep(reeve_engine::approvals::ARMING).await;
    let (by, surface) = ("dana".to_owned(), Surface::Cli);
    let answering = Answering {
        approval: id,
        ticket,
        resolution,
        by,
        surface,
        reading_ms: None,
        rule: Default::default(),
        proof: None,
    };
    world.engine.answer(answering).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_call_goes_on_when_it_is_approved() {
    let (world, upstream) = asking().await;
    let mut io = send(&world, &messages(true)).await;
    question(&world).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(upstream.count(), 0);
    answer(&world, Resolution::Approved { scope: GrantScope::Once }).await;
    let reply = crate::client::read(&mut io, "POST").await.unwrap();
    assert_eq!((reply.status, upstream.count()), (200, 1));
    assert!(reply.text().contains("message_stop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_call_that_is_refused_says_so_in_the_dialect_of_its_client() {
    let (world, upstream) = asking().await;
    let mut io = send(&world, &messages(true)).await;
    answer(&world, Resolution::Refused { reason: Some("not today".to_owned()) }).await;
    let reply = crate::client::read(&mut io, "POST").await.unwrap();
    assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (402, Some("billing_error")));
    assert!(reply.text().contains("not today"), "{}", reply.text());
    assert_eq!(upstream.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_and_repeats_finds_its_question_again() {
    let (world, upstream) = asking().await;
    let given_up = send(&world, &messages(true)).await;
    let first = question(&world).await;
    drop(given_up);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut io = send(&world, &messages(false)).await;
    world
        .event(|event| matches!(event, EventBody::ApprovalJoined { approval } if *approval == first).then_some(()))
        .await;
    answer(&world, Resolution::Approved { scope: GrantScope::Once }).await;
    assert_eq!(crate::client::read(&mut io, "POST").await.unwrap().status, 200);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_the_session_ends_the_wait() {
    let (world, upstream) = asking().await;
    let mut io = send(&world, &messages(true)).await;
    question(&world).await;
    world.engine.end_session(world.session.id(), reeve_domain::session::SessionEnd::Stopped).await.unwrap();
    assert!(crate::client::closes(&mut io, crate::client::PATIENCE).await);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_held_beyond_its_clients_patience_is_kept_alive_and_then_goes_on() {
    let upstream = Upstream::start(&["generativelanguage.googleapis.com"], false, |_| {
        events(&["data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hello\"}]}}],\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":1}}"])
    })
    .await;
    let policy = format!("{PERMIT_ALL}{ASK}");
    let names = ["generativelanguage.googleapis.com:443"];
    let world = World::with(&names, &upstream, Mode::Enforce, &policy, None).await;
    let host = "generativelanguage.googleapis.com";
    let mut io = https(&world, host).await;
    let body = "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}";
    let path = "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse";
    let request = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{JSON}Content-Length: {}\r\n\r\n{body}", body.len());
    io.write_all(request.as_bytes()).await.unwrap();
    question(&world).await;
    // Its clients wait 60 seconds for the head of an answer.
    let mut reader = Reader::new(&mut io, BytesMut::new());
    let head = tokio::time::timeout(Duration::from_secs(58), reader.response_head()).await.unwrap().unwrap().unwrap();
    assert_eq!((head.status, &head.headers["content-type"]), (200, &"text/event-stream".parse().unwrap()));
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    let first = std::future::poll_fn(|cx| reader.poll_body(cx, &mut decoder)).await.unwrap().unwrap();
    let first = String::from_utf8(first.into_data().unwrap().to_vec()).unwrap();
    assert!(first.starts_with("data: {\"candidates\"") && first.contains("\"text\":\"\""), "{first}");
    answer(&world, Resolution::Approved { scope: GrantScope::Once }).await;
    let mut rest = String::new();
    while let Some(frame) = std::future::poll_fn(|cx| reader.poll_body(cx, &mut decoder)).await.unwrap() {
        rest.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap()));
    }
    assert!(rest.contains("hello"), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_with_other_sampling_is_one_more_candidate_whatever_its_stage_is_called() {
    let upstream = Upstream::start(&[ANTHROPIC], false, message_stream).await;
    let world = World::with(&["api.anthropic.com:443"], &upstream, Mode::Enforce, PERMIT_ALL, None).await;
    let world = world.under("tools.yaml", "policies:\n  session_limits: { max_candidates: 3 }\n").await;
    let ask = |words: &str, drawn: &str, stage: &str| {
        let body = format!(
            "{{\"model\":\"claude-opus-4-8\",\"max_tokens\":1000,{drawn}\"messages\":[{{\"role\":\"user\",\"content\":\"{words}\"}}]}}"
        );
        let (world, headers) = (&world, format!("{JSON}{stage}"));
        async move { post(world, ANTHROPIC, "/v1/messages", &headers, &body).await }
    };
    // Other questions are no candidates, however each is asked.
    for words in ["one", "two", "three", "four"] {
        assert_eq!(ask(words, "\"temperature\":0.3,", "").await.status, 200, "{words}");
    }
    assert_eq!(ask("the same", "", "").await.status, 200);
    assert_eq!(ask("the same", "\"temperature\":0.2,", "").await.status, 200);
    assert_eq!(ask("the same", "\"temperature\":0.9,\"top_k\":4,", "X-Talon-Stage: commit\r\n").await.status, 200);
    for stage in ["", "X-Talon-Stage: commit\r\n", "X-Talon-Stage: judge\r\n"] {
        let reply = ask("the same", "\"top_p\":0.5,", stage).await;
        assert_eq!(reply.status, 402, "{stage}: {}", reply.text());
        assert!(reply.text().contains("4 candidate answers"), "{}", reply.text());
    }
    assert_eq!((ask("five", "\"temperature\":0.2,", "").await.status, upstream.count()), (200, 8));
}
