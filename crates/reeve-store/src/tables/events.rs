//! The chain's events: canonical text and hash.

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
