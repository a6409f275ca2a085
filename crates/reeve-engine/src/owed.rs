//! What came of operations and could not be recorded yet: kept until the record takes it. As long as something is owed the
//! gate stays closed, because what is recorded out of order would charge the wrong amount.

use std::collections::VecDeque;
use std::sync::Arc;

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
    paying: tokio::sync::Mutex<()>,
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

    /// Records what is owed, oldest first.
    ///
    /// # Errors
    /// The first refusal; what was not recorded stays owed.
    pub async fn pay(&self) -> Result<(), StoreError> {
        let _turn = self.paying.lock().await;
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
