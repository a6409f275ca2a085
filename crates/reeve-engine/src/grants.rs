//! Remembered answers: *for this session* and *until*. What *Always* writes is policy text and lives in a file.

use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use reeve_domain::event::Draft;
use reeve_domain::grant::Grant;
use reeve_domain::id::GrantId;
use reeve_domain::session::Session;
use reeve_store::{Change, Store};

use crate::error::EngineError;

/// Owner of the grants in force.
#[derive(Debug)]
pub struct Grants {
    store: Store,
    all: RwLock<Vec<Grant>>,
}

impl Grants {
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(store: Store) -> Result<Self, EngineError> {
        let all = store.grants().await?;
        Ok(Self { store, all: RwLock::new(all) })
    }

    /// In force from now on; recorded with the answer that gave it.
    pub(crate) fn hold(&self, grant: Grant) {
        self.all.write().push(grant);
    }

    /// Takes one back by hand, and records it in the same step.
    ///
    /// # Errors
    /// When it cannot be recorded; then it stays in force.
    pub(crate) async fn revoke(&self, id: &GrantId, told: Draft) -> Result<(), EngineError> {
        self.store.append_with(vec![Change::GrantRemoved(id.clone())], vec![told]).await?;
        self.all.write().retain(|g| g.id != *id);
        Ok(())
    }

    /// None is in force any more; their record was wiped.
    pub(crate) fn forget_all(&self) {
        self.all.write().clear();
    }

    /// Grants that may lift an ask of this session at this moment.
    #[must_use]
    pub fn for_session(&self, session: &Session, now: DateTime<Utc>) -> Vec<Grant> {
        let matches = |g: &&Grant| {
            g.agent == session.agent
                && g.session.as_ref().is_none_or(|s| *s == session.id)
                && g.expires_at.is_none_or(|at| now < at)
        };
        self.all.read().iter().filter(matches).cloned().collect()
    }

    #[must_use]
    pub fn list(&self) -> Vec<Grant> {
        self.all.read().clone()
    }
}
