//! Calls whose results come later pass the same stage as those whose results come at once, however they are fetched.

use std::time::Duration;

use reeve_domain::outcome::ToolEnd;
use reeve_mcp::{Life, Link};
use serde_json::{Value, json};

use super::world::{Wire, World, text};

const RULES: &str = "tool_policies:\n  echo: { result: redact, redact_for_call: true, timeout: 60s }\n\
tool_governance:\n  echo: { idempotency_key: request_id, cache_ttl: 24h, on_duplicate: return_cached, strict_mode: true }\n";

/// A call that the server goes on with as a task.
async fn begun(wire: &mut Wire, id: u64, request: &str) {
    let params = json!({ "name": "echo", "arguments": { "request_id": request }, "task": { "ttl": 60000 } });
    wire.ask(json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })).await;
    let asked = wire.served().await;
    assert_eq!(asked["params"]["task"]["ttl"], 60000);
    let task = json!({ "taskId": format!("task-{request}"), "status": "working" });
    wire.serve(json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "task": task } })).await;
    let told = wire.heard().await;
    assert_eq!((&told["id"], &told["result"]["task"]["status"]), (&json!(id), &json!("working")));
}

/// The agent asks about a task, and the server answers so.
async fn fetched(wire: &mut Wire, id: u64, method: &str, request: &str, answer: Value) -> Value {
    let params = json!({ "taskId": format!("task-{request}") });
    wire.ask(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
    let asked = wire.served().await;
    assert_eq!(asked["method"], method);
    let mut message = json!({ "jsonrpc": "2.0", "id": asked["id"] });
    message.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
    wire.serve(message).await;
    let heard = wire.heard().await;
    assert_eq!(heard["id"], id);
    heard
}

fn mail() -> Value {
    json!({ "content": [{ "type": "text", "text": "sent to jane.doe@acme.example" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_result_of_a_task_ends_its_call_and_passes_the_stage_of_every_result() {
    let world = World::with(&[("tools.yaml", RULES)]).await;
    let mut wire = world.wire().await;
    begun(&mut wire, 1, "r1").await;
    let working = json!({ "result": { "taskId": "task-r1", "status": "working" } });
    let told = fetched(&mut wire, 2, "tasks/get", "r1", working.clone()).await;
    assert_eq!(told["result"], working["result"]);
    let came = fetched(&mut wire, 3, "tasks/result", "r1", json!({ "result": mail() })).await;
    assert!(text(&came).contains("sent to") && !text(&came).contains("jane.doe"), "{came}");
    let row = world.rows(1).await.remove(0);
    assert_eq!((row.summary.as_str(), row.end), ("fake.echo", Some(ToolEnd::Ok)));
    // Fetched again it is looked at again, and the call ended once.
    let again = fetched(&mut wire, 4, "tasks/result", "r1", json!({ "result": mail() })).await;
    assert!(!text(&again).contains("jane.doe"));
    // A repeat of the call is answered with what came of the task.
    wire.call(5, "echo", json!({ "request_id": "r1" })).await;
    let repeat = wire.heard().await;
    assert!(text(&repeat).contains("sent to") && !text(&repeat).contains("jane.doe"), "{repeat}");
    wire.server_heard_nothing().await;
    assert_eq!(world.rows(2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_inside_of_what_is_told_about_a_task_is_looked_at_too() {
    let world = World::with(&[("tools.yaml", RULES)]).await;
    let mut wire = world.wire().await;
    begun(&mut wire, 1, "r1").await;
    let done = json!({ "taskId": "task-r1", "status": "completed", "result": mail() });
    let told = fetched(&mut wire, 2, "tasks/get", "r1", json!({ "result": done })).await;
    assert_eq!(told["result"]["status"], "completed");
    assert!(!told.to_string().contains("jane.doe"), "{told}");
    wire.serve(json!({ "jsonrpc": "2.0", "method": "notifications/tasks", "params": done })).await;
    let told = wire.heard().await;
    assert!(told["method"] == "notifications/tasks" && !told.to_string().contains("jane.doe"), "{told}");
    assert_eq!(world.rows(1).await[0].end, Some(ToolEnd::Ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_no_call_began_gives_no_result_and_one_that_fails_leaves_its_call_unknown() {
    let world = World::with(&[("tools.yaml", RULES)]).await;
    let mut wire = world.wire().await;
    let unknown = fetched(&mut wire, 1, "tasks/result", "none", json!({ "result": mail() })).await;
    assert!(unknown["error"]["message"].as_str().unwrap().contains("no call"), "{unknown}");
    begun(&mut wire, 2, "r2").await;
    let error = json!({ "error": { "code": -32602, "message": "task expired" } });
    let failed = fetched(&mut wire, 3, "tasks/result", "r2", error).await;
    assert_eq!(failed["error"]["message"], "task expired");
    assert_eq!(world.rows(1).await[0].end, Some(ToolEnd::ToolError));
    // Whether it had its effect nobody knows: it is not made again by itself.
    wire.call(4, "echo", json!({ "request_id": "r2" })).await;
    let question = world.held().await;
    assert!(question.reasons.iter().any(|reason| reason.rule.as_str() == "reeve-repeat-unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tasks_of_a_server_that_crashed_are_over_and_a_repeat_of_their_call_is_asked_about_at_once() {
    let world = World::with(&[("tools.yaml", RULES)]).await;
    let (wire, lives) = world.wire_of_lives("claude-code", "fake").await;
    let mut wire = world.reviewed(wire).await;
    begun(&mut wire, 1, "r3").await;
    // The server's ends are dropped, and another one comes behind the same connection.
    let (server, server_there) = Link::pair();
    let crashed = std::mem::replace(&mut wire.server, server);
    lives.send(Life::Down { why: "it crashed".to_owned(), again: Duration::ZERO }).await.unwrap();
    drop(crashed);
    assert_eq!(world.rows(1).await[0].end, Some(ToolEnd::Unknown), "nobody knows what came of it");
    lives.send(Life::Up { link: server_there, greeting: None }).await.unwrap();
    wire.call(2, "echo", json!({ "request_id": "r3" })).await;
    let question = world.held().await;
    assert!(question.reasons.iter().any(|reason| reason.rule.as_str() == "reeve-repeat-unknown"));
}
