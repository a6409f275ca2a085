//! Long holds: the head of an answer is withheld for as long as the tool bears it, then the stream is kept alive with events
//! that say nothing, until somebody decides.

use std::time::Duration;

use anyhow::{Result, ensure};
use reeve_api::contract::approvals::{AnswerDto, ScopeDto};
use reeve_api::contract::operations::RowStateDto;
use reeve_demo::script::{Script, Step};
use reeve_tests::stage::{Ended, Setting};
use reeve_tests::tools::Tool;

use crate::journeys::{ANSWER, ASK_MODEL_CALLS, Governed, shown};

/// Longer than the head is withheld in these tests, so that what follows is inside an open stream.
const BEYOND: Duration = Duration::from_secs(6);
/// Gemini CLI gives up on an answer without a head after 60 s and asks again.
const LONGER_THAN_GEMINI_BEARS: Duration = Duration::from_secs(68);
/// The head is withheld from Claude Code and opencode for 240 s; both give up after 300 s without one, Claude Code after
/// 180 s of silence behind one.
const LONGER_THAN_A_HEAD_IS_WITHHELD: Duration = Duration::from_secs(258);

/// One held call, answered after some time.
struct Held {
    governed: Governed,
    ended: Ended,
    /// Requests that waited for the answer at the same time.
    joined: u32,
}

impl Held {
    async fn of(tool: Tool, config: &str, wait: Duration, answer: AnswerDto) -> Result<Self> {
        let script = Script::of([Step::text(ANSWER)]);
        let longest = Some(wait + Duration::from_secs(120));
        let setting = Setting { script, policy: ASK_MODEL_CALLS, config, longest, ..Setting::default() };
        let governed = Governed::set(tool, setting).await?;
        let human = async {
            let question = governed.stage.asked().await?;
            tokio::time::sleep(wait).await;
            governed.stage.answer(&question, answer).await
        };
        let (ended, answered) = tokio::try_join!(governed.ask(), human)?;
        Ok(Self { governed, ended, joined: answered.joined })
    }

    /// The first request waited to the end, and was the only one.
    async fn went_on(&self) -> Result<()> {
        let (ended, stage) = (&self.ended, &self.governed.stage);
        ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(ended, stage));
        let calls = self.governed.main_calls().len();
        ensure!(calls == 1 && self.joined == 1, "{calls} calls, {} waited: it asked again", self.joined);
        let rows = self.governed.main_rows().await?;
        let [row] = rows.as_slice() else { anyhow::bail!("{rows:?}") };
        ensure!(row.state == RowStateDto::Approved && row.status == Some(200), "{row:?}");
        self.governed.only_the_real_key_arrived()?;
        self.governed.the_bill_is_right().await?;
        stage.verify().await
    }
}

fn once() -> AnswerDto {
    AnswerDto::Approve { scope: ScopeDto::Once }
}

fn withheld_for_two_seconds(tool: Tool) -> String {
    format!("[agents.{}]\nwithhold_seconds = 2\n", tool.agent())
}

pub async fn kept_alive(tool: Tool) -> Result<()> {
    Held::of(tool, &withheld_for_two_seconds(tool), BEYOND, once()).await?.went_on().await
}

pub async fn refused_inside(tool: Tool) -> Result<()> {
    let refusal = AnswerDto::Refuse { reason: Some("not before lunch".to_owned()) };
    let held = Held::of(tool, &withheld_for_two_seconds(tool), BEYOND, refusal).await?;
    let stage = &held.governed.stage;
    ensure!(held.ended.printed().contains("not before lunch"), "{}", shown(&held.ended, stage));
    ensure!(held.governed.main_calls().is_empty(), "a refused call went upstream");
    let rows = held.governed.main_rows().await?;
    let turned_away = |state| matches!(state, RowStateDto::Refused | RowStateDto::Denied);
    ensure!(rows.iter().all(|row| turned_away(row.state) && row.cost.unwrap_or_default() == 0), "{rows:?}");
    ensure!((1..=5).contains(&rows.len()), "it went on asking: {} times", rows.len());
    stage.verify().await
}

#[tokio::test]
async fn gemini_cli_waits_on_a_held_stream_for_longer_than_it_bears_silence() {
    let held = Held::of(Tool::Gemini, "", LONGER_THAN_GEMINI_BEARS, once()).await.unwrap();
    held.went_on().await.unwrap();
}

/// Both in one test: they sleep nearly all the time.
#[tokio::test]
async fn claude_code_and_opencode_wait_on_a_held_stream_for_longer_than_its_head_is_withheld() {
    let config = "[hold]\nllm_seconds = 400\n";
    let hold = |tool| Held::of(tool, config, LONGER_THAN_A_HEAD_IS_WITHHELD, once());
    let (claude, opencode) = tokio::try_join!(hold(Tool::Claude), hold(Tool::Opencode)).unwrap();
    claude.went_on().await.unwrap();
    opencode.went_on().await.unwrap();
}
