//! Operation rows and their documents in the full-text index.

use chrono::{DateTime, Utc};
use reeve_domain::id::{AgentId, OperationId};
use reeve_domain::query::{Decided, Key, OperationRow};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::StoreError;

pub fn find(conn: &Connection, operation: &OperationId) -> Result<Option<OperationRow>, StoreError> {
    // No join: SQLite would plan one anew for every operation it is asked for.
    let sql = "SELECT body FROM bodies WHERE id = (SELECT id FROM operations WHERE operation = ?1)";
    super::body(conn, sql, [operation.as_str()])
}

/// Whether an operation is open, and what was decided of it.
pub fn state(conn: &Connection, operation: &OperationId) -> Result<Option<(bool, Decided)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT open, decision FROM operations WHERE operation = ?1")?;
    let found =
        statement.query_row([operation.as_str()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).optional()?;
    let Some((open, decision)) = found else { return Ok(None) };
    let decided = Decided::parse(&decision).ok_or_else(|| StoreError::Damaged(format!("decision `{decision}`")))?;
    Ok(Some((open, decided)))
}

/// Writes a row. `stamp` is that of the event that made it, and stays.
pub fn put(conn: &Connection, row: &OperationRow, stamp: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO operations (id, stamp, open, operation, agent, kind, decision, risk, host, rules, model, \
               credentials, cost, latency, ended, looped) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
               ON CONFLICT (id) DO UPDATE SET open = excluded.open, decision = excluded.decision, risk = excluded.risk, \
               rules = excluded.rules, credentials = excluded.credentials, cost = excluded.cost, \
               latency = excluded.latency, ended = excluded.ended, looped = excluded.looped";
    let risk = row.texts(Key::Risk).pop();
    let credentials: Vec<&str> = row.credentials.iter().map(|id| id.as_str()).collect();
    conn.prepare_cached(sql)?.execute(rusqlite::params![
        row.id,
        stamp,
        row.open,
        row.operation.as_str(),
        row.agent.as_str(),
        row.kind,
        row.decision.as_str(),
        risk,
        row.host.as_deref().unwrap_or_default(),
        row.texts(Key::Rule).join(" "),
        row.model,
        credentials.join(" "),
        row.cost.map_or(0, |cost| cost.0),
        row.latency_ms.and_then(|ms| i64::try_from(ms).ok()),
        row.texts(Key::End).pop(),
        row.texts(Key::Loop).join(" "),
    ])?;
    conn.prepare_cached("INSERT OR REPLACE INTO bodies (id, body) VALUES (?1, ?2)")?
        .execute((row.id, serde_json::to_string(row)?))?;
    Ok(())
}

/// Enters a row into the index.
pub fn index(conn: &Connection, id: u64, text: &str, words: &str) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT INTO operations_fts (rowid, text, words) VALUES (?1, ?2, ?3)")?
        .execute((id, text, words))?;
    Ok(())
}

/// Takes a row out of the index.
pub fn unindex(conn: &Connection, id: u64) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM operations_fts WHERE rowid = ?1")?.execute([id])?;
    Ok(())
}

/// Takes away the row of an operation that is not open; its number, where there was one. That its host was reached stays
/// known.
pub fn remove_closed(conn: &Connection, operation: Option<&OperationId>) -> Result<Option<u64>, StoreError> {
    let Some(operation) = operation else { return Ok(None) };
    let sql = "SELECT id, agent, host FROM operations WHERE operation = ?1 AND open = 0";
    let found = conn
        .prepare_cached(sql)?
        .query_row([operation.as_str()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)));
    let Some((id, agent, host)) = found.optional()? else { return Ok(None) };
    conn.prepare_cached("UPDATE reached SET kept = 1 WHERE agent = ?1 AND host = ?2 AND kept = 0")?
        .execute((agent, host))?;
    conn.prepare_cached("DELETE FROM operations WHERE id = ?1")?.execute([id])?;
    conn.prepare_cached("DELETE FROM bodies WHERE id = ?1")?.execute([id])?;
    Ok(Some(id))
}

/// How many began up to and with then.
pub fn count_until(conn: &Connection, until: DateTime<Utc>) -> Result<u64, StoreError> {
    let first = first_since(conn, until + chrono::Duration::milliseconds(1))?;
    let mut statement = conn.prepare_cached("SELECT count(*) FROM operations WHERE id < ?1")?;
    Ok(statement.query_row([first], |row| row.get(0))?)
}

/// Held or under way, newest first.
pub fn all_open(conn: &Connection) -> Result<Vec<OperationRow>, StoreError> {
    super::bodies(conn, "SELECT body FROM operations JOIN bodies USING (id) WHERE open = 1 ORDER BY id DESC", ())
}

/// What one agent did in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    pub agent: AgentId,
    pub actions: u64,
    /// Asked about, whatever the answer was.
    pub held: u64,
    pub denied: u64,
    /// When the last one began.
    pub last: DateTime<Utc>,
}

/// Of every agent that did something since then.
pub fn activity(conn: &Connection, since: DateTime<Utc>) -> Result<Vec<Activity>, StoreError> {
    let sql = "SELECT agent, count(*), \
               sum(decision IN ('held', 'approved', 'refused', 'expired', 'withdrawn')), sum(decision = 'denied'), \
               max(stamp) FROM operations WHERE id >= ?1 GROUP BY agent ORDER BY agent";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([first_since(conn, since)?])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let agent = AgentId::parse(&row.get::<_, String>(0)?).map_err(|e| StoreError::Damaged(e.to_string()))?;
        let last: i64 = row.get(4)?;
        found.push(Activity {
            agent,
            actions: row.get(1)?,
            held: row.get(2)?,
            denied: row.get(3)?,
            last: DateTime::from_timestamp_millis(last)
                .ok_or_else(|| StoreError::Damaged(format!("stamp {last} of an operation")))?,
        });
    }
    Ok(found)
}

/// The first row that began then or later: stamps never go back, so halving finds it without an index.
fn first_since(conn: &Connection, since: DateTime<Utc>) -> Result<i64, StoreError> {
    let since = since.timestamp_millis();
    let newest: Option<i64> = conn.prepare_cached("SELECT max(id) FROM operations")?.query_row((), |row| row.get(0))?;
    let mut at = conn.prepare_cached("SELECT stamp FROM operations WHERE id >= ?1 ORDER BY id LIMIT 1")?;
    let (mut low, mut high) = (0, newest.unwrap_or(0) + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let stamp: Option<i64> = at.query_row([middle], |row| row.get(0)).optional()?;
        if stamp.is_some_and(|stamp| stamp < since) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
