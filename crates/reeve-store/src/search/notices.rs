//! What happened beside actions, in the stretch of the record that one page of actions covers.

use chrono::{DateTime, Utc};
use reeve_domain::notice::Sought;
use reeve_domain::query::{OperationRow, Query};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::StoreError;
use crate::tables::notices::{Notices, newest};

/// Newest first. `before` and `next` are the ids that the page of rows began below and that its next one begins below.
pub fn notices(
    conn: &Connection,
    query: &Query,
    (before, next): (Option<u64>, Option<u64>),
    now: DateTime<Utc>,
) -> Result<Notices, StoreError> {
    // Whoever follows the record asks so for every single row.
    let (first, end) = match Sought::by(query) {
        Sought::None => return Ok(Notices::default()),
        Sought::Record(record) => (record, record.saturating_add(1)),
        Sought::Any => (0, u64::MAX),
    };
    let until = before.map_or(Ok(u64::MAX), |id| record_of(conn, id))?;
    let from = next.map_or(Ok(0), |id| record_of(conn, id))?;
    newest(conn, (from.max(first), until.min(end)), |notice| notice.matches(query, now))
}

/// The first record of a row; 0 where it is gone.
fn record_of(conn: &Connection, id: u64) -> Result<u64, StoreError> {
    let sql = "SELECT body FROM bodies WHERE id = ?1";
    let body: Option<String> = conn.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    body.map_or(Ok(0), |body| Ok(serde_json::from_str::<OperationRow>(&body)?.record))
}
