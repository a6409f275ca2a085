//! Walking over rows, newest first: through the index where it can say something, else through the table.

use std::ops::Range;

use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

use super::plan::Ix;
use crate::error::StoreError;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    Go,
    Stop,
}

/// A row's body as a column; only those who name it pay for reading it.
pub const BODY: &str = "(SELECT body FROM bodies WHERE id = o.id)";

/// Reads [`BODY`].
pub fn body<T: DeserializeOwned>(row: &Row<'_>) -> Result<T, StoreError> {
    let text = row.get_ref(0)?;
    Ok(serde_json::from_str(text.as_str().map_err(rusqlite::Error::from)?)?)
}

/// Visits the closed rows in a range of ids that an expression of the index means.
pub fn for_each(
    conn: &Connection,
    ix: &Ix,
    ids: Range<u64>,
    columns: &str,
    mut visit: impl FnMut(&Row<'_>) -> Result<Visit, StoreError>,
) -> Result<(), StoreError> {
    let Some(last) = ids.end.checked_sub(1).filter(|last| *last >= ids.start) else { return Ok(()) };
    let sql;
    let mut statement;
    let mut rows = match ix {
        Ix::None => return Ok(()),
        Ix::All => {
            sql = format!(
                "SELECT {columns} FROM operations o WHERE o.open = 0 AND o.id BETWEEN ?1 AND ?2 ORDER BY o.id DESC"
            );
            statement = conn.prepare_cached(&sql)?;
            statement.query((ids.start, last))?
        }
        ix => {
            sql = format!(
                "SELECT {columns} FROM operations_fts f CROSS JOIN operations o ON o.id = f.rowid \
                 WHERE f.operations_fts MATCH ?1 AND f.rowid BETWEEN ?2 AND ?3 ORDER BY f.rowid DESC"
            );
            statement = conn.prepare_cached(&sql)?;
            statement.query((ix.to_string(), ids.start, last))?
        }
    };
    while let Some(row) = rows.next()? {
        if visit(row)? == Visit::Stop {
            break;
        }
    }
    Ok(())
}

/// Visits only the ids of the closed rows in a range; cheaper, because no row is read.
pub fn for_each_id(conn: &Connection, ix: &Ix, ids: Range<u64>, mut visit: impl FnMut(u64)) -> Result<(), StoreError> {
    let Some(last) = ids.end.checked_sub(1).filter(|last| *last >= ids.start) else { return Ok(()) };
    if matches!(ix, Ix::None) {
        return Ok(());
    }
    let sql = "SELECT rowid FROM operations_fts WHERE operations_fts MATCH ?1 AND rowid BETWEEN ?2 AND ?3 \
               ORDER BY rowid DESC";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query((ix.to_string(), ids.start, last))?;
    while let Some(row) = rows.next()? {
        visit(row.get(0)?);
    }
    Ok(())
}

/// The first row made at this time or later: stamps rise with ids, so halving finds it. One more than the last id when
/// there is none.
pub fn first_at_or_after(conn: &Connection, ms: i64) -> Result<u64, StoreError> {
    let last: u64 =
        conn.prepare_cached("SELECT coalesce(max(id), 0) FROM operations")?.query_row((), |row| row.get(0))?;
    let mut statement = conn.prepare_cached("SELECT stamp FROM operations WHERE id >= ?1 ORDER BY id LIMIT 1")?;
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let stamp: i64 = statement.query_row([middle], |row| row.get(0))?;
        if stamp >= ms {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}
