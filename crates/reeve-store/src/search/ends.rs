//! How tool calls ended, counted by who called which version of which tool. Exact up to a limit, the newest of more.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use reeve_domain::outcome::ToolEnd;
use reeve_domain::query::{Key, OperationRow, Pattern, Query, Test, Value};
use rusqlite::Connection;

use super::plan::Plan;
use super::scan::{BODY, Visit, body, for_each};
use crate::error::StoreError;

/// Calls after which counting stops.
pub const MOST_COUNTED: u64 = 100_000;

/// The calls of one version of one tool by one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub agent: String,
    pub server: String,
    pub tool: String,
    /// Hash of the definition; `None`: the tool was never listed.
    pub definition: Option<String>,
    /// In the order of [`ToolEnd::ALL`].
    pub counts: [u64; ToolEnd::ALL.len()],
}

/// Of all that match, by agent, server, tool and definition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ends {
    pub ended: Vec<Ended>,
    /// There are more calls than were counted.
    pub capped: bool,
}

type Of = (String, String, String, Option<String>);

pub fn ends(conn: &Connection, query: &Query, now: DateTime<Utc>) -> Result<Ends, StoreError> {
    let kind = Pattern { open_start: false, text: "mcp".to_owned(), open_end: false };
    let calls = Query::and(vec![query.clone(), Query::Field(Key::Kind, Test::Is(Value::Pattern(kind)))]);
    let plan = Plan::new(conn, &calls, now)?;
    let mut counts: BTreeMap<Of, [u64; ToolEnd::ALL.len()]> = BTreeMap::new();
    let (mut looked, mut capped) = (0, false);
    // What is held or under way has not ended.
    for_each(conn, &plan.upper, plan.from..plan.until, BODY, |row| {
        let row: OperationRow = body(row)?;
        looked += 1;
        capped = looked > MOST_COUNTED;
        if capped {
            return Ok(Visit::Stop);
        }
        if (plan.exact || plan.keeps(&row))
            && let (Some(end), Some(server), Some(tool)) = (row.end, &row.server, row.tools.first())
        {
            let definition = row.definition.as_ref().map(|digest| digest.0.clone());
            let of = (row.agent.to_string(), server.clone(), tool.clone(), definition);
            let counts = counts.entry(of).or_default();
            let at = ToolEnd::ALL.iter().position(|known| *known == end);
            if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
        Ok(Visit::Go)
    })?;
    let ended = counts.into_iter().map(|((agent, server, tool, definition), counts)| Ended {
        agent,
        server,
        tool,
        definition,
        counts,
    });
    Ok(Ends { ended: ended.collect(), capped })
}
