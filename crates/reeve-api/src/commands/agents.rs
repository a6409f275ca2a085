//! Agents: registered, forgotten, paused, stopped.

use std::collections::HashMap;

use reeve_domain::id::AgentId;
use reeve_domain::session::SessionEnd;
use serde_json::Value;

use super::{answer, invalid, not_found};
use crate::contract::ApiError;
use crate::contract::agents::AgentDto;
use crate::contract::calls::AgentsCall;
use crate::host::Host;

pub(crate) async fn run(host: &Host, call: AgentsCall) -> Result<Value, ApiError> {
    match call {
        AgentsCall::List => {
            let costs = costs_today(host).await?;
            let agents: Vec<AgentDto> = host
                .engine
                .agents()
                .list()
                .iter()
                .map(|a| AgentDto::of(a, running(host, &a.id), cost(&costs, &a.id)))
                .collect();
            answer(&agents)
        }
        AgentsCall::Add(input) => {
            let id = AgentId::parse(&input.agent).map_err(invalid)?;
            let tool = reeve_sandbox::catalog::find_key(id.as_str());
            let name = input.name.unwrap_or_else(|| tool.map_or_else(|| id.to_string(), |t| t.name.to_owned()));
            host.engine.agents().ensure(&id, &name, tool.map(|t| t.key)).await?;
            one(host, &id).await
        }
        AgentsCall::Remove(input) => {
            let id = AgentId::parse(&input.agent).map_err(invalid)?;
            let before = one(host, &id).await?;
            stop(host, &id).await?;
            host.engine.agents().remove(&id).await?;
            Ok(before)
        }
        AgentsCall::Stop(input) => {
            let id = AgentId::parse(&input.agent).map_err(invalid)?;
            one(host, &id).await?;
            stop(host, &id).await?;
            one(host, &id).await
        }
        AgentsCall::Pause(input) => {
            let id = AgentId::parse(&input.agent).map_err(invalid)?;
            host.engine.agents().pause(&id).await?;
            one(host, &id).await
        }
        AgentsCall::Changes => answer(&super::changes::changes(host)),
        AgentsCall::Resume(input) => {
            let id = AgentId::parse(&input.agent).map_err(invalid)?;
            host.engine.agents().resume(&id).await?;
            one(host, &id).await
        }
    }
}

async fn one(host: &Host, id: &AgentId) -> Result<Value, ApiError> {
    let found = host.engine.agents().find(id).ok_or_else(|| not_found("agent", id.as_str()))?;
    answer(&AgentDto::of(&found, running(host, id), cost(&costs_today(host).await?, id)))
}

async fn stop(host: &Host, id: &AgentId) -> Result<(), ApiError> {
    for live in host.engine.sessions().all() {
        if live.session.agent == *id {
            host.end_session(live.id(), SessionEnd::Stopped).await?;
        }
    }
    Ok(())
}

fn running(host: &Host, id: &AgentId) -> u32 {
    let theirs = host.engine.sessions().all().iter().filter(|s| s.session.agent == *id).count();
    u32::try_from(theirs).unwrap_or(u32::MAX)
}

async fn costs_today(host: &Host) -> Result<HashMap<AgentId, i64>, ApiError> {
    let since = reeve_engine::budgets::window_start(reeve_domain::budget::Window::Day, host.engine.now());
    Ok(host.engine.store().cost_by_agent(since).await?.into_iter().collect())
}

fn cost(costs: &HashMap<AgentId, i64>, id: &AgentId) -> i64 {
    costs.get(id).copied().unwrap_or(0)
}

/// What people call an agent; its id when it was never registered.
pub(crate) fn name_of(host: &Host, id: &AgentId) -> String {
    host.engine.agents().find(id).map_or_else(|| id.to_string(), |a| a.name)
}
