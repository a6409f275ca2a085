//! Numbers of the records that tell of something beside actions.

use reeve_domain::chain::read;
use reeve_domain::notice::Notice;
use rusqlite::Connection;

use super::events;
use crate::error::StoreError;

pub fn insert(conn: &Connection, seq: u64) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT INTO notices (seq) VALUES (?1)")?.execute([seq])?;
    Ok(())
}

/// Takes away those of records that go.
pub fn remove(conn: &Connection, first: u64, last: u64) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM notices WHERE seq BETWEEN ?1 AND ?2")?.execute((first, last))?;
    Ok(())
}

/// Most that are looked at for one answer.
const MOST_CHECKED: usize = 5_000;

/// Those of records from `from` up to and without `until`, newest first.
pub fn newest(conn: &Connection, (from, until): (u64, u64)) -> Result<Vec<Notice>, StoreError> {
    let last = i64::try_from(until.saturating_sub(1)).unwrap_or(i64::MAX);
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let sql = "SELECT e.record, e.hash FROM notices n JOIN events e USING (seq) WHERE n.seq BETWEEN ?1 AND ?2 \
               ORDER BY n.seq DESC LIMIT ?3";
    let mut found = Vec::new();
    events::for_each(conn, sql, (from, last, MOST_CHECKED), |record, hash| {
        // One that was changed and cannot be read is what verifying is for.
        found.extend(read(record, hash.clone()).ok().as_ref().and_then(Notice::of));
        Ok(())
    })?;
    Ok(found)
}
