//! Operation rows and their documents in the full-text index.

use reeve_domain::id::OperationId;
use reeve_domain::query::{Decided, OperationRow};
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
               credentials, cost, latency) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
               ON CONFLICT (id) DO UPDATE SET open = excluded.open, decision = excluded.decision, risk = excluded.risk, \
               rules = excluded.rules, credentials = excluded.credentials, cost = excluded.cost, \
               latency = excluded.latency";
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

/// Held or under way, newest first.
pub fn all_open(conn: &Connection) -> Result<Vec<OperationRow>, StoreError> {
    super::bodies(conn, "SELECT body FROM operations JOIN bodies USING (id) WHERE open = 1 ORDER BY id DESC", ())
}
