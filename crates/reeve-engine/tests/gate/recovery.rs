//! A record that refuses for a while: what is owed is recorded later, once, and nothing passes before.

use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::usage::Usage;
use reeve_domain::verdict::DenialKind;
use serde_json::Value;

use crate::world::World;
use crate::{admitted, denied};

const DAILY: &str = "budgets:\n  - id: daily\n    scope: me\n    window: day\n    max_cost: $5\n";

/// An ending that a database without room cannot take: its reason alone fills more pages than are free.
fn long_ending() -> Outcome {
    let mut outcome = Outcome::ended(Ending::CutByUpstream { why: "cut ".repeat(100_000) });
    outcome.status = Some(200);
    outcome.usage = Some(Usage { input: 100, output: 10, ..Usage::default() });
    outcome.usage_final = true;
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ending_that_the_record_refuses_is_charged_as_it_was_once_there_is_room() {
    let world = World::with("limits.yaml", DAILY).await;
    let live = world.session("claude-code").await;
    let call = world.llm(&live, "hello", 1000);
    let id = call.id.clone();
    let admission = admitted(world.gate().admit(call, Value::Null).await);
    admission.sent();
    let reserved = world.balance("daily").await.reserved;
    world.engine.store().limit_pages(1).await.unwrap();
    admission.settle(long_ending()).await.unwrap_err();

    let denial = denied(world.gate().admit(world.llm(&live, "next", 10), Value::Null).await);
    assert_eq!(denial.kind, DenialKind::Fault);
    // Our words and a number; nothing of what the database said.
    assert!(denial.message.contains("cannot record it: the disk is full (error "), "{}", denial.message);
    assert_eq!(world.balance("daily").await.reserved, reserved);

    world.engine.store().limit_pages(1_000_000).await.unwrap();
    // Tries come ever more rarely while they fail.
    world.until(&id, "operation.settled").await;
    drop(admitted(world.gate().admit(world.llm(&live, "room again", 10), Value::Null).await));
    let settled = world.names(&id).await.into_iter().filter(|name| name == "operation.settled").count();
    assert_eq!(settled, 1);
    let balance = world.balance("daily").await;
    assert!(balance.settled > 0 && balance.settled < reserved, "{balance:?} of {reserved}");
    assert!(world.engine.store().verify().await.unwrap().ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_recorded_without_anybody_asking_for_anything() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let call = world.llm(&live, "hello", 1000);
    let id = call.id.clone();
    let admission = admitted(world.gate().admit(call, Value::Null).await);
    admission.sent();
    world.engine.store().limit_pages(1).await.unwrap();
    admission.settle(long_ending()).await.unwrap_err();
    world.engine.store().limit_pages(1_000_000).await.unwrap();
    world.until(&id, "operation.settled").await;
}
