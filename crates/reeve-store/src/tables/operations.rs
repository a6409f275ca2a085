//! Operation rows and their documents in the full-text index.

use reeve_domain::id::OperationId;
use reeve_domain::query::OperationRow;
use rusqlite::Connection;

use crate::error::StoreError;

pub fn find(conn: &Connection, operation: &OperationId) -> Result<Option<OperationRow>, StoreError> {
    super::body(conn, "SELECT body FROM operations WHERE operation = ?1", [operation.as_str()])
}

/// Writes a row. `stamp` is that of the event that made it, and stays.
pub fn put(conn: &Connection, row: &OperationRow, stamp: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO operations (id, stamp, open, operation, agent, kind, decision, risk, host, rules, model, \
               credentials, cost, latency, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
               ON CONFLICT (id) DO UPDATE SET open = excluded.open, decision = excluded.decision, risk = excluded.risk, \
               rules = excluded.rules, credentials = excluded.credentials, cost = excluded.cost, \
               latency = excluded.latency, body = excluded.body";
    let risk = row.texts(reeve_domain::query::Key::Risk).pop();
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
        row.host,
        row.rules.join(" "),
        row.model,
        credentials.join(" "),
        row.cost.map_or(0, |cost| cost.0),
        row.latency_ms.and_then(|ms| i64::try_from(ms).ok()),
        serde_json::to_string(row)?,
    ])?;
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

/// Held or under way, newest first.
pub fn all_open(conn: &Connection) -> Result<Vec<OperationRow>, StoreError> {
    super::bodies(conn, "SELECT body FROM operations WHERE open = 1 ORDER BY id DESC", ())
}
