//! Signed heads of the chain.

use reeve_domain::chain::Seal;
use rusqlite::Connection;

use crate::error::StoreError;

pub fn insert(conn: &Connection, seal: &Seal) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO seals (seq, seal) VALUES (?1, ?2)")?
        .execute((seal.seq, seal.line()))?;
    Ok(())
}

/// Oldest first.
pub fn all(conn: &Connection) -> Result<Vec<Seal>, StoreError> {
    super::bodies(conn, "SELECT seal FROM seals ORDER BY seq", ())
}

/// The first seal that covers an event.
pub fn covering(conn: &Connection, seq: u64) -> Result<Option<Seal>, StoreError> {
    super::body(conn, "SELECT seal FROM seals WHERE seq >= ?1 ORDER BY seq LIMIT 1", [seq])
}
