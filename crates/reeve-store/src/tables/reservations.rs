//! Accounts and the open holds on them. Amounts only: what may be held is the ledger's business.

use chrono::{DateTime, Utc};
use reeve_domain::budget::{Account, Limit, Reservation};
use reeve_domain::id::OperationId;
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::StoreError;

/// What one account holds, in both units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub settled_nano: i64,
    pub reserved_nano: i64,
    pub settled_tokens: i64,
    pub reserved_tokens: i64,
}

/// The newest window that this account was ever charged in.
pub fn latest_window(conn: &Connection, account: &Account) -> Result<Option<DateTime<Utc>>, StoreError> {
    let sql = "SELECT max(window_start) FROM accounts WHERE budget = ?1 AND key = ?2";
    let latest: Option<i64> =
        conn.prepare_cached(sql)?.query_row((account.budget.as_str(), &account.key), |row| row.get(0))?;
    Ok(latest.and_then(DateTime::from_timestamp_millis))
}

pub fn sums(conn: &Connection, account: &Account) -> Result<Sums, StoreError> {
    let sql = "SELECT settled_nano, reserved_nano, settled_tokens, reserved_tokens FROM accounts \
               WHERE budget = ?1 AND key = ?2 AND window_start = ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let params = (account.budget.as_str(), &account.key, account.window_start.timestamp_millis());
    let found = statement.query_row(params, |row| {
        Ok(Sums {
            settled_nano: row.get(0)?,
            reserved_nano: row.get(1)?,
            settled_tokens: row.get(2)?,
            reserved_tokens: row.get(3)?,
        })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// Adds to an account; negative numbers take away.
pub fn add(conn: &Connection, account: &Account, change: Sums) -> Result<(), StoreError> {
    let sums = sums(conn, account)?;
    let sql = "INSERT OR REPLACE INTO accounts \
               (budget, key, window_start, settled_nano, reserved_nano, settled_tokens, reserved_tokens) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    conn.prepare_cached(sql)?.execute((
        account.budget.as_str(),
        &account.key,
        account.window_start.timestamp_millis(),
        sums.settled_nano.saturating_add(change.settled_nano),
        sums.reserved_nano.saturating_add(change.reserved_nano),
        sums.settled_tokens.saturating_add(change.settled_tokens),
        sums.reserved_tokens.saturating_add(change.reserved_tokens),
    ))?;
    Ok(())
}

/// Forgets an account that nothing will count in again.
pub fn forget(conn: &Connection, account: &Account) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM accounts WHERE budget = ?1 AND key = ?2")?
        .execute((account.budget.as_str(), &account.key))?;
    Ok(())
}

pub fn insert(conn: &Connection, reservation: &Reservation) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT INTO reservations (operation, body) VALUES (?1, ?2)")?
        .execute((reservation.operation.as_str(), serde_json::to_string(reservation)?))?;
    Ok(())
}

/// Takes the open hold of an operation out of the table.
pub fn take(conn: &Connection, operation: &OperationId) -> Result<Option<Reservation>, StoreError> {
    let held = super::body(conn, "SELECT body FROM reservations WHERE operation = ?1", [operation.as_str()])?;
    if held.is_some() {
        conn.prepare_cached("DELETE FROM reservations WHERE operation = ?1")?.execute([operation.as_str()])?;
    }
    Ok(held)
}

/// The unit's part of the sums.
#[must_use]
pub fn balance(limit: Limit, sums: Sums) -> (i64, i64) {
    match limit {
        Limit::Money(_) => (sums.settled_nano, sums.reserved_nano),
        Limit::Tokens(_) => (sums.settled_tokens, sums.reserved_tokens),
    }
}
