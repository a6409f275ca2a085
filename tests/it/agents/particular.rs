//! What is particular to one tool: how long it bears a silent hold, and logins that are not paid by the token.

use std::time::Duration;

use reeve_api::contract::approvals::{AnswerDto, ScopeDto};
use reeve_api::contract::operations::RowStateDto;
use reeve_demo::script::{Script, Step};
use reeve_tests::stage::{Setting, Stage};
use reeve_tests::tools::Tool;

use crate::journeys::{ANSWER, ASK_MODEL_CALLS, Governed, QUESTION, shown};

/// Gemini CLI gives up on an answer without a head after 60 s and asks again.
const LONGER_THAN_GEMINI_BEARS: Duration = Duration::from_secs(68);

async fn held_gemini() -> Governed {
    let script = Script::of([Step::text(ANSWER)]);
    Governed::set(Tool::Gemini, Setting { script, policy: ASK_MODEL_CALLS, ..Setting::default() }).await.unwrap()
}

#[tokio::test]
async fn gemini_cli_waits_on_a_held_stream_for_longer_than_it_bears_silence() {
    let governed = held_gemini().await;
    let human = async {
        let question = governed.stage.asked().await?;
        tokio::time::sleep(LONGER_THAN_GEMINI_BEARS).await;
        governed.stage.answer(&question, AnswerDto::Approve { scope: ScopeDto::Once }).await
    };
    let (ended, answered) = tokio::try_join!(governed.ask(), human).unwrap();
    assert!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &governed.stage));
    assert_eq!(governed.main_calls().len(), 1, "it asked again while it was waiting");
    let rows = governed.main_rows().await.unwrap();
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [RowStateDto::Approved], "{rows:?}");
    assert_eq!(answered.joined, 1, "one request waited");
    governed.the_bill_is_right().await.unwrap();
}

#[tokio::test]
async fn a_refusal_inside_an_open_stream_ends_the_call_and_its_repeat_meets_the_same_refusal() {
    let governed = held_gemini().await;
    let human = async {
        let question = governed.stage.asked().await?;
        tokio::time::sleep(LONGER_THAN_GEMINI_BEARS).await;
        let answer = AnswerDto::Refuse { reason: Some("not before lunch".to_owned()) };
        governed.stage.answer(&question, answer).await
    };
    let (ended, _) = tokio::try_join!(governed.ask(), human).unwrap();
    assert!(ended.printed().contains("not before lunch"), "{}", shown(&ended, &governed.stage));
    assert!(governed.main_calls().is_empty(), "a refused call went upstream");
    let rows = governed.main_rows().await.unwrap();
    assert!(rows.iter().all(|row| matches!(row.state, RowStateDto::Refused | RowStateDto::Denied)), "{rows:?}");
    assert!((1..=5).contains(&rows.len()), "it went on asking: {} times", rows.len());
}

#[tokio::test]
async fn claude_code_on_a_flat_rate_login_costs_nothing_and_shows_what_it_is_worth() {
    let script = Script::of([Step::text(ANSWER)]);
    let limits = "budgets:\n  - id: purse\n    scope: session\n    window: total\n    max_cost: 0.0001\n    on_exhausted: deny\n";
    let stage = Stage::set(Setting { script, limits, ..Setting::default() }).await.unwrap();
    let token = "sk-ant-oat01-a-tests-own-login";
    let command = Tool::Claude.command(&stage.world, QUESTION).unwrap();
    let ended = stage.run(&command, &[("CLAUDE_CODE_OAUTH_TOKEN", token)]).await.unwrap();
    assert!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &stage));
    let calls = stage.provider.calls(Tool::Claude.group());
    assert!(calls.iter().all(|c| c.header("authorization") == Some(&format!("Bearer {token}"))), "{calls:?}");
    let rows = stage.rows("kind:llm").await.unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.cost.unwrap_or_default() == 0), "{rows:?}");
    assert!(rows.iter().all(|row| row.worth.is_some_and(|worth| worth > 0)), "{rows:?}");
}
