//! Registered agents.

use reeve_domain::agent::Agent;
use rusqlite::Connection;

use crate::error::StoreError;

pub fn put(conn: &Connection, agent: &Agent) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO agents (id, body) VALUES (?1, ?2)")?
        .execute((agent.id.as_str(), serde_json::to_string(agent)?))?;
    Ok(())
}

/// Also removed ones, so that the timeline can name them.
pub fn all(conn: &Connection) -> Result<Vec<Agent>, StoreError> {
    super::bodies(conn, "SELECT body FROM agents ORDER BY id", ())
}
