//! How many answers each session asked models for, by the question, and how many of its calls let a model judge.

use reeve_domain::id::SessionId;
use reeve_domain::operation::Digest;
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::StoreError;

/// What one question came to so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    pub answers: u64,
    pub candidates: u64,
    pub judged: u64,
}

pub fn of_question(conn: &Connection, session: &SessionId, question: &Digest) -> Result<Asked, StoreError> {
    let sql = "SELECT answers, candidates, judged FROM asked WHERE session = ?1 AND question = ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let row =
        |row: &rusqlite::Row<'_>| Ok(Asked { answers: row.get(0)?, candidates: row.get(1)?, judged: row.get(2)? });
    Ok(statement.query_row((session.as_str(), question.as_str()), row).optional()?.unwrap_or_default())
}

/// Candidates and judged calls of the whole session.
pub fn of_session(conn: &Connection, session: &SessionId) -> Result<(u64, u64), StoreError> {
    let sql = "SELECT coalesce(sum(candidates), 0), coalesce(sum(judged), 0) FROM asked WHERE session = ?1";
    let mut statement = conn.prepare_cached(sql)?;
    Ok(statement.query_row([session.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

pub fn put(conn: &Connection, session: &SessionId, question: &Digest, asked: Asked) -> Result<(), StoreError> {
    let sql =
        "INSERT OR REPLACE INTO asked (session, question, answers, candidates, judged) VALUES (?1, ?2, ?3, ?4, ?5)";
    let Asked { answers, candidates, judged } = asked;
    conn.prepare_cached(sql)?.execute((session.as_str(), question.as_str(), answers, candidates, judged))?;
    Ok(())
}

/// A session that ended asks nothing more.
pub fn forget(conn: &Connection, session: &SessionId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM asked WHERE session = ?1")?.execute([session.as_str()])?;
    Ok(())
}
