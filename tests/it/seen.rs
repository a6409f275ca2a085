//! What a person sees of tool calls: that a server waits for a review, what of an agent is governed, how calls ended, and what
//! happened beside them.

use std::time::Instant;

use reeve_api::contract::agents::AgentDto;
use reeve_api::contract::calls::{AgentsCall, OperationsCall, ServersCall};
use reeve_api::contract::operations::{SearchInput, SearchPage};
use reeve_api::contract::servers::{EndsDto, ServerDetailDto, ServerInput, StatsInput, ToolStatsDto};
use reeve_tests::stage::Stage;
use serde_json::json;

use crate::machine::SOON;
use crate::mcp::{Wrapped, stage};

async fn stats(stage: &Stage, query: &str) -> ToolStatsDto {
    stage.client().call(&ServersCall::Stats(StatsInput { query: query.to_owned() })).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapper_says_what_waits_for_a_review_and_its_agent_is_known_for_what_is_governed() {
    let stage = stage().await;
    let mut wrapped = Wrapped::start(&stage.world, &[], Some("editor"));
    wrapped.begin(&stage).await;
    let begun = Instant::now();
    while !wrapped.said().contains("tools of `fake` wait for your review") {
        assert!(begun.elapsed() < SOON, "it says: {}", wrapped.said());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(wrapped.said().contains("`reeve mcp approve fake`"), "{}", wrapped.said());
    let agents: Vec<AgentDto> = stage.client().call(&AgentsCall::List).await.unwrap();
    let editor = agents.iter().find(|one| one.id == "editor").unwrap();
    let seen: Vec<_> = editor.coverage.iter().map(|one| (one.kind.as_str(), one.sight.as_str())).collect();
    assert_eq!(seen, [("llm", "none"), ("http", "none"), ("mcp", "partial"), ("shell", "none")]);
    assert!(editor.coverage[0].note.as_deref().unwrap().contains("reeve run"), "{:?}", editor.coverage);

    let input = SearchInput { query: "kind:event".to_owned(), before: None, limit: 50 };
    let page: SearchPage = stage.client().call(&OperationsCall::Search(input)).await.unwrap();
    let told: Vec<&str> = page.notices.iter().map(|one| one.event.as_str()).collect();
    for event in ["server.seen", "tools.changed", "server.approved"] {
        assert!(told.contains(&event), "{told:?}");
    }
    assert!(page.rows.is_empty() && page.notices.windows(2).all(|pair| pair[0].record > pair[1].record));
}

#[tokio::test(flavor = "multi_thread")]
async fn reeve_run_says_which_servers_wait_for_a_review_and_says_nothing_of_them_afterwards() {
    let stage = stage().await;
    let mut wrapped = Wrapped::start(&stage.world, &[], Some("editor"));
    wrapped.list();
    let run = || stage.reeve(&["run", "--agent", "tester", "--", "true"]);
    let said = run().await.unwrap();
    let line = "reeve: tools of `fake` wait for your review and are not offered: `reeve mcp approve fake`";
    assert!(said.code == Some(0) && said.stderr.lines().any(|one| one == line), "{}", said.printed());
    assert!(said.stdout.is_empty(), "what the command says stays its own: {}", said.printed());
    stage.approve_server("fake").await.unwrap();
    let said = run().await.unwrap();
    assert!(said.code == Some(0) && !said.stderr.contains("review"), "{}", said.printed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_and_the_command_count_the_same_ends_of_the_same_calls() {
    let stage = stage().await;
    let mut wrapped = Wrapped::start(&stage.world, &[], Some("editor"));
    wrapped.begin(&stage).await;
    for id in 1..=3 {
        wrapped.call(id, "echo", &json!({ "say": format!("hello {id}") }));
        wrapped.answer(id);
    }
    wrapped.call(4, "drop", &json!({}));
    wrapped.answer(4);
    let all = stats(&stage, "server:fake").await;
    let echo = all.stats.iter().find(|one| one.tool == "echo").unwrap();
    assert_eq!((echo.agent.as_str(), echo.server.as_str(), echo.ends.ok), ("editor", "fake", 3));
    assert!(echo.definition.is_some(), "counted by the version of its definition");
    let rate = echo.rate.unwrap();
    assert_eq!((rate.good, rate.of), (3, 3));
    assert!(rate.low > 400 && rate.low < 1_000 && rate.high == 1_000, "{rate:?}");
    let input = ServerInput { server: "fake".to_owned() };
    let shown: ServerDetailDto = stage.client().call(&ServersCall::Get(input)).await.unwrap();
    assert_eq!(shown.server.health, all.total);
    for tool in &shown.tools {
        let mut sum = EndsDto::default();
        all.stats.iter().filter(|one| one.tool == tool.name).for_each(|one| sum.add(one.ends));
        assert_eq!(tool.health.ends, sum, "{}", tool.name);
        assert_eq!(tool.health.rate, sum.rate(), "{}", tool.name);
    }
    assert_eq!(stats(&stage, "server:fake end:refused").await.total.ends, EndsDto { refused: 1, ..EndsDto::default() });
}
