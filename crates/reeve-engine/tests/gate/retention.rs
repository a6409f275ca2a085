//! How long the record is kept, and wiping it: what goes by itself, what a wipe waits for, and that the proof holds after both.

use std::time::Duration;

use ed25519_dalek::SigningKey;
use reeve_domain::chain::Seal;
use reeve_domain::clock::Clock as _;
use reeve_domain::event::EventBody;
use reeve_domain::operation::Digest;
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::query::parse;
use reeve_domain::sensitive::Secret;
use reeve_domain::session::SessionEnd;
use reeve_engine::settings::{Retention, Settings};
use reeve_engine::{EngineError, LiveSession};
use reeve_store::Page;

use crate::world::{World, dana};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const LIMITS: &str = "budgets:\n  - id: purse\n    scope: me\n    window: total\n    max_cost: 1000.00\n";

async fn call(world: &World, live: &LiveSession, words: &str) {
    let admission = crate::admitted(world.gate().admit(world.llm(live, words, 100), serde_json::Value::Null).await);
    admission.settle(Outcome { status: Some(200), ..Outcome::ended(Ending::Unknown) }).await.unwrap();
}

async fn rows(world: &World) -> usize {
    world.engine.store().search(&parse("").query, Page { before: None, limit: 100 }).await.unwrap().rows.len()
}

async fn proof(world: &World) {
    world.engine.witness().write_newest().await.unwrap();
    let verified = world.engine.witness().verify().await.unwrap();
    assert!(verified.verification.ok, "{verified:?}");
}

async fn refused<T: std::fmt::Debug>(done: impl Future<Output = Result<T, EngineError>>) -> String {
    match done.await {
        Err(EngineError::Refused(why) | EngineError::Presence(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// One call, and forty days later one more; both sessions ended.
async fn two_ages() -> World {
    let world = World::with("limits.yaml", LIMITS).await;
    for (words, after) in [("old", 40), ("new", 0)] {
        let live = world.session("codex").await;
        call(&world, &live, words).await;
        world.engine.end_session(live.id(), SessionEnd::Exited).await.unwrap();
        world.clock.advance(after * DAY);
    }
    world
}

#[tokio::test]
async fn what_is_older_than_the_person_wants_goes_and_budgets_and_proof_stay() {
    let world = two_ages().await;
    proof(&world).await;
    let spent = world.balance("purse").await.settled;
    assert!(spent > 0);
    let keeper = world.engine.keeper();
    assert_eq!((keeper.wanted(), keeper.weigh(Retention::default()).await.unwrap()), (Retention::default(), None));
    let month = Retention { days: 30, megabytes: 0 };
    assert_eq!(keeper.weigh(month).await.unwrap().unwrap().operations, 1);
    assert_eq!(rows(&world).await, 2, "weighing removes nothing");
    world.engine.set_retention(&world.file("config.toml"), month, &dana(None)).await.unwrap();
    // The keeper goes on by itself as well: whoever is first removes it, and the other finds nothing left.
    keeper.tidy(world.engine.stopping()).await.unwrap();
    assert_eq!((rows(&world).await, world.balance("purse").await.settled), (1, spent));
    assert_eq!(world.engine.store().removal().await.unwrap().unwrap().1.first, 1);
    proof(&world).await;
    assert_eq!(Settings::load(&world.file("config.toml")).unwrap().retention, month);
}

#[tokio::test]
async fn nothing_goes_while_the_record_does_not_verify() {
    let world = two_ages().await;
    let forged = Seal::sign(&SigningKey::from_bytes(&[9; 32]), 3, Digest::of(b"another"), world.clock.now());
    let mirror = world.file("heads.jsonl");
    let kept = std::fs::read_to_string(&mirror).unwrap();
    std::fs::write(&mirror, format!("{kept}{}\n", forged.line())).unwrap();
    let month = Retention { days: 30, megabytes: 0 };
    world.engine.set_retention(&world.file("config.toml"), month, &dana(None)).await.unwrap();
    let why = refused(world.engine.keeper().tidy(world.engine.stopping())).await;
    assert!(why.contains("#3"), "{why}");
    assert_eq!((rows(&world).await, world.engine.store().removal().await.unwrap()), (2, None));
}

#[tokio::test]
async fn a_wipe_waits_for_every_session_and_leaves_one_record_that_says_who_it_was() {
    let world = two_ages().await;
    proof(&world).await;
    let live = world.session("codex").await;
    let why = refused(world.engine.wipe(false, &dana(None))).await;
    assert!(why.contains(live.id().as_str()) && why.contains("codex"), "{why}");
    assert_eq!(rows(&world).await, 2);
    world.engine.end_session(live.id(), SessionEnd::Exited).await.unwrap();
    let spent = world.balance("purse").await.settled;
    let event = world.engine.wipe(false, &dana(None)).await.unwrap();
    let EventBody::RecordsRemoved { by, problem, .. } = &event.body else { panic!("{event:?}") };
    assert_eq!((by.as_deref(), problem), (Some("dana"), &None));
    assert_eq!((rows(&world).await, world.balance("purse").await.settled), (0, spent));
    proof(&world).await;
    let live = world.session("codex").await;
    call(&world, &live, "after").await;
    assert_eq!(rows(&world).await, 1);
    proof(&world).await;
}

#[tokio::test]
async fn keeping_less_and_wiping_need_the_passphrase_where_what_is_high_needs_it() {
    let world = two_ages().await;
    let presence = world.engine.presence();
    presence.set(Secret::from("correct horse".to_owned()), &dana(None)).await.unwrap();
    presence.demand_for_high(true, &dana(None)).await.unwrap();
    let file = world.file("config.toml");
    let of = |days| Retention { days, megabytes: 0 };
    refused(world.engine.set_retention(&file, of(30), &dana(None))).await;
    refused(world.engine.wipe(false, &dana(Some("wrong horse")))).await;
    assert_eq!((rows(&world).await, world.engine.keeper().wanted()), (2, of(90)));
    world.engine.set_retention(&file, of(0), &dana(None)).await.unwrap();
    world.engine.set_retention(&file, of(365), &dana(Some("correct horse"))).await.unwrap();
    world.engine.wipe(false, &dana(Some("correct horse"))).await.unwrap();
    assert_eq!(rows(&world).await, 0);
}

#[tokio::test]
async fn a_file_edited_while_no_engine_ran_is_recorded_and_takes_nothing_away_for_a_day() {
    let world = two_ages().await;
    std::fs::write(world.file("config.toml"), "[retention]\ndays = 30\n").unwrap();
    let world = world.restarted(None).await;
    let events = world.engine.store().events(None, 20).await.unwrap();
    let told = |event: &reeve_domain::event::Event| match &event.body {
        EventBody::ModeChanged { what } => what.contains("kept 30 days") && what.contains("no engine ran"),
        _ => false,
    };
    assert_eq!(events.iter().filter(|event| told(event)).count(), 1);
    let keeper = world.engine.keeper();
    keeper.tidy(world.engine.stopping()).await.unwrap();
    assert_eq!((rows(&world).await, keeper.wanted().days, keeper.in_force().days), (2, 30, 90));
    assert!(keeper.problem().unwrap().contains("config.toml"));
    // The same file at the next start is nothing new, and the day goes on.
    world.clock.advance(DAY / 2);
    let world = world.restarted(None).await;
    let events = world.engine.store().events(None, 40).await.unwrap();
    assert_eq!(events.iter().filter(|event| told(event)).count(), 1);
    world.clock.advance(DAY / 2);
    world.engine.keeper().tidy(world.engine.stopping()).await.unwrap();
    assert_eq!((rows(&world).await, world.engine.keeper().problem()), (1, None));
    proof(&world).await;
}
