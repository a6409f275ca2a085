//! Sessions with what their operations add up to, as far as these match a query: running ones first, then the newest.

use chrono::{DateTime, Utc};
use reeve_domain::query::{Decided, Key, OperationRow, Query};
use reeve_domain::session::Session;
use rusqlite::{Connection, Row};

use super::plan::{Ix, Plan};
use super::scan::{BODY, Visit, for_each};
use super::words;
use crate::error::StoreError;

/// Most sessions in one page.
pub const LARGEST_PAGE: usize = 100;
/// Sessions that are looked at for one page; then the page says where it stopped.
const MOST_LOOKED_AT: usize = 400;
/// Operations that are added up for one page.
const MOST_ADDED: u64 = 200_000;

/// A session and its sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSum {
    pub session: Session,
    /// Operations that match.
    pub actions: u64,
    /// Denied, refused and expired.
    pub denied: u64,
    /// Waiting for an answer now.
    pub held: u64,
    /// nano-USD settled.
    pub cost: i64,
    /// There are more operations than were added up.
    pub capped: bool,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sessions {
    pub rows: Vec<SessionSum>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<u64>,
}

/// Sessions with operations that match; of an empty query also those without.
pub fn sessions(
    conn: &Connection,
    query: &Query,
    before: Option<u64>,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Sessions, StoreError> {
    let limit = limit.clamp(1, LARGEST_PAGE);
    let plan = Plan::new(conn, query, now)?;
    let mut adding = Adding { conn, open: plan.open_rows(conn)?, plan, left: MOST_ADDED };
    let mut found = Sessions::default();
    if before.is_none() {
        for (_, session) in read(conn, "open = 1", u64::MAX >> 1, MOST_LOOKED_AT)? {
            adding.add(session, *query == Query::All, &mut found.rows)?;
        }
    }
    let ended = read(conn, "open = 0", before.unwrap_or(u64::MAX >> 1), MOST_LOOKED_AT)?;
    let looked_at = ended.len();
    let room = found.rows.len() + limit;
    for (at, (id, session)) in ended.into_iter().enumerate() {
        adding.add(session, *query == Query::All, &mut found.rows)?;
        let full = found.rows.len() >= room || adding.left == 0;
        if (full && at + 1 < looked_at) || (at + 1 == looked_at && looked_at == MOST_LOOKED_AT) {
            found.next = Some(id);
            break;
        }
    }
    Ok(found)
}

/// Newest first, with their row's number.
fn read(conn: &Connection, which: &str, before: u64, limit: usize) -> Result<Vec<(u64, Session)>, StoreError> {
    let sql = format!("SELECT rowid, body FROM sessions WHERE {which} AND rowid < ?1 ORDER BY rowid DESC LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query((before, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        found.push((row.get(0)?, serde_json::from_str(body)?));
    }
    Ok(found)
}

struct Adding<'a> {
    conn: &'a Connection,
    plan: Plan,
    open: Vec<OperationRow>,
    /// Operations that may still be added up.
    left: u64,
}

impl Adding<'_> {
    fn add(&mut self, session: Session, also_empty: bool, into: &mut Vec<SessionSum>) -> Result<(), StoreError> {
        let mut sum = SessionSum { session, actions: 0, denied: 0, held: 0, cost: 0, capped: false };
        for row in &self.open {
            if row.session == sum.session.id {
                tally(&mut sum, row.decision, row.cost.map_or(0, |cost| cost.0));
            }
        }
        let word = Ix::Word(words::value(Key::Session, sum.session.id.as_str()));
        let ix = Ix::and(vec![self.plan.upper.clone(), word]);
        let columns =
            if self.plan.exact { "o.decision, o.cost".to_owned() } else { format!("o.decision, o.cost, {BODY}") };
        let (plan, left) = (&self.plan, &mut self.left);
        for_each(self.conn, &ix, plan.from..plan.until, &columns, |row| {
            let Some(rest) = left.checked_sub(1) else {
                sum.capped = true;
                return Ok(Visit::Stop);
            };
            *left = rest;
            if plan.exact || keeps(plan, row)? {
                let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                let decided = Decided::parse(text).ok_or_else(|| StoreError::Damaged(format!("decision `{text}`")))?;
                tally(&mut sum, decided, row.get(1)?);
            }
            Ok(Visit::Go)
        })?;
        if sum.actions > 0 || also_empty {
            into.push(sum);
        }
        Ok(())
    }
}

fn keeps(plan: &Plan, row: &Row<'_>) -> Result<bool, StoreError> {
    let body = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(plan.keeps(&serde_json::from_str(body)?))
}

fn tally(sum: &mut SessionSum, decided: Decided, cost: i64) {
    sum.actions += 1;
    sum.denied += u64::from(matches!(decided, Decided::Denied | Decided::Refused | Decided::Expired));
    sum.held += u64::from(decided == Decided::Held);
    sum.cost = sum.cost.saturating_add(cost);
}
