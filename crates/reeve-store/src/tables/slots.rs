//! Calls that are to have their effect once, by the hash that makes two of them the same.

use chrono::{DateTime, Utc};
use reeve_domain::operation::Digest;
use reeve_domain::slot::{Slot, SlotState};
use rusqlite::Connection;

use crate::error::StoreError;

/// Most forgotten rows that one call takes away.
const SWEPT_AT_ONCE: u32 = 64;

pub fn get(conn: &Connection, key: &Digest) -> Result<Option<Slot>, StoreError> {
    super::body(conn, "SELECT body FROM slots WHERE key = ?1", [key.as_str()])
}

pub fn put(conn: &Connection, key: &Digest, slot: &Slot) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO slots (key, reserved, keep_until, body) VALUES (?1, ?2, ?3, ?4)";
    let reserved = slot.state == SlotState::Reserved;
    let until = slot.keep_until.timestamp_millis();
    conn.prepare_cached(sql)?.execute((key.as_str(), reserved, until, serde_json::to_string(slot)?))?;
    Ok(())
}

/// Takes away what is to be forgotten by now; never what somebody is making.
pub fn forget(conn: &Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = "DELETE FROM slots WHERE key IN (SELECT key FROM slots WHERE keep_until <= ?1 AND reserved = 0 LIMIT ?2)";
    conn.prepare_cached(sql)?.execute((now.timestamp_millis(), SWEPT_AT_ONCE))?;
    Ok(())
}

/// Those that somebody was making.
pub fn reserved(conn: &Connection) -> Result<Vec<(Digest, Slot)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT key, body FROM slots WHERE reserved = 1")?;
    let rows = statement.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (key, body) = row?;
        Ok((Digest(key), serde_json::from_str(&body)?))
    })
    .collect()
}
