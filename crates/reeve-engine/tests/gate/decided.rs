//! After the answer: undone, allowed late, raised; the rule before it is written; what was asked before; proof of a human.

use std::time::Duration;

use reeve_domain::approval::{Approval, GrantScope, Resolution, Surface};
use reeve_domain::id::BudgetId;
use reeve_domain::operation::{Operation, Subject};
use reeve_domain::sensitive::Secret;
use reeve_domain::verdict::{DenialKind, Risk};
use reeve_engine::decide::{Answering, Lasting, Rule};
use reeve_engine::decided::LeftBehind;
use reeve_engine::history::{Before, Suggestion};
use reeve_engine::mark::{self, Mark};
use reeve_engine::{EngineError, LiveSession, Ruling};
use reeve_policy::Width;
use serde_json::Value;

use crate::world::{World, dana};
use crate::{admitted, denied, usage};

fn yes(scope: GrantScope) -> Resolution {
    Resolution::Approved { scope }
}

fn answering(held: &Approval, ticket: String, scope: GrantScope) -> Answering {
    Answering {
        approval: held.id.clone(),
        ticket,
        resolution: yes(scope),
        by: "dana".to_owned(),
        surface: Surface::MainWindow,
        reading_ms: Some(2_000),
        rule: Rule::default(),
        proof: None,
    }
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

/// Held, answered by hand, and done.
async fn decided(world: &World, path: &str, resolution: Resolution) -> Approval {
    let live = match world.engine.sessions().all().into_iter().next() {
        Some(live) => live,
        None => world.session("claude-code").await,
    };
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", path));
    let held = world.held().await;
    world.answer(&held, resolution).await.unwrap();
    if let Ruling::Admitted(admission) = asked.await.unwrap() {
        admission.settle(usage(0, 0)).await.unwrap();
    }
    held
}

/// Whether the same is asked about again.
async fn asks_again(world: &World, path: &str) -> bool {
    let live = world.engine.sessions().all().remove(0);
    let again = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", path));
    for _ in 0..3_000 {
        if again.is_finished() {
            return false;
        }
        if world.engine.approvals().waiting() > 0 {
            again.abort();
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("neither asked nor answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_undone_leaves_the_file_as_it_was_and_the_next_one_is_asked_about() {
    let mine = "// mine\n@id(\"other\") @reason(\"r\") @lifts(\"ask-first-write\")\npermit (principal, \
                action == Action::\"http.request\", resource) when { context.host == \"other.example.com\" };\n";
    let world = World::with("policies/standing.cedar", mine).await;
    let held = decided(&world, "/v1/things/7", yes(GrantScope::Always)).await;
    let held = world.engine.store().approval(&held.id).await.unwrap().unwrap();
    assert!(matches!(world.engine.left_behind(&held), Some(LeftBehind::Rule { .. })));
    world.engine.undo(&held.id, "dana".to_owned()).await.unwrap();
    let path = world.engine.policies().folder().join("standing.cedar");
    assert_eq!(std::fs::read_to_string(path).unwrap(), mine);
    assert_eq!(world.engine.left_behind(&held), None);
    assert!(world.names(&held.operation).await.contains(&"approval.undone".to_owned()));
    assert!(asks_again(&world, "/v1/things/7").await);
    assert!(world.engine.undo(&held.id, "dana".to_owned()).await.is_err(), "there is nothing left");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_rule_undone_leaves_no_file_and_an_edited_one_is_not_touched() {
    let world = World::new().await;
    let path = world.engine.policies().folder().join("standing.cedar");
    let held = decided(&world, "/v1/things/7", yes(GrantScope::Always)).await;
    world.engine.undo(&held.id, "dana".to_owned()).await.unwrap();
    assert!(!path.exists());

    let other = decided(&world, "/v1/things/8", yes(GrantScope::Always)).await;
    let edited = std::fs::read_to_string(&path).unwrap().replace("\"DELETE\"", "\"GET\"");
    std::fs::write(&path, &edited).unwrap();
    assert!(world.engine.undo(&other.id, "dana".to_owned()).await.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), edited);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_grant_is_undone_while_its_session_runs() {
    let world = World::new().await;
    let held = decided(&world, "/v1/things/7", yes(GrantScope::Session)).await;
    assert!(matches!(world.engine.left_behind(&held), Some(LeftBehind::Grant { .. })));
    world.engine.undo(&held.id, "dana".to_owned()).await.unwrap();
    assert!(asks_again(&world, "/v1/things/7").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_wrote_nothing_has_nothing_to_undo() {
    let world = World::new().await;
    let held = decided(&world, "/v1/things/7", yes(GrantScope::Once)).await;
    assert_eq!(world.engine.left_behind(&held), None);
    assert!(world.engine.undo(&held.id, "dana".to_owned()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_is_allowed_next_time_once_and_no_further() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let operation = || world.http(&live, "DELETE", "api.example.com", "/v1/things/7");
    let asked = world.spawn_admit(operation());
    let held = world.held().await;
    world.clock.advance(Duration::from_secs(121));
    assert_eq!(denied(asked.await.unwrap()).kind, DenialKind::Expired);

    let ticket = world.engine.approvals().show_answered(&held.id);
    let early = world.engine.allow_late(answering(&held, ticket.clone(), GrantScope::Once)).await;
    assert!(matches!(early, Err(EngineError::NotArmed(_))), "{early:?}");
    world.clock.advance(Duration::from_millis(701));
    assert!(world.engine.allow_late(answering(&held, "made-up".to_owned(), GrantScope::Once)).await.is_err());
    world.engine.allow_late(answering(&held, ticket, GrantScope::Once)).await.unwrap();

    let next = world.gate().admit(operation(), Value::Null).await;
    admitted(next).settle(usage(0, 0)).await.unwrap();
    let third = world.spawn_admit(operation());
    let again = world.held().await;
    assert_ne!(again.id, held.id, "one yes is used once");
    third.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_not_allowed_late() {
    let world = World::new().await;
    let held = decided(&world, "/v1/things/7", Resolution::Refused { reason: None }).await;
    let ticket = world.engine.approvals().show_answered(&held.id);
    world.clock.advance(Duration::from_millis(701));
    assert!(world.engine.allow_late(answering(&held, ticket, GrantScope::Once)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_may_become_a_rule() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let operation = || world.http(&live, "DELETE", "api.example.com", "/v1/things/7");
    let asked = world.spawn_admit(operation());
    let held = world.held().await;
    world.clock.advance(Duration::from_secs(121));
    denied(asked.await.unwrap());
    let ticket = world.engine.approvals().show_answered(&held.id);
    world.clock.advance(Duration::from_millis(701));
    world.engine.allow_late(answering(&held, ticket, GrantScope::Always)).await.unwrap();
    for _ in 0..2 {
        admitted(world.gate().admit(operation(), Value::Null).await).settle(usage(0, 0)).await.unwrap();
    }
    let resolved = world.engine.store().approval(&held.id).await.unwrap().unwrap();
    assert!(matches!(world.engine.left_behind(&resolved), Some(LeftBehind::Rule { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_for_everybody_is_bound_to_a_folder_that_is_known() {
    let world = World::new().await;
    for folder in ["", "work"] {
        let live = world.session_in("claude-code", std::path::Path::new(folder)).await;
        let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
        let held = world.held().await;
        for rule in [Rule { anyone: true, ..Rule::default() }, Rule { here: true, ..Rule::default() }] {
            let refused = world.engine.preview(&held.id, rule).await.unwrap_err().to_string();
            assert!(refused.contains("not known"), "{refused}");
        }
        world.engine.preview(&held.id, Rule::default()).await.unwrap();
        world.answer(&held, Resolution::Refused { reason: None }).await.unwrap();
        denied(asked.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_the_very_text_that_is_written_and_counts_what_it_would_have_allowed() {
    let world = World::new().await;
    for thing in 1..=3 {
        decided(&world, &format!("/v1/things/{thing}"), yes(GrantScope::Once)).await;
    }
    let live = world.engine.sessions().all().remove(0);
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/1"));
    let held = world.held().await;
    let rule = Rule { width: Width::Exact, lasting: Lasting::Forever, ..Rule::default() };
    let preview = world.engine.preview(&held.id, rule.clone()).await.unwrap();
    assert!(!preview.text.contains("@expires"), "{}", preview.text);
    assert!(preview.effect.newly_allowed.count >= 1, "{:?}", preview.effect);
    assert_eq!(preview.effect.newly_allowed.grave, preview.effect.newly_allowed.count, "deleting is high");
    let ticket = world.engine.approvals().show(&held.id).unwrap();
    world.clock.advance(Duration::from_millis(701));
    world.engine.answer(Answering { rule, ..answering(&held, ticket, GrantScope::Always) }).await.unwrap();
    admitted(asked.await.unwrap()).settle(usage(0, 0)).await.unwrap();
    let written = std::fs::read_to_string(world.engine.policies().folder().join("standing.cedar")).unwrap();
    assert_eq!(written.trim_end(), preview.text.trim_end());
}

/// A call that is held, and the rule that is proposed for it.
async fn proposed(world: &World) -> (Approval, String, tokio::task::JoinHandle<Ruling>) {
    let live = world.session("claude-code").await;
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/1"));
    let held = world.held().await;
    let text = world.engine.preview(&held.id, Rule::default()).await.unwrap().text;
    (held, text, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_rule_is_weighed_and_written_as_it_stands_and_undo_leaves_the_file_as_it_was() {
    let world = World::new().await;
    let file = world.engine.policies().folder().join("standing.cedar");
    std::fs::write(&file, "// mine\n").unwrap();
    let (held, text, asked) = proposed(&world).await;
    assert!(text.contains(r#"context.path == "/v1/things/1""#), "{text}");
    let wider =
        text.replace(r#"context.path == "/v1/things/1""#, r#"// all of them\n  context.path like "/v1/things/*""#);
    let rule = Rule { text: Some(format!("\n{wider}\n\n")), ..Rule::default() };
    let preview = world.engine.preview(&held.id, rule.clone()).await.unwrap();
    assert_eq!(preview.text, wider);
    assert_eq!(preview.weight, Risk::High, "what a person wrote is weighed as what loosens");
    let ticket = world.engine.approvals().show(&held.id).unwrap();
    world.clock.advance(Duration::from_millis(701));
    world.engine.answer(Answering { rule, ..answering(&held, ticket, GrantScope::Always) }).await.unwrap();
    admitted(asked.await.unwrap()).settle(usage(0, 0)).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("// mine\n{wider}"));
    assert!(!asks_again(&world, "/v1/things/2").await, "the edited part counts");
    world.engine.undo(&held.id, "dana".to_owned()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "// mine\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_rule_that_is_no_single_permit_of_its_own_name_writes_nothing_and_releases_nothing() {
    let world = World::new().await;
    let (held, text, asked) = proposed(&world).await;
    let other = "@id(\"another\") @reason(\"x\")\npermit (principal, action, resource);\n";
    let elsewhere = text.replace("/v1/things/1", "/v1/other");
    for (edited, why) in [
        (format!("{text}\n{other}"), "nothing before or after"),
        (format!("// first\n{text}"), "nothing before or after"),
        (other.to_owned(), "one permit with"),
        (text.replace("permit (", "forbid ("), ""),
        (text.replace("@id", "@mode(\"observe\")\n@id"), "one permit with"),
        (text.replace("};", "}"), ""),
        (String::new(), "one permit with"),
        (elsewhere, "still decide"),
    ] {
        let rule = Rule { text: Some(edited.clone()), ..Rule::default() };
        let ticket = world.engine.approvals().show(&held.id).unwrap();
        world.clock.advance(Duration::from_millis(701));
        let answer = Answering { rule, ..answering(&held, ticket, GrantScope::Always) };
        let refused = world.engine.answer(answer).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{edited}: {refused}");
        assert!(!world.engine.policies().folder().join("standing.cedar").exists(), "{edited}");
    }
    assert!(world.engine.approvals().find(&held.id).is_some(), "still waiting");
    world.answer(&held, Resolution::Refused { reason: None }).await.unwrap();
    denied(asked.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn raising_for_a_session_lets_its_call_through_and_binds_the_others_as_before() {
    let limits = "budgets:\n  - id: daily\n    scope: me\n    window: day\n    max_tokens: 1800\n";
    let world = World::with("limits.yaml", limits).await;
    let live = world.session("claude-code").await;
    let held = world.spawn_admit(world.llm(&live, "hello", 2_000));
    let approval = world.held().await;
    let daily = BudgetId::parse("daily").unwrap();
    let other = BudgetId::parse("other").unwrap();
    let shown = || {
        let ticket = world.engine.approvals().show(&approval.id).unwrap();
        world.clock.advance(Duration::from_millis(701));
        answering(&approval, ticket, GrantScope::Once)
    };
    assert!(world.engine.raise(shown(), &other, 10_000).await.is_err(), "the call does not count in it");
    assert!(world.engine.raise(shown(), &daily, 0).await.is_err());
    world.engine.raise(shown(), &daily, 10_000).await.unwrap();
    let admission = admitted(held.await.unwrap());
    admission.sent();
    admission.settle(usage(1_000, 2_000)).await.unwrap();
    // 3,000 of 11,800 are spent in this session, of 1,800 in any other.
    let more = admitted(world.gate().admit(world.llm(&live, "more", 2_000), Value::Null).await);
    more.settle(usage(0, 0)).await.unwrap();
    let elsewhere = world.session("claude-code").await;
    let denial = denied(world.gate().admit(world.llm(&elsewhere, "there", 2_000), Value::Null).await);
    assert_eq!(denial.kind, DenialKind::Budget);
    assert!(world.names(&approval.operation).await.contains(&"budget.changed".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_knows_what_was_decided_before_and_what_the_call_counts_in() {
    let world =
        World::with("limits.yaml", "budgets:\n  - id: daily\n    scope: me\n    window: day\n    max_tokens: 1800\n");
    let world = world.await;
    decided(&world, "/v1/things/1", yes(GrantScope::Once)).await;
    decided(&world, "/v1/things/2", Resolution::Refused { reason: None }).await;
    let live = world.engine.sessions().all().remove(0);
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/3"));
    let held = world.held().await;
    assert_eq!(world.engine.before(&held).await.unwrap(), Before { asked: 2, approved: 1, refused: 1 });
    let question = world.engine.question_of(&held.id).await.unwrap();
    assert_eq!(world.engine.price_of(&question).await.unwrap(), None);
    asked.abort();
    world.answer(&held, Resolution::Refused { reason: None }).await.unwrap();

    let call = world.spawn_admit(world.llm(&live, "hello", 2_000));
    let held = world.held().await;
    let question = world.engine.question_of(&held.id).await.unwrap();
    let price = world.engine.price_of(&question).await.unwrap().unwrap();
    assert_eq!(price.budgets.len(), 1);
    let (balance, standing) = &price.budgets[0];
    assert_eq!((balance.settled, standing.free, standing.needed), (0, 1_800, 3_000));
    assert!(price.date.is_some() && price.input.0 > 0);
    call.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn five_times_allowed_by_hand_suggests_a_rule_until_there_is_one() {
    let world = World::new().await;
    for thing in 1..=4 {
        decided(&world, &format!("/v1/things/{thing}"), yes(GrantScope::Once)).await;
    }
    assert_eq!(world.engine.suggestions().await.unwrap(), []);
    let last = decided(&world, "/v1/things/5", yes(GrantScope::Once)).await;
    let found = world.engine.suggestions().await.unwrap();
    let [Suggestion::MakeRule { question, times: 5 }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(question.id, last.id);
    assert_eq!(world.engine.allowed_lately(&last).await.unwrap(), 5);

    let ticket = world.engine.approvals().show_answered(&last.id);
    world.clock.advance(Duration::from_millis(701));
    world.engine.allow_late(answering(&last, ticket, GrantScope::Always)).await.unwrap();
    let left = world.engine.suggestions().await.unwrap();
    assert!(!left.iter().any(|one| matches!(one, Suggestion::MakeRule { .. })), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_critical_is_allowed_only_with_the_passphrase_and_guesses_must_wait() {
    let world = World::with(
        "policies/mine.cedar",
        "@id(\"grave\") @reason(\"deletes for good\") @risk(\"critical\")\n\
         forbid (principal, action == Action::\"http.request\", resource)\n\
         when { context.method == \"DELETE\" } unless { context.approved };\n",
    )
    .await;
    let live = world.session("claude-code").await;
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let held = world.held().await;
    assert_eq!(held.risk, Risk::Critical);
    let answer = |proof: Option<&str>| {
        let ticket = world.engine.approvals().show(&held.id).unwrap();
        world.clock.advance(Duration::from_millis(701));
        Answering { proof: proof.map(secret), ..answering(&held, ticket, GrantScope::Once) }
    };
    let needs = |outcome: Result<(), EngineError>| matches!(outcome, Err(EngineError::Presence(_)));
    assert!(needs(world.engine.answer(answer(None)).await));
    assert!(needs(world.engine.answer(answer(Some("correct horse"))).await), "none is set");
    let presence = world.engine.presence();
    assert!(presence.set(secret("short"), &dana(None)).await.is_err());
    presence.set(secret("correct horse"), &dana(None)).await.unwrap();
    assert!(needs(presence.set(secret("another one"), &dana(None)).await), "changing it needs it");
    for _ in 0..4 {
        assert!(needs(world.engine.answer(answer(Some("wrong horse"))).await));
    }
    assert!(needs(world.engine.answer(answer(Some("correct horse"))).await), "too soon after wrong ones");
    world.clock.advance(Duration::from_secs(900));
    drop(asked);
    presence.demand("a test", &dana(Some("correct horse"))).await.unwrap();
    world.engine.presence().demand_for_high(true, &dana(None)).await.unwrap();
    assert!(presence.needed_for(Risk::High).await.unwrap() && !presence.needed_for(Risk::Medium).await.unwrap());
    assert!(needs(presence.demand_for_high(false, &dana(None)).await), "asking less often needs it");
    presence.demand_for_high(false, &dana(Some("correct horse"))).await.unwrap();
    assert!(!presence.needed_for(Risk::High).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_passphrase_lets_what_is_critical_pass() {
    let world = World::new().await;
    world.engine.presence().set(secret("correct horse"), &dana(None)).await.unwrap();
    world.engine.presence().demand_for_high(true, &dana(None)).await.unwrap();
    let live = world.session("claude-code").await;
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let held = world.held().await;
    assert_eq!(held.risk, Risk::High);
    let ticket = world.engine.approvals().show(&held.id).unwrap();
    world.clock.advance(Duration::from_millis(701));
    let yes = Answering { proof: Some(secret("correct horse")), ..answering(&held, ticket, GrantScope::Once) };
    world.engine.answer(yes).await.unwrap();
    admitted(asked.await.unwrap()).settle(usage(0, 0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mark_is_drawn_once_and_changed_by_its_person() {
    let world = World::new().await;
    let store = world.engine.store();
    let first = mark::load(store).await.unwrap();
    assert_eq!(mark::load(store).await.unwrap(), first);
    let own = Mark { words: "  blue   otter ".to_owned(), stripe: 3 };
    mark::choose(store, own).await.unwrap();
    assert_eq!(mark::load(store).await.unwrap(), Mark { words: "blue otter".to_owned(), stripe: 3 });
    for (words, stripe) in [("one", 0), ("a b c", 0), ("a <b>", 0), ("blue otter", 6)] {
        assert!(mark::choose(store, Mark { words: words.to_owned(), stripe }).await.is_err(), "{words}");
    }
}

/// Shown, armed and expired.
async fn expired(world: &World, path: &str) -> (Approval, String) {
    expired_of(world, |live| world.http(live, "DELETE", "api.example.com", path)).await
}

async fn expired_of(world: &World, asking: impl FnOnce(&LiveSession) -> Operation) -> (Approval, String) {
    let live = world.session("claude-code").await;
    let asked = world.spawn_admit(asking(&live));
    let held = world.held().await;
    world.clock.advance(Duration::from_secs(121));
    denied(asked.await.unwrap());
    let ticket = world.engine.approvals().show_answered(&held.id);
    world.clock.advance(Duration::from_millis(701));
    (held, ticket)
}

#[tokio::test(flavor = "multi_thread")]
async fn saying_to_be_the_demo_or_the_engine_allows_nothing_late() {
    let world = World::new().await;
    let presence = world.engine.presence();
    presence.set(secret("correct horse"), &dana(None)).await.unwrap();
    presence.demand_for_high(true, &dana(None)).await.unwrap();
    let (held, ticket) = expired(&world, "/v1/things/7").await;
    for surface in [Surface::Demo, Surface::Engine] {
        let claimed = Answering { surface, ..answering(&held, ticket.clone(), GrantScope::Once) };
        assert!(world.engine.allow_late(claimed).await.is_err(), "{surface:?}");
    }
    let proven = Answering { proof: Some(secret("correct horse")), ..answering(&held, ticket, GrantScope::Once) };
    world.engine.allow_late(proven).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn raising_needs_what_is_needed_for_high_and_is_not_in_force_before() {
    let limits = "budgets:\n  - id: daily\n    scope: me\n    window: day\n    max_tokens: 1800\n";
    let world = World::with("limits.yaml", limits).await;
    let presence = world.engine.presence();
    presence.set(secret("correct horse"), &dana(None)).await.unwrap();
    presence.demand_for_high(true, &dana(None)).await.unwrap();
    let live = world.session("claude-code").await;
    let asked = world.spawn_admit(world.llm(&live, "hello", 2_000));
    let held = world.held().await;
    assert!(held.risk < Risk::High);
    let daily = BudgetId::parse("daily").unwrap();
    let unproven = |ticket: String| answering(&held, ticket, GrantScope::Once);
    let made_up = world.engine.raise(unproven("made-up".to_owned()), &daily, 10_000).await;
    assert!(matches!(made_up, Err(EngineError::NotArmed(_))), "{made_up:?}");
    let ticket = || {
        let ticket = world.engine.approvals().show(&held.id).unwrap();
        world.clock.advance(Duration::from_millis(701));
        ticket
    };
    let refused = world.engine.raise(unproven(ticket()), &daily, 10_000).await;
    assert!(matches!(refused, Err(EngineError::Presence(_))), "{refused:?}");
    assert!(!world.names(&held.operation).await.contains(&"budget.changed".to_owned()));
    let proven = Answering { proof: Some(secret("correct horse")), ..unproven(ticket()) };
    world.engine.raise(proven, &daily, 10_000).await.unwrap();
    assert!(world.names(&held.operation).await.contains(&"budget.changed".to_owned()));
    admitted(asked.await.unwrap()).settle(usage(0, 0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_written_and_undone_at_the_same_time_do_not_lose_each_other() {
    let world = World::new().await;
    let mut held = Vec::new();
    for thing in 1..=6 {
        held.push(decided(&world, &format!("/v1/things/{thing}"), yes(GrantScope::Once)).await);
    }
    let tickets: Vec<String> = held.iter().map(|one| world.engine.approvals().show_answered(&one.id)).collect();
    world.clock.advance(Duration::from_millis(701));
    let write = |(one, ticket): (&Approval, String)| {
        let (engine, rule) = (world.engine.clone(), answering(one, ticket, GrantScope::Always));
        tokio::spawn(async move { engine.allow_late(rule).await })
    };
    let writing: Vec<_> = held.iter().zip(tickets).map(write).collect();
    for one in writing {
        one.await.unwrap().unwrap();
    }
    let written = |one: &&Approval| matches!(world.engine.left_behind(one), Some(LeftBehind::Rule { .. }));
    assert_eq!(held.iter().filter(written).count(), held.len());
    let undo = |one: &Approval| {
        let (engine, id) = (world.engine.clone(), one.id.clone());
        tokio::spawn(async move { engine.undo(&id, "dana".to_owned()).await })
    };
    let undoing: Vec<_> = held.iter().map(undo).collect();
    for one in undoing {
        one.await.unwrap().unwrap();
    }
    assert!(!world.engine.policies().folder().join("standing.cedar").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rule_is_made_from_an_address_that_the_record_hides() {
    let world = World::new().await;
    let (held, ticket) = expired_of(&world, |live| {
        let mut operation = world.http(live, "DELETE", "api.example.com", "/v1/s3cret/things/7");
        if let Subject::Http(call) = &mut operation.subject {
            call.endpoint.path = call.endpoint.path.clone().showing("/v1/(redacted.1a2b3c4d)/things/7");
        }
        operation
    })
    .await;
    for refused in [
        world.engine.preview(&held.id, Rule::default()).await.map(|_| ()),
        world.engine.allow_late(answering(&held, ticket, GrantScope::Always)).await,
    ] {
        assert!(refused.unwrap_err().to_string().contains("the record hides"));
    }
    assert!(!world.engine.policies().folder().join("standing.cedar").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_only_looks_as_if_it_hid_something_is_one_like_any_other() {
    let world = World::new().await;
    let (held, ticket) = expired(&world, "/v1/(redacted.1a2b3c4d)/things/7").await;
    world.engine.allow_late(answering(&held, ticket, GrantScope::Always)).await.unwrap();
    let written = std::fs::read_to_string(world.engine.policies().folder().join("standing.cedar")).unwrap();
    assert!(written.contains("/v1/(redacted.1a2b3c4d)/things/7"), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_after_the_answer_is_recorded_with_whose_it_is() {
    let world = World::new().await;
    let held = decided(&world, "/v1/things/7", yes(GrantScope::Once)).await;
    let ticket = world.engine.approvals().show_answered(&held.id);
    world.clock.advance(Duration::from_millis(701));
    let mut events = world.engine.store().subscribe();
    world.engine.allow_late(answering(&held, ticket, GrantScope::Always)).await.unwrap();
    let found = async {
        loop {
            let batch = events.recv().await.unwrap();
            if batch.iter().any(|event| format!("{:?}", event.body).contains("by dana (main_window)")) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found).await.unwrap();
}
