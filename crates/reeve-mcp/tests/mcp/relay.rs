//! One connection: what passes untouched, what is judged, what is held, and that no two things are taken for one another.

use std::path::Path;
use std::sync::Arc;

use reeve_domain::approval::Resolution;
use reeve_domain::event::EventBody;
use reeve_domain::outcome::ToolEnd;
use reeve_domain::session::SessionEnd;
use reeve_mcp::{Ended, Link, ServerRef, lives};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::world::{Wire, World, is_change, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_call_reaches_the_server_and_is_in_the_record() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({ "message": "hello" })).await;
    let request = wire.served().await;
    assert_eq!(request["method"], "tools/call");
    assert_eq!(request["params"]["arguments"], json!({ "message": "hello" }));
    wire.answer(&request, "hello to you").await;
    let answer = wire.heard().await;
    assert_eq!((&answer["id"], text(&answer)), (&json!(1), "hello to you"));
    let rows = world.rows(1).await;
    assert_eq!((rows[0].summary.as_str(), rows[0].decision.passed()), ("fake.echo", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_call_comes_back_as_an_error_that_says_why_and_nothing_reaches_the_server() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call("a", "drop", json!({ "table": "customers" })).await;
    let answer = wire.heard().await;
    assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!("a"), &json!(true)));
    let said = text(&answer);
    assert!(said.contains("never-drop") && said.contains("nothing is dropped here"), "{said}");
    assert_eq!(answer["result"]["_meta"]["reeve/denial"]["code"], "policy");
    wire.server_heard_nothing().await;
    assert!(!world.rows(1).await[0].decision.passed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_rule_keeps_from_the_server_never_reaches_it_and_is_in_the_record() {
    let tools = "method_policies:\n  fake/resources/*: deny\n";
    let world = World::with(&[("tools.yaml", tools)]).await;
    let mut wire = world.wire().await;
    wire.ask(json!({ "jsonrpc": "2.0", "id": "r", "method": "resources/read", "params": { "uri": "file:///etc" } }))
        .await;
    let answer = wire.heard().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("r"), &json!(-32601)));
    let said = answer["error"]["message"].as_str().unwrap();
    assert!(said.contains("`fake/resources/*`") && said.contains("will not help"), "{said}");
    wire.ask(json!({ "jsonrpc": "2.0", "id": "p", "method": "prompts/get", "params": { "name": "x" } })).await;
    assert_eq!(wire.served().await["method"], "prompts/get", "the server heard what was refused, or not what was not");
    let events = world.engine.store().events(None, 50).await.unwrap();
    assert!(events.iter().any(|event| matches!(&event.body,
        EventBody::ConnectionRefused { detail, .. } if detail == "fake: resources/read")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_call_waits_for_the_person_while_everything_else_goes_on() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(1, "write", json!({ "path": "a.txt" })).await;
    let question = world.held().await;
    // Both directions, other calls, and answers in another order.
    wire.ask(json!({ "jsonrpc": "2.0", "id": 2, "method": "resources/list" })).await;
    assert_eq!(wire.served().await["method"], "resources/list");
    wire.serve(json!({ "jsonrpc": "2.0", "id": 1, "method": "roots/list" })).await;
    assert_eq!(wire.heard().await["method"], "roots/list");
    wire.ask(json!({ "jsonrpc": "2.0", "id": 1, "result": { "roots": [] } })).await;
    assert_eq!(wire.served().await["result"], json!({ "roots": [] }));
    wire.call(3, "echo", json!({})).await;
    let echo = wire.served().await;
    wire.answer(&echo, "echoed").await;
    assert_eq!(wire.heard().await["id"], 3);
    wire.serve(json!({ "jsonrpc": "2.0", "id": 2, "result": { "resources": [] } })).await;
    assert_eq!(wire.heard().await["id"], 2);
    world.approve(&question).await;
    let write = wire.served().await;
    assert_eq!(write["params"]["name"], "write");
    wire.answer(&write, "written").await;
    let answer = wire.heard().await;
    assert_eq!((&answer["id"], text(&answer)), (&json!(1), "written"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_never_reaches_the_server() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(1, "write", json!({})).await;
    let question = world.held().await;
    world.answer(&question, Resolution::Refused { reason: Some("not on a Friday".to_owned()) }).await;
    let answer = wire.heard().await;
    assert!(text(&answer).contains("not on a Friday"), "{answer}");
    wire.server_heard_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_call_that_is_cancelled_is_not_answered_and_its_retry_meets_the_same_question() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(1, "write", json!({ "path": "a" })).await;
    let question = world.held().await;
    let cancel = json!({ "requestId": 1, "reason": "no patience" });
    wire.ask(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancel })).await;
    wire.call(2, "write", json!({ "path": "a" })).await;
    // The retry joins the question that is there.
    for _ in 0..3000 {
        if world.held().await.joined == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(world.held().await.id, question.id);
    world.approve(&question).await;
    let write = wire.served().await;
    wire.answer(&write, "once").await;
    assert_eq!(wire.heard().await["id"], 2);
    wire.server_heard_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_call_that_is_cancelled_is_cancelled_at_the_server_by_the_servers_own_id() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(7, "echo", json!({})).await;
    let request = wire.served().await;
    assert_ne!(request["id"], 7, "ids of the two sides are apart");
    let cancel = json!({ "requestId": 7 });
    wire.ask(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancel })).await;
    let cancelled = wire.served().await;
    assert_eq!(cancelled["method"], "notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], request["id"]);
    // An answer that comes all the same reaches nobody.
    wire.answer(&request, "too late").await;
    wire.call(8, "echo", json!({})).await;
    let next = wire.served().await;
    wire.answer(&next, "in time").await;
    let answer = wire.heard().await;
    assert_eq!((&answer["id"], text(&answer)), (&json!(8), "in time"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tool_call_passes_with_its_bytes_untouched_both_ways() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    for raw in [
        r#"{ "method":"acme/unheard_of", "params":{"b":1.50,"a":1e2,"deep":{"x":[null,true]}}, "id":"\u0031", "jsonrpc":"2.0", "extra":{"z":1} }"#,
        r#"{"jsonrpc":"2.0","method":"notifications/acme","params":{"keep":"  as is "},"more":0.10}"#,
    ] {
        wire.agent.tx.send(raw.into()).await.unwrap();
        assert_eq!(wire.served_raw().await, raw);
        let back = raw.replace("\\u0031", "server-1");
        wire.server.tx.send(back.clone().into()).await.unwrap();
        assert_eq!(wire.heard_raw().await, back);
    }
    let answer = r#"{"jsonrpc":"2.0","result":{"n":1.0,"_unknown":[{}]},"id":"1"}"#;
    wire.server.tx.send(answer.into()).await.unwrap();
    assert_eq!(wire.heard_raw().await, answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_of_one_id_and_ids_of_reeves_own_are_refused() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({})).await;
    let request = wire.served().await;
    wire.call(1, "echo", json!({ "again": true })).await;
    assert!(wire.heard().await["error"]["message"].as_str().unwrap().contains("already"));
    wire.ask(json!({ "jsonrpc": "2.0", "id": request["id"], "method": "ping" })).await;
    assert_eq!(wire.heard().await["error"]["code"], -32600);
    // The server has no way to answer a call but by the id that Reeve gave it.
    wire.answer(&json!({ "id": 1 }), "forged").await;
    wire.answer(&request, "true").await;
    assert_eq!(text(&wire.heard().await), "true");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_read_in_two_ways_is_refused_with_words_and_recorded() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    let twice = r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo","name":"drop"}}"#;
    wire.agent.tx.send(twice.into()).await.unwrap();
    let answer = wire.heard().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(null), &json!(-32700)));
    wire.ask(
        json!({ "jsonrpc": "2.0", "id": 6, "method": "tools/call", "params": { "name": "echo", "arguments": [] } }),
    )
    .await;
    assert_eq!(wire.heard().await["error"]["code"], -32602);
    wire.server_heard_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_is_said_to_whoever_waits_for_it() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({})).await;
    wire.served().await;
    wire.ask(json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" })).await;
    wire.served().await;
    drop(wire.server);
    let (mut ids, mut agent) = (Vec::new(), wire.agent.rx);
    while let Some(raw) = agent.recv().await {
        if is_change(&raw) {
            continue;
        }
        let answer: serde_json::Value = serde_json::from_slice(&raw).unwrap();
        assert!(answer.to_string().contains("gone"), "{answer}");
        ids.push(answer["id"].as_i64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, [1, 2]);
    assert_eq!(wire.relay.await.unwrap(), Ended::ServerGone);
    let row = world.rows(1).await.remove(0);
    assert!(row.error.as_ref().is_some_and(|error| error.contains("ended")), "{row:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_session_ends_the_connection_and_what_runs_in_it() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(1, "echo", json!({})).await;
    wire.served().await;
    world.engine.end_session(wire.session.id(), SessionEnd::Stopped).await.unwrap();
    let answer = wire.heard().await;
    assert_eq!(answer["id"], 1);
    assert_eq!(wire.relay.await.unwrap(), Ended::SessionOver);
    let row = world.rows(1).await.remove(0);
    assert!(row.decision.passed() && !row.open);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_are_no_messages_reach_no_agent() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    for noise in ["Server listening on stdio", "", "[]", r#"{"jsonrpc":"2.0","id":99,"result":{}}"#] {
        wire.server.tx.send(noise.to_owned().into()).await.unwrap();
    }
    wire.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_with_the_same_ids_never_hear_each_others_answers() {
    let world = World::new().await;
    let mut one = world.wire().await;
    let mut other = world.wire().await;
    one.call(1, "echo", json!({ "of": "one" })).await;
    other.call(1, "echo", json!({ "of": "other" })).await;
    let (for_one, for_other) = (one.served().await, other.served().await);
    assert_eq!(for_one["params"]["arguments"]["of"], "one");
    other.answer(&for_other, "for the other").await;
    one.answer(&for_one, "for the one").await;
    assert_eq!(text(&one.heard().await), "for the one");
    assert_eq!(text(&other.heard().await), "for the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_id_never_reaches_the_server_and_is_in_the_record() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    let params = json!({ "name": "drop", "arguments": {} });
    wire.ask(json!({ "jsonrpc": "2.0", "method": "tools/call", "params": params })).await;
    wire.server_heard_nothing().await;
    let events = world.engine.store().events(None, 50).await.unwrap();
    assert!(events.iter().any(|event| matches!(&event.body,
        EventBody::ConnectionRefused { why, .. } if why == "a tool call without an id")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_without_an_id_passes_in_no_direction_and_is_in_the_record() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    for method in ["elicitation/create", "sampling/createMessage"] {
        let ask = json!({ "jsonrpc": "2.0", "method": method, "params": { "message": "your password?" } });
        wire.serve(ask.clone()).await;
        wire.serve(json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": {} })).await;
        assert_eq!(wire.heard().await["method"], "notifications/message");
        wire.ask(ask).await;
        wire.server_heard_nothing().await;
        wire.serve(json!({ "jsonrpc": "2.0", "id": "nothing", "result": {} })).await;
        assert_eq!(wire.heard().await["id"], "nothing");
    }
    let events = world.engine.store().events(None, 50).await.unwrap();
    let refused = events.iter().filter(|event| {
        matches!(&event.body,
        EventBody::ConnectionRefused { why, .. } if why == "something asked for without an id")
    });
    assert_eq!(refused.count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_heard_of_remote_servers_is_bounded_and_ends_with_it() {
    let world = World::new().await;
    let (session, other) = (world.session("claude-code").await, world.session("claude-code").await);
    let first = Arc::downgrade(&world.gateway.seen(&session, "first"));
    let neighbour = Arc::downgrade(&world.gateway.seen(&other, "first"));
    let last = Arc::downgrade(&world.gateway.seen(&session, "last"));
    for number in 0..255 {
        drop(world.gateway.seen(&session, &format!("server {number}")));
    }
    assert!(first.upgrade().is_none(), "the oldest goes");
    assert!(last.upgrade().is_some() && neighbour.upgrade().is_some());
    world.engine.end_session(session.id(), SessionEnd::Stopped).await.unwrap();
    for _ in 0..3000 {
        if last.upgrade().is_none() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(last.upgrade().is_none() && neighbour.upgrade().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_an_answer_that_cannot_be_read_hears_so_at_once() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    let says = async |wire: &Wire, line: String| wire.server.tx.send(line.into()).await.unwrap();
    for (id, answer) in [(1, r#""result":{"a":1,"a":2}}"#), (2, r#""result":{"a":"#), (3, "")] {
        wire.call(id, "echo", json!({ "message": id })).await;
        let asked = wire.served().await;
        // Words of a server are no answer.
        says(&wire, "listening { \"jsonrpc\": 2 }".to_owned()).await;
        let line = match answer {
            "" => r#"{"jsonrpc":"2.0","result":{"a":"#.to_owned(),
            rest => format!(r#"{{"jsonrpc":"2.0","id":{},{rest}"#, asked["id"]),
        };
        says(&wire, line).await;
        let heard = wire.heard().await;
        assert_eq!(heard["id"], id);
        assert!(text(&heard).contains("got no answer"), "{heard}");
    }
    let rows = world.rows(3).await;
    assert!(rows.iter().all(|row| row.end == Some(ToolEnd::Unknown)), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_along_with_the_arguments_is_another_question_and_what_names_one_message_is_not() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    let call = |id: u64, rest: serde_json::Value| {
        let mut params = json!({ "name": "write", "arguments": { "path": "a" } });
        params.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
    };
    wire.ask(call(1, json!({ "_meta": { "claudecode/toolUseId": "one" } }))).await;
    wire.ask(call(2, json!({ "_meta": { "claudecode/toolUseId": "two" } }))).await;
    let first = world.held_for(2).await;
    world.answer(&first, Resolution::Refused { reason: None }).await;
    for _ in 0..2 {
        wire.heard().await;
    }
    wire.ask(call(3, json!({ "inputResponses": { "name": { "action": "accept" } } }))).await;
    let second = world.held().await;
    assert_ne!(second.id, first.id);
    assert!(second.view.to_string().contains("inputResponses"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_told_to_be_gone_leaves_no_call_behind_though_its_link_is_open() {
    let world = World::with(&[("limits.yaml", "rate_limits: [{ server: fake, at_once: 1 }]\n")]).await;
    let session = world.wire().await.session;
    let (agent, agent_there) = Link::pair();
    let (server, server_there) = Link::pair();
    let name = ServerRef::program("fake", vec!["fake-server".to_owned()], Path::new("/tmp"), None);
    let (tell, lives) = lives();
    let (gateway, live) = (world.gateway.clone(), Arc::clone(&session));
    let gone = CancellationToken::new();
    let told = gone.clone();
    let relay =
        tokio::spawn(async move { gateway.relay_until(live, name, agent_there, server_there, lives, &told).await });
    let mut wire = Wire { agent, server, relay, session };
    wire.call(1, "echo", json!({})).await;
    wire.served().await;
    gone.cancel();
    assert_eq!((&mut wire.relay).await.unwrap(), Ended::AgentGone);
    assert_eq!(world.rows(1).await.len(), 1, "its call is settled");
    drop(tell);
    // The one place at the server is free again.
    let mut next = world.wire().await;
    next.call(2, "echo", json!({})).await;
    let asked = next.served().await;
    next.answer(&asked, "hello").await;
    assert_eq!(text(&next.heard().await), "hello");
}
