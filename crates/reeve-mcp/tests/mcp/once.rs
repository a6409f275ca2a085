//! One effect for one call, servers that are in trouble, and agents that go in circles.

use std::sync::atomic::{AtomicU32, Ordering};

use reeve_domain::approval::Resolution;
use serde_json::{Value, json};

use super::world::{Wire, World, text};

/// The next tool call that the server hears.
async fn next_call(wire: &mut Wire) -> Value {
    loop {
        let asked = wire.served().await;
        if asked["method"] == "tools/call" {
            return asked;
        }
    }
}

/// No tool call reached the server.
async fn no_call(wire: &mut Wire) {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    // Nobody answers these, so each has an id of its own.
    let id = format!("nothing-{}", ASKED.fetch_add(1, Ordering::Relaxed));
    wire.ask(json!({ "jsonrpc": "2.0", "id": id, "method": "ping" })).await;
    loop {
        let asked = wire.served().await;
        assert_ne!(asked["method"], "tools/call", "{asked}");
        if asked["id"] == id.as_str() {
            return;
        }
    }
}

fn governed(tool: &str, more: &str) -> String {
    format!(
        "tool_governance:\n  {tool}: {{ idempotency_key: request_id, cache_ttl: 24h, on_duplicate: return_cached, strict_mode: true{more} }}\n"
    )
}

const SHORT: &str = "tool_policies:\n  echo: { timeout: 3s }\n  write: { timeout: 3s }\n";

#[tokio::test(flavor = "multi_thread")]
async fn of_three_calls_at_once_one_is_made_and_all_hear_its_result() {
    let tools = governed("echo", "");
    let world = World::with(&[("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    for id in 1..=3 {
        wire.call(id, "echo", json!({ "request_id": "r1", "n": id })).await;
    }
    let request = next_call(&mut wire).await;
    assert_eq!(request["params"]["_meta"]["reeve/idempotency-key"].as_str().map(str::len), Some(64));
    wire.answer(&request, "sent once").await;
    let mut repeats = 0;
    for _ in 0..3 {
        let answer = wire.heard().await;
        assert_eq!(text(&answer), "sent once");
        repeats += usize::from(answer["result"]["_meta"]["reeve/repeats"]["operation"].is_string());
    }
    assert_eq!(repeats, 2);
    no_call(&mut wire).await;
    assert_eq!(world.rows(3).await.len(), 3);
    // Another key is another call.
    wire.call(4, "echo", json!({ "request_id": "r2" })).await;
    let request = next_call(&mut wire).await;
    wire.answer(&request, "sent again").await;
    assert_eq!(text(&wire.heard().await), "sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_changes_its_key_tells_repeats_as_before_while_somebody_works_there() {
    let project = tempfile::tempdir().unwrap();
    let rules = project.path().join(".reeve/policies");
    std::fs::create_dir_all(&rules).unwrap();
    std::fs::write(rules.join("tools.yaml"), governed("echo", "")).unwrap();
    let world = World::new().await;
    let mut wire = world.wire_in("claude-code", project.path()).await;
    wire.call(1, "echo", json!({ "request_id": "r1", "n": 1 })).await;
    let request = next_call(&mut wire).await;
    wire.answer(&request, "sent once").await;
    assert_eq!(text(&wire.heard().await), "sent once");
    std::fs::write(rules.join("tools.yaml"), governed("echo", "").replace("request_id", "n")).unwrap();
    world.engine.reload().await.unwrap();
    wire.call(2, "echo", json!({ "request_id": "r1", "n": 2 })).await;
    assert_eq!(text(&wire.heard().await), "sent once");
    no_call(&mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_leaves_the_slot_to_the_next_try() {
    let tools = governed("echo", "");
    let world = World::with(&[("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({ "request_id": "r1" })).await;
    let request = next_call(&mut wire).await;
    let failed = json!({ "content": [{ "type": "text", "text": "no connection" }], "isError": true });
    wire.serve(json!({ "jsonrpc": "2.0", "id": request["id"], "result": failed })).await;
    assert_eq!(wire.heard().await["result"]["isError"], true);
    wire.call(2, "echo", json!({ "request_id": "r1" })).await;
    let request = next_call(&mut wire).await;
    wire.answer(&request, "sent").await;
    assert_eq!(text(&wire.heard().await), "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_its_rules_call_final_is_what_a_repeat_hears_and_any_other_is_tried_again() {
    let tools = governed("echo", ", final_errors: [Already Refunded]");
    let world = World::with(&[("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    let failed = |words: &str| json!({ "content": [{ "type": "text", "text": words }], "isError": true });
    for (id, words) in [(1, "the bank is closed"), (2, "r1 was ALREADY refunded")] {
        wire.call(id, "echo", json!({ "request_id": "r1" })).await;
        let request = next_call(&mut wire).await;
        wire.serve(json!({ "jsonrpc": "2.0", "id": request["id"], "result": failed(words) })).await;
        assert_eq!(text(&wire.heard().await), words);
    }
    wire.call(3, "echo", json!({ "request_id": "r1" })).await;
    let answer = wire.heard().await;
    assert_eq!((text(&answer), &answer["result"]["isError"]), ("r1 was ALREADY refunded", &json!(true)));
    assert!(answer["result"]["_meta"]["reeve/repeats"]["operation"].is_string(), "{answer}");
    no_call(&mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_gives_no_key_is_refused_where_that_is_strict_and_one_that_is_denied_takes_no_slot() {
    let tools = format!("{}  drop: {{ idempotency_key: request_id }}\n", governed("echo", ""));
    let world = World::with(&[("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({ "message": "x" })).await;
    let answer = wire.heard().await;
    assert_eq!(answer["result"]["_meta"]["reeve/denial"]["code"], "malformed");
    assert!(text(&answer).contains("`request_id`"), "{answer}");
    for id in 2..=3 {
        wire.call(id, "drop", json!({ "request_id": "r1" })).await;
        assert!(text(&wire.heard().await).contains("never-drop"));
    }
    no_call(&mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_end_is_unknown_is_made_again_only_after_a_person_said_so() {
    let tools = format!("{SHORT}{}", governed("echo", ", on_unknown: ask"));
    let world = World::with(&[("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({ "request_id": "r1" })).await;
    next_call(&mut wire).await;
    assert_eq!(wire.heard().await["result"]["isError"], true);
    wire.call(2, "echo", json!({ "request_id": "r1" })).await;
    let question = world.held().await;
    assert!(question.reasons.iter().any(|reason| reason.rule.as_str() == "reeve-repeat-unknown"));
    assert_eq!(question.view["idempotency"]["found"]["state"], "unknown");
    no_call(&mut wire).await;
    world.approve(&question).await;
    let request = next_call(&mut wire).await;
    wire.answer(&request, "sent").await;
    // The ping of above is answered by nobody; what the agent hears is the call.
    assert_eq!(text(&wire.heard().await), "sent");
    wire.call(3, "echo", json!({ "request_id": "r1" })).await;
    assert_eq!(text(&wire.heard().await), "sent");
    no_call(&mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_tells_whether_a_lost_call_took_effect_and_it_is_not_made_twice() {
    let probe = ", on_unknown: probe, probe: { tool: echo, arguments: { id: request_id }, done: sent }";
    let tools = format!("{SHORT}{}", governed("write", probe));
    let world = World::with(&[("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    wire.call(1, "write", json!({ "request_id": "r1" })).await;
    world.approve(&world.held().await).await;
    assert_eq!(next_call(&mut wire).await["params"]["name"], "write");
    assert_eq!(wire.heard().await["result"]["isError"], true);
    wire.call(2, "write", json!({ "request_id": "r1" })).await;
    let probing = next_call(&mut wire).await;
    assert_eq!((&probing["params"]["name"], &probing["params"]["arguments"]["id"]), (&json!("echo"), &json!("r1")));
    wire.answer(&probing, "{\"sent\":true}").await;
    world.approve(&world.held().await).await;
    let answer = wire.heard().await;
    assert!(text(&answer).contains("took effect before"), "{answer}");
    no_call(&mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_runs_longer_than_its_lease_and_its_cache_is_still_made_once() {
    let tools = "tool_governance:\n  echo: { idempotency_key: request_id, cache_ttl: 1m, lease: 1m }\n";
    let world = World::with(&[("tools.yaml", tools)]).await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({ "request_id": "r1" })).await;
    let request = next_call(&mut wire).await;
    world.clock.advance(std::time::Duration::from_secs(600));
    wire.call(2, "echo", json!({ "request_id": "r1" })).await;
    no_call(&mut wire).await;
    wire.answer(&request, "sent once").await;
    for _ in 0..2 {
        assert_eq!(text(&wire.heard().await), "sent once");
    }
    no_call(&mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_a_server_does_not_take_are_sent_again_once_they_are_right() {
    let tools = governed("echo", "");
    let world = World::with(&[("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({ "request_id": "r1", "to": 7 })).await;
    let request = next_call(&mut wire).await;
    let error = json!({ "code": -32602, "message": "`to` is not a text" });
    wire.serve(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error })).await;
    assert_eq!(wire.heard().await["error"]["code"], -32602);
    wire.call(2, "echo", json!({ "request_id": "r1", "to": "you" })).await;
    let request = next_call(&mut wire).await;
    wire.answer(&request, "sent").await;
    assert_eq!(text(&wire.heard().await), "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_hangs_is_left_alone_then_tried_once_and_is_back() {
    let limits = "circuit_breakers: { failures: 2, open_for: 30s }\n";
    let world = World::with(&[("limits.yaml", limits), ("tools.yaml", SHORT)]).await;
    let mut wire = world.wire().await;
    for id in 1..=2 {
        wire.call(id, "echo", json!({ "n": id })).await;
        next_call(&mut wire).await;
        assert_eq!(wire.heard().await["result"]["isError"], true);
    }
    wire.call(3, "echo", json!({ "n": 3 })).await;
    let answer = wire.heard().await;
    assert_eq!(answer["result"]["_meta"]["reeve/denial"]["code"], "unavailable");
    assert!(text(&answer).contains("fake/echo") && text(&answer).contains("tool-cut-off"), "{answer}");
    assert_eq!(world.engine.breakers().of_server("fake").len(), 1);
    no_call(&mut wire).await;
    world.clock.advance(std::time::Duration::from_secs(31));
    wire.call(4, "echo", json!({ "n": 4 })).await;
    let request = next_call(&mut wire).await;
    wire.answer(&request, "back").await;
    assert_eq!(text(&wire.heard().await), "back");
    assert!(world.engine.breakers().of_server("fake").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_is_used_up_by_a_call_that_is_sent_and_by_no_other() {
    let limits = "circuit_breakers: { failures: 2, open_for: 30s }\n";
    let short = "tool_policies: { write: { timeout: 3s } }\n";
    let world = World::with(&[("limits.yaml", limits), ("tools.yaml", short)]).await;
    let mut wire = world.wire().await;
    for id in 1..=2 {
        wire.call(id, "write", json!({ "n": id })).await;
        world.approve(&world.held().await).await;
        next_call(&mut wire).await;
        assert_eq!(wire.heard().await["result"]["isError"], true);
    }
    assert_eq!(world.engine.breakers().of_server("fake").len(), 1);
    world.clock.advance(std::time::Duration::from_secs(31));
    // One that a person refuses, and one that its agent takes back: neither was a trial.
    wire.call(3, "write", json!({ "n": 3 })).await;
    world.answer(&world.held().await, Resolution::Refused { reason: None }).await;
    assert_eq!(wire.heard().await["id"], 3);
    wire.call(4, "write", json!({ "n": 4 })).await;
    let left = world.held().await;
    let cancel = json!({ "requestId": 4 });
    wire.ask(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancel })).await;
    wire.call(5, "write", json!({ "n": 5 })).await;
    let question = world.held_beside(&left).await;
    world.approve(&question).await;
    let request = next_call(&mut wire).await;
    assert_eq!(request["params"]["arguments"]["n"], 5);
    wire.answer(&request, "back").await;
    assert_eq!(text(&wire.heard().await), "back");
    assert!(world.engine.breakers().of_server("fake").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_come_no_faster_than_a_limit_says() {
    let limits = "rate_limits: [{ server: fake, tool: echo, calls: 2, per: hour }]\n";
    let world = World::with(&[("limits.yaml", limits)]).await;
    let mut wire = world.wire().await;
    for id in 1..=2 {
        wire.call(id, "echo", json!({ "n": id })).await;
        let request = next_call(&mut wire).await;
        wire.answer(&request, "ok").await;
        assert_eq!(text(&wire.heard().await), "ok");
    }
    wire.call(3, "echo", json!({ "n": 3 })).await;
    let answer = wire.heard().await;
    assert_eq!(answer["result"]["_meta"]["reeve/denial"]["rules"], json!(["tool-rate"]));
    assert!(text(&answer).contains("2 calls within an hour"), "{answer}");
    no_call(&mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_goes_in_circles_hears_so_in_the_result_and_then_waits_for_a_person() {
    let world = World::with(&[("limits.yaml", "loops: { warn: 2, hold: 3, pause: 9 }\n")]).await;
    let mut wire = world.wire().await;
    for id in 1..=3 {
        wire.call(id, "echo", json!({ "message": "same" })).await;
        let request = next_call(&mut wire).await;
        wire.answer(&request, "the same").await;
        let answer = wire.heard().await;
        let notes = answer["result"]["content"].as_array().unwrap();
        assert_eq!(notes.len(), if id == 1 { 1 } else { 2 }, "{answer}");
    }
    wire.call(4, "echo", json!({ "message": "same" })).await;
    let question = world.held().await;
    assert_eq!(question.reasons[0].rule.as_str(), "reeve-loop");
    world.approve(&question).await;
    let request = next_call(&mut wire).await;
    wire.answer(&request, "the same").await;
    assert_eq!(wire.heard().await["result"]["content"].as_array().unwrap().len(), 1);
}

const AGAIN: &str = "retries: { times: 2, wait: 10ms }\n";

async fn fails(wire: &Wire, request: &Value) {
    let failed = json!({ "content": [{ "type": "text", "text": "busy" }], "isError": true });
    wire.serve(json!({ "jsonrpc": "2.0", "id": request["id"], "result": failed })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_failed_without_effect_is_made_again_where_its_key_tells_a_repeat() {
    let tools = governed("echo", "");
    let world = World::with(&[("limits.yaml", AGAIN), ("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({ "request_id": "r1" })).await;
    for _ in 0..2 {
        let request = next_call(&mut wire).await;
        fails(&wire, &request).await;
    }
    let request = next_call(&mut wire).await;
    wire.answer(&request, "sent").await;
    assert_eq!(text(&wire.heard().await), "sent");
    assert_eq!(world.rows(1).await.len(), 1, "all attempts are one operation");
    assert_eq!(world.outcome().await.retries, 2);
    // So often and no more: then the agent hears of it, and may try itself.
    wire.call(2, "echo", json!({ "request_id": "r2" })).await;
    for _ in 0..3 {
        let request = next_call(&mut wire).await;
        fails(&wire, &request).await;
    }
    assert_eq!(wire.heard().await["result"]["isError"], true);
    no_call(&mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_taken_effect_and_what_no_key_tells_is_never_made_again() {
    let tools = format!("{SHORT}{}", governed("write", ""));
    let world = World::with(&[("limits.yaml", AGAIN), ("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    // No rule and no definition says that a repeat does no harm.
    wire.call(1, "echo", json!({ "n": 1 })).await;
    let request = next_call(&mut wire).await;
    fails(&wire, &request).await;
    assert_eq!(wire.heard().await["result"]["isError"], true);
    no_call(&mut wire).await;
    // Sent, and no answer in its time.
    wire.call(2, "write", json!({ "request_id": "r1" })).await;
    world.approve(&world.held().await).await;
    next_call(&mut wire).await;
    assert_eq!(wire.heard().await["result"]["isError"], true);
    no_call(&mut wire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_keeps_to_the_pace_like_any_call() {
    let limits = format!("{AGAIN}rate_limits: [{{ server: fake, tool: echo, calls: 2, per: hour }}]\n");
    let tools = governed("echo", "");
    let world = World::with(&[("limits.yaml", &limits), ("tools.yaml", &tools)]).await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({ "request_id": "r1" })).await;
    for _ in 0..2 {
        let request = next_call(&mut wire).await;
        fails(&wire, &request).await;
    }
    assert_eq!(wire.heard().await["result"]["isError"], true);
    no_call(&mut wire).await;
}
