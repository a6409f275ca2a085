//! What was judged lately, as it was judged: for weighing another set of rules against it.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use reeve_domain::event::EventBody;
use reeve_domain::id::{AgentId, OperationId};
use reeve_domain::operation::{Digest, Operation};
use reeve_domain::query::OperationRow;
use reeve_domain::verdict::Verdict;
use rusqlite::{Connection, OptionalExtension as _};

use crate::Store;
use crate::error::StoreError;
use crate::tables::operations;

/// An operation as policy saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub operation: Operation,
    pub verdict: Verdict,
    /// The agent had never had an operation admitted to this host.
    pub first_seen: bool,
    /// The agent had never had anything but a read admitted to this host. Where its first write is not known to lie in
    /// what was read, it counts as earlier.
    pub first_write: bool,
}

/// The newest operations that policy judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JudgedOperations {
    /// Newest first.
    pub operations: Vec<Judged>,
    /// There are more than were read.
    pub more: bool,
}

/// Every method fails when the database cannot be read.
impl Store {
    /// The newest `limit` operations since then that policy judged.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn judged(&self, since: DateTime<Utc>, limit: usize) -> Result<JudgedOperations, StoreError> {
        self.read(move |conn| newest(conn, since, limit)).await
    }

    /// One operation as it was judged; `None` where there is none, or where it was refused before it was judged.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn judged_operation(&self, id: &OperationId) -> Result<Option<Judged>, StoreError> {
        let id = id.clone();
        self.read(move |conn| {
            let Some(row) = operations::find(conn, &id)? else { return Ok(None) };
            let Some((operation, verdict)) = first(conn, &row)? else { return Ok(None) };
            let earlier = reached(conn, &row)?;
            let passed = row.decision.passed();
            // It is itself among what reached the host, when it passed.
            let first_seen = if passed { row.first_seen } else { earlier.is_none() };
            let first_write = first_seen || (!passed && earlier == Some(false));
            Ok(Some(Judged { operation, verdict, first_seen, first_write }))
        })
        .await
    }

    /// How often each rule was among those that determined an operation since then.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rule_hits(&self, since: DateTime<Utc>) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(move |conn| {
            // From the newest down: rows rise with time, and time has no index of its own.
            let mut statement = conn.prepare_cached("SELECT rules, stamp FROM operations ORDER BY id DESC")?;
            let mut rows = statement.query(())?;
            let mut hits: HashMap<String, u64> = HashMap::new();
            while let Some(row) = rows.next()? {
                if row.get::<_, i64>(1)? < since.timestamp_millis() {
                    break;
                }
                let rules = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                for rule in rules.split_ascii_whitespace() {
                    match hits.get_mut(rule) {
                        Some(count) => *count += 1,
                        None => _ = hits.insert(rule.to_owned(), 1),
                    }
                }
            }
            let mut hits: Vec<(String, u64)> = hits.into_iter().collect();
            hits.sort();
            Ok(hits)
        })
        .await
    }
}

fn newest(conn: &Connection, since: DateTime<Utc>, limit: usize) -> Result<JudgedOperations, StoreError> {
    let sql = "SELECT body, stamp FROM operations JOIN bodies USING (id) ORDER BY id DESC";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(())?;
    let mut found: Vec<(OperationRow, Operation, Verdict)> = Vec::new();
    let mut more = false;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? < since.timestamp_millis() {
            break;
        }
        if found.len() >= limit {
            more = true;
            break;
        }
        let row: OperationRow = serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
        if let Some((operation, verdict)) = first(conn, &row)? {
            found.push((row, operation, verdict));
        }
    }
    let mut past = Past::before(conn, &found)?;
    let mut judged: Vec<Judged> = Vec::with_capacity(found.len());
    for (row, operation, verdict) in found.into_iter().rev() {
        let (first_seen, first_write) = past.firsts(&row);
        if row.decision.passed() {
            past.note(&row, !operation.only_reads());
        }
        judged.push(Judged { operation, verdict, first_seen, first_write });
    }
    judged.reverse();
    Ok(JudgedOperations { operations: judged, more })
}

/// Operation and verdict as first recorded.
fn first(conn: &Connection, row: &OperationRow) -> Result<Option<(Operation, Verdict)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT record, hash FROM events WHERE seq = ?1")?;
    let found =
        statement.query_row([row.record], |row| Ok((row.get::<_, String>(0)?, Digest(row.get(1)?)))).optional()?;
    let Some((record, hash)) = found else { return Ok(None) };
    Ok(match reeve_domain::chain::read(&record, hash)?.body {
        EventBody::OperationAdmitted { operation, verdict, .. }
        | EventBody::ApprovalRequested { operation, verdict, .. } => Some((operation, verdict)),
        EventBody::OperationDenied { operation, verdict, .. } => verdict.map(|verdict| (operation, verdict)),
        _ => None,
    })
}

/// Whether the agent ever reached the host, and by more than reads.
fn reached(conn: &Connection, row: &OperationRow) -> Result<Option<bool>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT wrote FROM reached WHERE agent = ?1 AND host = ?2")?;
    Ok(statement.query_row((row.agent.as_str(), &row.host), |row| row.get(0)).optional()?)
}

type Pair = (AgentId, String);

/// Which hosts each agent had reached at one point of the record, and whether by more than reads.
struct Past(HashMap<Pair, bool>);

impl Past {
    /// Before the oldest of these, which are newest first.
    fn before(conn: &Connection, found: &[(OperationRow, Operation, Verdict)]) -> Result<Self, StoreError> {
        let pair = |row: &OperationRow| (row.agent.clone(), row.host.clone());
        let begun: HashSet<Pair> = found.iter().filter(|(row, ..)| row.first_seen).map(|(row, ..)| pair(row)).collect();
        let mut past = HashMap::new();
        for (row, ..) in found {
            let pair = pair(row);
            if begun.contains(&pair) || past.contains_key(&pair) {
                continue;
            }
            if let Some(wrote) = reached(conn, row)? {
                past.insert(pair, wrote);
            }
        }
        Ok(Self(past))
    }

    fn firsts(&self, row: &OperationRow) -> (bool, bool) {
        match self.0.get(&(row.agent.clone(), row.host.clone())) {
            None => (true, true),
            Some(wrote) => (false, !wrote),
        }
    }

    fn note(&mut self, row: &OperationRow, writes: bool) {
        *self.0.entry((row.agent.clone(), row.host.clone())).or_default() |= writes;
    }
}
