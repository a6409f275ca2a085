//! Remembered answers with an end; those without one are policy text.

use reeve_domain::grant::Grant;
use reeve_domain::id::GrantId;
use rusqlite::Connection;

use crate::error::StoreError;

pub fn put(conn: &Connection, grant: &Grant) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO grants (id, body) VALUES (?1, ?2)")?
        .execute((grant.id.as_str(), serde_json::to_string(grant)?))?;
    Ok(())
}

pub fn remove(conn: &Connection, id: &GrantId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM grants WHERE id = ?1")?.execute([id.as_str()])?;
    Ok(())
}

pub fn all(conn: &Connection) -> Result<Vec<Grant>, StoreError> {
    super::bodies(conn, "SELECT body FROM grants ORDER BY id", ())
}
