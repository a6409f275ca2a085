//! Budgets: no number of callers passes a cap, and every ending is charged by its rule.

use std::time::Duration;

use proptest::prelude::*;
use reeve_domain::budget::{Account, Balance, Limit};
use reeve_domain::event::EventBody;
use reeve_domain::id::SessionId;
use reeve_domain::operation::Operation;
use reeve_domain::outcome::Outcome;
use reeve_store::Store;

use crate::samples::*;

fn call() -> Operation {
    llm(principal("claude-code", &SessionId::new()), "claude-sonnet")
}

async fn balance(store: &Store, account: &Account) -> (i64, i64) {
    let Balance { settled, reserved } = store.balances(vec![account.clone()]).await.unwrap()[0].clone();
    (settled, reserved)
}

#[tokio::test]
async fn a_reservation_is_held_then_replaced_by_what_the_call_cost() {
    let store = in_memory(&clock());
    let (day, tokens) =
        (account("day", "me:dana", noon(), money(1000)), account("t", "me:dana", noon(), Limit::Tokens(90)));
    let both = [day.clone(), tokens.clone()];
    let operation = call();
    assert!(admitted(&store.admit(spending(&operation, &both, 600, 50)).await.unwrap()));
    assert_eq!((balance(&store, &day).await, balance(&store, &tokens).await), ((0, 600), (0, 50)));
    store.settle(operation, used(20, 10), Some(settlement(250, 30))).await.unwrap();
    assert_eq!((balance(&store, &day).await, balance(&store, &tokens).await), ((250, 0), (30, 0)));
}

#[tokio::test]
async fn the_tightest_account_refuses_and_the_denial_is_recorded_in_the_same_step() {
    let store = in_memory(&clock());
    let (wide, tight) =
        (account("wide", "organisation", noon(), money(10_000)), account("tight", "me:dana", noon(), money(500)));
    let operation = call();
    let outcome = store.admit(spending(&operation, &[wide.clone(), tight], 600, 1)).await.unwrap();
    assert!(!admitted(&outcome));
    assert_eq!(balance(&store, &wide).await, (0, 0));
    let detail = store.detail(&operation.id).await.unwrap().unwrap();
    assert!(
        matches!(&detail.events[..], [e] if matches!(&e.body, EventBody::OperationDenied { denial, .. } if denial.record.is_some()))
    );
}

#[tokio::test]
async fn a_settlement_above_its_reservation_is_charged_recorded_and_refuses_the_next_call() {
    let store = in_memory(&clock());
    let day = [account("day", "me:dana", noon(), money(1000))];
    let operation = call();
    store.admit(spending(&operation, &day, 900, 10)).await.unwrap();
    store.settle(operation.clone(), used(1, 1), Some(settlement(1500, 10))).await.unwrap();
    assert_eq!(balance(&store, &day[0]).await, (1500, 0));
    let events = store.detail(&operation.id).await.unwrap().unwrap().events;
    assert!(matches!(&events[1].body, EventBody::OperationSettled { settlement: Some(s), .. } if s.overrun));
    assert_eq!(events[2].body, EventBody::BudgetOverrun { reserved: 900, settled: 1500 });
    assert!(!admitted(&store.admit(spending(&call(), &day, 1, 1)).await.unwrap()));
}

#[tokio::test]
async fn an_operation_is_settled_once() {
    let store = in_memory(&clock());
    let day = [account("day", "me:dana", noon(), money(1000))];
    let operation = call();
    store.admit(spending(&operation, &day, 900, 10)).await.unwrap();
    store.settle(operation.clone(), used(1, 1), Some(settlement(100, 2))).await.unwrap();
    assert!(store.settle(operation.clone(), used(1, 1), Some(settlement(100, 2))).await.is_err());
    assert!(store.abandon(operation, "again".to_owned(), None).await.is_err());
    assert!(store.settle(call(), Outcome::not_sent("never admitted"), None).await.is_err());
    assert_eq!(balance(&store, &day[0]).await, (100, 0));
}

#[tokio::test]
async fn what_nobody_settled_is_charged_whole() {
    let store = in_memory(&clock());
    let day = [account("day", "me:dana", noon(), money(1000))];
    let operation = call();
    store.admit(spending(&operation, &day, 400, 10)).await.unwrap();
    store.abandon(operation.clone(), "dropped".to_owned(), None).await.unwrap();
    assert_eq!(balance(&store, &day[0]).await, (400, 0));
    assert!(store.operation(&operation.id).await.unwrap().unwrap().estimated);
}

#[tokio::test]
async fn a_window_never_opens_again_when_the_clock_goes_back() {
    let clock = clock();
    let store = in_memory(&clock);
    let yesterday = account("day", "me:dana", noon() - chrono::Duration::days(1), money(1000));
    let today = account("day", "me:dana", noon(), money(1000));
    let operation = call();
    store.admit(spending(&operation, std::slice::from_ref(&today), 900, 10)).await.unwrap();
    clock.set_wall(noon() - chrono::Duration::days(1));
    assert_eq!(balance(&store, &yesterday).await, (0, 900));
    assert!(!admitted(&store.admit(spending(&call(), &[yesterday], 200, 10)).await.unwrap()));
    let events = store.events(None, 10).await.unwrap();
    assert!(matches!(events[1].body, EventBody::ClockWentBackwards { seconds: 86_400 }));
    clock.set_wall(noon() + chrono::Duration::days(1));
    let tomorrow = account("day", "me:dana", noon() + chrono::Duration::days(1), money(1000));
    assert!(admitted(&store.admit(spending(&call(), &[tomorrow], 200, 10)).await.unwrap()));
}

#[tokio::test]
async fn an_admission_that_nobody_hears_of_is_closed_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    let day = [account("day", "me:dana", noon(), money(1000))];
    let operation = call();
    {
        let admit = store.admit(spending(&operation, &day, 900, 10));
        tokio::pin!(admit);
        // Polled once, so that it is queued, and dropped.
        let _ = futures_poll(admit.as_mut()).await;
    }
    for _ in 0..6_000 {
        if store.operation(&operation.id).await.unwrap().is_some_and(|row| !row.open) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(balance(&store, &day[0]).await, (0, 0));
    let detail = store.detail(&operation.id).await.unwrap().unwrap();
    assert!(matches!(&detail.events[1].body, EventBody::OperationAbandoned { .. }));
}

async fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
    let mut future = Some(future);
    std::future::poll_fn(|context| {
        let future = future.take().unwrap();
        std::task::Poll::Ready(future.poll(context).is_ready())
    })
    .await
}

#[tokio::test]
async fn a_command_that_panics_is_rolled_back_and_the_writer_goes_on() {
    let store = in_memory(&clock());
    let operation = call();
    let broken = reeve_store::Admit { reserve: Some(Box::new(|_| panic!("a bug"))), ..plain(&operation) };
    assert_eq!(store.admit(broken).await, Err(reeve_store::StoreError::Panicked));
    assert!(admitted(&store.admit(plain(&operation)).await.unwrap()));
    assert_eq!(store.events(None, 10).await.unwrap().len(), 1);
}

/// Each caller reserves, then settles within its reservation, abandons, or leaves it open.
async fn storm(callers: Vec<(i64, u8)>, cap: i64) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    let accounts = [
        account("day", "me:dana", noon(), money(cap)),
        account("all", "organisation", noon(), money(cap + 500)),
        account("tokens", "me:dana", noon(), Limit::Tokens(100_000)),
    ];
    let mut tasks = Vec::new();
    for (amount, ending) in callers {
        let (store, accounts) = (store.clone(), accounts.clone());
        tasks.push(tokio::spawn(async move {
            let operation = call();
            if !admitted(&store.admit(spending(&operation, &accounts, amount, 7)).await.unwrap()) {
                return (0, 0);
            }
            match ending % 3 {
                0 => {
                    store.settle(operation, used(3, 4), Some(settlement(amount / 2, 7))).await.unwrap();
                    (amount / 2, 0)
                }
                1 => {
                    store.abandon(operation, "gone".to_owned(), None).await.unwrap();
                    (amount, 0)
                }
                _ => (0, amount),
            }
        }));
    }
    let mut expected = (0, 0);
    for task in tasks {
        let (settled, reserved) = task.await.unwrap();
        expected = (expected.0 + settled, expected.1 + reserved);
    }
    assert_eq!(balance(&store, &accounts[0]).await, expected);
    assert_eq!(balance(&store, &accounts[1]).await, expected);
    assert!(expected.0 + expected.1 <= cap, "{expected:?} > {cap}");
    assert!(store.verify().await.unwrap().ok);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn parallel_callers_never_exceed_a_cap(
        callers in proptest::collection::vec((0..400_i64, any::<u8>()), 1..64),
        cap in 0..3000_i64,
    ) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
            .block_on(storm(callers, cap));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_callers_at_once_spend_the_cap_to_the_last_unit_and_not_one_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    let day = [account("day", "me:dana", noon(), money(100))];
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let (store, day) = (store.clone(), day.clone());
            tokio::spawn(async move { admitted(&store.admit(spending(&call(), &day, 1, 1)).await.unwrap()) })
        })
        .collect();
    let mut passed = 0;
    for task in tasks {
        passed += i64::from(task.await.unwrap());
    }
    assert_eq!((passed, balance(&store, &day[0]).await), (100, (0, 100)));
}

#[tokio::test]
async fn what_was_charged_is_told_by_quarters_of_an_hour_and_by_agent_and_agrees_with_the_balance() {
    let clock = clock();
    let store = in_memory(&clock);
    let day = account("day", "me:dana", noon(), money(10_000));
    for (agent, minutes, amount) in
        [("claude-code", 0, 250), ("claude-code", 10, 50), ("codex", 3, 70), ("codex", 20, 30)]
    {
        let operation = llm(principal(agent, &SessionId::new()), "claude-sonnet");
        store.admit(spending(&operation, std::slice::from_ref(&day), 600, 50)).await.unwrap();
        clock.advance(Duration::from_secs(minutes * 60));
        store.settle(operation, used(1, 1), Some(settlement(amount, 2))).await.unwrap();
    }
    let half_past = noon() + Duration::from_secs(1800);
    let mut both = store.spend(vec![(day.clone(), noon()), (day.clone(), half_past)]).await.unwrap();
    assert_eq!(both.pop().unwrap().len(), 1);
    let spend = both.pop().unwrap();
    let seen: Vec<_> =
        spend.iter().map(|s| ((s.slot - noon()).num_minutes(), s.agent.as_str(), s.calls, s.amount)).collect();
    assert_eq!(seen, [(0, "claude-code", 2, 300), (0, "codex", 1, 70), (30, "codex", 1, 30)]);
    assert_eq!(spend.iter().map(|s| s.amount).sum::<i64>(), balance(&store, &day).await.0);
}
