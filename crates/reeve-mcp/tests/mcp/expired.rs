//! What nobody approved in time, to clients that can be sent to a page: they are sent to the question, and what they bring back for
//! it makes no other call of theirs.

use std::time::Duration;

use reeve_domain::approval::{Approval, GrantScope, Resolution, Surface};
use reeve_engine::approvals::ARMING;
use reeve_engine::decide::Answering;
use rmcp::model::InputRequiredResult;
use serde_json::{Value, json};

use crate::world::{Wire, World, text};

/// Longer than a call of a tool is held.
const LONG: Duration = Duration::from_secs(601);

/// A call of a tool that is asked about, in the version that has requests in answers; `pages`: the client opens them.
fn call(id: u64, tool: &str, pages: bool, rest: &Value) -> Value {
    let elicitation = if pages { json!({ "form": {}, "url": {} }) } else { json!({ "form": {} }) };
    let mut params = json!({
        "name": tool,
        "arguments": { "path": "a.txt" },
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": elicitation },
        },
    });
    params.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

/// What the client answers to Reeve's own request.
fn opened() -> Value {
    json!({ "reeve/approval": { "action": "accept" } })
}

/// The call is made, nobody answers, and this is what its caller hears.
async fn expires(world: &World, wire: &mut Wire, call: Value) -> (Approval, Value) {
    wire.ask(call).await;
    let held = world.held().await;
    world.clock.advance(LONG);
    (held, wire.heard().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_pages_is_sent_to_the_question_that_nobody_answered_and_makes_the_same_call_again() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    let (held, told) = expires(&world, &mut wire, call(1, "write", true, &json!({}))).await;
    let read: InputRequiredResult = serde_json::from_value(told["result"].clone()).unwrap();
    assert!(read.request_state.is_none(), "there is nothing to keep: {told}");
    assert!(told["result"].get("isError").is_none(), "{told}");
    let asked = &told["result"]["inputRequests"]["reeve/approval"];
    assert_eq!((&asked["method"], &asked["params"]["mode"]), (&json!("elicitation/create"), &json!("url")));
    assert_eq!(asked["params"]["url"], format!("reeve://inbox/{}", held.id));
    let words = asked["params"]["message"].as_str().unwrap();
    assert!(!words.contains("write") && !words.contains("a.txt"), "{words}");
    // The person says there that it may happen the next time.
    let ticket = world.engine.approvals().show_answered(&held.id);
    world.clock.advance(ARMING);
    let answering = Answering {
        approval: held.id.clone(),
        ticket,
        resolution: Resolution::Approved { scope: GrantScope::Once },
        by: "dana".to_owned(),
        surface: Surface::Cli,
        reading_ms: None,
        rule: Default::default(),
        proof: None,
    };
    world.engine.allow_late(answering).await.unwrap();
    wire.ask(call(2, "write", true, &json!({ "inputResponses": opened() }))).await;
    let served = wire.served().await;
    assert_eq!(served["params"]["arguments"], json!({ "path": "a.txt" }));
    assert!(served["params"].get("inputResponses").is_none(), "it is no business of the server's: {served}");
    wire.answer(&served, "written").await;
    assert_eq!(text(&wire.heard().await), "written");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_unanswered_waits_at_the_same_question_and_hears_words_the_second_time() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    let (held, _) = expires(&world, &mut wire, call(1, "write", true, &json!({}))).await;
    let rest = json!({ "inputResponses": opened() });
    let (again, told) = expires(&world, &mut wire, call(2, "write", true, &rest)).await;
    assert_eq!((again.question, again.fingerprint), (held.question, held.fingerprint));
    assert_eq!(told["result"]["isError"], true, "{told}");
    assert!(text(&told).contains("nobody approved"), "{told}");
    wire.server_heard_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_brought_for_the_server_comes_back_with_the_call() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    let theirs = json!({ "inputResponses": { "name": { "action": "accept", "content": { "name": "dana" } } },
                         "requestState": "of the server" });
    let (held, told) = expires(&world, &mut wire, call(1, "write", true, &theirs)).await;
    let state = told["result"]["requestState"].clone();
    assert!(state.is_string(), "{told}");
    // A client answers what it was asked last, and nothing else.
    let rest = json!({ "inputResponses": opened(), "requestState": state });
    wire.ask(call(2, "write", true, &rest)).await;
    let again = world.held().await;
    assert_eq!((&again.question, &again.fingerprint), (&held.question, &held.fingerprint));
    world.approve(&again).await;
    let served = wire.served().await;
    assert_eq!(served["params"]["inputResponses"], theirs["inputResponses"], "{served}");
    assert_eq!(served["params"]["requestState"], theirs["requestState"], "{served}");
    wire.answer(&served, "written").await;
    assert_eq!(text(&wire.heard().await), "written");
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_else_hears_words_and_a_no_is_never_a_link() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    let (_, told) = expires(&world, &mut wire, call(1, "write", false, &json!({}))).await;
    assert_eq!((&told["result"]["isError"], told["result"].get("inputRequests")), (&json!(true), None), "{told}");
    let mut older = call(2, "write", true, &json!({ "x": 2 }));
    older["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2025-11-25");
    let (_, told) = expires(&world, &mut wire, older).await;
    assert_eq!(told["result"]["isError"], true, "{told}");
    wire.ask(call(3, "write", true, &json!({ "x": 3 }))).await;
    let held = world.held().await;
    world.answer(&held, Resolution::Refused { reason: None }).await;
    assert!(text(&wire.heard().await).contains("a human refused"));
    wire.ask(call(4, "drop", true, &json!({}))).await;
    let told = wire.heard().await;
    assert_eq!(told["result"]["_meta"]["reeve/denial"]["code"], "policy", "{told}");
    wire.server_heard_nothing().await;
}
