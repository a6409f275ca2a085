//! The histogram: how many rows that match fall into each stretch of time, by decision. Counted in the index by ids, because
//! a stretch of time is a range of ids.

use chrono::{DateTime, Utc};
use reeve_domain::query::{Decided, Key, OperationRow, Query};
use rusqlite::{Connection, OptionalExtension as _};

use super::plan::{Ix, Plan};
use super::scan::{self, Visit, first_at_or_after, for_each, for_each_id};
use super::words;
use crate::error::StoreError;

/// Rows that are checked one by one before the counts are only approximate.
const MOST_CHECKED: usize = 20_000;

/// One stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    pub at: DateTime<Utc>,
    /// In the order of [`Decided::ALL`].
    pub counts: [u64; Decided::ALL.len()],
}

impl Bin {
    #[must_use]
    pub fn count(&self, decided: Decided) -> u64 {
        self.counts.get(decided as usize).copied().unwrap_or(0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Milliseconds between the starts of two bins.
    pub bin_ms: u64,
    /// Oldest first, without gaps.
    pub bins: Vec<Bin>,
    /// Some older rows that would have had to be checked one by one were left out.
    pub approximate: bool,
}

/// Counts into this many bins (1 to 240) between the first and the last row of the query's range of time.
pub fn histogram(conn: &Connection, query: &Query, bins: usize, now: DateTime<Utc>) -> Result<Histogram, StoreError> {
    let plan = Plan::new(conn, query, now)?;
    let empty = Histogram { bin_ms: 1, bins: Vec::new(), approximate: false };
    let stamp = |sql: &str, id: u64| -> Result<Option<i64>, StoreError> {
        Ok(conn.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?)
    };
    if plan.from >= plan.until {
        return Ok(empty);
    }
    let first = stamp("SELECT stamp FROM operations WHERE id >= ?1 ORDER BY id LIMIT 1", plan.from)?;
    let last = stamp("SELECT stamp FROM operations WHERE id < ?1 ORDER BY id DESC LIMIT 1", plan.until)?;
    let Some((first, last)) = first.zip(last) else { return Ok(empty) };
    let mut counting = Counting::new(conn, first, last, bins.clamp(1, 240))?;
    for row in plan.open_rows(conn)? {
        counting.add(row.id, row.decision);
    }
    for decided in Decided::ALL {
        let word = Ix::Word(words::value(Key::Decision, decided.as_str()));
        let ix = Ix::and(vec![plan.lower.clone(), word]);
        for_each_id(conn, &ix, plan.from..plan.until, |id| counting.add(id, decided))?;
    }
    let mut approximate = false;
    if !plan.exact {
        let unsure = Ix::and(vec![plan.upper.clone(), plan.lower.clone().not()]);
        let mut checked = 0;
        for_each(conn, &unsure, plan.from..plan.until, scan::BODY, |row| {
            checked += 1;
            if checked > MOST_CHECKED {
                approximate = true;
                return Ok(Visit::Stop);
            }
            let row: OperationRow = scan::body(row)?;
            if plan.keeps(&row) {
                counting.add(row.id, row.decision);
            }
            Ok(Visit::Go)
        })?;
    }
    Ok(Histogram { bin_ms: counting.bin_ms, bins: counting.bins, approximate })
}

struct Counting {
    bin_ms: u64,
    bins: Vec<Bin>,
    /// First id of each bin.
    starts: Vec<u64>,
    /// The bin of the row before: rows come in order, so the next one is in it or near it.
    at: usize,
}

impl Counting {
    fn new(conn: &Connection, first: i64, last: i64, wanted: usize) -> Result<Self, StoreError> {
        let span = u64::try_from(last - first).unwrap_or(0) + 1;
        let bin_ms = span.div_ceil(wanted as u64).max(1);
        let mut bins = Vec::new();
        let mut starts = Vec::new();
        for n in 0..span.div_ceil(bin_ms) {
            let ms = first.saturating_add(i64::try_from(n * bin_ms).unwrap_or(i64::MAX));
            starts.push(first_at_or_after(conn, ms)?);
            let at = DateTime::from_timestamp_millis(ms).unwrap_or_default();
            bins.push(Bin { at, counts: [0; Decided::ALL.len()] });
        }
        Ok(Self { bin_ms, bins, starts, at: 0 })
    }

    fn add(&mut self, id: u64, decided: Decided) {
        let here = self.starts.get(self.at).is_some_and(|start| *start <= id)
            && self.starts.get(self.at + 1).is_none_or(|next| id < *next);
        if !here {
            self.at = self.starts.partition_point(|start| *start <= id).saturating_sub(1);
        }
        if let Some(count) = self.bins.get_mut(self.at).and_then(|bin| bin.counts.get_mut(decided as usize)) {
            *count += 1;
        }
    }
}
