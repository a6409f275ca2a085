//! `kill -9` of the engine, a hundred times: during a hold, between reserve and settle, during a stream. Afterwards nothing
//! acknowledged is lost, nothing is charged twice, and the chain verifies.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use reeve_api::client::Client;
use reeve_api::contract::approvals::ApprovalsPage;
use reeve_api::contract::budgets::BudgetDto;
use reeve_api::contract::calls::{ApprovalsCall, AuditCall, BudgetsCall, OperationsCall};
use reeve_api::contract::operations::{
    OperationDetailDto, OperationInput, OperationRowDto, RowStateDto, SearchInput, SearchPage,
};
use reeve_api::contract::status::VerificationDto;
use reeve_demo::Provider;
use reeve_demo::script::{Fault, Mishap, Phase, Script, Step};
use reeve_testkit::agent::{Agent, Speak};

use crate::machine::{Machine, SOON};
use crate::requests::{delete, messages};

const ROUNDS: usize = 100;
const LIMITS: &str = "budgets:\n  - id: purse\n    scope: me\n    window: total\n    max_cost: 1000.00\n";

/// What was acknowledged before a kill.
#[derive(Default)]
struct Known {
    /// Operations by id, with what they cost once that is recorded.
    operations: HashMap<String, Option<i64>>,
    records: u64,
}

async fn search(client: &Client, query: &str) -> Vec<OperationRowDto> {
    let input = SearchInput { query: query.to_owned(), before: None, limit: 500 };
    let page: SearchPage = client.call(&OperationsCall::Search(input)).await.unwrap();
    assert!(page.problems.is_empty(), "{:?}", page.problems);
    page.rows
}

/// One kill: at `round % 3`, something else is under way.
async fn kill_during(round: usize, machine: &mut Machine, provider: &Provider, client: &Client, agent: Agent) {
    let text = format!("round {round}");
    match round % 3 {
        0 => {
            let url = format!("https://api.acme.example/things/{round}");
            let held =
                tokio::spawn(async move { agent.send(Speak::H1, delete(&url)).await.is_ok_and(|reply| reply.whole) });
            until(async || {
                let page: ApprovalsPage = client.call(&ApprovalsCall::List).await.unwrap();
                !page.open.is_empty()
            })
            .await;
            machine.kill();
            assert!(!held.await.unwrap(), "what was held was let through");
        }
        1 => {
            let pause = Fault::always(Mishap::Hold { phase: Phase::Headers, ms: 60_000 });
            provider.set_script(Script::of([Step::text("Late.")]).with_fault(pause));
            let before = provider.requests().len();
            let waiting =
                tokio::spawn(
                    async move { agent.send(Speak::H1, messages(false, 100, &text)).await.is_ok_and(|r| r.whole) },
                );
            until(async || provider.requests().len() > before).await;
            machine.kill();
            assert!(!waiting.await.unwrap());
        }
        _ => {
            let slow = Fault::always(Mishap::Slow { gap_ms: 50 });
            provider.set_script(Script::of([Step::text(&"word ".repeat(500))]).with_fault(slow));
            let mut response = agent.begin(Speak::H1, messages(true, 600, &text)).await.unwrap();
            response.body_mut().frame().await.unwrap().unwrap();
            machine.kill();
            while let Some(Ok(_)) = response.body_mut().frame().await {}
        }
    }
}

async fn until(mut done: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < SOON, "it never happened");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Everything known is still there, closed and charged once; adds what is new to it.
async fn check(client: &Client, known: &mut Known, round: usize) {
    let proof: VerificationDto = client.call(&AuditCall::Verify).await.unwrap();
    assert!(proof.ok, "round {round}: {:?}", proof.problem);
    assert!(proof.events >= known.records, "round {round}: {} records, {} before", proof.events, known.records);
    known.records = proof.events;
    let rows = search(client, "").await;
    assert_eq!(rows.len(), round, "one operation a round");
    for (id, cost) in &known.operations {
        let row = rows.iter().find(|row| row.id == *id).unwrap_or_else(|| panic!("round {round}: {id} is lost"));
        assert_eq!(row.cost, *cost, "round {round}: {id} was charged again");
    }
    for row in &rows {
        known.operations.insert(row.id.clone(), row.cost);
    }
    let spent: i64 = rows.iter().filter_map(|row| row.cost).sum();
    let budgets: Vec<BudgetDto> = client.call(&BudgetsCall::List).await.unwrap();
    assert_eq!((budgets[0].settled, budgets[0].reserved), (spent, 0), "round {round}");
}

/// The operation of the last round ended as its phase says.
async fn check_last(client: &Client, round: usize) {
    let row = search(client, "").await.into_iter().next().unwrap();
    let detail: OperationDetailDto =
        client.call(&OperationsCall::Get(OperationInput { operation: row.id.clone() })).await.unwrap();
    let ends = detail.events.iter().filter(|e| ["operation.settled", "operation.abandoned"].contains(&e.name.as_str()));
    if round.is_multiple_of(3) {
        assert!(matches!(row.state, RowStateDto::Expired | RowStateDto::Withdrawn), "{row:?}");
        assert_eq!((ends.count(), row.cost.unwrap_or(0)), (0, 0));
    } else {
        let cost = detail.cost.as_ref().unwrap();
        assert_eq!(ends.count(), 1, "{:?}", detail.events.iter().map(|e| &e.name).collect::<Vec<_>>());
        assert!(row.estimated && row.settled, "{row:?}");
        assert_eq!(cost.settled, Some(cost.reserved), "what nobody knows the outcome of costs its whole reservation");
        assert!(cost.reserved > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_lose_nothing_and_charge_nothing_twice() {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::lasting(provider.addr(), &provider.root_pem(), "");
    machine.world.write_config("limits.yaml", LIMITS).unwrap();
    let mut known = Known::default();
    for round in 0..ROUNDS {
        let client = machine.start().await;
        check(&client, &mut known, round).await;
        if round > 0 {
            check_last(&client, round - 1).await;
        }
        let (agent, _) = machine.agent(&client, "tester").await;
        kill_during(round, &mut machine, &provider, &client, agent).await;
    }
    let client = machine.start().await;
    check(&client, &mut known, ROUNDS).await;
    check_last(&client, ROUNDS - 1).await;
}
