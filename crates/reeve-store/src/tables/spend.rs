//! When each account was charged, and by which agent, in slots of a quarter of an hour.

use chrono::{DateTime, Utc};
use reeve_domain::budget::{Account, Limit, Settlement, Spend};
use reeve_domain::id::AgentId;
use rusqlite::Connection;

use crate::error::StoreError;

/// Length of a slot in milliseconds.
pub const SLOT_MS: i64 = 15 * 60 * 1000;

/// Adds one settled call to its slot.
pub fn add(
    conn: &Connection,
    account: &Account,
    agent: &AgentId,
    at: DateTime<Utc>,
    settlement: &Settlement,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO spend (budget, key, window_start, slot, agent, calls, nano, tokens) \
               VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7) ON CONFLICT DO UPDATE SET \
               calls = calls + 1, nano = nano + excluded.nano, tokens = tokens + excluded.tokens";
    let at = at.timestamp_millis();
    conn.prepare_cached(sql)?.execute((
        account.budget.as_str(),
        &account.key,
        account.window_start.timestamp_millis(),
        at - at.rem_euclid(SLOT_MS),
        agent.as_str(),
        settlement.amount.0,
        i64::try_from(settlement.tokens).unwrap_or(i64::MAX),
    ))?;
    Ok(())
}

/// What was charged to an account since then, oldest first, in the unit of its limit; over all its windows.
pub fn since(conn: &Connection, account: &Account, since: DateTime<Utc>) -> Result<Vec<Spend>, StoreError> {
    let unit = match account.limit {
        Limit::Money(_) => "nano",
        Limit::Tokens(_) => "tokens",
    };
    let sql = format!(
        "SELECT window_start, slot, agent, calls, {unit} FROM spend \
         WHERE budget = ?1 AND key = ?2 AND slot >= ?3 ORDER BY slot, agent"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let first = since.timestamp_millis();
    let params = (account.budget.as_str(), &account.key, first - first.rem_euclid(SLOT_MS));
    let mut rows = statement.query(params)?;
    let instant = |ms: i64| {
        DateTime::from_timestamp_millis(ms).ok_or_else(|| StoreError::Damaged(format!("instant {ms} of a spend row")))
    };
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let agent: String = row.get(2)?;
        found.push(Spend {
            window_start: instant(row.get(0)?)?,
            slot: instant(row.get(1)?)?,
            agent: AgentId::parse(&agent).map_err(|error| StoreError::Damaged(error.to_string()))?,
            calls: row.get(3)?,
            amount: row.get(4)?,
        });
    }
    Ok(found)
}
