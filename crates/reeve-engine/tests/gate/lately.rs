//! What an operation meets of what happened lately: loops, refused credentials, and what its session asked for already.

use std::sync::Arc;
use std::time::Duration;

use reeve_domain::approval::{GrantScope, Resolution};
use reeve_domain::clock::Clock as _;
use reeve_domain::credential::{Binding, Credential, Place, Slot};
use reeve_domain::event::EventBody;
use reeve_domain::health::{LoopCase, LoopStage, Refusal};
use reeve_domain::host::Host;
use reeve_domain::id::CredentialId;
use reeve_domain::operation::{Digest, Operation, Stage, Subject};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::sensitive::Secret;
use reeve_domain::verdict::DenialKind;
use reeve_engine::denials::own_because;
use reeve_engine::{LiveSession, Ruling};
use serde_json::Value;

use super::world::World;
use super::{admitted, denied};

fn answered(status: u16, answer: &str) -> Outcome {
    let answer = Some(Digest::of(answer.as_bytes()));
    Outcome { status: Some(status), answer, ..Outcome::ended(Ending::Complete) }
}

/// The same as any other step.
async fn step(world: &World, live: &LiveSession, status: u16, answer: &str) -> Operation {
    let operation = world.llm(live, "the same", 100);
    let admission = admitted(world.gate().admit(operation.clone(), Value::Null).await);
    admission.settle(answered(status, answer)).await.unwrap();
    operation
}

const LOOPS: &str = "loops: { warn: 2, hold: 3, pause: 5, also: [llm] }\n";

async fn looping() -> World {
    World::with("limits.yaml", LOOPS).await
}

async fn looped(world: &World, operation: &Operation) -> Vec<(LoopCase, LoopStage, u32)> {
    let events = world.events(&operation.id).await.into_iter();
    events
        .filter_map(|event| match event.body {
            EventBody::AgentLooped { case, stage, times, .. } => Some((case, stage, times)),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_is_recorded_then_held_until_a_human_lets_it_go_on() {
    let world = looping().await;
    let live = world.session("claude-code").await;
    assert!(looped(&world, &step(&world, &live, 200, "same").await).await.is_empty());
    let second = step(&world, &live, 200, "same").await;
    assert_eq!(looped(&world, &second).await, [(LoopCase::Stuck, LoopStage::Warned, 2)]);
    let third = step(&world, &live, 200, "same").await;
    assert_eq!(looped(&world, &third).await, [(LoopCase::Stuck, LoopStage::Held, 3)]);
    let waiting = world.spawn_admit(world.llm(&live, "the same", 100));
    let question = world.held().await;
    assert_eq!(question.reasons[0].rule.as_str(), "reeve-loop");
    assert_eq!(question.reasons[0].text, "the same was tried 3 times with the same result");
    world.answer(&question, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    admitted(waiting.await.unwrap()).settle(answered(200, "same")).await.unwrap();
    // What was before does not count any more.
    let _ = step(&world, &live, 200, "same").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_with_changing_answers_and_another_session_go_on() {
    let world = looping().await;
    let live = world.session("claude-code").await;
    for n in 0..8 {
        let _ = step(&world, &live, 200, &format!("{n} done")).await;
    }
    let other = world.session("claude-code").await;
    for session in [&live, &other] {
        for _ in 0..2 {
            let _ = step(&world, session, 200, "same").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_goes_on_after_a_human_said_no_is_paused() {
    let world = looping().await;
    let live = world.session("claude-code").await;
    world.engine.agents().ensure(&live.session.agent, "Claude Code", None).await.unwrap();
    for _ in 0..3 {
        let _ = step(&world, &live, 400, "").await;
    }
    for _ in 0..2 {
        let waiting = world.spawn_admit(world.llm(&live, "the same", 100));
        // A repeat right after a no may meet that no without another question.
        while !waiting.is_finished() {
            if let Some(question) = world.engine.store().open_approvals().await.unwrap().first() {
                let _ = world.answer(question, Resolution::Refused { reason: None }).await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(denied(waiting.await.unwrap()).kind, DenialKind::Refused);
    }
    let denial = denied(world.gate().admit(world.http(&live, "GET", "api.example.com", "/other"), Value::Null).await);
    assert_eq!(denial.kind, DenialKind::Stopped);
    assert!(denial.message.contains("is paused"), "{}", denial.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_yes_does_not_answer_for_what_holds_an_operation_now() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let (gate, held) = (world.gate().clone(), |rule| vec![own_because(rule, "as before")]);
    let ask = |holds| {
        let (gate, operation) = (gate.clone(), world.llm(&live, "the same", 100));
        tokio::spawn(async move { gate.admit_held(operation, Value::Null, holds).await })
    };
    // Whoever asked went away, so nobody uses this yes.
    let waiting = ask(held("reeve-repeat"));
    let question = world.held().await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    world.answer(&question, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    let other = ask(held("reeve-repeat-unknown"));
    let question = world.held().await;
    assert_eq!(question.reasons[0].rule.as_str(), "reeve-repeat-unknown");
    world.answer(&question, Resolution::Refused { reason: None }).await.unwrap();
    assert_eq!(denied(other.await.unwrap()).kind, DenialKind::Refused);
    // The very question that it answered it answers still.
    let _ = admitted(ask(held("reeve-repeat")).await.unwrap()).settle(answered(200, "")).await.unwrap();
}

/// A world in which an agent uses a credential, as a human let it once.
async fn with_credential() -> (World, Arc<LiveSession>, CredentialId) {
    let world = World::with("limits.yaml", "circuit_breakers: { refusals: 2, open_for: 30s }\n").await;
    let id = CredentialId::parse("forge").unwrap();
    let place = Place { host: Host::parse("api.example.com").unwrap(), port: 443, methods: Vec::new(), path: None };
    let credential = Credential {
        id: id.clone(),
        name: "Forge".to_owned(),
        placeholder: "reeve-forge-placeholder".to_owned(),
        variables: Vec::new(),
        bindings: vec![Binding { agents: Vec::new(), place, slot: Slot::Bearer }],
        added_at: world.clock.now(),
        rotated_at: None,
        rotate_days: None,
    };
    world.engine.credentials().add(credential, Secret::from("a-secret-of-some-length".to_owned())).await.unwrap();
    let live = world.session("claude-code").await;
    let mut first = world.http(&live, "GET", "api.example.com", "/x");
    first.credential = Some(id.clone());
    let waiting = world.spawn_admit(first);
    let question = world.held().await;
    world.answer(&question, Resolution::Approved { scope: GrantScope::Session }).await.unwrap();
    admitted(waiting.await.unwrap()).settle(answered(200, "")).await.unwrap();
    (world, live, id)
}

async fn asked_with(world: &World, live: &LiveSession, id: &CredentialId, path: &str) -> (Operation, Ruling) {
    let mut operation = world.http(live, "GET", "api.example.com", path);
    operation.credential = Some(id.clone());
    (operation.clone(), world.gate().admit(operation, Value::Null).await)
}

async fn refused_with(world: &World, live: &LiveSession, id: &CredentialId, refusal: Refusal) -> Operation {
    let (operation, ruling) = asked_with(world, live, id, "/x").await;
    let outcome = Outcome { refusal: Some(refusal), ..answered(401, "") };
    admitted(ruling).settle(outcome).await.unwrap();
    operation
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_is_told_once_and_answered_here_until_a_trial_succeeds() {
    let (world, live, id) = with_credential().await;
    let first = refused_with(&world, &live, &id, Refusal::Expired).await;
    let second = refused_with(&world, &live, &id, Refusal::Expired).await;
    let told = |names: &[String]| names.iter().filter(|name| *name == "credential.refused").count();
    assert_eq!(told(&world.names(&first.id).await), 0);
    assert_eq!(told(&world.names(&second.id).await), 1);
    let (_, ruling) = asked_with(&world, &live, &id, "/y").await;
    let denial = denied(ruling);
    assert_eq!(denial.kind, DenialKind::Unavailable);
    assert_eq!(denial.reasons[0].rule.as_str(), "credential-refused");
    assert!(
        denial.message.contains("has expired") && denial.message.contains("2 times in a row since 14:03:"),
        "{}",
        denial.message
    );
    // Nothing else at the host, and nobody else's credential, is touched by it.
    let plain = world.http(&live, "GET", "api.example.com", "/z");
    admitted(world.gate().admit(plain, Value::Null).await).settle(answered(200, "")).await.unwrap();
    world.clock.advance(Duration::from_secs(31));
    let (_, trial) = asked_with(&world, &live, &id, "/y").await;
    let trial = admitted(trial);
    let (_, beside) = asked_with(&world, &live, &id, "/y").await;
    assert_eq!(denied(beside).kind, DenialKind::Unavailable);
    let id_of_trial = trial.operation().id.clone();
    trial.settle(answered(200, "")).await.unwrap();
    assert!(world.names(&id_of_trial).await.contains(&"credential.accepted".to_owned()));
    let (_, again) = asked_with(&world, &live, &id, "/y").await;
    admitted(again).settle(answered(200, "")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_told_as_a_403_and_a_missing_right_close_nothing() {
    let (world, live, id) = with_credential().await;
    for refusal in [Refusal::RateLimited, Refusal::WrongScope, Refusal::RateLimited, Refusal::WrongScope] {
        let _ = refused_with(&world, &live, &id, refusal).await;
    }
    let (_, ruling) = asked_with(&world, &live, &id, "/y").await;
    admitted(ruling).settle(answered(200, "")).await.unwrap();
    assert!(world.engine.breakers().of_credential(&id).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_try_it_at_once_and_a_new_secret_begins_anew() {
    let (world, live, id) = with_credential().await;
    for _ in 0..2 {
        let _ = refused_with(&world, &live, &id, Refusal::Revoked).await;
    }
    assert_eq!(world.engine.breakers().of_credential(&id)[0].1.refusal, Some(Refusal::Revoked));
    world.engine.breakers().try_now(&id, world.clock.now());
    let (_, trial) = asked_with(&world, &live, &id, "/y").await;
    admitted(trial).settle(Outcome { refusal: Some(Refusal::Revoked), ..answered(401, "") }).await.unwrap();
    assert_eq!(denied(asked_with(&world, &live, &id, "/y").await.1).kind, DenialKind::Unavailable);
    assert_eq!(world.engine.breakers().forget_credential(&id).len(), 1);
    admitted(asked_with(&world, &live, &id, "/y").await.1).settle(answered(200, "")).await.unwrap();
}

const SESSION: &str = "session_limits: { max_candidates: 3, max_judge_calls: 1, judge_models: [claude-haiku-*] }\n";

async fn counting() -> World {
    World::with("limits.yaml", SESSION).await
}

fn asking(
    world: &World,
    live: &LiveSession,
    model: &str,
    words: &str,
    edit: impl FnOnce(&mut (u64, Option<Stage>)),
) -> Operation {
    let mut operation = world.llm_of(live, model, words, 100);
    let Subject::Llm(call) = &mut operation.subject else { panic!() };
    let mut asked = (call.candidates, call.stage);
    edit(&mut asked);
    (call.candidates, call.stage) = asked;
    operation
}

async fn goes(world: &World, operation: Operation) -> bool {
    match world.gate().admit(operation, Value::Null).await {
        Ruling::Admitted(admission) => {
            admission.settle(answered(200, "")).await.unwrap();
            true
        }
        Ruling::Denied(denial) => {
            assert_eq!(denial.kind, DenialKind::Budget, "{}", denial.message);
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_are_counted_by_what_is_asked_for_and_no_header_lowers_that() {
    let world = counting().await;
    let live = world.session("claude-code").await;
    // An agent that goes on asking other questions has no candidates.
    for n in 0..8 {
        let plain = asking(&world, &live, "claude-sonnet-5", &format!("question {n}"), |_| {});
        assert!(goes(&world, plain).await, "{n}");
    }
    // Two at once, then the same question again under the name of another stage.
    let same = |edit: fn(&mut (u64, Option<Stage>))| asking(&world, &live, "claude-sonnet-5", "the same", edit);
    assert!(goes(&world, same(|asked| asked.0 = 2)).await);
    assert!(goes(&world, same(|asked| asked.1 = Some(Stage::Commit))).await);
    assert!(!goes(&world, same(|asked| asked.1 = Some(Stage::Commit))).await);
    // The hint only adds: a question asked once counts where the client says so.
    let named = asking(&world, &live, "claude-sonnet-5", "named", |asked| asked.1 = Some(Stage::Generation));
    assert!(!goes(&world, named).await);
    let other = world.session("claude-code").await;
    let named = asking(&world, &other, "claude-sonnet-5", "named", |asked| asked.1 = Some(Stage::Generation));
    assert!(goes(&world, named).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_judge_are_told_by_the_model_and_a_forged_stage_hides_none() {
    let world = counting().await;
    let live = world.session("claude-code").await;
    let judge = |words: &str| asking(&world, &live, "claude-haiku-4-5", words, |asked| asked.1 = Some(Stage::Commit));
    let first = judge("one");
    assert!(goes(&world, first).await);
    assert!(!goes(&world, judge("two")).await);
    let other = world.session("claude-code").await;
    let hinted = |words: &str| asking(&world, &other, "claude-sonnet-5", words, |asked| asked.1 = Some(Stage::Judge));
    assert!(goes(&world, hinted("one")).await);
    assert!(!goes(&world, hinted("two")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_came_is_no_candidate_and_callers_at_once_never_exceed_the_limit() {
    let world = counting().await;
    let live = world.session("claude-code").await;
    for _ in 0..6 {
        let call = asking(&world, &live, "claude-sonnet-5", "busy", |_| {});
        let admission = admitted(world.gate().admit(call, Value::Null).await);
        admission.settle(answered(529, "")).await.unwrap();
    }
    let calls: Vec<_> =
        (0..12).map(|_| world.spawn_admit(asking(&world, &live, "claude-sonnet-5", "at once", |_| {}))).collect();
    let mut admissions = Vec::new();
    for call in calls {
        if let Ruling::Admitted(admission) = call.await.unwrap() {
            admissions.push(admission);
        }
    }
    assert_eq!(admissions.len(), 3);
    for admission in admissions {
        admission.settle(answered(200, "")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_counts_more_strictly_for_those_who_work_there_and_for_nobody_else() {
    let world = counting().await;
    let project = tempfile::tempdir().unwrap();
    let rules = project.path().join(".reeve/policies");
    std::fs::create_dir_all(&rules).unwrap();
    let limits = "policies:\n  session_limits: { max_candidates: 1, max_judge_calls: 5 }\n";
    std::fs::write(rules.join("tools.yaml"), limits).unwrap();
    let live = world.session_in("claude-code", project.path()).await;
    let twice = asking(&world, &live, "claude-sonnet-5", "two at once", |asked| asked.0 = 2);
    assert!(!goes(&world, twice).await);
    // More than what is in force lifts nothing.
    let judge = |words: &str| asking(&world, &live, "claude-haiku-4-5", words, |_| {});
    assert!(goes(&world, judge("one")).await);
    assert!(!goes(&world, judge("two")).await);
    let other = world.session("claude-code").await;
    let twice = asking(&world, &other, "claude-sonnet-5", "two at once", |asked| asked.0 = 2);
    assert!(goes(&world, twice).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_lowers_what_a_session_that_works_there_may_cost_and_never_raises_it() {
    // The tokens that the call sends cost more than a tenth of a cent.
    for (limit, own, goes_there, goes_elsewhere) in
        [("5.00", "0.001", false, true), ("0.001", "5.00", false, false), ("5.00", "4.00", true, true)]
    {
        let world = World::with("limits.yaml", &format!("session_limits: {{ max_cost: {limit} }}\n")).await;
        let project = tempfile::tempdir().unwrap();
        let rules = project.path().join(".reeve/policies");
        std::fs::create_dir_all(&rules).unwrap();
        let limits = format!("policies:\n  session_limits: {{ max_cost: {own} }}\n");
        std::fs::write(rules.join("tools.yaml"), limits).unwrap();
        let live = world.session_in("claude-code", project.path()).await;
        let other = world.session("claude-code").await;
        assert_eq!(goes(&world, world.llm(&live, "hello", 100)).await, goes_there, "{limit} and {own}");
        assert_eq!(goes(&world, world.llm(&other, "hello", 100)).await, goes_elsewhere, "{limit} and {own}");
    }
}
