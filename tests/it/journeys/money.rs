//! Budgets under a real engine: lowered limits, refusals, and many callers at once.

use std::sync::Arc;

use http::StatusCode;
use reeve_api::contract::operations::RowStateDto;
use reeve_demo::script::{Group, Script, Step, Tokens};
use reeve_testkit::agent::Speak;
use reeve_tests::stage::{Setting, Stage};
use tokio::task::JoinSet;

use super::messages;

const USAGE: Tokens =
    Tokens { input: 60, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 2_000, reasoning: 0 };

async fn stage(limits: &str) -> Stage {
    let script = Script::of([Step::text("Fine.")]).with_usage(USAGE);
    Stage::set(Setting { script, limits, ..Setting::default() }).await.unwrap()
}

#[tokio::test]
async fn a_request_that_asks_for_more_than_is_left_goes_out_with_a_lower_limit() {
    // 64,000 tokens of output are $0.64.
    let stage = stage("budgets:\n  - id: purse\n    scope: session\n    window: total\n    max_cost: 0.10\n").await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let reply = agent.send(Speak::H1, messages(true, 64_000, "hi")).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let sent = stage.provider.calls(Group::Messages)[0].json()["max_tokens"].as_u64().unwrap();
    assert!((8_000..10_000).contains(&sent), "{sent} tokens cost more than $0.10 or far less");
    let row = &stage.rows("kind:llm").await.unwrap()[0];
    let cost = stage.operation(&row.id).await.unwrap().cost.unwrap();
    assert!(cost.reserved <= 100_000_000 && cost.settled == Some(20_120_000), "{cost:?}");
}

#[tokio::test]
async fn many_callers_at_once_never_spend_more_than_the_cap() {
    // A call is bound at a little over $0.02 and costs $0.02012: four of them fit, a fifth does not.
    let stage =
        stage("budgets:\n  - id: purse\n    scope: me\n    window: day\n    max_cost: 0.10\n    output_floor: 2000\n    on_exhausted: deny\n")
            .await;
    let stage = Arc::new(stage);
    let mut callers = JoinSet::new();
    for number in 0..30 {
        let stage = Arc::clone(&stage);
        callers.spawn(async move {
            let (agent, _) = stage.agent(&format!("tester-{}", number % 5)).await.unwrap();
            agent.send(Speak::H1, messages(number % 2 == 0, 2_000, &format!("caller {number}"))).await.unwrap().status
        });
    }
    let statuses = callers.join_all().await;
    let rows = stage.rows("kind:llm").await.unwrap();
    let spent: i64 = rows.iter().filter_map(|row| row.cost).sum();
    let admitted = rows.iter().filter(|row| row.state == RowStateDto::Allowed).count();
    assert!(spent <= 100_000_000, "{spent} nano-USD were spent");
    assert_eq!(stage.provider.calls(Group::Messages).len(), admitted);
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), admitted);
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::PAYMENT_REQUIRED).count(), 30 - admitted);
    assert_eq!(spent, i64::try_from(admitted).unwrap() * 20_120_000);
    assert!(admitted >= 3, "only {admitted} of the four that fit were admitted");
    stage.verify().await.unwrap();
}

#[tokio::test]
async fn a_model_without_a_price_is_refused_under_a_money_budget_and_says_the_way_out() {
    let stage = stage("budgets:\n  - id: purse\n    scope: session\n    window: total\n    max_cost: 5.00\n").await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let body = serde_json::json!({ "model": "claude-of-next-year", "max_tokens": 10,
        "messages": [{ "role": "user", "content": "hi" }] });
    let reply = agent.send(Speak::H1, super::post("https://api.anthropic.com/v1/messages", &body)).await.unwrap();
    assert_eq!(reply.status, StatusCode::PAYMENT_REQUIRED);
    assert!(reply.text().contains("claude-of-next-year") && reply.text().contains("price"), "{}", reply.text());
    assert!(stage.provider.requests().is_empty());
}
