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
    /// The agent had never had an operation admitted to this host, called this tool or run one of these programs.
    pub first_seen: bool,
    /// The agent had never had anything but a read admitted there. Where its first write is not known to lie in
    /// what was read, it counts as earlier.
    pub first_write: bool,
    /// The folder that its session worked in.
    pub cwd: Option<String>,
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
            let earlier = all_reached(conn, &operation)?;
            let passed = row.decision.passed();
            // It is itself among what reached the place, when it passed.
            let first_seen = if passed { row.first_seen } else { earlier.iter().any(Option::is_none) };
            let first_write = first_seen || (!passed && earlier.contains(&Some(false)));
            Ok(Some(Judged { operation, verdict, first_seen, first_write, cwd: row.cwd }))
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
        let (first_seen, first_write) = past.firsts(&operation);
        if row.decision.passed() {
            past.note(&operation);
        }
        judged.push(Judged { operation, verdict, first_seen, first_write, cwd: row.cwd });
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

/// Whether the agent ever reached the place, and by more than reads.
fn reached(conn: &Connection, (agent, place): &Pair) -> Result<Option<bool>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT wrote FROM reached WHERE agent = ?1 AND host = ?2")?;
    Ok(statement.query_row((agent.as_str(), place), |row| row.get(0)).optional()?)
}

/// The same of every place of an operation.
fn all_reached(conn: &Connection, operation: &Operation) -> Result<Vec<Option<bool>>, StoreError> {
    pairs(operation).iter().map(|pair| reached(conn, pair)).collect()
}

type Pair = (AgentId, String);

fn pairs(operation: &Operation) -> Vec<Pair> {
    operation.places().into_iter().map(|place| (operation.principal.agent.clone(), place)).collect()
}

/// Which places each agent had reached at one point of the record, and whether by more than reads.
struct Past(HashMap<Pair, bool>);

impl Past {
    /// Before the oldest of these, which are newest first.
    fn before(conn: &Connection, found: &[(OperationRow, Operation, Verdict)]) -> Result<Self, StoreError> {
        let firsts = found.iter().filter(|(row, ..)| row.first_seen);
        let mut begun: HashSet<Pair> = firsts.flat_map(|(_, operation, _)| pairs(operation)).collect();
        // Of a command line with one new program all count as new from there on: never as better known than they were.
        let mut earlier = HashMap::new();
        for pair in found.iter().flat_map(|(_, operation, _)| pairs(operation)) {
            if begun.contains(&pair) || earlier.contains_key(&pair) {
                continue;
            }
            match reached(conn, &pair)? {
                Some(wrote) => _ = earlier.insert(pair, wrote),
                None => _ = begun.insert(pair),
            }
        }
        Ok(Self(earlier))
    }

    fn firsts(&self, operation: &Operation) -> (bool, bool) {
        let known: Vec<Option<&bool>> = pairs(operation).iter().map(|pair| self.0.get(pair)).collect();
        (known.iter().any(Option::is_none), known.iter().any(|wrote| *wrote != Some(&true)))
    }

    fn note(&mut self, operation: &Operation) {
        let writes = !operation.only_reads();
        for pair in pairs(operation) {
            *self.0.entry(pair).or_default() |= writes;
        }
    }
}
