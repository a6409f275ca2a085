//! A server that crashes behind a connection and runs again.

use std::time::Duration;

use bytes::Bytes;
use reeve_domain::event::EventBody;
use reeve_domain::outcome::ToolEnd;
use reeve_mcp::{Life, Link};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::world::{Wire, World, is_change, text};

fn crashed() -> Life {
    Life::Down { why: "it ended with status 3".to_owned(), again: Duration::from_millis(500) }
}

/// The server's process ends.
async fn crash(wire: &mut Wire, tell: &mpsc::Sender<Life>) {
    tell.send(crashed()).await.unwrap();
    let (gone, _) = Link::pair();
    wire.server = gone;
}

/// It runs again.
async fn restart(wire: &mut Wire, tell: &mpsc::Sender<Life>) {
    let (server, link) = Link::pair();
    wire.server = server;
    let greeting = Some(json!({ "serverInfo": { "name": "fake", "version": "1" } }));
    tell.send(Life::Up { link, greeting }).await.unwrap();
}

async fn answers(wire: &mut Wire, many: usize) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    while all.len() < many {
        all.push(wire.heard().await);
    }
    all.sort_by_key(|one| one["id"].as_i64());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_server_that_crashes_hears_so_and_the_next_life_goes_on_in_its_place() {
    let world = World::new().await;
    let (wire, tell) = world.wire_of_lives("claude-code", "fake").await;
    let mut wire = world.reviewed(wire).await;
    wire.call(1, "echo", json!({ "n": 1 })).await;
    wire.served().await;
    wire.ask(json!({ "jsonrpc": "2.0", "id": 2, "method": "resources/list" })).await;
    wire.served().await;
    crash(&mut wire, &tell).await;
    let told = answers(&mut wire, 2).await;
    assert!(text(&told[0]).contains("started again in 0.5 s") && text(&told[0]).contains("not known"), "{told:?}");
    assert!(told[1]["error"]["message"].as_str().unwrap().contains("it ended with status 3"), "{told:?}");
    // What comes meanwhile is answered at once, and nothing of it is sent later.
    wire.call(3, "echo", json!({ "n": 3 })).await;
    wire.ask(json!({ "jsonrpc": "2.0", "id": 4, "method": "resources/list" })).await;
    let told = answers(&mut wire, 2).await;
    assert!(text(&told[0]).contains("started again") && !text(&told[0]).contains("not known"), "{told:?}");
    assert!(told[1]["error"].is_object());
    restart(&mut wire, &tell).await;
    wire.changed().await;
    wire.call(5, "echo", json!({ "n": 5 })).await;
    let request = wire.served().await;
    assert_eq!(request["params"]["arguments"]["n"], 5);
    wire.answer(&request, "back").await;
    assert_eq!(text(&wire.heard().await), "back");
    let ends: Vec<_> = world.rows(3).await.into_iter().map(|row| row.end).collect();
    assert_eq!(ends, [Some(ToolEnd::Unknown), Some(ToolEnd::ToolError), Some(ToolEnd::Ok)]);
    let events = world.engine.store().events(None, 100).await.unwrap();
    assert!(events.iter().any(|event| matches!(&event.body,
        EventBody::ServerCrashed { server, why, again_ms: 500 } if server == "fake" && why.contains("status 3"))));
    assert!(
        events.iter().any(|event| matches!(&event.body, EventBody::ServerRestarted { server } if server == "fake"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_again_and_again_is_left_alone_by_its_breaker() {
    let world = World::with(&[("limits.yaml", "circuit_breakers: { failures: 2, open_for: 30s }\n")]).await;
    let (wire, tell) = world.wire_of_lives("claude-code", "fake").await;
    let mut wire = world.reviewed(wire).await;
    for _ in 0..2 {
        crash(&mut wire, &tell).await;
        restart(&mut wire, &tell).await;
        wire.changed().await;
    }
    wire.call(1, "echo", json!({})).await;
    let answer = wire.heard().await;
    assert!(text(&answer).contains("it ended with status 3") && text(&answer).contains("next trial"), "{answer}");
    world.clock.advance(Duration::from_secs(31));
    wire.call(2, "echo", json!({})).await;
    let request = wire.served().await;
    wire.answer(&request, "works").await;
    assert_eq!(text(&wire.heard().await), "works");
    assert!(world.engine.breakers().of_server("fake").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_asked_for_before_it_crashed_is_taken_back_from_the_agent() {
    let world = World::with(&[]).await;
    let (mut wire, tell) = world.wire_of_lives("claude-code", "fake").await;
    let params =
        json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": "hi" } }], "maxTokens": 9 });
    wire.serve(json!({ "jsonrpc": "2.0", "id": "s1", "method": "sampling/createMessage", "params": params })).await;
    world.approve(&world.held().await).await;
    assert_eq!(wire.heard().await["id"], "s1");
    crash(&mut wire, &tell).await;
    let told = wire.heard().await;
    assert_eq!((&told["method"], &told["params"]["requestId"]), (&json!("notifications/cancelled"), &json!("s1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_words_and_an_answer_that_is_too_long_are_contained() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({})).await;
    let request = wire.served().await;
    let long = json!({ "jsonrpc": "2.0", "id": request["id"], "result": { "content": [] } }).to_string();
    let long = long.replace("[]", &format!("\"{}\"", "x".repeat(reeve_mcp::message::MAX_MESSAGE)));
    let (tx, words) = (wire.server.tx.clone(), 5000);
    let flood = tokio::spawn(async move {
        for number in 0..words {
            let params = json!({ "data": number });
            let word = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": params });
            tx.send(Bytes::from(word.to_string())).await.unwrap();
        }
        tx.send(Bytes::from(long)).await.unwrap();
    });
    let mut heard = 0;
    let answer = loop {
        let raw = wire.heard_raw().await;
        if is_change(&raw) {
            continue;
        }
        let message: Value = serde_json::from_slice(&raw).unwrap();
        if message["id"] == 1 {
            break message;
        }
        heard += 1;
    };
    flood.await.unwrap();
    assert_eq!(heard, words);
    assert!(text(&answer).contains("more than is permitted"), "{answer}");
}
