//! Once, whatever comes at the same time, in between and after a crash.

use std::sync::atomic::AtomicUsize;

use chrono::TimeZone as _;
use proptest::prelude::*;
use reeve_domain::clock::ManualClock;
use reeve_domain::id::{AgentId, SessionId};
use reeve_domain::obligation::{OnDuplicate, OnUnknown};
use reeve_domain::operation::{McpTransport, Purpose, RowCount, SchemaCheck, ToolAnnotations};
use reeve_store::StoreOptions;
use serde_json::json;

use super::*;

fn world() -> (Idempotency, Store, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(Utc.with_ymd_and_hms(2026, 11, 20, 14, 3, 0).unwrap()));
    let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let options = StoreOptions { clock: Arc::clone(&shared), seal_key: None, mirror: None };
    let store = Store::open_in_memory(options).unwrap();
    (Idempotency::new(store.clone(), shared), store, clock)
}

fn rules() -> Idempotence {
    Idempotence {
        key_fields: Vec::new(),
        scope: IdempotenceScope::Agent,
        cache_ttl_seconds: 3600,
        on_duplicate: OnDuplicate::ReturnCached,
        strict: true,
        lease_seconds: 60,
        on_unknown: OnUnknown::Ask,
        probe: None,
        final_errors: Vec::new(),
    }
}

async fn find(slots: &Idempotency, key: &Digest) -> Found {
    slots.claim(key, &OperationId::new(), &rules(), None, &CancellationToken::new()).await.unwrap()
}

fn mine(found: Found) -> Held {
    match found {
        Found::Mine(held) => *held,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_makes_the_call_and_who_comes_later_gets_its_result() {
    let (slots, _store, clock) = world();
    let key = Digest::of(b"a");
    let held = mine(find(&slots, &key).await);
    held.sent();
    held.done(&json!({ "sent": true })).await.unwrap();
    let Found::Made(slot) = find(&slots, &key).await else { panic!() };
    assert_eq!((slot.state, slot.result.as_deref()), (SlotState::Done, Some(r#"{"sent":true}"#)));
    mine(find(&slots, &Digest::of(b"b")).await).not_made().await.unwrap();
    clock.advance(Duration::from_secs(3601));
    mine(find(&slots, &key).await).not_made().await.unwrap();
}

#[tokio::test]
async fn what_took_no_effect_is_made_by_the_next_and_what_failed_for_good_is_not() {
    let (slots, _store, _clock) = world();
    let key = Digest::of(b"a");
    mine(find(&slots, &key).await).not_made().await.unwrap();
    mine(find(&slots, &key).await).failed(&json!("no such address")).await.unwrap();
    assert!(matches!(find(&slots, &key).await, Found::Made(slot) if slot.state == SlotState::FailedFinal));
}

#[tokio::test]
async fn one_that_is_let_go_of_blocks_nobody_and_one_that_was_sent_is_unknown() {
    let (slots, _store, _clock) = world();
    let key = Digest::of(b"a");
    drop(mine(find(&slots, &key).await));
    // Waits until what was let go of is written.
    let held = mine(find(&slots, &key).await);
    held.sent();
    drop(held);
    let Found::Unknown(slot) = find(&slots, &key).await else { panic!() };
    // A human or a probe says that it did not happen: one call passes it, and no second one.
    let (none, operation) = (CancellationToken::new(), OperationId::new());
    let over = Some(&slot.operation);
    let again = slots.claim(&key, &operation, &rules(), over, &none).await.unwrap();
    mine(again).done(&json!(1)).await.unwrap();
    assert!(matches!(slots.claim(&key, &OperationId::new(), &rules(), over, &none).await.unwrap(), Found::Made(_)));
}

#[tokio::test]
async fn a_lease_that_is_over_leaves_the_end_unknown_and_the_late_end_still_counts() {
    let (slots, store, clock) = world();
    let key = Digest::of(b"a");
    let held = mine(find(&slots, &key).await);
    clock.advance(Duration::from_secs(61));
    // Nobody there knows that the call is still being made.
    let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let elsewhere = Idempotency::new(store, shared);
    assert!(matches!(find(&elsewhere, &key).await, Found::Unknown(_)));
    held.done(&json!("late")).await.unwrap();
    assert!(matches!(find(&slots, &key).await, Found::Made(slot) if slot.result.as_deref() == Some("\"late\"")));
}

#[tokio::test]
async fn a_call_that_is_still_being_made_is_not_lost_however_long_it_waits_for_people() {
    let (slots, _store, clock) = world();
    let key = Digest::of(b"a");
    let held = mine(find(&slots, &key).await);
    held.sent();
    let gone = CancellationToken::new();
    gone.cancel();
    for _ in 0..3 {
        clock.advance(Duration::from_secs(3600));
        let found = slots.look(&key).await.unwrap().unwrap();
        assert_eq!(found.state, SlotState::Reserved);
        let found = slots.claim(&key, &OperationId::new(), &rules(), None, &gone).await.unwrap();
        assert!(matches!(found, Found::Cancelled), "{found:?}");
    }
    held.done(&json!("late")).await.unwrap();
    assert!(matches!(find(&slots, &key).await, Found::Made(_)));
}

#[tokio::test]
async fn a_crash_between_the_call_and_its_record_leaves_it_unknown() {
    let (slots, store, _clock) = world();
    let key = Digest::of(b"a");
    let held = mine(find(&slots, &key).await);
    held.sent();
    std::mem::forget(held);
    store.sweep().await.unwrap();
    assert!(matches!(find(&slots, &key).await, Found::Unknown(_)));
}

#[tokio::test]
async fn who_goes_away_while_it_waits_hears_so_and_takes_nothing() {
    let (slots, _store, _clock) = world();
    let key = Digest::of(b"a");
    let held = mine(find(&slots, &key).await);
    let gone = CancellationToken::new();
    gone.cancel();
    let found = slots.claim(&key, &OperationId::new(), &rules(), None, &gone).await.unwrap();
    assert!(matches!(found, Found::Cancelled));
    held.done(&json!(1)).await.unwrap();
    assert!(matches!(find(&slots, &key).await, Found::Made(_)));
}

#[tokio::test]
async fn a_result_that_is_too_large_is_known_to_be_there_and_not_kept() {
    let (slots, _store, _clock) = world();
    let key = Digest::of(b"a");
    mine(find(&slots, &key).await).done(&json!("x".repeat(LARGEST_RESULT))).await.unwrap();
    let Found::Made(slot) = find(&slots, &key).await else { panic!() };
    assert_eq!((slot.state, slot.result), (SlotState::Done, None));
}

#[derive(Debug, Clone, Copy)]
enum Ends {
    Done,
    NotMade,
    Dropped,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn of_any_number_at_the_same_time_exactly_one_is_made_whatever_the_others_before_it_came_to(
        callers in 2..12_usize,
        ends in prop::collection::vec(prop_oneof![Just(Ends::NotMade), Just(Ends::Dropped), Just(Ends::Done)], 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async move {
            let (slots, _store, _clock) = world();
            let (made, tried) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let callers: Vec<_> = (0..callers).map(|_| {
                let (slots, made, tried, ends) = (slots.clone(), Arc::clone(&made), Arc::clone(&tried), ends.clone());
                tokio::spawn(async move {
                    match find(&slots, &Digest::of(b"a")).await {
                        Found::Mine(held) => match ends.get(tried.fetch_add(1, Ordering::SeqCst)) {
                            Some(Ends::NotMade) => held.not_made().await.unwrap(),
                            Some(Ends::Dropped) => drop(held),
                            Some(Ends::Done) | None => {
                                held.sent();
                                made.fetch_add(1, Ordering::SeqCst);
                                tokio::task::yield_now().await;
                                held.done(&json!(1)).await.unwrap();
                            }
                        },
                        Found::Made(slot) => assert_eq!(slot.state, SlotState::Done),
                        other => panic!("{other:?}"),
                    }
                })
            }).collect();
            let count = callers.len();
            for caller in callers {
                caller.await.unwrap();
            }
            let tried = tried.load(Ordering::SeqCst);
            let failures = ends.iter().position(|end| matches!(end, Ends::Done)).unwrap_or(ends.len());
            assert_eq!(made.load(Ordering::SeqCst), usize::from(failures < count), "{tried} tried");
        });
    }
}

fn call(definition: &str) -> McpToolCall {
    McpToolCall {
        server: "mail".to_owned(),
        transport: McpTransport::Stdio,
        tool: "send".to_owned(),
        annotations: ToolAnnotations::default(),
        arguments: Vec::new(),
        is_whole: true,
        argument_bytes: 0,
        schema: SchemaCheck::Unchecked,
        definition: Some(Digest::of(definition.as_bytes())),
        endpoint: None,
        purpose: Purpose::Call,
        rows: RowCount::NotCounted,
        data: Vec::new(),
    }
}

#[test]
fn the_key_says_what_makes_two_calls_the_same() {
    let principal = |agent: &str| Principal {
        agent: AgentId::parse(agent).unwrap(),
        session: SessionId::new(),
        user: "dana".to_owned(),
        team: None,
    };
    let (claude, codex) = (principal("claude"), principal("codex"));
    let of = |who: &Principal, version: &str, arguments: Value, rules: &Idempotence| {
        key(who, &call(version), &arguments, rules).unwrap()
    };
    let all = rules();
    let base = of(&claude, "1", json!({ "to": "a", "n": 1 }), &all);
    assert_eq!(base, of(&claude, "1", json!({ "n": 1, "to": "a" }), &all));
    assert_ne!(base, of(&claude, "1", json!({ "to": "b", "n": 1 }), &all));
    assert_ne!(base, of(&claude, "2", json!({ "to": "a", "n": 1 }), &all));
    assert_ne!(base, of(&codex, "1", json!({ "to": "a", "n": 1 }), &all));
    let everybody = Idempotence { scope: IdempotenceScope::All, ..rules() };
    assert_eq!(of(&claude, "1", json!({}), &everybody), of(&codex, "1", json!({}), &everybody));
    let once_a_session = Idempotence { scope: IdempotenceScope::Session, ..rules() };
    assert_ne!(of(&claude, "1", json!({}), &once_a_session), of(&principal("claude"), "1", json!({}), &once_a_session));
    let fields = Idempotence { key_fields: vec!["request_id".to_owned(), "order.lines.0".to_owned()], ..rules() };
    let named = |id: &str, text: &str| json!({ "request_id": id, "order": { "lines": [7] }, "text": text });
    assert_eq!(of(&claude, "1", named("r1", "x"), &fields), of(&claude, "1", named("r1", "y"), &fields));
    assert_ne!(of(&claude, "1", named("r1", "x"), &fields), of(&claude, "1", named("r2", "x"), &fields));
    for missing in [json!({ "request_id": null, "order": { "lines": [1] } }), json!({})] {
        assert_eq!(key(&claude, &call("1"), &missing, &fields).unwrap_err(), "request_id");
    }
}
