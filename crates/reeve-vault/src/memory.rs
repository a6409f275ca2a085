//! Secrets that live as long as the process: the demo and tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reeve_domain::sensitive::Secret;

#[derive(Default)]
pub(crate) struct Memory(Mutex<BTreeMap<String, Secret>>);

impl Memory {
    pub(crate) fn get(&self, name: &str) -> Option<Secret> {
        self.map().get(name).cloned()
    }

    pub(crate) fn set(&self, name: &str, secret: &Secret) {
        self.map().insert(name.to_owned(), secret.clone());
    }

    pub(crate) fn remove(&self, name: &str) {
        self.map().remove(name);
    }

    /// A map is whole after every call, so a poisoned lock is no reason to refuse.
    fn map(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
