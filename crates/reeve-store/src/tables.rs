//! One file per table: typed rows in and out, no decisions.

pub mod agents;
pub mod approvals;
pub mod asked;
pub mod bindings;
pub mod events;
pub mod grants;
pub mod notices;
pub mod operations;
pub mod reservations;
pub mod seals;
pub mod servers;
pub mod sessions;
pub mod settings;
pub mod slots;
pub mod spend;

use rusqlite::{Connection, Params};
use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// The JSON bodies that a query selects as its only column.
fn bodies<T: DeserializeOwned>(conn: &Connection, sql: &str, params: impl Params) -> Result<Vec<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(found)
}

/// The first of them.
fn body<T: DeserializeOwned>(conn: &Connection, sql: &str, params: impl Params) -> Result<Option<T>, StoreError> {
    Ok(bodies(conn, sql, params)?.into_iter().next())
}
