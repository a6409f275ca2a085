//! The person's own files edited outside Reeve: what may let more pass waits for their word, over a restart too.

use reeve_domain::budget::Limit;
use reeve_domain::event::EventBody;
use reeve_domain::money::NanoUsd;
use reeve_domain::sensitive::Secret;
use reeve_engine::policies::draft::{Draft, FileChange, Part};
use reeve_engine::policies::history::{Author, How};
use reeve_engine::{EngineError, Ruling};

use crate::limits::limit;
use crate::world::{World, dana};

const NO_DOCS: &str =
    "@id(\"no-docs\")\n@reason(\"not today\")\nforbid (principal, action, resource == Host::\"docs.acme.example\");\n";
const LIMITS: &str = "budgets:\n  - { id: daily, scope: me, window: day, max_cost: 10.00 }\n";

async fn passes(world: &World) -> bool {
    let live = world.session("tester").await;
    let read = world.http(&live, "GET", "docs.acme.example", "/page");
    matches!(world.gate().admit(read, serde_json::json!({})).await, Ruling::Admitted(_))
}

/// Edits a file as an editor does, and has it looked at.
async fn edit(world: &World, file: &str, text: &str) {
    std::fs::write(world.file(file), text).unwrap();
    world.engine.reload().await.unwrap();
}

/// What waits: its revision, and the names of its files.
fn waits(world: &World) -> Option<(String, Vec<String>)> {
    let in_force = world.engine.policies().in_force();
    let waiting = in_force.waiting.as_ref()?;
    assert!(in_force.problem.as_ref().is_some_and(|problem| problem.contains("may let more pass")));
    Some((waiting.revision.clone(), waiting.files.iter().map(|file| file.file.clone()).collect()))
}

fn dollars(world: &World) -> Vec<Limit> {
    world.engine.policies().in_force().limits.budgets().iter().map(|budget| budget.limit).collect()
}

async fn told(world: &World) -> Vec<EventBody> {
    world.engine.store().events(None, 100).await.unwrap().into_iter().map(|event| event.body).collect()
}

/// Changes of the rules in the record: what was done, and its text.
async fn changes(world: &World) -> Vec<(String, String)> {
    let change = |body| match body {
        EventBody::PolicyChanged { what, text } => Some((what, text)),
        _ => None,
    };
    told(world).await.into_iter().filter_map(change).collect()
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, EngineError>) -> String {
    outcome.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_loosens_waits_over_a_restart_until_a_person_loads_it() {
    let world = World::with("policies/mine.cedar", NO_DOCS).await;
    edit(&world, "policies/mine.cedar", "// nothing\n").await;
    let (revision, files) = waits(&world).unwrap();
    assert_eq!(files, ["mine.cedar"]);
    assert!(!passes(&world).await);
    let waiting =
        |told: &[EventBody]| told.iter().filter(|body| matches!(body, EventBody::PolicyWaiting { .. })).count();
    assert_eq!(waiting(&told(&world).await), 1);
    world.engine.reload().await.unwrap();
    assert_eq!(waiting(&told(&world).await), 1, "told once");

    let world = world.restarted(None).await;
    assert_eq!(waits(&world).unwrap().0, revision);
    assert!(!passes(&world).await);
    assert_eq!(waiting(&told(&world).await), 2, "and once at each start");

    assert!(refused(world.engine.load_outside("another", &dana(None)).await).contains("changed since"));
    world.engine.load_outside(&revision, &dana(None)).await.unwrap();
    assert_eq!(waits(&world), None);
    assert!(passes(&world).await);
    let loaded =
        |(what, text): &(String, String)| what.contains("loaded by dana: `mine.cedar`") && text.contains("// nothing");
    assert!(changes(&world).await.iter().any(loaded));
    assert!(refused(world.engine.load_outside(&revision, &dana(None)).await).contains("nothing to agree to"));

    let world = world.restarted(None).await;
    assert_eq!(waits(&world), None);
    assert!(passes(&world).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_taken_back_and_stays_among_the_versions() {
    let world = World::with("policies/mine.cedar", NO_DOCS).await;
    let more = "@id(\"more\")\n@reason(\"r\")\npermit (principal, action, resource);\n";
    std::fs::write(world.file("policies/more.cedar"), more).unwrap();
    std::fs::write(world.file("limits.yaml"), LIMITS).unwrap();
    edit(&world, "policies/mine.cedar", "// nothing\n").await;
    let (revision, files) = waits(&world).unwrap();
    assert!(files.contains(&"more.cedar".to_owned()) && files.contains(&"limits.yaml".to_owned()), "{files:?}");
    world.engine.drop_outside(&revision, &dana(None)).await.unwrap();
    assert_eq!(waits(&world), None);
    assert_eq!(world.engine.policies().in_force().problem, None);
    assert_eq!(std::fs::read_to_string(world.file("policies/mine.cedar")).unwrap(), NO_DOCS);
    assert!(!world.file("policies/more.cedar").exists() && !world.file("limits.yaml").exists());
    assert!(!passes(&world).await);
    let versions = world.engine.policies().versions().unwrap();
    // What was edited outside has the moment of its file, which is not the clock of this world.
    let back = versions.iter().find(|version| version.how == How::Saved).unwrap();
    assert_eq!(back.by.as_deref(), Some("dana"));
    assert!(back.files.iter().any(|file| file.before.as_deref() == Some("// nothing\n")));
    // What is under no version is in the record.
    let told = changes(&world).await;
    assert!(
        told.iter().any(|(what, text)| what.contains("taken back") && text.contains("max_cost: 10.00")),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tightens_binds_at_once_and_a_higher_limit_waits() {
    let world = World::with("limits.yaml", LIMITS).await;
    let dollar = |number: i64| vec![Limit::Money(NanoUsd(number * 1_000_000_000))];
    edit(&world, "limits.yaml", &LIMITS.replace("10.00", "8.00")).await;
    assert_eq!((waits(&world), dollars(&world)), (None, dollar(8)));
    edit(&world, "policies/mine.cedar", NO_DOCS).await;
    assert_eq!(waits(&world), None);
    assert!(!passes(&world).await);
    edit(&world, "limits.yaml", LIMITS).await;
    assert_eq!(waits(&world).unwrap().1, ["limits.yaml"]);
    assert_eq!(dollars(&world), dollar(8));
    // Back by hand: nothing waits any more.
    edit(&world, "limits.yaml", &LIMITS.replace("10.00", "8.00")).await;
    assert_eq!((waits(&world), world.engine.policies().in_force().problem.clone()), (None, None));
    // Broken after it waited: that is what is said, and the way back to what waits is open.
    edit(&world, "limits.yaml", LIMITS).await;
    edit(&world, "limits.yaml", "budgets: [").await;
    assert_eq!(world.engine.policies().in_force().waiting.as_ref().map(|_| ()), None);
    assert_eq!(dollars(&world), dollar(8));
    edit(&world, "limits.yaml", LIMITS).await;
    assert_eq!(waits(&world).unwrap().1, ["limits.yaml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reeve_writes_is_agreed_to_and_what_waits_beside_it_goes_on_waiting() {
    let world = World::with("limits.yaml", LIMITS).await;
    edit(&world, "limits.yaml", &LIMITS.replace("10.00", "20.00")).await;
    let (revision, _) = waits(&world).unwrap();
    let change = FileChange { file: "mine.cedar".to_owned(), part: Part::New, text: NO_DOCS.to_owned() };
    let author = || Author { person: dana(None), how: How::Saved, note: None };
    let draft = Draft { changes: vec![change], complete: false };
    world.engine.save_policies(&draft, None, &author()).await.unwrap();
    assert!(!passes(&world).await);
    assert_eq!(waits(&world).unwrap().0, revision, "a rule that is saved says nothing of the limits");

    let mine = limit("mine");
    world.engine.set_budget(mine.clone(), &dana(None)).await.unwrap();
    assert_eq!(dollars(&world).len(), 2, "a limit that is set binds although another file waits");
    let raised = std::fs::read_to_string(world.file("mine.limits.yaml")).unwrap().replace("5", "6");
    edit(&world, "mine.limits.yaml", &raised).await;
    assert!(refused(world.engine.set_budget(mine, &dana(None)).await).contains("changed outside Reeve"));
    assert_eq!(std::fs::read_to_string(world.file("mine.limits.yaml")).unwrap(), raised, "it is not written over");

    let (revision, files) = waits(&world).unwrap();
    assert_eq!(files, ["limits.yaml", "mine.limits.yaml"]);
    world.engine.drop_outside(&revision, &dana(None)).await.unwrap();
    let gone = FileChange { file: "mine.cedar".to_owned(), part: Part::Gone, text: String::new() };
    let draft = Draft { changes: vec![gone], complete: false };
    world.engine.save_policies(&draft, None, &author()).await.unwrap();
    let world = world.restarted(None).await;
    assert_eq!(waits(&world), None, "what was saved needs no second word");
    assert!(passes(&world).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn loading_what_waits_needs_the_proof_that_saving_it_would() {
    let world = World::with("policies/mine.cedar", NO_DOCS).await;
    let presence = world.engine.presence();
    presence.set(Secret::from("correct horse".to_owned()), &dana(None)).await.unwrap();
    presence.demand_for_high(true, &dana(None)).await.unwrap();
    edit(&world, "policies/mine.cedar", "// nothing\n").await;
    let (revision, _) = waits(&world).unwrap();
    let without = world.engine.load_outside(&revision, &dana(None)).await;
    assert!(matches!(without, Err(EngineError::Presence(_))), "{without:?}");
    assert!(!passes(&world).await);
    world.engine.load_outside(&revision, &dana(Some("correct horse"))).await.unwrap();
    assert!(passes(&world).await);
}
