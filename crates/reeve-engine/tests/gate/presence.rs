//! What loosens protection waits for the passphrase, and nothing changes without it; each try is recorded.

use std::sync::Arc;
use std::time::Duration;

use reeve_domain::approval::{Resolution, Surface};
use reeve_domain::budget::{BudgetDefinition, Limit, OnExhausted, Scope, Window};
use reeve_domain::event::EventBody;
use reeve_domain::id::BudgetId;
use reeve_domain::money::NanoUsd;
use reeve_domain::sensitive::Secret;
use reeve_domain::settings::{Mode, Preset};
use reeve_domain::verdict::Risk;
use reeve_engine::policies::draft::{Draft, FileChange, Part};
use reeve_engine::policies::history::{Author, How};
use reeve_engine::presence::Person;
use reeve_engine::presence::system::{Asking, Confirmation, SystemMethod};
use reeve_engine::settings::SettingsEdit;
use reeve_engine::{EngineError, Ruling};

use crate::world::{World, dana};

const PASSPHRASE: &str = "correct horse";
const RIGHT: Option<&str> = Some(PASSPHRASE);
const NO_DOCS: &str =
    "@id(\"no-docs\")\n@reason(\"not today\")\nforbid (principal, action, resource == Host::\"docs.acme.example\");\n";
const GRAVE: &str = "@id(\"grave\")\n@reason(\"deletes for good\")\n@risk(\"critical\")\nforbid (principal, action == \
                     Action::\"http.request\", resource == Host::\"docs.acme.example\")\nunless { context.approved };\n";

async fn guarded(world: World) -> World {
    world.engine.presence().set(Secret::from(PASSPHRASE.to_owned()), &dana(None)).await.unwrap();
    world
}

async fn also_high(world: &World) {
    world.engine.presence().demand_for_high(true, &dana(None)).await.unwrap();
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, EngineError>) -> String {
    match outcome {
        Err(EngineError::Presence(why)) => why,
        other => panic!("no proof was asked for: {other:?}"),
    }
}

fn budget(id: &str, dollars: i64) -> BudgetDefinition {
    BudgetDefinition {
        id: BudgetId::parse(id).unwrap(),
        scope: Scope::Me,
        model: None,
        window: Window::Day,
        limit: Limit::Money(NanoUsd(dollars * 1_000_000_000)),
        on_exhausted: OnExhausted::Ask,
        output_floor: 256,
        file: String::new(),
        line: 0,
    }
}

fn limits(world: &World) -> Vec<Limit> {
    world.engine.policies().in_force().limits.budgets().iter().map(|d| d.limit).collect()
}

async fn save(world: &World, part: Part, text: &str, person: Person) -> Result<(), EngineError> {
    let change = FileChange { file: "mine.cedar".to_owned(), part, text: text.to_owned() };
    let draft = Draft { changes: vec![change], complete: false };
    let author = Author { person, how: How::Saved, note: None };
    world.engine.save_policies(&draft, None, &author).await.map(|_| ())
}

fn rules(world: &World) -> Vec<String> {
    let all = world.engine.policies().in_force().set.rules();
    all.iter().filter(|rule| rule.file == "mine.cedar").map(|rule| rule.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_more_than_an_hour_needs_the_passphrase() {
    let world = World::new().await;
    let hour = chrono::Duration::hours(1);
    world.engine.pause(Some(hour), &dana(None)).await.unwrap();
    world.engine.protection().resume().await.unwrap();
    assert!(refused(world.engine.pause(None, &dana(None)).await).contains("none is set yet"));
    let world = guarded(world).await;
    for long in [None, Some(hour + chrono::Duration::minutes(1))] {
        refused(world.engine.pause(long, &dana(None)).await);
        refused(world.engine.pause(long, &dana(Some("wrong horse"))).await);
        assert_eq!(world.engine.protection().mode(world.engine.now()), Mode::Enforce);
    }
    world.engine.pause(None, &dana(RIGHT)).await.unwrap();
    assert_eq!(world.engine.protection().mode(world.engine.now()), Mode::Observe);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_observing_needs_the_passphrase_and_enforcing_again_does_not() {
    let world = guarded(World::new().await).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let to = |mode| SettingsEdit { mode: Some(mode), ..SettingsEdit::default() };
    refused(world.engine.change_settings(&file, &to(Mode::Observe), &dana(None)).await);
    assert!(!file.exists() && world.engine.protection().configured() == Mode::Enforce);
    world.engine.change_settings(&file, &to(Mode::Observe), &dana(RIGHT)).await.unwrap();
    world.engine.change_settings(&file, &to(Mode::Observe), &dana(None)).await.unwrap();
    world.engine.change_settings(&file, &to(Mode::Enforce), &dana(None)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weaker_preset_needs_what_high_needs() {
    let world = guarded(World::new().await).await;
    also_high(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let to = |preset| SettingsEdit { preset: Some(preset), ..SettingsEdit::default() };
    world.engine.change_settings(&file, &to(Preset::Strict), &dana(None)).await.unwrap();
    refused(world.engine.change_settings(&file, &to(Preset::Balanced), &dana(None)).await);
    assert_eq!(world.engine.policies().preset(), Preset::Strict);
    world.engine.change_settings(&file, &to(Preset::Balanced), &dana(RIGHT)).await.unwrap();
    assert_eq!(world.engine.policies().preset(), Preset::Balanced);
}

#[tokio::test(flavor = "multi_thread")]
async fn raising_or_removing_a_limit_needs_what_high_needs() {
    let world = guarded(World::new().await).await;
    let set = async |dollars, person| world.engine.set_budget(budget("daily", dollars), &person).await;
    set(10, dana(None)).await.unwrap();
    set(20, dana(None)).await.unwrap();
    also_high(&world).await;
    let before = limits(&world);
    assert!(refused(set(21, dana(None)).await).contains("daily"));
    refused(set(21, dana(Some("wrong horse"))).await);
    let daily = BudgetId::parse("daily").unwrap();
    refused(world.engine.remove_budget(&daily, &dana(None)).await);
    assert_eq!(limits(&world), before);
    set(5, dana(None)).await.unwrap();
    world.engine.set_budget(budget("weekly", 50), &dana(None)).await.unwrap();
    set(21, dana(RIGHT)).await.unwrap();
    world.engine.remove_budget(&daily, &dana(RIGHT)).await.unwrap();
    assert_eq!(limits(&world), [budget("weekly", 50).limit]);
}

#[tokio::test(flavor = "multi_thread")]
async fn looser_rules_need_what_high_needs_and_tighter_ones_nothing() {
    let world = guarded(World::new().await).await;
    also_high(&world).await;
    save(&world, Part::New, NO_DOCS, dana(None)).await.unwrap();
    let rule = || Part::Rule("no-docs".to_owned());
    let observing = NO_DOCS.replace("@reason", "@mode(\"observe\")\n@reason");
    let [elsewhere, allowing] = [NO_DOCS.replace("docs.", "other."), NO_DOCS.replace("forbid", "permit")];
    for looser in [String::new(), observing, elsewhere, allowing] {
        refused(save(&world, rule(), &looser, dana(None)).await);
        assert_eq!(rules(&world), ["no-docs"]);
    }
    save(&world, rule(), "", dana(RIGHT)).await.unwrap();
    assert!(rules(&world).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_would_let_something_critical_pass_need_the_passphrase_in_any_case() {
    let world = guarded(World::with("policies/mine.cedar", GRAVE).await).await;
    save(&world, Part::Rule("grave".to_owned()), "", dana(None)).await.unwrap();
    save(&world, Part::New, GRAVE, dana(None)).await.unwrap();
    let live = world.session("claude-code").await;
    let asked = world.spawn_admit(world.http(&live, "GET", "docs.acme.example", "/page"));
    let held = world.held().await;
    assert_eq!(held.risk, Risk::Critical);
    world.answer(&held, Resolution::Refused { reason: None }).await.unwrap();
    assert!(matches!(asked.await.unwrap(), Ruling::Denied(_)));
    refused(save(&world, Part::Rule("grave".to_owned()), "", dana(None)).await);
    assert_eq!(rules(&world), ["grave"]);
    // Nor in two steps: first no longer critical, or denied for a while, then gone.
    let lighter = GRAVE.replace("critical", "low");
    refused(save(&world, Part::Rule("grave".to_owned()), &lighter, dana(None)).await);
    refused(save(&world, Part::Rule("grave".to_owned()), &lighter, dana(Some("wrong horse"))).await);
    save(&world, Part::New, NO_DOCS, dana(None)).await.unwrap();
    save(&world, Part::Rule("grave".to_owned()), &lighter, dana(None)).await.unwrap();
    refused(save(&world, Part::Rule("no-docs".to_owned()), "", dana(None)).await);
    save(&world, Part::Rule("no-docs".to_owned()), "", dana(RIGHT)).await.unwrap();
    save(&world, Part::Rule("grave".to_owned()), GRAVE, dana(None)).await.unwrap();
    save(&world, Part::Rule("grave".to_owned()), "", dana(RIGHT)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_try_is_recorded_with_who_and_where_and_none_with_what_was_typed() {
    let world = guarded(World::new().await).await;
    let at_terminal = |typed| Person { surface: Surface::Cli, ..dana(Some(typed)) };
    refused(world.engine.pause(None, &at_terminal("wrong horse")).await);
    world.engine.pause(None, &dana(RIGHT)).await.unwrap();
    let events = world.engine.store().events(None, 50).await.unwrap();
    let tries: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::PresenceChecked { what, by, surface, passed } => Some((&**what, &**by, *surface, *passed)),
            _ => None,
        })
        .collect();
    let what = "pausing for longer than an hour";
    let (cli, window) = (Surface::Cli, Surface::MainWindow);
    assert!(tries.contains(&(what, "dana", cli, false)) && tries.contains(&(what, "dana", window, true)), "{tries:?}");
    assert_eq!(tries.len(), 2);
    let all = serde_json::to_string(&events).unwrap();
    assert!(!all.contains("horse"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_loosens_anything_in_the_name_of_the_demo() {
    let world = guarded(World::new().await).await;
    for surface in [Surface::Demo, Surface::Engine] {
        let claimed = Person { surface, ..dana(RIGHT) };
        assert!(world.engine.pause(None, &claimed).await.is_err(), "{surface:?}");
    }
}

/// A system whose human always does the same, or that has none.
#[derive(Debug)]
struct Always(Confirmation);

impl SystemMethod for Always {
    fn name(&self) -> &'static str {
        "a test"
    }

    fn ready(&self) -> Asking<'_, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn ask(&self, _: u32) -> Asking<'_, Confirmation> {
        Box::pin(std::future::ready(self.0.clone()))
    }
}

async fn asked_by(system: Confirmation) -> World {
    World::new().await.restarted(Some(Arc::new(Always(system)))).await
}

async fn tries(world: &World) -> Vec<(String, bool)> {
    let events = world.engine.store().events(None, 50).await.unwrap();
    let tries = events.into_iter().filter_map(|event| match event.body {
        EventBody::PresenceChecked { what, passed, .. } => Some((what, passed)),
        _ => None,
    });
    tries.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_system_confirmed_counts_once_for_who_asked_and_within_a_minute() {
    let world = asked_by(Confirmation::Given).await;
    let presence = world.engine.presence();
    assert!(refused(world.engine.pause(None, &dana(None)).await).contains("needs your confirmation"));
    let confirmed = async || {
        let proof = presence.confirm(Some(1), &dana(None)).await.unwrap();
        Person { proof: Some(proof), ..dana(None) }
    };
    let proven = confirmed().await;
    let elsewhere = Person { surface: Surface::Cli, ..proven.clone() };
    refused(world.engine.pause(None, &elsewhere).await);
    world.engine.pause(None, &proven).await.unwrap();
    refused(world.engine.pause(None, &proven).await);
    let late = confirmed().await;
    world.clock.advance(Duration::from_secs(60));
    refused(world.engine.pause(None, &late).await);
    let what = "pausing for longer than an hour, confirmed where the system asked";
    assert_eq!(tries(&world).await, [(what.to_owned(), true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_system_asks_a_first_passphrase_is_no_way_around_it() {
    let world = asked_by(Confirmation::Given).await;
    let presence = world.engine.presence();
    let new = || Secret::from(PASSPHRASE.to_owned());
    refused(presence.set(new(), &dana(None)).await);
    assert!(!presence.is_set().await.unwrap());
    let proof = presence.confirm(Some(1), &dana(None)).await.unwrap();
    presence.set(new(), &Person { proof: Some(proof), ..dana(None) }).await.unwrap();
    // Who typed it need not be asked by the system.
    world.engine.pause(None, &dana(RIGHT)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_the_system_that_is_refused_proves_nothing_and_is_not_put_over_and_over() {
    let world = asked_by(Confirmation::Refused("it was closed".to_owned())).await;
    let presence = world.engine.presence();
    let ask = async || match presence.confirm(Some(1), &dana(None)).await {
        Err(EngineError::Unconfirmed(why)) => why,
        other => panic!("{other:?}"),
    };
    for _ in 0..3 {
        assert_eq!(ask().await, "it was closed");
    }
    assert!(ask().await.contains("wait"));
    assert_eq!(tries(&world).await.iter().filter(|(_, passed)| !passed).count(), 3);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(ask().await, "it was closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_system_has_nobody_to_ask_the_passphrase_is_asked_for() {
    let world = asked_by(Confirmation::Nobody("no desktop".to_owned())).await;
    let presence = world.engine.presence();
    assert!(presence.asks_by_system().await);
    let refusal = presence.confirm(Some(1), &dana(None)).await.unwrap_err();
    assert!(matches!(&refusal, EngineError::Refused(why) if why.contains("no desktop")), "{refusal:?}");
    assert!(!presence.asks_by_system().await);
    assert!(refused(world.engine.pause(None, &dana(None)).await).contains("passphrase, and none is set yet"));
    world.clock.advance(Duration::from_secs(31));
    presence.set(Secret::from(PASSPHRASE.to_owned()), &dana(None)).await.unwrap();
    world.engine.pause(None, &dana(RIGHT)).await.unwrap();
    world.clock.advance(Duration::from_secs(600));
    assert!(presence.asks_by_system().await, "a desktop may have come up meanwhile");
}
