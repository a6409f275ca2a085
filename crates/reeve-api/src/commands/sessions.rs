//! Sessions: opened for a command or an environment, listed, stopped.

use std::sync::Arc;

use reeve_domain::id::{AgentId, SessionId};
use reeve_domain::query;
use reeve_domain::sensitive::Secret;
use reeve_domain::session::{Session, SessionEnd};
use reeve_engine::{LiveSession, OpenSession};
use reeve_sandbox::catalog;
use reeve_store::search::{FlowNode, FlowTurn};
use serde_json::Value;

use super::{answer, invalid, not_found};
use crate::connection::Caller;
use crate::contract::ApiError;
use crate::contract::calls::SessionsCall;
use crate::contract::credentials::TypedSecret;
use crate::contract::sessions::{
    FlowDto, FlowInput, FlowNodeDto, FlowTurnDto, OpenSessionInput, OpenedSessionDto, SearchSessionsInput, SessionDto,
    SessionSumDto, SessionsPage,
};
use crate::host::Host;

/// Most sessions in one list.
const LISTED: usize = 200;
/// Most characters of a summary in a waterfall, of which there may be fifty thousand in one answer.
const SUMMARY: usize = 80;
/// Longest life of a session of `reeve env`, in hours.
const MOST_HOURS: u32 = 12;

pub(crate) async fn run(host: &Arc<Host>, caller: &Caller, call: SessionsCall) -> Result<Value, ApiError> {
    match call {
        SessionsCall::Search(input) => answer(&search(host, &input).await?),
        SessionsCall::Flow(input) => answer(&flow(host, &input).await?),
        SessionsCall::List => {
            let sessions = host.engine.store().sessions(LISTED).await?;
            answer(&sessions.iter().map(|session| dto(host, session)).collect::<Vec<_>>())
        }
        SessionsCall::Open(input) => answer(&open(host, caller, input).await?),
        SessionsCall::Stop(input) => {
            let id = SessionId::parse(&input.session).map_err(invalid)?;
            let live = host.engine.sessions().find(&id).ok_or_else(|| not_found("running session", id.as_str()))?;
            host.end_session(&id, SessionEnd::Stopped).await?;
            answer(&dto(host, &live.session))
        }
    }
}

fn dto(host: &Host, session: &Session) -> SessionDto {
    SessionDto::of(session, &super::agents::name_of(host, &session.agent))
}

async fn search(host: &Host, input: &SearchSessionsInput) -> Result<SessionsPage, ApiError> {
    let parsed = query::parse(&input.query);
    let before = input.before.as_deref().map(str::parse::<u64>).transpose().map_err(invalid)?;
    let limit = usize::try_from(input.limit).unwrap_or(1);
    let found = host.engine.store().session_sums(&parsed.query, before, limit).await?;
    let rows = found.rows.into_iter().map(|sum| SessionSumDto {
        session: dto(host, &sum.session),
        actions: sum.actions,
        denied: sum.denied,
        held: sum.held,
        cost: sum.cost,
        capped: sum.capped,
    });
    Ok(SessionsPage {
        rows: rows.collect(),
        next: found.next.map(|next| next.to_string()),
        problems: parsed.problems.iter().map(super::operations::problem).collect(),
    })
}

async fn flow(host: &Host, input: &FlowInput) -> Result<FlowDto, ApiError> {
    let store = host.engine.store();
    let id = SessionId::parse(&input.session).map_err(invalid)?;
    let session = store.session(&id).await?.ok_or_else(|| not_found("session", &input.session))?;
    let found = store.flow(&id, &query::parse(&input.query).query).await?;
    Ok(FlowDto {
        session: dto(host, &session),
        began_at: found.began_at,
        turns: found.turns.iter().map(turn).collect(),
        nodes: found.nodes.into_iter().map(node).collect(),
        capped: found.capped,
    })
}

fn turn(turn: &FlowTurn) -> FlowTurnDto {
    FlowTurnDto {
        first: u32::try_from(turn.first).unwrap_or(u32::MAX),
        actions: turn.actions,
        denied: turn.denied,
        start: turn.start_ms,
        end: turn.end_ms,
        wait: turn.wait_ms,
        cost: turn.cost,
    }
}

fn node(node: FlowNode) -> FlowNodeDto {
    let row = node.row;
    let judged = !row.decision.passed() || row.observed;
    FlowNodeDto {
        id: row.operation.to_string(),
        kind: row.kind,
        summary: row.summary.chars().take(SUMMARY).collect(),
        state: super::operations::state(row.decision),
        depth: node.depth,
        below: node.below,
        start: node.start_ms,
        wait: node.wait_ms,
        work: node.work_ms,
        open: row.open,
        cost: Some(node.cost).filter(|cost| *cost != 0 || row.cost.is_some()),
        tokens_in: row.tokens_in,
        tokens_out: row.tokens_out,
        rule: row.rules.into_iter().next().filter(|_| judged),
        injected: row.injected,
        retry_of: node.retry_of.map(|of| of.to_string()),
        failed: row.error.is_some() || row.status.is_some_and(|status| status >= 400),
        purpose: super::operations::purpose(row.purpose),
        asked: row.approval.is_some(),
    }
}

/// What a further process of a running session needs: a token of its own for the same session, and its trust.
pub(crate) fn joined(host: &Host, live: &Arc<LiveSession>) -> Result<OpenedSessionDto, ApiError> {
    let ca = host.proxy.certificate(live.id()).ok_or_else(|| not_found("running session", live.id().as_str()))?;
    let token = host.engine.sessions().lend(live).ok_or_else(|| not_found("running session", live.id().as_str()))?;
    Ok(opened(host, live, &super::agents::name_of(host, &live.session.agent), &token, ca))
}

fn opened(host: &Host, live: &LiveSession, name: &str, token: &Secret, ca: String) -> OpenedSessionDto {
    OpenedSessionDto {
        session: SessionDto::of(&live.session, name),
        proxy: host.proxy.address().to_string(),
        mcp: host.endpoint.url(),
        token: TypedSecret(String::from_utf8_lossy(token.expose()).into_owned()),
        ca,
        placeholders: crate::launch::placeholders(host.engine.placeholders(live)),
        upstream_proxy: host.engine.settings().upstream.proxy.clone(),
    }
}

pub(crate) async fn open(
    host: &Arc<Host>,
    caller: &Caller,
    input: OpenSessionInput,
) -> Result<OpenedSessionDto, ApiError> {
    open_around(host, caller, input, None).await
}

/// `wraps`: the server of a wrapper that belongs to no session; then nothing above that is governed.
pub(crate) async fn open_around(
    host: &Arc<Host>,
    caller: &Caller,
    input: OpenSessionInput,
    wraps: Option<String>,
) -> Result<OpenedSessionDto, ApiError> {
    let agent = agent_of(&input)?;
    let tool = catalog::find_key(agent.as_str());
    let name = tool.map_or_else(|| agent.to_string(), |t| t.name.to_owned());
    host.engine.agents().ensure(&agent, &name, tool.map(|t| t.key)).await?;
    host.engine.credentials().uncontested(&agent)?;
    let expires_at = match input.hours {
        Some(hours) if (1..=MOST_HOURS).contains(&hours) => {
            Some(host.engine.now() + chrono::Duration::hours(i64::from(hours)))
        }
        Some(hours) => return Err(invalid(format!("a session lasts 1 to {MOST_HOURS} hours, not {hours}"))),
        None => None,
    };
    let opening = OpenSession {
        agent,
        user: super::approvals::whoami(),
        team: None,
        cwd: input.cwd,
        command: input.command,
        mode: input.mode.map(Into::into),
        wraps,
        // A session that outlives its opener is held by nobody.
        holder: caller.pid.filter(|_| expires_at.is_none()),
        opener: caller.pid.and_then(reeve_proxy::attribution::opener),
        expires_at,
    };
    let (live, token) = host.engine.open_session(opening).await?;
    if expires_at.is_none() && !caller.hold(live.id().clone()).await {
        host.end_session(live.id(), SessionEnd::Exited).await?;
        return Err(not_found("caller any more for session", live.id().as_str()));
    }
    let ca = match host.proxy.open(&live) {
        Ok(ca) => ca,
        Err(error) => {
            host.end_session(live.id(), SessionEnd::Stopped).await?;
            return Err(ApiError::new(crate::contract::ApiCode::Failed, error.to_string()));
        }
    };
    Ok(opened(host, &live, &name, &token, ca))
}

/// The named agent, else the known tool behind the program's name, else the program's name itself.
fn agent_of(input: &OpenSessionInput) -> Result<AgentId, ApiError> {
    if let Some(agent) = &input.agent {
        return AgentId::parse(agent).map_err(invalid);
    }
    let Some(program) = input.command.first() else {
        return Err(invalid("name the agent this environment is for: `--agent NAME`"));
    };
    if let Some(tool) = catalog::find(program.as_ref()) {
        return AgentId::parse(tool.key).map_err(invalid);
    }
    let file = std::path::Path::new(program).file_stem().map(|s| s.to_string_lossy().into_owned());
    AgentId::parse(&file.unwrap_or_default())
        .map_err(|_| invalid(format!("`{program}` does not make an agent's name")).hint("give one: `--agent NAME`"))
}
