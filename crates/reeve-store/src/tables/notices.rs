//! Numbers of the records that tell of something beside actions.

use reeve_domain::chain::read;
use reeve_domain::notice::Notice;
use reeve_domain::operation::Digest;
use rusqlite::Connection;

use crate::error::StoreError;

/// Most that one answer has.
const MOST: usize = 500;
/// Most that are looked at for one answer.
const MOST_CHECKED: usize = 5_000;

/// Those that were sought, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notices {
    pub notices: Vec<Notice>,
    /// Looking stopped before the end: there may be more, and older ones.
    pub capped: bool,
}

pub fn insert(conn: &Connection, seq: u64) -> Result<(), StoreError> {
    // Where the end of the record was cut off, its line may be left: the record goes on, and the chain tells of the cut.
    conn.prepare_cached("INSERT OR IGNORE INTO notices (seq) VALUES (?1)")?.execute([seq])?;
    Ok(())
}

/// Takes away those of records that go.
pub fn remove(conn: &Connection, first: u64, last: u64) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM notices WHERE seq BETWEEN ?1 AND ?2")?.execute((first, last))?;
    Ok(())
}

/// Those to keep of records from `from` up to and without `until`, newest first.
pub fn newest(
    conn: &Connection,
    (from, until): (u64, u64),
    keeps: impl Fn(&Notice) -> bool,
) -> Result<Notices, StoreError> {
    let last = i64::try_from(until.saturating_sub(1)).unwrap_or(i64::MAX);
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let sql = "SELECT e.record, e.hash FROM notices n JOIN events e USING (seq) WHERE n.seq BETWEEN ?1 AND ?2 \
               ORDER BY n.seq DESC";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query((from, last))?;
    let mut found = Notices::default();
    let mut checked = 0;
    while let Some(row) = rows.next()? {
        if checked == MOST_CHECKED || found.notices.len() == MOST {
            found.capped = true;
            break;
        }
        checked += 1;
        let record = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        // One that was changed and cannot be read is what verifying is for.
        let notice = read(record, Digest(row.get(1)?)).ok().as_ref().and_then(Notice::of);
        found.notices.extend(notice.filter(&keeps));
    }
    Ok(found)
}
