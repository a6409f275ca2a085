//! `reeve status`, `pause`, `stop` and `resume`.

use reeve_api::contract::calls::StatusCall;
use reeve_api::contract::status::{PauseInput, ProtectionDto, StatusDto};
use reeve_api::contract::{ApiCode, ApiError};

use super::{Context, proof, refuse_inside_session};
use crate::{exit, output};

pub async fn status(context: &Context) -> anyhow::Result<u8> {
    let client = context.client().await?;
    let status: StatusDto = client.call(&StatusCall::Get).await?;
    print(context, &status)
}

pub async fn pause(context: &Context, text: Option<&str>) -> anyhow::Result<u8> {
    refuse_inside_session("pause")?;
    let minutes = text.map(duration).transpose()?.map(|d| u32::try_from((d.num_seconds() + 59) / 60).unwrap_or(1));
    let client = context.client().await?;
    let call = |proof| StatusCall::Pause(PauseInput { minutes, proof });
    let status: StatusDto = proof::proven(context, &client, call).await?;
    print(context, &status)
}

pub async fn stop(context: &Context) -> anyhow::Result<u8> {
    refuse_inside_session("stop")?;
    change(context, &StatusCall::StopAll).await
}

pub async fn resume(context: &Context) -> anyhow::Result<u8> {
    refuse_inside_session("resume")?;
    change(context, &StatusCall::Resume).await
}

async fn change(context: &Context, call: &StatusCall) -> anyhow::Result<u8> {
    let client = context.client().await?;
    let status: StatusDto = client.call(call).await?;
    print(context, &status)
}

fn print(context: &Context, status: &StatusDto) -> anyhow::Result<u8> {
    if context.json {
        output::json(status)?;
        return Ok(exit::DONE);
    }
    let protection = match &status.protection {
        ProtectionDto::Stopped => "■ Stopped: everything is denied until `reeve resume`".to_owned(),
        ProtectionDto::Degraded { cause } => format!("▲ Degraded: {}", output::visible(cause)),
        ProtectionDto::Paused { until: Some(until) } => format!("❙❙ Paused until {}", output::time(*until)),
        ProtectionDto::Paused { until: None } => "❙❙ Paused until resumed".to_owned(),
        ProtectionDto::Observing => "○ Observing: recorded, not enforced".to_owned(),
        ProtectionDto::Protected => "● Protected".to_owned(),
    };
    let limit = status.limit_today.map(|l| format!(" of {}", output::money(l))).unwrap_or_default();
    let chain = match &status.chain.problem {
        Some(problem) => format!("chain broken: {problem}"),
        None => format!("chain ok #{}", status.chain.head),
    };
    output::line(&format!(
        "{protection} · {} running · {} held · {}{limit} today · {chain}",
        status.agents_running,
        status.held,
        output::money(status.cost_today)
    ))?;
    if status.held > 0 {
        context.say("`reeve approve` shows what waits");
    } else if status.sessions_running == 0 {
        context.say("`reeve run -- claude` starts an agent governed");
    }
    Ok(exit::DONE)
}

/// `90s`, `15m`, `1h`, `7d`.
pub fn duration(text: &str) -> anyhow::Result<chrono::Duration> {
    let words = format!("`{text}` is not a duration: write for example `15m` or `1h`");
    let bad = || anyhow::Error::from(ApiError::new(ApiCode::Invalid, words.clone()));
    let unit = text.get(text.len().saturating_sub(1)..).ok_or_else(bad)?;
    let digits = text.strip_suffix(unit).unwrap_or_default();
    let amount = digits.parse::<i64>().ok().filter(|n| (1..=100_000).contains(n)).ok_or_else(bad)?;
    match unit {
        "s" => Ok(chrono::Duration::seconds(amount)),
        "m" => Ok(chrono::Duration::minutes(amount)),
        "h" => Ok(chrono::Duration::hours(amount)),
        "d" => Ok(chrono::Duration::days(amount)),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_number_and_a_unit() {
        assert_eq!(duration("15m").unwrap(), chrono::Duration::minutes(15));
        for bad in ["", "15", "m", "1w", "é", "-5m", "0s", "99999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
