//! Questions and answers: bound to what was shown, used once, found again by a client that repeats.

use chrono::Duration;
use reeve_domain::approval::{Approval, Resolution};
use reeve_domain::operation::Operation;
use reeve_domain::query::Decided;
use reeve_domain::verdict::{Decision, DenialKind, Risk};
use reeve_store::{Admit, ApprovalUse, Store, StoreError};

use crate::samples::*;

fn push(session: &reeve_domain::session::Session) -> Operation {
    http(principal("claude-code", &session.id), "api.github.com", "POST", "/repos/acme/api/merges")
}

async fn asked(store: &Store, operation: &Operation) -> Approval {
    let approval = question(operation, noon() + Duration::minutes(2));
    let verdict = verdict(Decision::Ask, &["ask-push"], Risk::High);
    store.ask(approval.clone(), operation.clone(), verdict).await.unwrap();
    approval
}

fn using(operation: &Operation, approval: &Approval, waited: bool) -> Admit {
    Admit { approval: Some(ApprovalUse { id: approval.id.clone(), waited }), ..plain(operation) }
}

#[tokio::test]
async fn an_approved_question_lets_its_operation_through_once() {
    let store = in_memory(&clock());
    let session = session("claude-code");
    store.open_session(session.clone(), "00".repeat(32)).await.unwrap();
    let operation = push(&session);
    let approval = asked(&store, &operation).await;
    assert!(!admitted(&store.admit(using(&operation, &approval, true)).await.unwrap()), "not answered yet");
    let operation = push(&session);
    store.resolve_approval(&approval.id, approved()).await.unwrap();
    assert!(admitted(&store.admit(using(&operation, &approval, true)).await.unwrap()));
    let repeat = push(&session);
    assert!(!admitted(&store.admit(using(&repeat, &approval, true)).await.unwrap()));
    assert!(!admitted(&store.admit(using(&push(&session), &approval, false)).await.unwrap()));
    let row = store.operation(&operation.id).await.unwrap().unwrap();
    assert_eq!(
        (row.decision, row.approver.as_deref(), row.cwd.as_deref()),
        (Decided::Approved, Some("dana"), Some("/home/dana/code/api"))
    );
}

#[tokio::test]
async fn everybody_who_joined_is_released_and_nobody_else() {
    let store = in_memory(&clock());
    let session = session("claude-code");
    let operation = push(&session);
    let approval = asked(&store, &operation).await;
    store.join_approval(&approval.id).await.unwrap();
    store.resolve_approval(&approval.id, approved()).await.unwrap();
    for expected in [true, true, false] {
        assert_eq!(admitted(&store.admit(using(&push(&session), &approval, true)).await.unwrap()), expected);
    }
}

#[tokio::test]
async fn an_answer_is_bound_to_the_fingerprint_and_the_agent() {
    let store = in_memory(&clock());
    let session = session("claude-code");
    let operation = push(&session);
    let approval = asked(&store, &operation).await;
    store.resolve_approval(&approval.id, approved()).await.unwrap();
    let other = http(principal("claude-code", &session.id), "api.github.com", "POST", "/repos/acme/api/deletes");
    assert!(!admitted(&store.admit(using(&other, &approval, false)).await.unwrap()));
    let stranger = http(principal("codex", &session.id), "api.github.com", "POST", "/repos/acme/api/merges");
    assert!(!admitted(&store.admit(using(&stranger, &approval, false)).await.unwrap()));
    assert!(admitted(&store.admit(using(&push(&session), &approval, false)).await.unwrap()));
}

#[tokio::test]
async fn the_first_answer_counts_and_closed_questions_stay_closed() {
    let store = in_memory(&clock());
    let operation = push(&session("claude-code"));
    let approval = asked(&store, &operation).await;
    store.resolve_approval(&approval.id, answer(Resolution::Refused { reason: None })).await.unwrap();
    let closed = |result: Result<_, StoreError>| matches!(result, Err(StoreError::Closed { .. }));
    assert!(closed(store.resolve_approval(&approval.id, approved()).await));
    assert!(closed(store.join_approval(&approval.id).await));
    assert!(closed(store.extend_approval(&approval.id, noon()).await));
    let row = store.operation(&operation.id).await.unwrap().unwrap();
    assert_eq!((row.decision, row.open), (Decided::Refused, false));
}

#[tokio::test]
async fn a_client_that_repeats_finds_its_unused_answer_for_a_while() {
    let store = in_memory(&clock());
    let session = session("claude-code");
    let operation = push(&session);
    let approval = asked(&store, &operation).await;
    let find = async |since| {
        let agent = agent("claude-code");
        store.unused_approval(&agent, "dana", "/home/dana/code/api", &approval.question, since).await.unwrap()
    };
    assert!(find(noon()).await.is_none());
    store.resolve_approval(&approval.id, approved()).await.unwrap();
    assert_eq!(find(noon()).await.map(|found| found.id), Some(approval.id.clone()));
    assert!(find(noon() + Duration::minutes(10)).await.is_none());
    store.admit(using(&push(&session), &approval, false)).await.unwrap();
    assert!(find(noon()).await.is_none());
    let last = store.last_answer(&agent("claude-code"), &session.id, &approval.question).await.unwrap();
    assert!(last.unwrap().used_at.is_some());
}

#[tokio::test]
async fn a_view_with_numbers_that_are_no_integers_is_recorded_as_text() {
    let store = in_memory(&clock());
    let operation = push(&session("claude-code"));
    let approval = asked(&store, &operation).await;
    assert!(store.verify().await.unwrap().ok);
    let kept = store.approval(&approval.id).await.unwrap().unwrap();
    assert_eq!(kept.view["temperature"], 0.7);
    let events = store.detail(&operation.id).await.unwrap().unwrap().events;
    assert!(serde_json::to_string(&events[0]).unwrap().contains("\"temperature\":\"0.7\""));
}

#[tokio::test]
async fn a_denial_after_a_hold_is_what_the_row_says() {
    let store = in_memory(&clock());
    let operation = push(&session("claude-code"));
    let approval = asked(&store, &operation).await;
    store.resolve_approval(&approval.id, answer(Resolution::Expired)).await.unwrap();
    let denial = denial(DenialKind::Expired, "ask-push");
    store.deny(operation.clone(), None, denial, Some(approval.id)).await.unwrap();
    let row = store.operation(&operation.id).await.unwrap().unwrap();
    assert_eq!((row.decision, row.rules), (Decided::Expired, vec!["ask-push".to_owned()]));
}
