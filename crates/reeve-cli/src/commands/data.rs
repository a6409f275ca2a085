//! `reeve data`: what the record takes, how long it is kept, and wiping it.

use reeve_api::client::Client;
use reeve_api::contract::calls::{AuditCall, SettingsCall};
use reeve_api::contract::retention::{RemovableDto, RetentionDto, SetRetentionInput, WIPE_WORDS, WipeInput};
use reeve_api::contract::settings::{DataDto, SettingsDto};
use reeve_api::contract::{ApiCode, ApiError};

use super::{Context, proof, refuse_inside_session};
use crate::args::DataVerb;
use crate::{exit, output};

pub async fn data(context: &Context, verb: Option<DataVerb>) -> anyhow::Result<u8> {
    match verb {
        None | Some(DataVerb::Show) => {
            let settings: SettingsDto = context.client().await?.call(&SettingsCall::Get).await?;
            print(context, &settings.data)
        }
        Some(DataVerb::Keep { age, megabytes, yes }) => keep(context, age.as_deref(), megabytes, yes).await,
        Some(DataVerb::Wipe { credentials, confirm }) => wipe(context, credentials, confirm).await,
    }
}

async fn keep(context: &Context, age: Option<&str>, megabytes: Option<u32>, yes: bool) -> anyhow::Result<u8> {
    refuse_inside_session("data keep")?;
    let client = context.client().await?;
    let now: SettingsDto = client.call(&SettingsCall::Get).await?;
    let keep = RetentionDto {
        days: age.map(days).transpose()?.unwrap_or(now.data.keep.days),
        megabytes: megabytes.unwrap_or(now.data.keep.megabytes),
    };
    let going: RemovableDto = client.call(&AuditCall::WeighRemoval(keep)).await?;
    if going.records > 0 && !yes {
        context.say(&told(&going));
        agreed(context, "Keep no more than that?", "reeve data keep --yes").await?;
    }
    let call = |proof| AuditCall::SetRetention(SetRetentionInput { keep, proof });
    let data: DataDto = proof::proven(context, &client, call).await?;
    print(context, &data)
}

/// `90d`, or `forever`.
fn days(text: &str) -> anyhow::Result<u32> {
    if text == "forever" {
        return Ok(0);
    }
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| *days > 0);
    let wrong = || ApiError::new(ApiCode::Invalid, format!("`{text}` is not an age: write `90d`, or `forever`"));
    Ok(days.ok_or_else(wrong)?)
}

fn told(going: &RemovableDto) -> String {
    let until = going.until.map_or_else(String::new, |until| format!(" made until {}", until.format("%Y-%m-%d")));
    let RemovableDto { records, operations, .. } = going;
    format!("{operations} actions with {records} records{until} go for good, about {}", size(going.bytes))
}

async fn wipe(context: &Context, credentials: bool, confirm: Option<String>) -> anyhow::Result<u8> {
    refuse_inside_session("data wipe")?;
    let client = context.client().await?;
    let confirm = match confirm {
        Some(words) => words,
        None => ask_words(context, &client, credentials).await?,
    };
    let call = |proof| AuditCall::Wipe(WipeInput { confirm: confirm.clone(), credentials, proof });
    let data: DataDto = proof::proven(context, &client, call).await?;
    print(context, &data)
}

async fn ask_words(context: &Context, client: &Client, credentials: bool) -> anyhow::Result<String> {
    let settings: SettingsDto = client.call(&SettingsCall::Get).await?;
    let records = settings.data.records;
    let too = if credentials { ", and every credential with its secret," } else { "" };
    context.say(&format!("all {records} records, their actions, questions and answers{too} go for good"));
    context.say("rules, limits, settings, agents and what budgets have spent stay");
    ask(context, &format!("Type `{WIPE_WORDS}` to go on: "), &format!("--confirm '{WIPE_WORDS}'")).await
}

async fn agreed(context: &Context, question: &str, instead: &str) -> anyhow::Result<()> {
    let answer = ask(context, &format!("{question} [y/N] "), instead).await?;
    anyhow::ensure!(matches!(answer.as_str(), "y" | "yes"), "nothing was changed");
    Ok(())
}

/// What a person types at a terminal.
async fn ask(context: &Context, prompt: &str, instead: &str) -> anyhow::Result<String> {
    if !output::may_ask(context.no_input) {
        let error = ApiError::new(ApiCode::NotPermitted, "nobody can be asked here");
        return Err(error.hint(format!("do it on a terminal, or say it with `{instead}`")).into());
    }
    eprint!("{prompt}");
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    Ok(read.await??.trim().to_owned())
}

fn print(context: &Context, data: &DataDto) -> anyhow::Result<u8> {
    if context.json {
        output::json(data)?;
        return Ok(exit::DONE);
    }
    let since = data.since.map_or_else(String::new, |since| format!(" since {}", since.format("%Y-%m-%d")));
    output::line(&format!("{} records{since}, {}", data.records, size(data.bytes)))?;
    output::line(&format!("kept {}", data.keep.words()))?;
    if let Some(at) = data.removed_at {
        output::line(&format!("removed up to record #{} on {}", data.removed_to, at.format("%Y-%m-%d")))?;
    }
    if data.removing {
        context.say("older records are being removed right now");
    }
    if let Some(problem) = &data.problem {
        context.say(&format!("what should have gone is still there: {}", output::visible(problem)));
    }
    Ok(exit::DONE)
}

/// Decimal, as the console shows it.
fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_days_or_for_ever() {
        assert_eq!((days("90d").unwrap(), days("forever").unwrap()), (90, 0));
        for wrong in ["90", "0d", "d", "-1d", "3w", ""] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_decimal() {
        assert_eq!(
            [size(999), size(1_500), size(2_345_678), size(3_000_000_000)],
            ["999 B", "1.5 kB", "2.3 MB", "3.0 GB"]
        );
    }
}
