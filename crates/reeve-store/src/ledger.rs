//! The ledger: balances, holds and true-ups. Everything here runs inside the writer's transaction, so that check and charge
//! are one step however many callers there are.

use chrono::{DateTime, Utc};
use reeve_domain::budget::{Account, Balance, Reservation, Settlement};
use reeve_domain::id::{AgentId, OperationId};
use reeve_domain::money::NanoUsd;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::tables::reservations::{self, Sums};
use crate::tables::spend;

/// Accounts of caps per call begin with this: nothing else ever counts in them.
const CALL: &str = "call:";

/// A reservation that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub settlement: Settlement,
    /// Reserved and settled, where more was settled than reserved: nano-USD, or tokens when only they ran over.
    pub overrun: Option<(i64, i64)>,
}

/// The same account in the window that counts: a window never opens again, so one that lies before the newest window ever
/// charged (the clock went backwards) is that newest window.
fn effective(conn: &Connection, account: &Account) -> Result<Account, StoreError> {
    let latest = reservations::latest_window(conn, account)?;
    let window_start = latest.map_or(account.window_start, |latest| latest.max(account.window_start));
    Ok(Account { window_start, ..account.clone() })
}

/// State of each account, in order.
pub fn balances(conn: &Connection, accounts: &[Account]) -> Result<Vec<Balance>, StoreError> {
    let balance = |account: &Account| {
        let sums = reservations::sums(conn, &effective(conn, account)?)?;
        let (settled, reserved) = reservations::balance(account.limit, sums);
        Ok(Balance { settled, reserved })
    };
    accounts.iter().map(balance).collect()
}

fn tokens(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Holds the amounts in every account. The reservation comes back with the windows it really counts in.
pub fn reserve(conn: &Connection, mut reservation: Reservation) -> Result<Reservation, StoreError> {
    for account in &mut reservation.accounts {
        *account = effective(conn, account)?;
    }
    let hold =
        Sums { reserved_nano: reservation.amount.0, reserved_tokens: tokens(reservation.tokens), ..Sums::default() };
    for account in &reservation.accounts {
        reservations::add(conn, account, hold)?;
    }
    reservations::insert(conn, &reservation)?;
    Ok(reservation)
}

/// What a call is charged whose outcome nobody knows: all that was held for it.
fn whole(reservation: &Reservation) -> Settlement {
    Settlement {
        amount: reservation.amount,
        worth: reservation.amount,
        tokens: reservation.tokens,
        estimated: true,
        overrun: false,
    }
}

/// Releases the hold of an operation and charges what it cost: the whole hold when nobody says. Charged as it is, also
/// above the hold; then nothing is free any more and the next call is refused. `None`: nothing was held and nothing is
/// said to have been spent. `agent` and `at`: who spent it and when.
pub fn close(
    conn: &Connection,
    operation: &OperationId,
    settlement: Option<Settlement>,
    (agent, at): (Option<&AgentId>, DateTime<Utc>),
) -> Result<Option<Closed>, StoreError> {
    let Some(reservation) = reservations::take(conn, operation)? else {
        // Spending that no budget bounds is recorded all the same.
        return Ok(settlement.map(|settlement| Closed { settlement, overrun: None }));
    };
    let mut settlement = settlement.unwrap_or_else(|| whole(&reservation));
    // A negative charge would be a gift from a miscounting provider.
    settlement.amount = settlement.amount.max(NanoUsd::ZERO);
    let overrun = if settlement.amount > reservation.amount {
        Some((reservation.amount.0, settlement.amount.0))
    } else if settlement.tokens > reservation.tokens {
        Some((tokens(reservation.tokens), tokens(settlement.tokens)))
    } else {
        None
    };
    settlement.overrun = overrun.is_some();
    let change = Sums {
        settled_nano: settlement.amount.0,
        reserved_nano: reservation.amount.0.saturating_neg(),
        settled_tokens: tokens(settlement.tokens),
        reserved_tokens: tokens(reservation.tokens).saturating_neg(),
    };
    for account in &reservation.accounts {
        if account.key.starts_with(CALL) {
            reservations::forget(conn, account)?;
        } else {
            reservations::add(conn, account, change)?;
            if let Some(agent) = agent {
                spend::add(conn, account, agent, at, &settlement)?;
            }
        }
    }
    Ok(Some(Closed { settlement, overrun }))
}
