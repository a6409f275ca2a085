//! Facets: how many of the rows that match have each value. Exact up to ten thousand rows, the newest of more.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use reeve_domain::query::{Decided, Key, OperationRow, Query};
use rusqlite::{Connection, Row};

use super::plan::{Ix, Plan};
use super::scan::{BODY, Visit, for_each};
use crate::error::StoreError;

/// Rows after which counting stops.
pub const MOST_COUNTED: u64 = 10_000;
/// Most values shown of one key.
const MOST_VALUES: usize = 50;
/// Rows that are checked one by one before counting stops as well.
const MOST_CHECKED: u64 = 20_000;

/// Keys in the order in which they are shown; the columns of [`COLUMNS`] are in the same order.
const KEYS: [Key; 10] = [
    Key::Decision,
    Key::Agent,
    Key::Kind,
    Key::Host,
    Key::Rule,
    Key::Credential,
    Key::Risk,
    Key::Model,
    Key::End,
    Key::Loop,
];
const COLUMNS: &str = "o.decision, o.agent, o.kind, o.host, o.rules, o.credentials, o.risk, o.model, o.ended, o.looped, \
                       o.cost, o.latency";
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// As the query writes it.
    pub value: String,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetGroup {
    /// Key of the grammar.
    pub key: &'static str,
    /// Most frequent first.
    pub values: Vec<FacetValue>,
}

/// Counts over the rows that match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facets {
    pub groups: Vec<FacetGroup>,
    pub matches: u64,
    /// Operations of the query's range of time, whether they match or not.
    pub total: u64,
    /// There are more than were counted: "10k+".
    pub capped: bool,
    pub denied: u64,
    pub held: u64,
    /// nano-USD settled.
    pub cost: i64,
    /// 95 of 100 ended within so many milliseconds.
    pub latency_p95_ms: Option<u64>,
}

#[derive(Default)]
struct Counting {
    counts: [HashMap<String, u64>; KEYS.len()],
    matches: u64,
    checked: u64,
    cost: i64,
    latencies: Vec<u64>,
    capped: bool,
}

impl Counting {
    fn add_value(&mut self, key: usize, value: &str) {
        let Some(counts) = self.counts.get_mut(key) else { return };
        match counts.get_mut(value) {
            Some(count) => *count += 1,
            None => _ = counts.insert(value.to_owned(), 1),
        }
    }

    fn add(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        self.matches += 1;
        for (at, key) in KEYS.into_iter().enumerate() {
            // These are lists of slugs; nothing else has spaces worth splitting, so it is kept whole.
            let text = row.get_ref(at)?.as_str_or_null().map_err(rusqlite::Error::from)?.unwrap_or_default();
            if matches!(key, Key::Rule | Key::Credential | Key::Loop) {
                text.split_ascii_whitespace().for_each(|value| self.add_value(at, value));
            } else if !text.is_empty() {
                self.add_value(at, text);
            }
        }
        self.cost = self.cost.saturating_add(row.get(KEYS.len())?);
        self.latencies.extend(row.get::<_, Option<u64>>(KEYS.len() + 1)?);
        Ok(())
    }

    fn add_open(&mut self, row: &OperationRow) {
        self.matches += 1;
        for (at, key) in KEYS.into_iter().enumerate() {
            row.texts(key).iter().for_each(|value| self.add_value(at, value));
        }
    }

    fn is_full(&mut self) -> bool {
        self.capped |= self.matches >= MOST_COUNTED || self.checked >= MOST_CHECKED;
        self.capped
    }

    fn finish(mut self) -> Facets {
        self.latencies.sort_unstable();
        let rank = (self.latencies.len() * 95).div_ceil(100).checked_sub(1);
        let count = |decided: Decided| {
            let decisions = self.counts.first();
            decisions.and_then(|counts| counts.get(decided.as_str())).copied().unwrap_or(0)
        };
        Facets {
            matches: self.matches,
            total: 0,
            capped: self.capped,
            denied: count(Decided::Denied) + count(Decided::Refused) + count(Decided::Expired),
            held: count(Decided::Held),
            cost: self.cost,
            latency_p95_ms: rank.and_then(|rank| self.latencies.get(rank)).copied(),
            groups: KEYS.into_iter().zip(self.counts).map(|(key, counts)| group(key.as_str(), counts)).collect(),
        }
    }
}

fn group(key: &'static str, counts: HashMap<String, u64>) -> FacetGroup {
    let mut values: Vec<FacetValue> = counts.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
    values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    values.truncate(MOST_VALUES);
    FacetGroup { key, values }
}

/// All facets of a query.
pub fn facets(conn: &Connection, query: &Query, now: DateTime<Utc>) -> Result<Facets, StoreError> {
    let plan = Plan::new(conn, query, now)?;
    let mut counting = Counting::default();
    for row in plan.open_rows(conn)? {
        counting.add_open(&row);
    }
    // What the index is sure of needs no look at the row itself.
    for_each(conn, &plan.lower, plan.from..plan.until, COLUMNS, |row| {
        if counting.is_full() {
            return Ok(Visit::Stop);
        }
        counting.add(row)?;
        Ok(Visit::Go)
    })?;
    if !plan.exact {
        let unsure = Ix::and(vec![plan.upper.clone(), plan.lower.clone().not()]);
        for_each(conn, &unsure, plan.from..plan.until, &format!("{COLUMNS}, {BODY}"), |row| {
            if counting.is_full() {
                return Ok(Visit::Stop);
            }
            counting.checked += 1;
            let body = row.get_ref(KEYS.len() + 2)?.as_str().map_err(rusqlite::Error::from)?;
            if plan.keeps(&serde_json::from_str(body)?) {
                counting.add(row)?;
            }
            Ok(Visit::Go)
        })?;
    }
    Ok(Facets { total: plan.until.saturating_sub(plan.from), ..counting.finish() })
}
