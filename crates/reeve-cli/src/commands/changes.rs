//! `reeve agents changes` and `reeve restore`: what Reeve has put on this machine, and taking back what governs.

use reeve_api::contract::agents::{AgentDto, AgentInput};
use reeve_api::contract::calls::AgentsCall;
use reeve_api::contract::changes::{ChangeKindDto, ChangesDto};

use super::{Context, refuse_inside_session};
use crate::{exit, output};

pub fn print(context: &Context, found: &ChangesDto) -> anyhow::Result<()> {
    if context.json {
        return output::json(found);
    }
    let rows: Vec<Vec<String>> = found
        .changes
        .iter()
        .map(|change| {
            let what = match change.kind {
                ChangeKindDto::Folder => "folder of this profile",
                ChangeKindDto::Environment => "variables of one session's processes",
                ChangeKindDto::TrustBundle => "trust file of one session",
                ChangeKindDto::Secret => "secret",
            };
            let agent = change.agent.clone().unwrap_or_else(|| "-".to_owned());
            let undo = change.undo.clone().unwrap_or_else(|| "remove it when Reeve is gone".to_owned());
            vec![what.to_owned(), agent, undo, output::visible(&change.place)]
        })
        .collect();
    let mut lines = output::columns(&["WHAT", "AGENT", "UNDONE BY", "WHERE"], &rows);
    lines.push(String::new());
    for tool in &found.settings {
        let file = output::visible(&tool.file);
        lines.push(if tool.mentions_reeve {
            format!("▲ {}: something of Reeve stands in {file}, and Reeve did not write it there", tool.name)
        } else {
            format!("● {}: nothing of Reeve in {file}", tool.name)
        });
    }
    output::page(&lines)?;
    context.say("Reeve writes no settings of other tools: what governs an agent is the environment it is started with");
    Ok(())
}

/// Ends every session and removes what lies around of ended ones. Settings of tools need no restoring: none was written.
pub async fn restore(context: &Context, all: bool) -> anyhow::Result<u8> {
    refuse_inside_session("restore")?;
    let client = context.client().await;
    if !all {
        let found: ChangesDto = client?.call(&AgentsCall::Changes).await?;
        print(context, &found)?;
        context.say("`reeve restore --all` ends every session and removes their trust files; records and secrets stay");
        return Ok(exit::DONE);
    }
    match client {
        Ok(client) => {
            let agents: Vec<AgentDto> = client.call(&AgentsCall::List).await?;
            for agent in agents.into_iter().filter(|agent| agent.running > 0) {
                context.say(&format!("reeve: ending every session of {}", agent.id));
                let _: AgentDto = client.call(&AgentsCall::Stop(AgentInput { agent: agent.id })).await?;
            }
        }
        // This has to work when nothing else does: without an engine no session runs.
        Err(error) => context.say(&format!("reeve: {error:#}; what it left behind is removed all the same")),
    }
    super::doctor::mend(context).await?;
    Ok(exit::DONE)
}
