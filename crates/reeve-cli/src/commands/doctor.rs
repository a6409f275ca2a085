//! `reeve doctor`: what protection needs, probed; with `--fix` what is safe to repair, each step said before it is done.

use reeve_api::contract::calls::{SessionsCall, StatusCall};
use reeve_api::contract::sessions::SessionDto;
use reeve_api::contract::status::CheckDto;
use reeve_api::doctor::repair;
use reeve_api::{SessionId, Surface};

use super::{Context, refuse_inside_session};
use crate::{exit, output};

pub async fn doctor(context: &Context, fix: bool) -> anyhow::Result<u8> {
    if fix {
        refuse_inside_session("doctor --fix")?;
        mend(context).await?;
    }
    let checks = match context.client().await {
        Ok(client) => client.call::<Vec<CheckDto>>(&StatusCall::Doctor).await?,
        Err(error) => reeve_api::commands::status::doctor_without_engine(&context.home, &format!("{error:#}")).await,
    };
    let fine = checks.iter().all(|check| check.ok);
    if context.json {
        output::json(&checks)?;
        return Ok(if fine { exit::DONE } else { exit::FAILED });
    }
    checks.iter().try_for_each(output::check)?;
    Ok(if fine { exit::DONE } else { exit::FAILED })
}

/// Repairs the profile. An engine is started afterwards by the checks themselves, and ends what an earlier one left open.
pub async fn mend(context: &Context) -> anyhow::Result<()> {
    // Only a running engine is asked: starting one needs what may be broken.
    let live = match reeve_api::client::Client::connect(&context.home, Surface::Cli).await {
        Ok(client) => {
            let all: Vec<SessionDto> = client.call(&SessionsCall::List).await?;
            let open = all.iter().filter(|session| session.ended_at.is_none());
            Some(open.filter_map(|session| SessionId::parse(&session.id).ok()).collect::<Vec<_>>())
        }
        Err(_) => None,
    };
    let needed = repair::needed(&context.home, live.as_deref())?;
    for step in &needed {
        context.say(&output::visible(&format!("reeve: {step}")));
    }
    for problem in repair::take(&context.home, &needed) {
        eprintln!("{}", output::visible(&format!("reeve: that did not work: {problem}")));
    }
    if needed.is_empty() {
        context.say("reeve: nothing needs repair that could be repaired safely");
    }
    Ok(())
}
