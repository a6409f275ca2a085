//! What came of operations and could not be recorded yet: kept until the record takes it. As long as something is owed the
//! gate stays closed, because what is recorded out of order would charge the wrong amount.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reeve_domain::budget::Settlement;
use reeve_domain::event::Event;
use reeve_domain::operation::Operation;
use reeve_domain::outcome::Outcome;
use reeve_store::{Store, StoreError};

/// How an operation ended.
#[derive(Debug, Clone)]
pub enum End {
    Settled(Outcome),
    Abandoned(String),
}

#[derive(Debug, Clone)]
struct Debt {
    operation: Arc<Operation>,
    end: End,
    settlement: Option<Settlement>,
}

/// Owner of the endings that are still to be recorded; no more than there were operations under way.
#[derive(Debug)]
pub struct Owed {
    store: Store,
    debts: Mutex<VecDeque<Debt>>,
    /// One pays at a time: the order stays, and nothing is tried twice at once.
    paying: tokio::sync::Mutex<BackOff>,
}

/// When to try again, and why it did not work before.
#[derive(Debug, Default)]
struct BackOff {
    refused: Option<(StoreError, Instant, Duration)>,
}

/// First wait after a refusal; doubled with each further one…
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// …up to this: the gate stays closed no longer than so after the disk has room again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl BackOff {
    /// Why it is too early for another try.
    fn waits(&self, now: Instant) -> Option<StoreError> {
        self.refused.as_ref().filter(|(_, next, _)| now < *next).map(|(why, _, _)| why.clone())
    }

    /// Said once when it begins, and once when it is over.
    fn note(&mut self, tried: &Result<(), StoreError>, now: Instant) {
        match (tried, &self.refused) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => {
                tracing::info!("what was owed to the record is recorded");
                self.refused = None;
            }
            (Err(why), before) => {
                if before.is_none() {
                    tracing::error!(error = %why, "what ended cannot be recorded; the gate stays closed until it is");
                }
                let wait = before.as_ref().map_or(FIRST_WAIT, |(_, _, wait)| (*wait * 2).min(LONGEST_WAIT));
                self.refused = Some((why.clone(), now + wait, wait));
            }
        }
    }
}

impl Owed {
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, debts: Mutex::default(), paying: tokio::sync::Mutex::default() }
    }

    /// Whether anything is owed.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.debts.lock().is_empty()
    }

    /// Records an ending; where that fails it is owed.
    ///
    /// # Errors
    /// When it could not be recorded now.
    pub async fn record(
        &self,
        operation: Arc<Operation>,
        end: End,
        settlement: Option<Settlement>,
    ) -> Result<Event, StoreError> {
        let debt = Debt { operation, end, settlement };
        let recorded = self.write(&debt).await;
        if let Err(error) = &recorded
            && !is_over(error)
        {
            self.debts.lock().push_back(debt);
        }
        recorded
    }

    /// Records what is owed, oldest first. After a refusal the next tries come more rarely, down to one in 5 s.
    ///
    /// # Errors
    /// The first refusal, or the last one while it is too early to try again; what was not recorded stays owed.
    pub async fn pay(&self) -> Result<(), StoreError> {
        let mut turn = self.paying.lock().await;
        if self.any()
            && let Some(why) = turn.waits(Instant::now())
        {
            return Err(why);
        }
        let paid = self.try_all().await;
        turn.note(&paid, Instant::now());
        paid
    }

    /// The same without waiting: for the last try of an engine that stops.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn pay_now(&self) -> Result<(), StoreError> {
        let _turn = self.paying.lock().await;
        self.try_all().await
    }

    async fn try_all(&self) -> Result<(), StoreError> {
        loop {
            let Some(debt) = self.debts.lock().front().cloned() else { return Ok(()) };
            match self.write(&debt).await {
                Ok(_) => {}
                // The commit came through although its answer was an error, or the sweep was there first.
                Err(error) if is_over(&error) => {}
                // No disk will ever take this ending; its charge at least is recorded.
                Err(StoreError::Canonical(_) | StoreError::Panicked) if matches!(debt.end, End::Settled(_)) => {
                    if let Some(first) = self.debts.lock().front_mut() {
                        first.end = End::Abandoned("what came of it could not be recorded".to_owned());
                    }
                    continue;
                }
                Err(error) => return Err(error),
            }
            self.debts.lock().pop_front();
        }
    }

    async fn write(&self, debt: &Debt) -> Result<Event, StoreError> {
        let (operation, settlement) = ((*debt.operation).clone(), debt.settlement.clone());
        match &debt.end {
            End::Settled(outcome) => self.store.settle(operation, outcome.clone(), settlement).await,
            End::Abandoned(why) => self.store.abandon(operation, why.clone(), settlement).await,
        }
    }
}

/// Whether there is nothing left to record: it has an end already, or never was admitted.
fn is_over(error: &StoreError) -> bool {
    matches!(error, StoreError::Closed { .. } | StoreError::NotFound { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_more_rarely_down_to_one_in_5_s_and_begin_anew_after_a_success() {
        let (mut waiting, mut now) = (BackOff::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..12 {
            assert!(waiting.waits(now).is_none());
            waiting.note(&Err(StoreError::Full), now);
            assert_eq!(waiting.waits(now), Some(StoreError::Full));
            let wait = waiting.refused.as_ref().map(|(_, next, _)| *next - now).unwrap();
            waits.push(wait);
            now += wait;
        }
        assert_eq!((waits[0], waits[1], waits[11]), (FIRST_WAIT, FIRST_WAIT * 2, LONGEST_WAIT));
        assert_eq!(waits.iter().max(), Some(&Duration::from_secs(5)));
        waiting.note(&Ok(()), now);
        waiting.note(&Err(StoreError::Full), now);
        assert!(waiting.waits(now + FIRST_WAIT).is_none());
    }
}
