//! `reeve log`: the Timeline in a terminal, by the same grammar.

use reeve_api::contract::calls::OperationsCall;
use reeve_api::contract::notices::{NoticeDto, ToneDto};
use reeve_api::contract::operations::{CostliestInput, OperationRowDto, RowStateDto, SearchInput, SearchPage};

use super::Context;
use crate::args::{LogArgs, Sort};
use crate::output::Tone;
use crate::{exit, output};

pub async fn log(context: &Context, args: LogArgs) -> anyhow::Result<u8> {
    if args.stats {
        return super::stats::stats(context, args.query.join(" ")).await;
    }
    let client = context.client().await?;
    let query = args.query.join(" ");
    let live = if args.follow { Some(client.subscribe().await?) } else { None };
    let (sought, limit) = (query.clone(), args.limit.min(500));
    let call = match args.sort {
        Sort::Time => OperationsCall::Search(SearchInput { query: sought, before: None, limit }),
        Sort::Cost => OperationsCall::Costliest(CostliestInput { query: sought, limit }),
    };
    let mut page: SearchPage = client.call(&call).await?;
    for problem in &page.problems {
        let near = problem.suggestion.as_ref().map(|s| format!(" (did you mean `{s}`?)")).unwrap_or_default();
        eprintln!("reeve: in the query: {}{near}; the rest of it was searched for", problem.message);
    }
    if page.notices_capped && !context.json {
        eprintln!("reeve: there may be more events than are shown here: narrow the query, for example with `since:1h`");
    }
    // What was understood of it ran; a script must learn that this is not what it asked for.
    let code = if page.problems.is_empty() { exit::DONE } else { exit::USAGE };
    page.rows.reverse();
    let shown = entries(&page, limit, args.sort);
    if context.json && !args.follow {
        output::json(&shown.iter().map(Entry::json).collect::<Result<Vec<_>, _>>()?)?;
        return Ok(code);
    }
    let Some(mut live) = live else {
        if page.rows.is_empty() && page.notices.is_empty() {
            context.say(match (args.sort, query.is_empty()) {
                (Sort::Time, true) => "nothing is recorded yet",
                (Sort::Time, false) => "nothing matches",
                (Sort::Cost, true) => "no call with a cost",
                (Sort::Cost, false) => "no call with a cost matches",
            });
        }
        output::page(&shown.iter().map(Entry::line).collect::<Vec<_>>())?;
        return Ok(code);
    };
    shown.iter().try_for_each(|entry| entry.print(context))?;
    while let Some(batch) = live.recv().await {
        if batch.lagged {
            // This terminal was slower than what happened: said, and what was left out can be read by the same query.
            context.say("reeve: too much happened at once, some rows are left out here; `reeve log` has them all");
        }
        for row in batch.operations {
            if query.is_empty() || matches(&client, &query, &row).await? {
                Entry::Row(&row).print(context)?;
            }
        }
        for notice in &batch.notices {
            if query.is_empty() || notice_matches(&client, &query, notice).await? {
                Entry::Event(notice).print(context)?;
            }
        }
    }
    Ok(code)
}

/// Whether a new row is one the query asks for: asked of the engine, which has the only parser.
async fn matches(client: &reeve_api::client::Client, query: &str, row: &OperationRowDto) -> anyhow::Result<bool> {
    let query = format!("({query}) record:{}", row.record);
    let input = SearchInput { query, before: None, limit: 1 };
    let page: SearchPage = client.call(&OperationsCall::Search(input)).await?;
    Ok(!page.rows.is_empty())
}

async fn notice_matches(client: &reeve_api::client::Client, query: &str, notice: &NoticeDto) -> anyhow::Result<bool> {
    let query = format!("({query}) kind:event record:{}", notice.record);
    let input = SearchInput { query, before: None, limit: 1 };
    let page: SearchPage = client.call(&OperationsCall::Search(input)).await?;
    Ok(!page.notices.is_empty())
}

/// An action, or what happened beside one.
enum Entry<'a> {
    Row(&'a OperationRowDto),
    Event(&'a NoticeDto),
}

impl Entry<'_> {
    fn record(&self) -> u64 {
        match self {
            Self::Row(row) => row.record,
            Self::Event(notice) => notice.record,
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Row(row) => shown(row),
            Self::Event(notice) => noticed(notice),
        }
    }

    /// Both have a `kind`, so that a script can tell them apart.
    fn json(&self) -> serde_json::Result<serde_json::Value> {
        match self {
            Self::Row(row) => serde_json::to_value(row),
            Self::Event(notice) => {
                let mut value = serde_json::to_value(notice)?;
                if let Some(fields) = value.as_object_mut() {
                    fields.insert("kind".to_owned(), "event".into());
                }
                Ok(value)
            }
        }
    }

    fn print(&self, context: &Context) -> anyhow::Result<()> {
        if context.json {
            return output::line(&self.json()?.to_string());
        }
        output::line(&self.line())
    }
}

/// Actions and what happened beside them, the newest of both: oldest first, by their records.
fn entries(page: &SearchPage, limit: u32, sort: Sort) -> Vec<Entry<'_>> {
    let rows = page.rows.iter().map(Entry::Row);
    let mut all: Vec<Entry<'_>> = rows.chain(page.notices.iter().map(Entry::Event)).collect();
    // By cost they stand in their order already.
    if sort == Sort::Time {
        all.sort_by_key(Entry::record);
    }
    let before = all.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    all.split_off(before)
}

fn noticed(notice: &NoticeDto) -> String {
    let (tone, glyph) = match notice.tone {
        ToneDto::Good => (Tone::Good, "◇"),
        ToneDto::Bad => (Tone::Bad, "◆"),
        ToneDto::Waits => (Tone::Waits, "◈"),
        ToneDto::Plain => (Tone::Faint, "◇"),
    };
    format!(
        "{} {} {:<12} {:<5} {}  {}",
        output::paint(Tone::Faint, &output::time(notice.at)),
        output::paint(tone, glyph),
        notice.agent.as_deref().unwrap_or("reeve"),
        "event",
        output::visible(&notice.summary),
        output::paint(Tone::Faint, &output::visible(&notice.more.join(" · ")))
    )
}

/// A row as people read it.
fn shown(row: &OperationRowDto) -> String {
    let (tone, glyph) = match row.state {
        RowStateDto::Allowed => (Tone::Good, "●"),
        RowStateDto::Held => (Tone::Waits, "◐"),
        RowStateDto::Approved => (Tone::Good, "◉"),
        RowStateDto::Refused => (Tone::Bad, "⊘"),
        RowStateDto::Expired | RowStateDto::Withdrawn => (Tone::Faint, "◌"),
        RowStateDto::Denied => (Tone::Bad, "✕"),
        RowStateDto::WouldDeny | RowStateDto::WouldHold => (Tone::Waits, "○"),
    };
    let glyph = output::paint(tone, glyph);
    let mut more = Vec::new();
    if let Some(rule) = &row.rule {
        more.push(rule.clone());
    }
    if let Some(credential) = &row.credential {
        more.push(format!("injected {credential}"));
    }
    if let (Some(input), Some(out)) = (row.tokens_in, row.tokens_out) {
        more.push(format!("{input}→{out} tokens"));
    }
    if let Some(cost) = row.cost.filter(|c| *c > 0) {
        more.push(output::money(cost));
    } else if let Some(worth) = row.worth.filter(|w| *w > 0) {
        more.push(format!("worth {}", output::money(worth)));
    }
    if let Some(status) = row.status {
        more.push(status.to_string());
    }
    if let Some(took) = row.took_ms {
        more.push(format!("{took} ms"));
    }
    if let Some(error) = &row.error {
        more.push(output::visible(error));
    }
    format!(
        "{} {glyph} {:<12} {:<5} {}  {}",
        output::paint(Tone::Faint, &output::time(row.at)),
        row.agent,
        row.kind,
        output::visible(&row.summary),
        output::paint(Tone::Faint, &more.join(" · "))
    )
}
