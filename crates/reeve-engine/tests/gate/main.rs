//! The gate from outside: what passes, what is turned away, what is held, what it costs, and what the record says of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod credentials;
mod decided;
mod floods;
mod lately;
mod limits;
mod lineage;
mod outside;
mod policies;
mod presence;
mod recovery;
mod replays;
mod retention;
mod servers;
mod settings;
mod tidy;
mod tools;
mod world;

use std::time::Duration;

use reeve_domain::approval::{GrantScope, Resolution, Surface};
use reeve_domain::event::EventBody;
use reeve_domain::operation::{Billing, Dialect, Subject};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::query::Decided;
use reeve_domain::session::SessionEnd;
use reeve_domain::usage::Usage;
use reeve_domain::verdict::DenialKind;
use reeve_engine::Ruling;
use reeve_engine::origin::Origin;
use world::World;

fn admitted(ruling: Ruling) -> Box<reeve_engine::Admission> {
    match ruling {
        Ruling::Admitted(admission) => admission,
        Ruling::Denied(denial) => panic!("denied: {}", denial.message),
    }
}

fn denied(ruling: Ruling) -> reeve_domain::verdict::Denial {
    match ruling {
        Ruling::Denied(denial) => denial,
        Ruling::Admitted(_) => panic!("admitted"),
    }
}

fn usage(input: u64, output: u64) -> Outcome {
    let mut outcome = Outcome::ended(Ending::Complete);
    outcome.status = Some(200);
    outcome.usage = Some(Usage { input, output, ..Usage::default() });
    outcome.usage_final = true;
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_call_is_recorded_before_it_may_go_and_charged_when_it_came_back() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let call = world.llm(&live, "hello", 1000);
    let id = call.id.clone();
    let admission = admitted(world.gate().admit(call, serde_json::Value::Null).await);
    assert!(world.names(&id).await.contains(&"operation.admitted".to_owned()));
    admission.sent();
    let event = admission.settle(usage(100, 10)).await.unwrap();
    let EventBody::OperationSettled { settlement: Some(settlement), .. } = event.body else { panic!("not settled") };
    assert!(settlement.amount.0 > 0 && !settlement.estimated && !settlement.overrun);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_host_is_denied_by_its_rule_and_the_denial_is_recorded() {
    let world = World::with("policies/mine.cedar", FORBID_PASTE).await;
    let live = world.session("claude-code").await;
    let operation = world.http(&live, "POST", "paste.example", "/x");
    let id = operation.id.clone();
    let denial = denied(world.gate().admit(operation, serde_json::Value::Null).await);
    assert_eq!(denial.kind, DenialKind::Policy);
    assert_eq!(denial.reasons[0].rule.as_str(), "no-paste");
    assert_eq!(denial.reasons[0].line, 1);
    assert_eq!(world.names(&id).await, ["operation.denied"]);
}

const FORBID_PASTE: &str = "@id(\"no-paste\")\n@reason(\"no pasting\")\nforbid (principal, action == Action::\"http.request\", resource == Host::\"paste.example\");\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_held_action_waits_for_its_answer_and_an_approval_is_used_once() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let first = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let held = world.held().await;
    world.answer(&held, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    let admission = admitted(first.await.unwrap());
    assert_eq!(admission.fingerprint(), &held.fingerprint);
    admission.settle(usage(0, 0)).await.unwrap();
    // The same again is a new question: the approval was for one.
    let second = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let again = world.held().await;
    assert_ne!(again.id, held.id);
    world.answer(&again, Resolution::Refused { reason: Some("not again".to_owned()) }).await.unwrap();
    let denial = denied(second.await.unwrap());
    assert_eq!(denial.kind, DenialKind::Refused);
    assert!(denial.message.contains("not again"), "{}", denial.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_joins_a_question_of_the_sessions_own_is_named_on_it() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let asked = |origin: &Origin| {
        let operation = world.http(&live, "DELETE", "api.example.com", "/v1/things/7");
        live.asked_over(&operation.id, origin);
        world.spawn_admit(operation)
    };
    let own = asked(&Origin::default());
    let held = world.held().await;
    let sought = Origin::sought();
    let other = asked(&sought);
    world.held_joined(2).await;
    let stranger = async || world.engine.question_of(&held.id).await.unwrap().stranger().map(str::to_owned);
    assert_eq!(stranger().await, None);
    sought.found(Some("/usr/bin/curl".to_owned()));
    assert_eq!(stranger().await.as_deref(), Some("/usr/bin/curl"));
    world.answer(&held, Resolution::Refused { reason: None }).await.unwrap();
    for one in [own, other] {
        denied(one.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_questions_join_and_one_answer_releases_all_who_wait() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let waiting: Vec<_> =
        (0..5).map(|_| world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"))).collect();
    let held = world.held_joined(5).await;
    assert_eq!(world.engine.approvals().waiting(), 1);
    world.answer(&held, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    for one in waiting {
        admitted(one.await.unwrap()).settle(usage(0, 0)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gave_up_finds_its_question_again_and_the_approval_that_came_meanwhile() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let first = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let held = world.held().await;
    first.abort();
    let _ = first.await;
    world.answer(&held, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    let again =
        world.gate().admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"), serde_json::Value::Null);
    admitted(again.await).settle(usage(0, 0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_yes_lets_one_through_also_when_another_comes_in_that_very_moment() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    for number in 0..20 {
        let same = || world.http(&live, "DELETE", "api.example.com", &format!("/v1/things/{number}"));
        let first = world.spawn_admit(same());
        let held = world.held().await;
        world.answer(&held, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
        let second = world.spawn_admit(same());
        admitted(first.await.unwrap()).settle(usage(0, 0)).await.unwrap();
        let again = world.held().await;
        assert_ne!(again.id, held.id, "the second one asks for itself");
        world.answer(&again, Resolution::Refused { reason: None }).await.unwrap();
        denied(second.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_answers_the_repeat_without_asking_again() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let first = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let held = world.held().await;
    world.answer(&held, Resolution::Refused { reason: None }).await.unwrap();
    denied(first.await.unwrap());
    let repeat =
        world.gate().admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"), serde_json::Value::Null);
    assert_eq!(denied(repeat.await).kind, DenialKind::Refused);
    assert_eq!(world.engine.approvals().waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_denies() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    world.held().await;
    world.clock.advance(Duration::from_secs(121));
    assert_eq!(denied(asked.await.unwrap()).kind, DenialKind::Expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_grant_lets_the_next_one_pass_in_this_session_only() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let first = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let held = world.held().await;
    world.answer(&held, Resolution::Approved { scope: GrantScope::Session }).await.unwrap();
    admitted(first.await.unwrap()).settle(usage(0, 0)).await.unwrap();
    let next =
        world.gate().admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"), serde_json::Value::Null);
    admitted(next.await).settle(usage(0, 0)).await.unwrap();
    // Nobody was asked: the row names the grant first, and the rule that would have asked behind it.
    let page = reeve_store::Page { before: None, limit: 10 };
    let rows = world.engine.store().search(&reeve_domain::query::parse("").query, page).await.unwrap().rows;
    let first_rules = |decision| &rows.iter().find(|row| row.decision == decision).unwrap().rules;
    let (unasked, asked) = (first_rules(Decided::Allowed), first_rules(Decided::Approved));
    assert!(unasked[0].starts_with("grt_") && unasked[1..] == asked[..], "{unasked:?} {asked:?}");
    let other = world.session("claude-code").await;
    let elsewhere = world.spawn_admit(world.http(&other, "DELETE", "api.example.com", "/v1/things/7"));
    world.held().await;
    elsewhere.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn always_writes_exactly_the_text_that_was_shown() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let first = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let held = world.held().await;
    let shown = world.engine.standing_text(&held.id, &GrantScope::Always).unwrap();
    world.answer(&held, Resolution::Approved { scope: GrantScope::Always }).await.unwrap();
    admitted(first.await.unwrap()).settle(usage(0, 0)).await.unwrap();
    let written = std::fs::read_to_string(world.engine.policies().folder().join("standing.cedar")).unwrap();
    let body = |text: &str| text.lines().filter(|l| !l.contains("@id(")).collect::<Vec<_>>().join("\n");
    assert_eq!(body(written.trim_end()), body(shown.trim_end()));
    let next =
        world.gate().admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"), serde_json::Value::Null);
    admitted(next.await).settle(usage(0, 0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_needs_the_card_to_have_been_shown_and_armed() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let held = world.held().await;
    let yes = Resolution::Approved { scope: GrantScope::Once };
    assert!(world.answer_with(&held, "made-up", Surface::Cli, yes.clone()).await.is_err());
    let ticket = world.engine.approvals().show(&held.id).unwrap();
    for surface in [Surface::MainWindow, Surface::Cli] {
        assert!(world.answer_with(&held, &ticket, surface, yes.clone()).await.is_err(), "not armed yet: {surface:?}");
    }
    world.clock.advance(Duration::from_millis(701));
    let ticket = world.engine.approvals().show(&held.id).unwrap();
    world.clock.advance(Duration::from_millis(701));
    assert!(world.answer_with(&held, &ticket, Surface::Demo, yes.clone()).await.is_err(), "not the demo profile");
    world.answer_with(&held, &ticket, Surface::MainWindow, yes).await.unwrap();
    admitted(asked.await.unwrap()).settle(usage(0, 0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_remainder_lowers_the_output_limit_and_an_empty_one_denies() {
    let world = World::with(
        "limits.yaml",
        "budgets:\n  - id: tiny\n    scope: session\n    window: total\n    max_tokens: 6000\n    on_exhausted: deny\n",
    )
    .await;
    let live = world.session("claude-code").await;
    let admission = admitted(world.gate().admit(world.llm(&live, "hello", 64_000), serde_json::Value::Null).await);
    let clamp = admission.clamp().expect("lowered");
    assert!((1024..6000).contains(&clamp), "{clamp}");
    admission.sent();
    admission.settle(usage(1000, 4000)).await.unwrap();
    let denial = denied(world.gate().admit(world.llm(&live, "more", 64_000), serde_json::Value::Null).await);
    assert_eq!(denial.kind, DenialKind::Budget);
    assert!(denial.message.contains("tiny"), "{}", denial.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_provider_takes_no_output_limit_a_call_passes_whole_or_not_at_all() {
    let limits =
        "budgets:\n  - id: tiny\n    scope: session\n    window: total\n    max_tokens: 6000\n    on_exhausted: deny\n";
    let world = World::with("limits.yaml", limits).await;
    let live = world.session("codex").await;
    let chatgpt = |limit| {
        let mut operation = world.llm(&live, "hello", limit);
        if let Subject::Llm(call) = &mut operation.subject {
            call.dialect = Dialect::OpenaiResponses;
            call.provider = "openai".to_owned();
            call.billing = Billing::FlatRate;
        }
        operation
    };
    let denial = denied(world.gate().admit(chatgpt(64_000), serde_json::Value::Null).await);
    assert_eq!(denial.kind, DenialKind::Budget, "{}", denial.message);
    let admission = admitted(world.gate().admit(chatgpt(4_000), serde_json::Value::Null).await);
    assert_eq!(admission.clamp(), None);
    admission.settle(usage(0, 0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remainder_under_the_output_floor_asks_and_a_yes_goes_over_the_cap_once() {
    let limits = "budgets:\n  - id: tiny\n    scope: session\n    window: total\n    max_tokens: 1800\n";
    let world = World::with("limits.yaml", limits).await;
    let live = world.session("claude-code").await;
    // 1,000 tokens of input leave 800 for the answer, less than the floor of 1,024.
    let held = world.spawn_admit(world.llm(&live, "hello", 2_000));
    let approval = world.held().await;
    assert!(approval.unaffordable.as_deref().is_some_and(|why| why.contains("tiny")), "{approval:?}");
    world.answer(&approval, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    let admission = admitted(held.await.unwrap());
    assert_eq!(admission.clamp(), None);
    admission.sent();
    admission.settle(usage(1000, 2000)).await.unwrap();
    // Nothing is left now: nobody is asked.
    let denial = denied(world.gate().admit(world.llm(&live, "more", 2_000), serde_json::Value::Null).await);
    assert_eq!(denial.kind, DenialKind::Budget);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_over_a_cap_passes_the_caps_that_the_card_named_and_no_others() {
    let limits = "budgets:\n  - id: tiny\n    scope: session\n    window: total\n    max_tokens: 1800\n  - id: wide\n    scope: me\n    window: day\n    max_tokens: 3500\n    on_exhausted: ask\n";
    let world = World::with("limits.yaml", limits).await;
    let live = world.session("claude-code").await;
    let first = world.spawn_admit(world.llm(&live, "hello", 2_000));
    let card = world.held().await;
    let named: Vec<&str> = card.over.iter().map(|cap| cap.budget.as_str()).collect();
    assert_eq!(named, ["tiny"]);
    // Meanwhile another session of the same human uses up what the other budget had.
    let other = world.session("codex").await;
    let spent = world.spawn_admit(world.llm(&other, "spend", 700));
    let spent = admitted(spent.await.unwrap());
    spent.sent();
    spent.settle(usage(1_000, 700)).await.unwrap();
    world.answer(&card, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    let denial = denied(first.await.unwrap());
    assert!(denial.kind == DenialKind::Budget && denial.message.contains("wide"), "{}", denial.message);
    // Asked again, the card names both, and the yes passes both.
    let again = world.spawn_admit(world.llm(&live, "hello", 2_000));
    let card = world.held().await;
    let named: Vec<&str> = card.over.iter().map(|cap| cap.budget.as_str()).collect();
    assert_eq!(named, ["tiny", "wide"]);
    assert!(card.unaffordable.as_deref().is_some_and(|why| why.contains("tiny") && why.contains("wide")), "{card:?}");
    world.answer(&card, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    admitted(again.await.unwrap()).settle(usage(1_000, 10)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_its_agent_deletes_goes_on_binding_until_a_human_agrees() {
    let project = tempfile::tempdir().unwrap();
    let rules = project.path().join(".reeve/policies");
    std::fs::create_dir_all(&rules).unwrap();
    std::fs::write(rules.join("own.cedar"), FORBID_PASTE).unwrap();
    let world = World::new().await;
    let live = world.session_in("claude-code", project.path()).await;
    let paste = || world.http(&live, "GET", "paste.example", "/x");
    assert_eq!(denied(world.gate().admit(paste(), serde_json::Value::Null).await).kind, DenialKind::Policy);
    std::fs::remove_file(rules.join("own.cedar")).unwrap();
    world.engine.reload().await.unwrap();
    assert_eq!(denied(world.gate().admit(paste(), serde_json::Value::Null).await).kind, DenialKind::Policy);
    let shown = world.engine.policies().project_problems().remove(0);
    assert!(shown.problem.contains("`no-paste`") && shown.folder == project.path(), "{shown:?}");
    assert!(world.engine.acknowledge_project(project.path(), "another", &world::dana(None)).await.is_err());
    assert_eq!(denied(world.gate().admit(paste(), serde_json::Value::Null).await).kind, DenialKind::Policy);
    let revision = shown.revision.unwrap();
    let gone = world.engine.acknowledge_project(project.path(), &revision, &world::dana(None)).await.unwrap();
    assert_eq!(gone, ["`no-paste`"]);
    drop(admitted(world.gate().admit(paste(), serde_json::Value::Null).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remainder_under_the_thinking_budget_asks() {
    let limits = "budgets:\n  - id: tiny\n    scope: session\n    window: total\n    max_tokens: 4000\n";
    let world = World::with("limits.yaml", limits).await;
    let live = world.session("claude-code").await;
    let mut operation = world.llm(&live, "think", 8_000);
    let Subject::Llm(call) = &mut operation.subject else { panic!("no model call") };
    call.thinking_budget = Some(6_000);
    let held = world.spawn_admit(operation);
    let approval = world.held().await;
    assert!(approval.unaffordable.is_some(), "{approval:?}");
    world.answer(&approval, Resolution::Refused { reason: None }).await.unwrap();
    assert_eq!(denied(held.await.unwrap()).kind, DenialKind::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_callers_never_pass_the_cap() {
    let limits =
        "budgets:\n  - id: cap\n    scope: me\n    window: day\n    max_tokens: 50000\n    on_exhausted: deny\n";
    let world = World::with("limits.yaml", limits).await;
    let live = world.session("claude-code").await;
    let calls: Vec<_> = (0..200).map(|n| world.spawn_admit(world.llm(&live, &format!("call {n}"), 2000))).collect();
    let mut held = Vec::new();
    for call in calls {
        if let Ruling::Admitted(admission) = call.await.unwrap() {
            held.push(admission);
        }
    }
    let balance = world.balance("cap").await;
    assert!(balance.settled + balance.reserved <= 50_000, "{balance:?}");
    assert!(!held.is_empty());
    for admission in held {
        admission.sent();
        admission.settle(usage(10, 2000)).await.unwrap();
    }
    let balance = world.balance("cap").await;
    assert_eq!(balance.reserved, 0);
    assert!(balance.settled <= 50_000, "{balance:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpriced_model_under_a_money_budget_is_refused_with_a_way_out() {
    let world =
        World::with("limits.yaml", "budgets:\n  - id: money\n    scope: me\n    window: day\n    max_cost: 5.00\n")
            .await;
    let live = world.session("claude-code").await;
    let call = world.llm_of(&live, "made-up-model", "hello", 100);
    let denial = denied(world.gate().admit(call, serde_json::Value::Null).await);
    assert_eq!(denial.kind, DenialKind::Unpriced);
    assert!(denial.advice.contains("price"), "{}", denial.advice);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admission_let_go_of_is_charged_by_whether_it_was_sent() {
    let world =
        World::with("limits.yaml", "budgets:\n  - id: cap\n    scope: me\n    window: day\n    max_tokens: 100000\n")
            .await;
    let live = world.session("claude-code").await;
    let unsent = world.llm(&live, "one", 1000);
    let id = unsent.id.clone();
    drop(admitted(world.gate().admit(unsent, serde_json::Value::Null).await));
    world.until(&id, "operation.abandoned").await;
    assert_eq!(world.balance("cap").await.settled, 0);
    let sent = world.llm(&live, "two", 1000);
    let id = sent.id.clone();
    let admission = admitted(world.gate().admit(sent, serde_json::Value::Null).await);
    admission.sent();
    drop(admission);
    world.until(&id, "operation.abandoned").await;
    let balance = world.balance("cap").await;
    assert!(balance.settled >= 1000 && balance.reserved == 0, "{balance:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_all_cuts_what_runs_and_denies_until_resumed() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let admission = admitted(world.gate().admit(world.llm(&live, "hello", 100), serde_json::Value::Null).await);
    world.engine.stop_all().await.unwrap();
    assert!(admission.revoked().is_cancelled());
    drop(admission);
    assert!(world.try_session("claude-code").await.is_err());
    world.engine.protection().resume().await.unwrap();
    let fresh = world.session("claude-code").await;
    admitted(world.gate().admit(world.llm(&fresh, "hello", 100), serde_json::Value::Null).await)
        .settle(usage(1, 1))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_agent_is_denied_until_resumed_and_its_sessions_stay() {
    let world = World::new().await;
    let id = reeve_domain::id::AgentId::parse("claude-code").unwrap();
    let agents = world.engine.agents();
    assert!(agents.pause(&id, "dana").await.is_err(), "only a registered agent is paused");
    agents.ensure(&id, "Claude Code", None).await.unwrap();
    let live = world.session("claude-code").await;
    let other = world.session("codex").await;
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    let held = world.held().await;

    agents.pause(&id, "dana").await.unwrap();
    let denial = denied(world.gate().admit(world.llm(&live, "hello", 100), serde_json::Value::Null).await);
    assert_eq!(denial.kind, DenialKind::Stopped);
    assert!(denial.message.contains("`claude-code` is paused"), "{}", denial.message);
    let theirs = admitted(world.gate().admit(world.llm(&other, "hello", 100), serde_json::Value::Null).await);
    theirs.settle(usage(1, 1)).await.unwrap();
    // A question that was open when the pause began is no way around it.
    world.answer(&held, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    assert_eq!(denied(asked.await.unwrap()).kind, DenialKind::Stopped);
    assert!(world.engine.sessions().find(live.id()).is_some());

    agents.resume(&id, "dana").await.unwrap();
    admitted(world.gate().admit(world.llm(&live, "hello", 100), serde_json::Value::Null).await)
        .settle(usage(1, 1))
        .await
        .unwrap();
    let events = world.engine.store().events(None, 100).await.unwrap();
    assert!(events.iter().any(
        |e| matches!(&e.body, EventBody::AgentPaused { agent, by } if *agent == id && by.as_deref() == Some("dana"))
    ));
    assert!(events.iter().any(|e| matches!(&e.body, EventBody::AgentResumed { agent, .. } if *agent == id)));
    let kept = world.engine.store().agents().await.unwrap();
    assert!(kept.iter().all(|agent| agent.paused_at.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_session_withdraws_its_questions_and_its_token() {
    let world = World::new().await;
    let (live, token) = world.try_session("claude-code").await.unwrap();
    let asked = world.spawn_admit(world.http(&live, "DELETE", "api.example.com", "/v1/things/7"));
    world.held().await;
    let token = String::from_utf8(token.expose().to_vec()).unwrap();
    assert!(world.engine.sessions().authenticate(&token).is_some());
    world.engine.end_session(live.id(), SessionEnd::Stopped).await.unwrap();
    assert!(world.engine.sessions().authenticate(&token).is_none());
    assert_eq!(denied(asked.await.unwrap()).kind, DenialKind::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reloaded_policy_cuts_what_it_denies_within_a_second() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let admission =
        admitted(world.gate().admit(world.http(&live, "GET", "paste.example", "/x"), serde_json::Value::Null).await);
    std::fs::write(world.engine.policies().folder().join("mine.cedar"), FORBID_PASTE).unwrap();
    tokio::time::timeout(Duration::from_secs(1), admission.revoked().cancelled()).await.expect("cut within a second");
    admission.settle(Outcome::ended(Ending::CutByReeve { why: "policy".to_owned() })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_policy_file_keeps_the_last_good_set_and_says_where_it_is_broken() {
    let world = World::with("policies/mine.cedar", FORBID_PASTE).await;
    let before = world.engine.policies().in_force().set.revision().to_owned();
    std::fs::write(
        world.engine.policies().folder().join("mine.cedar"),
        "@id(\"x\")\nforbid (principal, action, resourc);\n",
    )
    .unwrap();
    let problem = world.until_problem().await;
    assert!(problem.contains("mine.cedar:2"), "{problem}");
    assert_eq!(world.engine.policies().in_force().set.revision(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn observe_lets_pass_and_records_what_would_have_been_done() {
    let world = World::configured("mode = \"observe\"\n", &[("policies/mine.cedar", FORBID_PASTE)]).await;
    let live = world.session("claude-code").await;
    let operation = world.http(&live, "POST", "paste.example", "/x");
    let id = operation.id.clone();
    admitted(world.gate().admit(operation, serde_json::Value::Null).await).settle(usage(0, 0)).await.unwrap();
    let events = world.events(&id).await;
    let EventBody::OperationAdmitted { would: Some(would), .. } = &events[0].body else { panic!("{events:?}") };
    assert_eq!(would.reasons[0].rule.as_str(), "no-paste");
}
