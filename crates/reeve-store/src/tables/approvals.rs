//! Questions put to a human, and their answers. `uses` counts the operations that passed by an answer.

use chrono::{DateTime, Utc};
use reeve_domain::approval::{Approval, Resolution, Resolved};
use reeve_domain::id::{AgentId, ApprovalId, SessionId};
use reeve_domain::operation::Digest;
use reeve_domain::shape::Asked;
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::StoreError;

pub fn insert(conn: &Connection, approval: &Approval) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO approvals (id, agent, session, user, cwd, question, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    conn.prepare_cached(sql)?.execute((
        approval.id.as_str(),
        approval.agent.as_str(),
        approval.session.as_str(),
        &approval.user,
        &approval.cwd,
        approval.question.as_str(),
        serde_json::to_string(approval)?,
    ))?;
    Ok(())
}

pub fn find(conn: &Connection, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
    super::body(conn, "SELECT body FROM approvals WHERE id = ?1", [id.as_str()])
}

/// The question and how often its answer was used.
pub fn get(conn: &Connection, id: &ApprovalId) -> Result<(Approval, u32), StoreError> {
    let approval = find(conn, id)?.ok_or_else(|| StoreError::NotFound { what: "question", name: id.to_string() })?;
    let mut statement = conn.prepare_cached("SELECT uses FROM approvals WHERE id = ?1")?;
    let uses = statement.query_row([id.as_str()], |row| row.get(0)).optional()?;
    Ok((approval, uses.unwrap_or(0)))
}

/// The question, which must still be open.
pub fn get_open(conn: &Connection, id: &ApprovalId) -> Result<Approval, StoreError> {
    let (approval, _) = get(conn, id)?;
    match approval.resolved {
        None => Ok(approval),
        Some(_) => Err(StoreError::Closed { what: "question", name: id.to_string() }),
    }
}

pub fn update(conn: &Connection, approval: &Approval) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE approvals SET body = ?2 WHERE id = ?1")?
        .execute((approval.id.as_str(), serde_json::to_string(approval)?))?;
    Ok(())
}

pub fn resolve(conn: &Connection, mut approval: Approval, resolved: &Resolved) -> Result<(), StoreError> {
    approval.resolved = Some(resolved.clone());
    let resolution = match resolved.resolution {
        Resolution::Approved { .. } => "approved",
        Resolution::Refused { .. } => "refused",
        Resolution::Expired => "expired",
        Resolution::Withdrawn => "withdrawn",
    };
    conn.prepare_cached("UPDATE approvals SET resolution = ?2, resolved_at = ?3, body = ?4 WHERE id = ?1")?.execute(
        (approval.id.as_str(), resolution, resolved.at.timestamp_millis(), serde_json::to_string(&approval)?),
    )?;
    Ok(())
}

pub fn use_once(conn: &Connection, mut approval: Approval, at: DateTime<Utc>) -> Result<(), StoreError> {
    approval.used_at = Some(at);
    conn.prepare_cached("UPDATE approvals SET uses = uses + 1, body = ?2 WHERE id = ?1")?
        .execute((approval.id.as_str(), serde_json::to_string(&approval)?))?;
    Ok(())
}

/// Takes away a question that has its answer.
pub fn remove_closed(conn: &Connection, id: &ApprovalId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM approvals WHERE id = ?1 AND resolution IS NOT NULL")?.execute([id.as_str()])?;
    Ok(())
}

/// Oldest first.
pub fn all_open(conn: &Connection) -> Result<Vec<Approval>, StoreError> {
    super::bodies(conn, "SELECT body FROM approvals WHERE resolution IS NULL ORDER BY id", ())
}

/// Newest first.
pub fn newest(conn: &Connection, limit: usize) -> Result<Vec<Approval>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    super::bodies(conn, "SELECT body FROM approvals ORDER BY rowid DESC LIMIT ?1", [limit])
}

/// Newest first: what the history of questions needs, asked since then.
pub fn asked(
    conn: &Connection,
    agent: Option<&AgentId>,
    since: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Asked>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = "SELECT body FROM approvals WHERE (?1 IS NULL OR agent = ?1) ORDER BY rowid DESC LIMIT ?2";
    let mut all: Vec<Asked> = super::bodies(conn, sql, (agent.map(AgentId::as_str), limit))?;
    all.retain(|one| one.asked_at >= since);
    Ok(all)
}

/// An approval of this very question that nobody has used, given after `since`.
pub fn unused(
    conn: &Connection,
    agent: &AgentId,
    user: &str,
    cwd: &str,
    question: &Digest,
    since: DateTime<Utc>,
) -> Result<Option<Approval>, StoreError> {
    let sql = "SELECT body FROM approvals WHERE question = ?1 AND agent = ?2 AND user = ?3 AND cwd = ?4 \
               AND resolution = 'approved' AND uses = 0 AND resolved_at >= ?5 ORDER BY resolved_at DESC LIMIT 1";
    let params = (question.as_str(), agent.as_str(), user, cwd, since.timestamp_millis());
    super::body(conn, sql, params)
}

/// The latest answer to this very question in this session.
pub fn last_answer(
    conn: &Connection,
    agent: &AgentId,
    session: &SessionId,
    question: &Digest,
) -> Result<Option<Approval>, StoreError> {
    let sql = "SELECT body FROM approvals WHERE question = ?1 AND agent = ?2 AND session = ?3 \
               AND resolution IS NOT NULL ORDER BY resolved_at DESC, rowid DESC LIMIT 1";
    super::body(conn, sql, (question.as_str(), agent.as_str(), session.as_str()))
}
