//! Values of a key with their counts, for what is being typed: from the dictionary where the key has one and the index says
//! it all, else from the newest rows that match.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use reeve_domain::query::{Key, OperationRow, Query};
use rusqlite::Connection;

use super::facets::FacetValue;
use super::plan::{Ix, Plan};
use super::scan::{self, Visit, for_each};
use super::words;
use crate::error::StoreError;

/// Most values that are answered.
const MOST_VALUES: usize = 20;
/// Most values of the dictionary that are counted.
const MOST_COUNTED: i64 = 60;
/// One value is counted up to here.
const LARGEST_COUNT: u64 = 10_000;
/// Rows that are looked at where the index cannot say.
const MOST_CHECKED: usize = 5_000;

/// Most frequent first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    pub values: Vec<FacetValue>,
    /// Counts are of the newest rows only.
    pub capped: bool,
}

/// Values that hold `begun`, over the rows that match.
pub fn values(
    conn: &Connection,
    query: &Query,
    key: Key,
    begun: &str,
    now: DateTime<Utc>,
) -> Result<Values, StoreError> {
    let plan = Plan::new(conn, query, now)?;
    let begun = begun.to_ascii_lowercase();
    let mut counts: HashMap<String, u64> = HashMap::new();
    for row in plan.open_rows(conn)? {
        count(&mut counts, &row, key, &begun);
    }
    let capped = if plan.exact && words::in_dictionary(key) {
        by_index(conn, &plan, key, &begun, &mut counts)?
    } else {
        by_rows(conn, &plan, key, &begun, &mut counts)?
    };
    let mut values: Vec<FacetValue> = counts.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
    values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    values.truncate(MOST_VALUES);
    Ok(Values { values, capped })
}

fn count(counts: &mut HashMap<String, u64>, row: &OperationRow, key: Key, begun: &str) {
    let texts = match row.number(key) {
        Some(n) => vec![n.to_string()],
        None => row.texts(key),
    };
    for text in texts.into_iter().map(|text| text.to_ascii_lowercase()) {
        if !text.is_empty() && text.contains(begun) {
            *counts.entry(text).or_default() += 1;
        }
    }
}

fn by_index(
    conn: &Connection,
    plan: &Plan,
    key: Key,
    begun: &str,
    counts: &mut HashMap<String, u64>,
) -> Result<bool, StoreError> {
    let Some(last) = plan.until.checked_sub(1).filter(|last| *last >= plan.from) else { return Ok(false) };
    let mut statement = conn.prepare_cached(
        "SELECT value FROM dictionary WHERE key = ?1 AND value <> '' AND instr(value, ?2) > 0 LIMIT ?3",
    )?;
    let known: Vec<String> =
        statement.query_map((key.as_str(), begun, MOST_COUNTED), |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut capped = i64::try_from(known.len()).unwrap_or(i64::MAX) >= MOST_COUNTED;
    let mut counted = conn.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM operations_fts WHERE operations_fts MATCH ?1 \
         AND rowid BETWEEN ?2 AND ?3 LIMIT ?4)",
    )?;
    for value in known {
        let ix = Ix::and(vec![plan.upper.clone(), Ix::Word(words::value(key, &value))]);
        let found: u64 = counted.query_row((ix.to_string(), plan.from, last, LARGEST_COUNT), |row| row.get(0))?;
        capped |= found >= LARGEST_COUNT;
        if found > 0 {
            *counts.entry(value).or_default() += found;
        }
    }
    Ok(capped)
}

fn by_rows(
    conn: &Connection,
    plan: &Plan,
    key: Key,
    begun: &str,
    counts: &mut HashMap<String, u64>,
) -> Result<bool, StoreError> {
    let mut checked = 0;
    for_each(conn, &plan.upper, plan.from..plan.until, scan::BODY, |row| {
        checked += 1;
        if checked > MOST_CHECKED {
            return Ok(Visit::Stop);
        }
        let row: OperationRow = scan::body(row)?;
        if plan.exact || plan.keeps(&row) {
            count(counts, &row, key, begun);
        }
        Ok(Visit::Go)
    })?;
    Ok(checked > MOST_CHECKED)
}
