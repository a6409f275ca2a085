//! `reeve log --stats`: how tool calls ended, with how sure their rate of success is.

use reeve_api::contract::calls::ServersCall;
use reeve_api::contract::servers::{EndsDto, RateDto, StatsInput, ToolStatsDto};

use super::{Context, refuse_inside_session};
use crate::{exit, output};

pub async fn stats(context: &Context, query: String) -> anyhow::Result<u8> {
    refuse_inside_session("log --stats")?;
    let client = context.client().await?;
    let found: ToolStatsDto = client.call(&ServersCall::Stats(StatsInput { query })).await?;
    if context.json {
        output::json(&found)?;
        return Ok(exit::DONE);
    }
    if found.stats.is_empty() {
        context.say("no tool call matches");
        return Ok(exit::DONE);
    }
    let row = |one: &reeve_api::contract::servers::ToolStatDto| {
        let version = one.definition.as_deref().map_or("–", |digest| digest.get(..8).unwrap_or(digest));
        let tool = output::visible(&format!("{}/{}", one.server, one.tool));
        [vec![tool, version.to_owned(), one.agent.clone()], counts(&one.ends), vec![rate(one.rate)]].concat()
    };
    let mut rows: Vec<Vec<String>> = found.stats.iter().map(row).collect();
    let total = vec!["in all".to_owned(), String::new(), String::new()];
    rows.push([total, counts(&found.total.ends), vec![rate(found.total.rate)]].concat());
    let head = ["TOOL", "VERSION", "AGENT", "OK", "ERROR", "SCHEMA", "TIMEOUT", "REFUSED", "UNKNOWN", "SUCCESS (95 %)"];
    output::table(&head, &rows)?;
    if found.capped {
        context.say("there are more calls than were counted: these are the newest");
    }
    Ok(exit::DONE)
}

fn counts(ends: &EndsDto) -> Vec<String> {
    [ends.ok, ends.tool_error, ends.schema_failure, ends.timeout, ends.refused, ends.unknown]
        .map(|n| n.to_string())
        .to_vec()
}

/// What was turned away is no try.
pub(super) fn rate(rate: Option<RateDto>) -> String {
    let Some(rate) = rate else { return "–".to_owned() };
    let percent = |thousandths: u64| format!("{}.{}", thousandths / 10, thousandths % 10);
    let share = (rate.good * 1000 + rate.of / 2).checked_div(rate.of).unwrap_or(0);
    format!("{} % ({}–{})", percent(share), percent(rate.low.into()), percent(rate.high.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_said_with_its_interval() {
        assert_eq!(rate(Some(RateDto { good: 9, of: 10, low: 596, high: 982 })), "90.0 % (59.6–98.2)");
        assert_eq!(rate(None), "–");
    }
}
