//! The commands around calls that are to have their effect once. Each is one step of the writer, so of any number that come
//! at the same time one makes the call.

use chrono::{DateTime, Utc};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::OperationId;
use reeve_domain::operation::Digest;
use reeve_domain::slot::{Claimed, Slot, SlotEnd, SlotState};

use crate::Store;
use crate::error::StoreError;
use crate::tables::{operations, slots};
use crate::unit::Unit;

/// Every method fails when the command is not on disk; then it did not happen.
impl Store {
    /// Takes the slot of this key for an operation where it is free: nobody had it, it is forgotten, or what was tried took no
    /// effect. `over`: the operation whose unknown end or known result is not to stand in the way any more.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub async fn claim_slot(
        &self,
        key: Digest,
        operation: OperationId,
        lease_until: DateTime<Utc>,
        keep_until: DateTime<Utc>,
        over: Option<OperationId>,
    ) -> Result<Claimed, StoreError> {
        self.write(move |unit| {
            let now = unit.now();
            slots::forget(unit.conn, now)?;
            if let Some(slot) = current(unit, &key)? {
                let passed = over.as_ref() == Some(&slot.operation) && slot.state != SlotState::Reserved;
                if slot.state != SlotState::FailedRetryable && !passed {
                    return Ok(Claimed::Taken(slot));
                }
            }
            let state = SlotState::Reserved;
            slots::put(unit.conn, &key, &Slot { state, operation, at: now, lease_until, keep_until, result: None })?;
            Ok(Claimed::Fresh)
        })
        .await
    }

    /// What is known under this key.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn slot(&self, key: &Digest) -> Result<Option<Slot>, StoreError> {
        let key = key.clone();
        self.write(move |unit| current(unit, &key)).await
    }

    /// Whoever holds the slot still makes the call: its lease is over no earlier than this. Nothing changes where the slot has an end
    /// or another operation holds it.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub async fn renew_slot(
        &self,
        key: Digest,
        operation: OperationId,
        lease_until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(move |unit| {
            let held = |slot: &Slot| slot.state == SlotState::Reserved && slot.operation == operation;
            let Some(slot) = slots::get(unit.conn, &key)?.filter(held) else { return Ok(()) };
            let (lease_until, keep_until) = (slot.lease_until.max(lease_until), slot.keep_until.max(lease_until));
            slots::put(unit.conn, &key, &Slot { lease_until, keep_until, ..slot })
        })
        .await
    }

    /// Says how the call of the operation that holds the slot ended. `false`: another one holds it now, and nothing changed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn finish_slot(&self, key: Digest, operation: OperationId, end: SlotEnd) -> Result<bool, StoreError> {
        self.write(move |unit| {
            let open = |slot: &Slot| matches!(slot.state, SlotState::Reserved | SlotState::Unknown);
            let Some(slot) = slots::get(unit.conn, &key)?.filter(|slot| slot.operation == operation && open(slot))
            else {
                return Ok(false);
            };
            let slot = if end.state == SlotState::Unknown && slot.state != SlotState::Unknown {
                lose(unit, slot, "its answer did not come")?
            } else {
                slot
            };
            slots::put(unit.conn, &key, &Slot { state: end.state, result: end.result, ..slot })?;
            Ok(true)
        })
        .await
    }
}

/// The slot as it stands now: what is to be forgotten is not there, and of a lease that is over nobody knows the end.
fn current(unit: &mut Unit<'_>, key: &Digest) -> Result<Option<Slot>, StoreError> {
    let now = unit.now();
    let Some(slot) = slots::get(unit.conn, key)? else { return Ok(None) };
    if slot.state == SlotState::Reserved {
        if now < slot.lease_until {
            return Ok(Some(slot));
        }
        let slot = lose(unit, slot, "nobody said how it ended in the time it had")?;
        slots::put(unit.conn, key, &slot)?;
        return Ok(Some(slot));
    }
    Ok(Some(slot).filter(|slot| now < slot.keep_until))
}

/// Nobody knows its end from now on: recorded, for whoever reads what happened.
fn lose(unit: &mut Unit<'_>, slot: Slot, why: &str) -> Result<Slot, StoreError> {
    if let Some(row) = operations::find(unit.conn, &slot.operation)? {
        let (server, tool) = (row.server.unwrap_or_default(), row.tools.into_iter().next().unwrap_or_default());
        let body = EventBody::CallLost { server, tool, what: row.summary, why: why.to_owned() };
        let (agent, session) = (Some(row.agent), Some(row.session));
        unit.append(Draft { agent, session, operation: Some(row.operation), body })?;
    }
    Ok(lost(slot, unit.now()))
}

/// That is remembered for as long as a result would have been: counted from the start of a
/// long call it would be forgotten at once, and the repeat made.
fn lost(slot: Slot, now: DateTime<Utc>) -> Slot {
    let kept = (slot.keep_until - slot.at).max(chrono::Duration::zero());
    let keep_until = now.checked_add_signed(kept).unwrap_or(slot.keep_until).max(slot.keep_until);
    Slot { state: SlotState::Unknown, keep_until, ..slot }
}

/// After a stop: nobody makes a call any more, and of those that somebody was making the end is unknown.
pub fn lose_all(unit: &mut Unit<'_>) -> Result<(), StoreError> {
    for (key, slot) in slots::reserved(unit.conn)? {
        let slot = lose(unit, slot, "the engine stopped while it was under way")?;
        slots::put(unit.conn, &key, &slot)?;
    }
    Ok(())
}
