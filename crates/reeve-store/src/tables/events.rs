//! The chain's events: canonical text and hash.

use chrono::{DateTime, Utc};
use reeve_domain::chain::read;
use reeve_domain::event::Event;
use reeve_domain::id::OperationId;
use reeve_domain::operation::Digest;
use rusqlite::{Connection, OptionalExtension as _, Params};

use crate::error::StoreError;

pub fn insert(conn: &Connection, event: &Event, stamp: i64, record: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO events (seq, stamp, operation, record, hash) VALUES (?1, ?2, ?3, ?4, ?5)";
    let operation = event.operation.as_ref().map(OperationId::as_str);
    conn.prepare_cached(sql)?.execute((event.seq, stamp, operation, record, event.hash.as_str()))?;
    Ok(())
}

/// Calls `each` with the texts and hashes of these events, in the order of the query, which selects `record, hash`.
pub fn for_each(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    mut each: impl FnMut(&str, &Digest) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        let hash = Digest(row.get(1)?);
        each(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?, &hash)?;
    }
    Ok(())
}

/// Numbers of the first and the last event that are there.
pub fn range(conn: &Connection) -> Result<Option<(u64, u64)>, StoreError> {
    let sql = "SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events)";
    let (first, last): (Option<u64>, Option<u64>) =
        conn.prepare_cached(sql)?.query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first.zip(last))
}

/// When an event was made, as it says itself.
pub fn made_at(conn: &Connection, seq: u64) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut made = None;
    for_each(conn, "SELECT record, hash FROM events WHERE seq = ?1", [seq], |record, hash| {
        made = Some(read(record, hash.clone())?.at);
        Ok(())
    })?;
    Ok(made)
}

/// The last event that was made before then; 0 where there is none. Stamps never go back, so halving finds it without an
/// index.
pub fn last_before(conn: &Connection, before: DateTime<Utc>) -> Result<u64, StoreError> {
    let Some((first, last)) = range(conn)? else { return Ok(0) };
    let before = before.timestamp_millis();
    let mut at = conn.prepare_cached("SELECT stamp FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1")?;
    let (mut low, mut high) = (first, last.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let stamp: Option<i64> = at.query_row([middle], |row| row.get(0)).optional()?;
        if stamp.is_some_and(|stamp| stamp < before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(if low == first { 0 } else { low - 1 })
}

/// UTC milliseconds of the oldest event.
pub fn first_stamp(conn: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(conn.query_row("SELECT (SELECT stamp FROM events ORDER BY seq LIMIT 1)", [], |row| row.get(0))?)
}

/// Of one operation, oldest first.
pub fn of_operation(conn: &Connection, operation: &OperationId) -> Result<Vec<Event>, StoreError> {
    let mut found = Vec::new();
    let sql = "SELECT record, hash FROM events WHERE operation = ?1 ORDER BY seq";
    for_each(conn, sql, [operation.as_str()], |record, hash| {
        found.push(read(record, hash.clone())?);
        Ok(())
    })?;
    Ok(found)
}

/// The newest before `before`, newest first.
pub fn newest(conn: &Connection, before: Option<u64>, limit: usize) -> Result<Vec<Event>, StoreError> {
    let mut found = Vec::new();
    let sql = "SELECT record, hash FROM events WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
    let before = before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX);
    for_each(conn, sql, (before, i64::try_from(limit).unwrap_or(i64::MAX)), |record, hash| {
        found.push(read(record, hash.clone())?);
        Ok(())
    })?;
    Ok(found)
}

pub fn hash_at(conn: &Connection, seq: u64) -> Result<Option<Digest>, StoreError> {
    let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
    let mut statement = conn.prepare_cached("SELECT hash FROM events WHERE seq = ?1")?;
    Ok(statement.query_row([seq], |row| row.get(0).map(Digest)).optional()?)
}
