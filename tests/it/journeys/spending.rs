//! Budgets as the console shows them: limits with accounts and forecasts, one in detail, and which cap decides.

use http::StatusCode;
use reeve_api::contract::budgets::{BudgetAccountInput, BudgetDto, PricesInput, SetBudgetInput, UnitDto, WindowDto};
use reeve_api::contract::calls::{BudgetsCall, SessionsCall};
use reeve_api::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use reeve_api::contract::spending::{BudgetDetailDto, BudgetLineDto, PricesDto};
use reeve_demo::script::{Script, Step, Tokens};
use reeve_testkit::agent::Speak;
use reeve_tests::stage::{Setting, Stage};

use super::messages;

/// $0.02012 a call.
const USAGE: Tokens =
    Tokens { input: 60, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 2_000, reasoning: 0 };
const COST: i64 = 20_120_000;
const LIMITS: &str = "budgets:\n  - id: mine\n    scope: me\n    window: month\n    max_cost: 5.00\n  - id: each\n    scope: agent\n    window: day\n    max_cost: 0.80\n  - id: run\n    scope: session\n    window: total\n    max_cost: 2.00\n";

async fn stage() -> Stage {
    let script = Script::of([Step::text("Fine.")]).with_usage(USAGE);
    Stage::set(Setting { script, limits: LIMITS, ..Setting::default() }).await.unwrap()
}

/// A call is settled after its answer was read: waits until so much is charged and nothing is held.
async fn settled(stage: &Stage, amount: i64) -> Vec<BudgetLineDto> {
    loop {
        let lines: Vec<BudgetLineDto> = stage.client().call(&BudgetsCall::Lines).await.unwrap();
        let mine = &lines[0].accounts[0];
        if mine.settled == amount && mine.reserved == 0 {
            return lines;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn each_limit_stands_with_its_accounts_and_the_tightest_comes_first() {
    let stage = stage().await;
    let (one, _) = stage.agent("tester-1").await.unwrap();
    let (_two, _) = stage.agent("tester-2").await.unwrap();
    for _ in 0..3 {
        let reply = one.send(Speak::H1, messages(false, 2_000, "hi")).await.unwrap();
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    }
    let lines = settled(&stage, 3 * COST).await;
    let names: Vec<_> = lines.iter().map(|line| (line.id.as_str(), line.accounts.len(), line.editable)).collect();
    assert_eq!(names, [("mine", 1, false), ("each", 2, false), ("run", 2, false)]);
    for line in &lines {
        let first = &line.accounts[0];
        assert_eq!(first.settled, 3 * COST, "{line:?}");
        assert!(first.forecast.is_none(), "three calls foretell nothing");
        for account in &line.accounts {
            assert_eq!(account.settled + account.reserved + account.free, i64::try_from(line.limit).unwrap());
        }
    }
    assert_eq!(lines[1].accounts[0].agent.as_deref(), Some("tester-1"));
    assert!(lines[1].accounts[0].window_end.unwrap() > lines[1].accounts[0].window_start);
    assert!(lines[2].accounts[0].session.is_some() && lines[2].accounts[0].window_end.is_none());
}

#[tokio::test]
async fn a_limit_in_detail_adds_up_and_names_the_cap_that_decides_the_next_call() {
    let stage = stage().await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    for _ in 0..22 {
        agent.send(Speak::H1, messages(false, 2_000, "hi")).await.unwrap();
    }
    settled(&stage, 22 * COST).await;
    let get = BudgetsCall::Get(BudgetAccountInput { budget: "mine".to_owned(), account: None });
    let detail: BudgetDetailDto = stage.client().call(&get).await.unwrap();
    assert!(detail.points.windows(2).all(|two| two[0].at < two[1].at && two[0].settled <= two[1].settled));
    assert_eq!(detail.points.last().unwrap().settled, 22 * COST);
    assert_eq!(detail.agents.len(), 1);
    assert_eq!((detail.agents[0].calls, detail.agents[0].amount), (22, 22 * COST));
    let forecast = detail.line.accounts[0].forecast.as_ref().unwrap();
    assert!(forecast.calls == 22 && forecast.expected >= Some(22 * COST), "{forecast:?}");
    let next = detail.next.unwrap();
    assert_eq!((next.agent.as_str(), next.model.as_str()), ("tester", "claude-sonnet-5"));
    let order: Vec<_> = next.limits.iter().map(|limit| (limit.budget.as_str(), limit.decides)).collect();
    assert_eq!(order, [("each", true), ("run", false), ("mine", false)]);
    assert_eq!(next.limits[0].free, 800_000_000 - 22 * COST);
    let session =
        BudgetsCall::Get(BudgetAccountInput { budget: "run".to_owned(), account: Some("session:no".to_owned()) });
    assert!(stage.client().call::<BudgetDetailDto>(&session).await.is_err());
}

#[tokio::test]
async fn a_lower_limit_of_a_project_is_what_the_sessions_that_work_there_have_left() {
    let stage = stage().await;
    let rules = stage.world.work().join(".reeve/policies");
    std::fs::create_dir_all(&rules).unwrap();
    std::fs::write(rules.join("tools.yaml"), "policies:\n  session_limits: { max_cost: 0.50 }\n").unwrap();
    let (agent, _) = stage.agent("tester").await.unwrap();
    let reply = agent.send(Speak::H1, messages(false, 2_000, "hi")).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let lines = settled(&stage, COST).await;
    let line = lines.iter().find(|line| line.file.ends_with("tools.yaml")).unwrap();
    assert_eq!((line.limit, line.accounts[0].free), (500_000_000, 500_000_000 - COST));
    let get = BudgetsCall::Get(BudgetAccountInput { budget: line.id.clone(), account: None });
    let detail: BudgetDetailDto = stage.client().call(&get).await.unwrap();
    let next = detail.next.unwrap();
    let decides = next.limits.iter().find(|limit| limit.decides).unwrap();
    assert_eq!((decides.budget.as_str(), decides.free), (line.id.as_str(), 500_000_000 - COST));
    let listed: Vec<BudgetDto> = stage.client().call(&BudgetsCall::List).await.unwrap();
    assert!(listed.iter().any(|one| one.id == line.id && one.limit == 500_000_000), "{listed:?}");
}

#[tokio::test]
async fn a_limit_of_the_person_and_a_lower_one_of_the_project_are_one_line_with_two_limits() {
    let script = Script::of([Step::text("Fine.")]).with_usage(USAGE);
    let limits = "session_limits: { max_cost: 5.00 }\n";
    let stage = Stage::set(Setting { script, limits, ..Setting::default() }).await.unwrap();
    let (_free, _) = stage.agent("tester-1").await.unwrap();
    let project = stage.world.work().join("app");
    std::fs::create_dir_all(project.join(".reeve/policies")).unwrap();
    let own = "policies:\n  session_limits: { max_cost: 1.00 }\n";
    std::fs::write(project.join(".reeve/policies/tools.yaml"), own).unwrap();
    let input = OpenSessionInput {
        agent: Some("tester-2".to_owned()),
        cwd: project.display().to_string(),
        command: Vec::new(),
        mode: None,
        hours: Some(1),
    };
    let _: OpenedSessionDto = stage.client().call(&SessionsCall::Open(input)).await.unwrap();
    let lines: Vec<BudgetLineDto> = stage.client().call(&BudgetsCall::Lines).await.unwrap();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let accounts: Vec<_> =
        line.accounts.iter().map(|one| (one.agent.as_deref().unwrap_or_default(), one.limit, one.free)).collect();
    assert_eq!(line.limit, 5_000_000_000);
    assert_eq!(accounts, [("tester-2", Some(1_000_000_000), 1_000_000_000), ("tester-1", None, 5_000_000_000)]);
}

#[tokio::test]
async fn a_limit_set_here_may_be_changed_here_and_prices_are_found_by_name() {
    let stage = stage().await;
    let set = |amount| {
        BudgetsCall::Set(SetBudgetInput {
            id: "set-here".to_owned(),
            scope: "agent:tester".to_owned(),
            window: WindowDto::Week,
            unit: UnitDto::Tokens,
            amount,
            model: Some("claude-*".to_owned()),
            on_exhausted: None,
            proof: None,
        })
    };
    for amount in [1_000, 2_000] {
        let _: serde_json::Value = stage.client().call(&set(amount)).await.unwrap();
    }
    let lines: Vec<BudgetLineDto> = stage.client().call(&BudgetsCall::Lines).await.unwrap();
    let line = lines.iter().find(|line| line.id == "set-here").unwrap();
    assert!(line.editable && line.limit == 2_000 && line.unit == UnitDto::Tokens, "{line:?}");
    let find = BudgetsCall::Prices(PricesInput { find: "Claude-Sonnet-5".to_owned() });
    let prices: PricesDto = stage.client().call(&find).await.unwrap();
    assert!(prices.models > 1_000 && prices.matches > 0 && prices.file.is_none());
    assert!(prices.rows.iter().any(|row| row.provider == "anthropic" && row.output.is_some()), "{prices:?}");
}
