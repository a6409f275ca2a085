//! Search over operations: a query becomes one expression of the full-text index and a range of ids. What the index cannot
//! say exactly is checked row by row, within limits. Newest first is the index's own order.

mod costliest;
mod ends;
mod facets;
mod flow;
mod histogram;
mod notices;
mod plan;
mod reads;
mod scan;
mod sessions;
mod values;
pub mod words;

use chrono::{DateTime, Utc};
use reeve_domain::query::{OperationRow, Query};
use rusqlite::Connection;

pub use ends::{Ended, Ends};
pub use facets::{FacetGroup, FacetValue, Facets};
pub use flow::{Flow, FlowNode, FlowTurn};
pub use histogram::{Bin, Histogram};
pub use plan::Plan;
pub use reads::Kept;
pub use sessions::{SessionSum, Sessions};
pub use values::Values;

pub(crate) use costliest::costliest;
pub(crate) use ends::ends;
pub(crate) use facets::facets;
pub(crate) use flow::flow;
pub(crate) use histogram::histogram;
pub(crate) use notices::notices;
pub(crate) use scan::{BODY, Visit, body, for_each};
pub(crate) use sessions::sessions;
pub(crate) use values::values;

use crate::error::StoreError;

/// Most rows in one page.
pub const LARGEST_PAGE: usize = 500;
/// Most rows that are checked one by one for one page; then the page says where it stopped.
const MOST_CHECKED: usize = 50_000;

/// Which part of the rows that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Page {
    /// Only rows with a lower id: the last page's `next`.
    pub before: Option<u64>,
    /// At most [`LARGEST_PAGE`].
    pub limit: usize,
}

/// Rows that match, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    pub rows: Vec<OperationRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<u64>,
}

/// One page.
pub fn search(conn: &Connection, query: &Query, page: Page, now: DateTime<Utc>) -> Result<Rows, StoreError> {
    let limit = page.limit.clamp(1, LARGEST_PAGE);
    let mut plan = Plan::new(conn, query, now)?;
    if let Some(before) = page.before {
        plan.until = plan.until.min(before);
    }
    let mut rows: Vec<OperationRow> = plan.open_rows(conn)?;
    let mut found = 0;
    let mut checked = 0;
    let mut stopped = None;
    for_each(conn, &plan.upper, plan.from..plan.until, BODY, |row| {
        let candidate: OperationRow = body(row)?;
        checked += 1;
        let id = candidate.id;
        if plan.exact || plan.keeps(&candidate) {
            found += 1;
            rows.push(candidate);
        }
        if found > limit {
            return Ok(Visit::Stop);
        }
        if checked >= MOST_CHECKED {
            stopped = Some(id);
            return Ok(Visit::Stop);
        }
        Ok(Visit::Go)
    })?;
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
    if let Some(stopped) = stopped {
        // Below that, closed rows were not looked at yet, so open ones wait for the next page too.
        rows.retain(|row| row.id >= stopped);
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(|row| row.id) } else { stopped };
    Ok(Rows { rows, next })
}
