//! What cost the most: the index knows only roughly what a row cost, so ranges of cost are halved until one holds no more rows
//! than are wanted, the upper half first.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use reeve_domain::money::NanoUsd;
use reeve_domain::query::{Key, OperationRow, Query, Test, Value};
use rusqlite::Connection;

use super::{LARGEST_PAGE, Page, search};
use crate::error::StoreError;

/// The costliest first, the newest first among equals. What cost nothing is not in it.
pub fn costliest(
    conn: &Connection,
    query: &Query,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<OperationRow>, StoreError> {
    let limit = limit.clamp(1, LARGEST_PAGE);
    let mut found = Vec::new();
    let mut ranges = vec![(1, i64::MAX)];
    while let Some((low, high)) = ranges.pop()
        && found.len() < limit
    {
        let wanted = limit - found.len();
        let (mut rows, more) = within(conn, query, (low, high), wanted, now)?;
        if more && low < high {
            let middle = middle(low, high);
            ranges.extend([(low, middle), (middle + 1, high)]);
            continue;
        }
        rows.sort_unstable_by_key(|row| Reverse((row.cost, row.id)));
        rows.truncate(wanted);
        found.extend(rows);
    }
    Ok(found)
}

/// Rows that cost so much, the newest first, and whether there are more of them.
fn within(
    conn: &Connection,
    query: &Query,
    (low, high): (i64, i64),
    limit: usize,
    now: DateTime<Utc>,
) -> Result<(Vec<OperationRow>, bool), StoreError> {
    let range = Test::Range(Value::Money(NanoUsd(low)), Value::Money(NanoUsd(high)));
    let query = Query::and(vec![query.clone(), Query::Field(Key::Cost, range)]);
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let page = search(conn, &query, Page { before, limit }, now)?;
        rows.extend(page.rows);
        before = page.next;
        if before.is_none() || rows.len() >= limit {
            return Ok((rows, before.is_some()));
        }
    }
}

/// Costs lie over many orders of magnitude: the middle of their number of digits, and of the two where they have the same.
fn middle(low: i64, high: i64) -> i64 {
    let (least, most) = (low.ilog2(), high.ilog2());
    if most > least + 1 { (1 << (least + (most - least) / 2)).max(low) } else { low + (high - low) / 2 }
}
