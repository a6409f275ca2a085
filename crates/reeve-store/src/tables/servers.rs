//! MCP servers, their tools with every version that was seen, and the shapes of their results.

use reeve_domain::operation::Digest;
use reeve_domain::server::{ServerRecord, ToolRecord};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::StoreError;

pub fn put(conn: &Connection, server: &ServerRecord) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO servers (name, body) VALUES (?1, ?2)")?
        .execute((&server.name, serde_json::to_string(server)?))?;
    Ok(())
}

pub fn all(conn: &Connection) -> Result<Vec<ServerRecord>, StoreError> {
    super::bodies(conn, "SELECT body FROM servers ORDER BY name", ())
}

/// A server with everything that was known of it.
pub fn forget(conn: &Connection, name: &str) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM servers WHERE name = ?1")?.execute([name])?;
    conn.prepare_cached("DELETE FROM tools WHERE server = ?1")?.execute([name])?;
    conn.prepare_cached("DELETE FROM shapes WHERE server = ?1")?.execute([name])?;
    Ok(())
}

pub fn put_tool(conn: &Connection, tool: &ToolRecord) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO tools (server, name, body) VALUES (?1, ?2, ?3)")?.execute((
        &tool.server,
        &tool.name,
        serde_json::to_string(tool)?,
    ))?;
    Ok(())
}

/// By server and name.
pub fn tools(conn: &Connection) -> Result<Vec<ToolRecord>, StoreError> {
    super::bodies(conn, "SELECT body FROM tools ORDER BY server, name", ())
}

/// What the results of one version of a tool looked like; `body` is JSON.
pub fn put_shape(
    conn: &Connection,
    server: &str,
    tool: &str,
    definition: &Digest,
    body: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO shapes (server, tool, definition, body) VALUES (?1, ?2, ?3, ?4)";
    conn.prepare_cached(sql)?.execute((server, tool, definition.as_str(), body))?;
    Ok(())
}

pub fn shape(conn: &Connection, server: &str, tool: &str, definition: &Digest) -> Result<Option<String>, StoreError> {
    let sql = "SELECT body FROM shapes WHERE server = ?1 AND tool = ?2 AND definition = ?3";
    let mut statement = conn.prepare_cached(sql)?;
    Ok(statement.query_row((server, tool, definition.as_str()), |row| row.get(0)).optional()?)
}
