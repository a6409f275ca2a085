//! Agents: registered, forgotten, paused, stopped.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use chrono::{DateTime, Duration, Local, NaiveDate, TimeZone as _, Utc};
use reeve_domain::agent::Agent;
use reeve_domain::budget::Window;
use reeve_domain::id::AgentId;
use reeve_domain::session::SessionEnd;
use reeve_engine::budgets::window_start;
use reeve_sandbox::terminal::Terminal;
use serde_json::Value;

use super::{answer, invalid, not_found};
use crate::contract::agents::{
    AgentDetailDto, AgentDto, AgentRuleDto, Counted, DayCostDto, StartAgentInput, StartedDto, ToolDto,
};
use crate::contract::calls::AgentsCall;
use crate::contract::{ApiCode, ApiError};
use crate::host::Host;

/// Sessions that are looked at for the counts of a day.
const COUNTED_SESSIONS: usize = 500;
/// Days in the chart of an agent's costs.
const DAYS: i64 = 14;

pub(crate) async fn run(host: &Host, call: AgentsCall) -> Result<Value, ApiError> {
    match call {
        AgentsCall::List => {
            let counted = count(host).await?;
            let dto = |a: &Agent| AgentDto::of(a, counted.get(&a.id).copied().unwrap_or_default());
            answer(&host.engine.agents().list().iter().map(dto).collect::<Vec<_>>())
        }
        AgentsCall::Get(input) => {
            let id = AgentId::parse(&input.agent).map_err(invalid)?;
            answer(&detail(host, &id).await?)
        }
        AgentsCall::Tools => answer(&tools(host)),
        AgentsCall::Start(input) => answer(&start(host, &input)?),
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
            host.engine.agents().pause(&id, &super::approvals::whoami()).await?;
            one(host, &id).await
        }
        AgentsCall::Changes => answer(&super::changes::changes(host)),
        AgentsCall::Resume(input) => {
            let id = AgentId::parse(&input.agent).map_err(invalid)?;
            host.engine.agents().resume(&id, &super::approvals::whoami()).await?;
            one(host, &id).await
        }
    }
}

async fn one(host: &Host, id: &AgentId) -> Result<Value, ApiError> {
    answer(&dto(host, id).await?)
}

async fn dto(host: &Host, id: &AgentId) -> Result<AgentDto, ApiError> {
    let found = host.engine.agents().find(id).ok_or_else(|| not_found("agent", id.as_str()))?;
    Ok(AgentDto::of(&found, count(host).await?.get(id).copied().unwrap_or_default()))
}

async fn detail(host: &Host, id: &AgentId) -> Result<AgentDetailDto, ApiError> {
    let agent = dto(host, id).await?;
    let team = host.engine.settings().team_of(id);
    let rules = host.engine.policies().in_force().set.rules_for(id, team.as_ref());
    let rules = rules.into_iter().map(|(rule, named)| AgentRuleDto {
        id: rule.id.to_string(),
        reason: rule.reason,
        kind: rule.kind.into(),
        layer: rule.layer.into(),
        named,
    });
    Ok(AgentDetailDto {
        days: days(host, id).await?,
        rules: rules.collect(),
        found: tools(host).into_iter().find(|tool| Some(&tool.key) == agent.tool.as_ref()),
        agent,
    })
}

/// What each of the last local days cost.
async fn days(host: &Host, id: &AgentId) -> Result<Vec<DayCostDto>, ApiError> {
    let today = host.engine.now().with_timezone(&Local).date_naive();
    let first = today.checked_sub_signed(Duration::days(DAYS - 1)).unwrap_or(today);
    let since = midnight(first, host);
    let mut sums: BTreeMap<NaiveDate, i64> =
        first.iter_days().take_while(|day| *day <= today).map(|d| (d, 0)).collect();
    for (agent, hour, cost) in host.engine.store().cost_by_hour(since).await? {
        let day = (since + Duration::hours(hour)).with_timezone(&Local).date_naive();
        if agent == *id
            && let Some(sum) = sums.get_mut(&day)
        {
            *sum = sum.saturating_add(cost);
        }
    }
    Ok(sums.into_iter().map(|(day, cost)| DayCostDto { day: day.to_string(), cost }).collect())
}

/// The first instant of a local day.
fn midnight(day: NaiveDate, host: &Host) -> DateTime<Utc> {
    let noon = day.and_hms_opt(12, 0, 0).and_then(|noon| Local.from_local_datetime(&noon).earliest());
    noon.map_or_else(|| host.engine.now(), |noon| window_start(Window::Day, noon.with_timezone(&Utc)))
}

/// Known tools in the folders of this process's `PATH`.
fn tools(host: &Host) -> Vec<ToolDto> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let known = host.engine.agents();
    let registered = |key: &str| AgentId::parse(key).is_ok_and(|id| known.find(&id).is_some());
    let found = reeve_sandbox::catalog::scan(&path, &std::env::home_dir().unwrap_or_default());
    found.iter().map(|one| ToolDto::of(one, registered(one.tool.key))).collect()
}

/// Opens a terminal with the tool in it, governed by this very profile.
fn start(host: &Host, input: &StartAgentInput) -> Result<StartedDto, ApiError> {
    let folder = Path::new(&input.folder);
    if !folder.is_absolute() || !folder.is_dir() {
        return Err(invalid(format!("`{}` is not a folder here", input.folder)).hint("give an absolute path"));
    }
    let found = tools(host).into_iter().find(|tool| tool.key == input.tool);
    let tool = found.ok_or_else(|| not_found("tool on this machine", &input.tool))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let chosen = std::env::var_os("TERMINAL");
    let terminal = Terminal::find(chosen.as_deref(), &path).ok_or_else(|| {
        ApiError::new(ApiCode::Failed, "no terminal was found").hint(format!("run `{}` in one", tool.command))
    })?;
    let failed = |error: std::io::Error| {
        ApiError::new(ApiCode::Failed, format!("`{}` did not start: {error}", terminal.name()))
            .hint(format!("run `{}` in a terminal", tool.command))
    };
    let own = std::env::current_exe().map_err(failed)?;
    // Beside the app, or the engine itself.
    let beside = own.with_file_name("reeve");
    let program = if beside.is_file() { beside.into_os_string() } else { "reeve".into() };
    let command = [program, "run".into(), "--agent".into(), tool.key.into(), "--".into(), tool.program.into()];
    terminal.open(folder, &command).map_err(failed)?;
    Ok(StartedDto { terminal: terminal.name(), command: tool.command })
}

async fn stop(host: &Host, id: &AgentId) -> Result<(), ApiError> {
    for live in host.engine.sessions().all() {
        if live.session.agent == *id {
            host.end_session(live.id(), SessionEnd::Stopped).await?;
        }
    }
    Ok(())
}

/// What every agent did since local midnight, in one read of each table.
async fn count(host: &Host) -> Result<HashMap<AgentId, Counted>, ApiError> {
    let since = window_start(Window::Day, host.engine.now());
    let store = host.engine.store();
    let mut counted: HashMap<AgentId, Counted> = HashMap::new();
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    for (agent, cost) in store.cost_by_agent(since).await? {
        counted.entry(agent).or_default().cost = cost;
    }
    for one in store.activity(since).await? {
        let of = counted.entry(one.agent).or_default();
        (of.actions, of.held, of.denied) = (small(one.actions), small(one.held), small(one.denied));
        of.last_seen = Some(one.last);
    }
    let mut known: HashSet<AgentId> = HashSet::new();
    for session in store.sessions(COUNTED_SESSIONS).await? {
        let seen = session.ended_at.unwrap_or(session.opened_at);
        // Newest first: the last one says how the agent is started, and so does every one that runs.
        let newest = known.insert(session.agent.clone());
        let whole = session.wraps.is_none() && session.ended_at.is_none();
        let of = counted.entry(session.agent).or_default();
        of.only_tools = (of.only_tools || newest && session.wraps.is_some()) && !whole;
        of.sessions += u32::from(session.opened_at >= since || session.ended_at.is_none());
        of.last_seen = of.last_seen.max(Some(seen));
    }
    for live in host.engine.sessions().all() {
        counted.entry(live.session.agent.clone()).or_default().running += 1;
    }
    Ok(counted)
}

/// What people call an agent; its id when it was never registered.
pub(crate) fn name_of(host: &Host, id: &AgentId) -> String {
    host.engine.agents().find(id).map_or_else(|| id.to_string(), |a| a.name)
}
