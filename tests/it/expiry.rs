//! What nobody answers, on every channel that can be held: nothing goes out, the agent hears the documented answer in the shape
//! of its channel, and the question lies under Expired.

use http::StatusCode;
use reeve_api::contract::approvals::{ApprovalsPage, ResolutionDto};
use reeve_api::contract::calls::ApprovalsCall;
use reeve_api::contract::operations::RowStateDto;
use reeve_testkit::agent::{Reply, Speak};
use reeve_tests::stage::{Setting, Stage};
use serde_json::{Value, json};

use crate::mcp::{POLICY, Wrapped, text};
use crate::requests::{delete, messages, post};

/// Asks about every call to a model.
const ASK_MODELS: &str = r#"
@id("ask-models") @reason("somebody looks first") @liftable
forbid (principal, action == Action::"llm.call", resource) unless { context.approved };
"#;

/// Calls of tools wait as long as other requests do.
const HOLD: &str = "[hold]\nllm_seconds = 1\nhttp_seconds = 1\nmcp_seconds = 1\n";

async fn stage(policy: &str) -> Stage {
    Stage::set(Setting { policy, config: HOLD, ..Setting::default() }).await.unwrap()
}

/// The words that every channel gives: what, by which rule, that repeating is no use, where it lies, and its record.
fn is_documented(said: &str, rule: &str) {
    for part in [
        "nobody approved",
        rule,
        "Sending it again by itself will not help",
        "it waits in Reeve's Inbox under Expired",
        "Record: op_",
    ] {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

/// As many questions of this kind lie under Expired, none is open, and the search for them finds the same.
async fn lie_under_expired(stage: &Stage, kind: &str, many: usize) {
    let page: ApprovalsPage = stage.client().call(&ApprovalsCall::List).await.unwrap();
    assert!(page.open.is_empty(), "{:?}", page.open);
    let answers = page.resolved.iter().map(|one| (one.kind.as_str(), one.resolved.as_ref().map(|how| &how.resolution)));
    assert_eq!(answers.collect::<Vec<_>>(), vec![(kind, Some(&ResolutionDto::Expired)); many]);
    let rows = stage.rows("decision:expired").await.unwrap();
    assert!(rows.len() == many && rows.iter().all(|row| row.state == RowStateDto::Expired), "{rows:?}");
    let mut asked: Vec<&str> = page.resolved.iter().map(|one| one.operation.as_str()).collect();
    let mut found: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    asked.sort_unstable();
    found.sort_unstable();
    assert_eq!(asked, found, "what expired is what was asked");
    stage.verify().await.unwrap();
}

fn body(reply: &Reply) -> Value {
    assert_eq!(reply.headers.get("x-should-retry").map(|value| value.as_bytes()), Some(&b"false"[..]), "{reply:?}");
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("no JSON: {}", reply.text()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_a_model_that_nobody_answers_ends_in_the_error_of_its_dialect() {
    let stage = stage(ASK_MODELS).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let chat = json!({ "model": "gpt-5.2", "messages": [{ "role": "user", "content": "hi" }] });
    let gemini = json!({ "contents": [{ "role": "user", "parts": [{ "text": "hi" }] }] });
    let generate = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent";
    let calls = [
        (messages(false, 10, "whole"), "/error/type", "billing_error"),
        (messages(true, 10, "streamed"), "/error/type", "billing_error"),
        (post("https://api.openai.com/v1/chat/completions", &chat), "/error/code", "reeve_expired"),
        (post(generate, &gemini), "/error/status", "FAILED_PRECONDITION"),
    ];
    let many = calls.len();
    for (request, place, kind) in calls {
        let reply = agent.send(Speak::H1, request).await.unwrap();
        assert_eq!(reply.status, StatusCode::PAYMENT_REQUIRED, "{}", reply.text());
        let error = body(&reply);
        assert_eq!(error.pointer(place).and_then(Value::as_str), Some(kind), "{error}");
        is_documented(error["error"]["message"].as_str().unwrap_or_default(), "`ask-models` (somebody looks first)");
    }
    assert!(stage.provider.requests().is_empty(), "{:?}", stage.provider.requests());
    lie_under_expired(&stage, "llm", many).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_that_nobody_answers_ends_in_a_problem_document() {
    let stage = stage("").await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let reply = agent.send(Speak::H2, delete("https://api.acme.example/things/7")).await.unwrap();
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.text());
    let problem = body(&reply);
    assert_eq!((&problem["type"], &problem["code"]), (&json!("urn:reeve:denial:expired"), &json!("expired")));
    let rule = problem["rules"][0].as_str().unwrap_or_default();
    assert!(!rule.is_empty(), "{problem}");
    is_documented(problem["detail"].as_str().unwrap_or_default(), rule);
    assert!(stage.provider.requests().is_empty(), "{:?}", stage.provider.requests());
    lie_under_expired(&stage, "http", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_a_tool_that_nobody_answers_ends_in_an_error_that_a_model_reads() {
    let stage = stage(POLICY).await;
    let mut wrapped = Wrapped::start(&stage.world, &[], Some("editor"));
    wrapped.begin(&stage).await;
    wrapped.call(1, "write", &json!({ "path": "a.txt" }));
    let answer = wrapped.answer(1);
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    let denial = &answer["result"]["_meta"]["reeve/denial"];
    assert_eq!(denial["code"], "expired", "{answer}");
    let rule = denial["rules"][0].as_str().unwrap_or_default();
    assert!(!rule.is_empty(), "{answer}");
    is_documented(text(&answer), rule);
    // Whoever is behind it hears the next call, and never heard this one.
    wrapped.call(2, "echo", &json!({ "say": "next" }));
    assert!(text(&wrapped.answer(2)).contains("next"));
    assert!(!wrapped.served().contains("a.txt"), "{}", wrapped.served());
    lie_under_expired(&stage, "mcp", 1).await;
}
