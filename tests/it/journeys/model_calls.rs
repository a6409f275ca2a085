//! Model calls: versions translated, streams passed on, what ends badly charged by the rules.

use std::time::{Duration, Instant};

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use reeve_demo::provider::End;
use reeve_demo::script::{Fault, Group, Mishap, Script, Step, Tokens};
use reeve_testkit::agent::Speak;
use reeve_tests::bill::Prices;
use reeve_tests::stage::{Setting, Stage};
use serde_json::json;

use super::{messages, post};

const USAGE: Tokens =
    Tokens { input: 400, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 90, reasoning: 0 };

async fn stage(script: Script) -> Stage {
    Stage::set(Setting { script: script.with_usage(USAGE), ..Setting::default() }).await.unwrap()
}

#[tokio::test]
async fn both_versions_reach_the_upstream_and_cost_the_same() {
    let stage = stage(Script::of([Step::text("Fine.")])).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    for speak in [Speak::H1, Speak::H2] {
        for stream in [false, true] {
            let reply = agent.send(speak, messages(stream, 500, "hi")).await.unwrap();
            assert!(reply.status == StatusCode::OK && reply.whole && reply.text().contains("Fine."), "{reply:?}");
        }
    }
    let rows = stage.rows("kind:llm").await.unwrap();
    let prices = Prices::shipped().unwrap();
    let expected: Vec<_> = stage.provider.calls(Group::Messages).iter().map(|c| prices.cost(c).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row.cost).collect::<Vec<_>>(), expected);
    assert_eq!(expected, [Some(1_700_000); 4], "400 × $2 and 90 × $10 a million");
}

#[tokio::test]
async fn an_answer_with_an_error_status_passes_and_costs_nothing() {
    let status = |status| Mishap::Status { status, message: "not now".to_owned(), headers: Vec::new(), body: None };
    let script = Script::default().with_fault(Fault::nth(Group::Messages, &[1], status(429))).with_fault(Fault::nth(
        Group::Messages,
        &[2],
        status(529),
    ));
    let stage = stage(script).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    for status in [429, 529] {
        let reply = agent.send(Speak::H1, messages(true, 500, "hi")).await.unwrap();
        assert_eq!(reply.status.as_u16(), status);
        assert!(reply.text().contains("not now"), "{}", reply.text());
    }
    let rows = stage.rows("kind:llm").await.unwrap();
    assert!(rows.iter().all(|row| row.cost.unwrap_or_default() == 0), "{rows:?}");
    assert_eq!(rows.iter().map(|row| row.status).collect::<Vec<_>>(), [Some(429), Some(529)]);
}

#[tokio::test]
async fn a_stream_cut_after_usage_began_is_charged_for_its_input_and_marked_estimated() {
    let script = Script::of([Step::text("one two three four five six")])
        .with_fault(Fault::always(Mishap::Truncate { after: 5 }));
    let stage = stage(script).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let reply = agent.send(Speak::H1, messages(true, 500, "hi")).await.unwrap();
    assert!(!reply.whole, "the client must see that it broke off: {}", reply.text());
    let row = &stage.rows("kind:llm").await.unwrap()[0];
    let cost = row.cost.unwrap();
    assert!(row.estimated && (800_000..1_700_000).contains(&cost), "{row:?}");
    assert!(row.error.is_some(), "{row:?}");
    stage.verify().await.unwrap();
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_the_call_upstream() {
    let script = Script::of([Step::text(&"word ".repeat(400))]).with_fault(Fault::always(Mishap::Slow { gap_ms: 50 }));
    let stage = stage(script).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let mut response = agent.begin(Speak::H2, messages(true, 500, "hi")).await.unwrap();
    for _ in 0..4 {
        response.body_mut().frame().await.unwrap().unwrap();
    }
    drop(response);
    let begun = Instant::now();
    while stage.provider.calls(Group::Messages)[0].answered().end == End::Open {
        assert!(begun.elapsed() < Duration::from_secs(12), "the upstream call goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stage.provider.calls(Group::Messages)[0].answered().end, End::ClientGone);
    let row = &stage.rows("kind:llm").await.unwrap()[0];
    assert!(row.estimated && row.cost.is_some_and(|cost| cost >= 800_000), "{row:?}");
}

#[tokio::test]
async fn chat_streams_are_asked_for_usage_and_the_client_that_did_not_ask_does_not_see_it() {
    let stage = stage(Script { tools_optional: true, ..Script::of([Step::text("Fine indeed.")]) }).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let body = json!({ "model": "gpt-6.1-sol", "stream": true, "max_completion_tokens": 500,
        "messages": [{ "role": "user", "content": "hi" }] });
    let reply = agent.send(Speak::H1, post("https://api.openai.com/v1/chat/completions", &body)).await.unwrap();
    assert!(reply.text().contains("indeed.") && reply.text().ends_with("data: [DONE]\n\n"), "{}", reply.text());
    assert!(!reply.text().contains("prompt_tokens"), "{}", reply.text());
    let call = &stage.provider.calls(Group::Chat)[0];
    assert_eq!(call.json()["stream_options"]["include_usage"], true);
    let row = &stage.rows("kind:llm").await.unwrap()[0];
    assert_eq!(row.cost, Prices::shipped().unwrap().cost(call).unwrap());
    assert!(!row.estimated, "{row:?}");
}

#[tokio::test]
async fn a_web_socket_to_a_model_is_answered_with_426_and_nothing_goes_upstream() {
    let stage = stage(Script::default()).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let upgrade = Request::get("https://api.openai.com/v1/responses")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(Full::default())
        .unwrap();
    let reply = agent.send(Speak::H1, upgrade).await.unwrap();
    assert_eq!(reply.status, StatusCode::UPGRADE_REQUIRED);
    assert!(stage.provider.requests().is_empty(), "{:?}", stage.provider.requests());
}

#[tokio::test]
async fn answers_in_a_content_coding_are_metered_and_forwarded_as_they_came() {
    let coding = Some(reeve_demo::script::Coding::Gzip);
    let stage = stage(Script { coding, ..Script::of([Step::text("Fine.")]) }).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let mut request = messages(true, 500, "hi");
    request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    let reply = agent.send(Speak::H1, request).await.unwrap();
    assert_eq!(reply.headers["content-encoding"], "gzip");
    assert!(reply.body.starts_with(&[0x1f, 0x8b]), "not gzip any more");
    let row = &stage.rows("kind:llm").await.unwrap()[0];
    assert_eq!(row.cost, Some(1_700_000), "{row:?}");
}
