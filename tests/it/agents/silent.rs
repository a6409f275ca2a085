//! A tool call that is held for longer than its caller bears silence, with the caller's limit shortened by its own setting.
//! Who counts anew with every notice of progress waits to the end; who gives up asks again, and the repeat meets the question
//! that waits. `docs/clients.md` tells which is which.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reeve_api::contract::approvals::{AnswerDto, ApprovalDto, ApprovalsPage, ScopeDto};
use reeve_api::contract::calls::ApprovalsCall;
use reeve_api::contract::operations::{OperationRowDto, RowStateDto};
use reeve_tests::stage::{Ended, Stage};
use reeve_tests::tools::Tool;

use super::journeys::{ANSWER, shown};
use super::servers::{HOLD, SAID, Wiring, ask, reached, set};

/// Reeve gives notice every 10 s: this is longer than one, so that a limit that counts anew is seen to do so.
const LIMIT: Duration = Duration::from_secs(20);
/// Longer than the limit by more than a notice.
const HELD: Duration = Duration::from_secs(36);
/// Longest wait for a repeat.
const REPEAT: Duration = Duration::from_secs(90);

/// Whether its limit counts anew with every notice of progress.
fn hears_progress(tool: Tool) -> bool {
    match tool {
        Tool::Opencode => true,
        Tool::Claude | Tool::Codex | Tool::Gemini => false,
    }
}

pub async fn held(tool: Tool) -> Result<()> {
    let again = if hears_progress(tool) { 1 } else { 2 };
    let stage = set(tool, HOLD, Wiring { limit: Some(LIMIT), calls: again }).await?;
    let limit = LIMIT.as_millis().to_string();
    let human = async {
        let question = stage.asked().await?;
        if hears_progress(tool) {
            tokio::time::sleep(HELD).await;
        } else {
            met_again(&stage, &question).await?;
        }
        stage.answer(&question, AnswerDto::Approve { scope: ScopeDto::Once }).await
    };
    let own = [("MCP_TOOL_TIMEOUT", limit.as_str())];
    let run = ask(tool, &stage, &["everything"], &own);
    let (ended, answered) = tokio::try_join!(run, human)?;
    settled(tool, &stage, &ended, &answered, again).await.with_context(|| shown(&ended, &stage))
}

/// Waits until the call that was given up came again to the same question, which stays the only one.
async fn met_again(stage: &Stage, question: &ApprovalDto) -> Result<()> {
    let begun = Instant::now();
    loop {
        let page: ApprovalsPage = stage.client().call(&ApprovalsCall::List).await?;
        ensure!(page.open.len() == 1 && page.open[0].id == question.id, "another question: {:?}", page.open);
        if page.open[0].joined > 1 {
            return Ok(());
        }
        ensure!(begun.elapsed() < REPEAT, "it did not ask again: {}", stage.engine_log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn settled(tool: Tool, stage: &Stage, ended: &Ended, answered: &ApprovalDto, calls: usize) -> Result<()> {
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "it did not come to its end");
    ensure!(reached(tool, stage, &format!("Echo: {SAID}")), "the result did not reach the model");
    ensure!(usize::try_from(answered.joined)? == calls, "{} calls waited", answered.joined);
    let page: ApprovalsPage = stage.client().call(&ApprovalsCall::List).await?;
    ensure!(page.open.is_empty() && page.resolved.len() == 1, "asked more than once: {:?}", page.resolved);
    let rows = stage.rows("kind:mcp").await?;
    let one = |row: &OperationRowDto| row.summary == "everything.echo" && row.approval.as_ref() == Some(&answered.id);
    ensure!(rows.len() == calls && rows.iter().all(one), "{rows:?}");
    // What was given up went to nobody.
    let went: Vec<&OperationRowDto> = rows.iter().filter(|row| row.took_ms.is_some()).collect();
    ensure!(went.len() == 1 && went[0].state == RowStateDto::Approved, "{rows:?}");
    stage.verify().await
}
