//! Servers in trouble behind `reeve mcp`: one that crashes comes back under the same conversation, one that floods is cut, and an
//! engine that is killed between a tool's effect and its record never makes that happen twice.

use std::time::{Duration, Instant};

use reeve_api::client::Client;
use reeve_api::contract::approvals::ApprovalsPage;
use reeve_api::contract::calls::ApprovalsCall;
use reeve_demo::Provider;
use reeve_demo::script::Script;
use serde_json::{Value, json};

use crate::machine::{Machine, SOON};
use crate::mcp::{POLICY, Wrapped, stage, text};

const ONCE: &str = "tool_governance:\n  count: { idempotency_key: request_id, strict_mode: true, UNKNOWN }\n";

/// Has something echoed until the server is there again, and gives the answer; what comes before says that it is started again.
fn until_back(wrapped: &mut Wrapped, ids: std::ops::RangeFrom<i64>) -> Value {
    let begun = Instant::now();
    for id in ids {
        wrapped.call(id, "echo", &json!({ "say": format!("back {id}") }));
        let answer = wrapped.answer(id);
        if answer["result"]["isError"].is_null() {
            return answer;
        }
        assert!(text(&answer).contains("started again in"), "{answer}");
        assert!(begun.elapsed() < SOON, "it never comes back: {answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
    unreachable!("ids never end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_is_said_to_whoever_waits_and_comes_back_under_the_same_conversation() {
    let stage = stage().await;
    let mut wrapped = Wrapped::start(&stage.world, &[], Some("editor"));
    wrapped.begin(&stage).await;
    wrapped.call(1, "die", &json!({}));
    let said = wrapped.answer(1);
    assert!(text(&said).contains("it ended with status 3; it is started again in 0.5 s"), "{said}");
    assert!(text(&said).contains("whether it took effect is not known"), "{said}");
    let answer = until_back(&mut wrapped, 2..);
    assert!(text(&answer).contains("back"), "{answer}");
    let served = wrapped.served();
    assert_eq!(served.matches("\"method\":\"initialize\"").count(), 2, "{served}");
    assert_eq!(served.matches("notifications/initialized").count(), 2, "{served}");
    let rows = stage.rows("kind:mcp").await.unwrap();
    assert!(rows.iter().any(|row| row.summary == "fake.die"), "{rows:?}");
    // One that ends in order is not wanted back.
    wrapped.call(1000, "die", &json!({ "code": 0 }));
    wrapped.answer(1000);
    assert_eq!(wrapped.ended(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_came_up_ends_the_wrapper_with_its_status() {
    let stage = stage().await;
    let server = ["sh", "-c", "echo no message; exit 7"].map(str::to_owned);
    let mut wrapped = Wrapped::around(&stage.world, &[], Some("editor"), &server);
    wrapped.ask(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} }));
    assert!(wrapped.answer(1)["error"]["message"].is_string());
    assert_eq!(wrapped.ended(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_words_and_an_answer_of_a_hundred_megabytes_leave_the_conversation_as_it_was() {
    let stage = stage().await;
    let mut wrapped = Wrapped::start(&stage.world, &[], Some("editor"));
    wrapped.begin(&stage).await;
    wrapped.call(1, "flood", &json!({ "megabytes": 100, "words": 3000 }));
    let answer = wrapped.answer(1);
    assert!(text(&answer).contains("more than is permitted"), "{:.300}", answer.to_string());
    wrapped.call(2, "echo", &json!({ "say": "still here" }));
    assert!(text(&wrapped.answer(2)).contains("still here"));
}

/// A machine whose engine was killed after a tool had its effect and before anybody could record that, and that runs again.
async fn killed_in_between(unknown: &str) -> (Machine, Client, Wrapped, Provider) {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::lasting(provider.addr(), &provider.root_pem(), "");
    machine.world.write_config("policies/mine.cedar", POLICY).unwrap();
    machine.world.write_config("tools.yaml", &ONCE.replace("UNKNOWN", unknown)).unwrap();
    let client = machine.start().await;
    let mut wrapped = Wrapped::start(&machine.world, &[], Some("editor"));
    wrapped.ask(&json!({ "jsonrpc": "2.0", "id": -1, "method": "tools/list" }));
    assert!(wrapped.answer(-1)["result"]["tools"].is_array());
    reeve_tests::stage::approve_server(&client, "fake").await.unwrap();
    let hold = wrapped.log.with_extension("log.hold");
    std::fs::write(&hold, "").unwrap();
    wrapped.call(1, "count", &json!({ "request_id": "r1" }));
    let begun = Instant::now();
    while effects(&wrapped) == 0 {
        assert!(begun.elapsed() < SOON, "the tool never ran: {}", machine.said());
        std::thread::sleep(Duration::from_millis(5));
    }
    machine.kill();
    let refused = wrapped.answer(1);
    assert!(text(&refused).contains("does not answer"), "{refused}");
    std::fs::remove_file(hold).unwrap();
    drop(client);
    let client = machine.start().await;
    let begun = Instant::now();
    for id in 2.. {
        wrapped.call(id, "echo", &json!({ "say": id }));
        if wrapped.answer(id)["result"]["isError"].is_null() {
            break;
        }
        assert!(begun.elapsed() < SOON, "the wrapper never goes on");
        std::thread::sleep(Duration::from_millis(50));
    }
    (machine, client, wrapped, provider)
}

/// How often the tool ran.
fn effects(wrapped: &Wrapped) -> usize {
    std::fs::read_to_string(wrapped.log.with_extension("log.count")).unwrap_or_default().lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_whose_engine_was_killed_before_the_record_is_asked_about_and_does_not_run_again() {
    let (_machine, client, mut wrapped, _provider) = killed_in_between("on_unknown: ask").await;
    wrapped.call(1000, "count", &json!({ "request_id": "r1" }));
    let begun = Instant::now();
    let question = loop {
        let page: ApprovalsPage = client.call(&ApprovalsCall::List).await.unwrap();
        if let Some(question) = page.open.into_iter().next() {
            break question;
        }
        assert!(begun.elapsed() < SOON, "nobody is asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let asked = serde_json::to_value(&question).unwrap().to_string();
    assert!(asked.contains("reeve-repeat-unknown"), "{asked}");
    assert_eq!(effects(&wrapped), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_whose_engine_was_killed_before_the_record_is_probed_and_does_not_run_again() {
    let probe = "on_unknown: probe, probe: { tool: counted, arguments: { id: request_id }, done: counted }";
    let (_machine, _client, mut wrapped, _provider) = killed_in_between(probe).await;
    wrapped.call(1000, "count", &json!({ "request_id": "r1" }));
    let answer = wrapped.answer(1000);
    assert!(text(&answer).contains("took effect before"), "{answer}");
    assert_eq!(effects(&wrapped), 1);
    // Another one is another call.
    wrapped.call(1001, "count", &json!({ "request_id": "r2" }));
    assert_eq!(text(&wrapped.answer(1001)), "counted");
    assert_eq!(effects(&wrapped), 2);
}
