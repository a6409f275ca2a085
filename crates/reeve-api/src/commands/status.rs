//! The one truth about protection, the switches, and the doctor.

use std::sync::Arc;
use std::time::Duration;

use reeve_domain::budget::Window;
use reeve_engine::mark::Mark;
use serde_json::Value;

use super::answer;
use crate::connection::Caller;
use crate::contract::ApiError;
use crate::contract::budgets::{UnitDto, WindowDto};
use crate::contract::calls::StatusCall;
use crate::contract::status::{CheckDto, StatusDto, StopDto};
use crate::home::Home;
use crate::host::Host;

pub(crate) async fn run(host: &Arc<Host>, caller: &Caller, call: StatusCall) -> Result<Value, ApiError> {
    match call {
        StatusCall::Get => {}
        StatusCall::StopAll => host.engine.stop_all().await?,
        StatusCall::Resume => host.engine.resume().await?,
        StatusCall::Pause(input) => {
            let time = input.minutes.map(|m| chrono::Duration::minutes(i64::from(m)));
            host.engine.pause(time, &super::approvals::person(caller, input.proof)).await?;
        }
        StatusCall::SetMark(mark) => {
            reeve_engine::mark::choose(host.engine.store(), Mark { words: mark.words, stripe: mark.stripe }).await?;
        }
        StatusCall::Doctor => return answer(&crate::doctor::with_engine(host).await),
        StatusCall::Repair(input) => crate::doctor::profile::repair(host, &input.steps)?,
        StatusCall::Shutdown => {
            // Answered first, then stopped: the caller hears that it was heard.
            let engine = host.engine.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                engine.stopping().cancel();
            });
        }
    }
    answer(&status(host, caller.sees_mark()).await?)
}

/// `marked`: with the mark, which agents must not learn.
pub(crate) async fn status(host: &Host, marked: bool) -> Result<StatusDto, ApiError> {
    let engine = &host.engine;
    let now = engine.now();
    let live = engine.sessions().all();
    let mut agents: Vec<&str> = live.iter().map(|s| s.session.agent.as_str()).collect();
    agents.sort_unstable();
    agents.dedup();
    let since = reeve_engine::budgets::window_start(Window::Day, now);
    let costs = engine.store().cost_by_agent(since).await?;
    let budgets = super::budgets::list(host).await?;
    let daily = budgets.iter().filter(|b| b.unit == UnitDto::Money && b.window == WindowDto::Day && b.model.is_none());
    let limit_today =
        daily.filter(|b| b.account.starts_with("me:") || b.account == "organisation").map(|b| b.limit).min();
    let protection = engine.protection().state(now);
    let mark = if marked { Some(reeve_engine::mark::load(engine.store()).await?) } else { None };
    Ok(StatusDto {
        protection: (&protection).into(),
        mode: engine.protection().mode(now).into(),
        preset: engine.policies().preset().into(),
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
        proxy_address: Some(host.proxy.address().to_string()),
        agents_running: count(agents.len()),
        sessions_running: count(live.len()),
        held: count(engine.approvals().waiting()),
        to_review: count(engine.servers().to_review()),
        refused_credentials: count(engine.breakers().refused_credentials()),
        policy_waits: engine.policies().in_force().waiting.is_some(),
        cost_today: costs.iter().map(|(_, cost)| cost).sum(),
        limit_today,
        chain: host.chain.state(engine).await?,
        mark_stripe: mark.as_ref().map_or(0, |mark| mark.stripe),
        mark: mark.map(|mark| mark.words),
        demo: engine.is_demo(),
        stop: engine.protection().stop_in_force().map(|stop| StopDto { at: stop.at, sessions: stop.sessions }),
    })
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// What can be checked when no engine answers.
pub async fn doctor_without_engine(home: &Home, why: &str) -> Vec<CheckDto> {
    crate::doctor::without_engine(home, why).await
}
