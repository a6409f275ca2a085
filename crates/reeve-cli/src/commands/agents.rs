//! `reeve agents`: who is registered, what runs, and stopping it.

use reeve_api::contract::agents::{AddAgentInput, AgentDto, AgentInput};
use reeve_api::contract::calls::{AgentsCall, SessionsCall};
use reeve_api::contract::sessions::{SessionDto, SessionInput};

use super::{Context, ids, refuse_inside_session};
use crate::args::AgentsVerb;
use crate::{exit, output};

pub async fn agents(context: &Context, verb: Option<AgentsVerb>) -> anyhow::Result<u8> {
    if !matches!(verb, None | Some(AgentsVerb::List | AgentsVerb::Sessions | AgentsVerb::Changes)) {
        refuse_inside_session("agents")?;
    }
    let client = context.client().await?;
    match verb.unwrap_or(AgentsVerb::List) {
        AgentsVerb::List => {
            let agents: Vec<AgentDto> = client.call(&AgentsCall::List).await?;
            print_agents(context, &agents)?;
        }
        AgentsVerb::Add { agent } => {
            let added: AgentDto = client.call(&AgentsCall::Add(AddAgentInput { agent, name: None })).await?;
            print_agents(context, &[added])?;
        }
        AgentsVerb::Remove { agent } => {
            let removed: AgentDto = client.call(&AgentsCall::Remove(AgentInput { agent })).await?;
            context.say(&format!("removed {}; its records stay", removed.id));
        }
        AgentsVerb::Stop { agent_or_session } if agent_or_session.starts_with("ses_") => {
            let input = SessionInput { session: ids::session(&client, agent_or_session).await? };
            let stopped: SessionDto = client.call(&SessionsCall::Stop(input)).await?;
            context.say(&format!("stopped session {}", stopped.id));
        }
        AgentsVerb::Stop { agent_or_session } => {
            let input = AgentInput { agent: agent_or_session };
            let stopped: AgentDto = client.call(&AgentsCall::Stop(input)).await?;
            context.say(&format!("stopped every session of {}", stopped.id));
        }
        AgentsVerb::Pause { agent } => {
            let paused: AgentDto = client.call(&AgentsCall::Pause(AgentInput { agent })).await?;
            print_agents(context, &[paused])?;
        }
        AgentsVerb::Resume { agent } => {
            let resumed: AgentDto = client.call(&AgentsCall::Resume(AgentInput { agent })).await?;
            print_agents(context, &[resumed])?;
        }
        AgentsVerb::Changes => super::changes::print(context, &client.call(&AgentsCall::Changes).await?)?,
        AgentsVerb::Sessions => {
            let sessions: Vec<SessionDto> = client.call(&SessionsCall::List).await?;
            print_sessions(context, &sessions)?;
        }
    }
    Ok(exit::DONE)
}

fn print_agents(context: &Context, agents: &[AgentDto]) -> anyhow::Result<()> {
    if context.json {
        return output::json(&agents);
    }
    if agents.is_empty() {
        context.say("no agent has run yet: `reeve run -- claude` starts one governed");
        return Ok(());
    }
    let row = |a: &AgentDto| {
        let running = if a.paused_at.is_some() { "paused".to_owned() } else { a.running.to_string() };
        vec![a.id.clone(), output::visible(&a.name), running, output::money(a.cost_today)]
    };
    output::table(&["AGENT", "NAME", "RUNNING", "TODAY"], &agents.iter().map(row).collect::<Vec<_>>())
}

fn print_sessions(context: &Context, sessions: &[SessionDto]) -> anyhow::Result<()> {
    if context.json {
        return output::json(&sessions);
    }
    if sessions.is_empty() {
        context.say("no session was opened yet: `reeve run -- claude` opens one");
        return Ok(());
    }
    let row = |s: &SessionDto| {
        let ended = s.ended_at.map_or_else(|| "running".to_owned(), output::time);
        vec![s.id.clone(), s.agent.clone(), output::time(s.opened_at), ended, output::visible(&s.cwd)]
    };
    let rows: Vec<_> = sessions.iter().map(row).collect();
    output::table(&["SESSION", "AGENT", "OPENED", "ENDED", "FOLDER"], &rows)
}
