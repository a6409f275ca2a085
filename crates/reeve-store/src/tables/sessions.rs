//! Sessions. Of the token only the hash.

use chrono::{DateTime, Utc};
use reeve_domain::id::SessionId;
use reeve_domain::session::{Session, SessionEnd};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::StoreError;

pub fn open(conn: &Connection, session: &Session, token_hash: &str) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT INTO sessions (id, token_hash, open, cwd, body) VALUES (?1, ?2, 1, ?3, ?4)")?
        .execute((session.id.as_str(), token_hash, &session.cwd, serde_json::to_string(session)?))?;
    Ok(())
}

/// Ends it, where it is open.
pub fn end(conn: &Connection, id: &SessionId, because: SessionEnd, at: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = "SELECT body FROM sessions WHERE id = ?1 AND open = 1";
    let Some(mut session) = super::body::<Session>(conn, sql, [id.as_str()])? else { return Ok(()) };
    session.ended_at = Some(at);
    session.ended_because = Some(because);
    // The hash of a token that works no more is of no use to anybody.
    conn.prepare_cached("UPDATE sessions SET open = 0, token_hash = '', body = ?2 WHERE id = ?1")?
        .execute((id.as_str(), serde_json::to_string(&session)?))?;
    Ok(())
}

/// Takes away a session that ended.
pub fn remove_ended(conn: &Connection, id: &SessionId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM sessions WHERE id = ?1 AND open = 0")?.execute([id.as_str()])?;
    Ok(())
}

pub fn cwd(conn: &Connection, id: &SessionId) -> Result<Option<String>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT cwd FROM sessions WHERE id = ?1")?;
    Ok(statement.query_row([id.as_str()], |row| row.get(0)).optional()?)
}

pub fn find(conn: &Connection, id: &SessionId) -> Result<Option<Session>, StoreError> {
    super::body(conn, "SELECT body FROM sessions WHERE id = ?1", [id.as_str()])
}

/// Newest first.
pub fn newest(conn: &Connection, limit: usize) -> Result<Vec<Session>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    super::bodies(conn, "SELECT body FROM sessions ORDER BY rowid DESC LIMIT ?1", [limit])
}

pub fn all_open(conn: &Connection) -> Result<Vec<Session>, StoreError> {
    super::bodies(conn, "SELECT body FROM sessions WHERE open = 1 ORDER BY id", ())
}
