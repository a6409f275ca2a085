//! Whose process asks: whether a connection that carries a session's token is of a program that the session started.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use reeve_domain::id::OperationId;

/// Operations of one session that are remembered at a time: only those of strangers, and of connections that were not looked
/// at yet.
const REMEMBERED: usize = 256;

/// Whose a connection is. It is found out beside what is asked over it; clones hear of it together. The default is a
/// connection of the session's own.
#[derive(Debug, Clone, Default)]
pub struct Origin(Option<Arc<OnceLock<Option<String>>>>);

impl Origin {
    /// Not known yet.
    #[must_use]
    pub fn sought() -> Self {
        Self(Some(Arc::default()))
    }

    /// It was looked for: a stranger's program, else the session's own, or the system does not tell.
    pub fn found(&self, stranger: Option<String>) {
        if let Some(cell) = &self.0 {
            // What was found first stands.
            _ = cell.set(stranger);
        }
    }

    /// The program, where it is known to be none that the session started.
    #[must_use]
    pub fn stranger(&self) -> Option<&str> {
        self.0.as_ref()?.get()?.as_deref()
    }

    /// Whether it is, or may turn out to be, a stranger's.
    pub(crate) fn matters(&self) -> bool {
        self.0.as_ref().is_some_and(|cell| cell.get().is_none_or(Option::is_some))
    }
}

/// The origins of what a session asked for lately.
#[derive(Debug, Default)]
pub(crate) struct Origins(Mutex<VecDeque<(OperationId, Origin)>>);

impl Origins {
    pub fn note(&self, operation: &OperationId, origin: &Origin) {
        if origin.matters() {
            let mut all = self.0.lock();
            all.push_back((operation.clone(), origin.clone()));
            if all.len() > REMEMBERED {
                all.pop_front();
            }
        }
    }

    pub fn of(&self, operation: &OperationId) -> Origin {
        self.0.lock().iter().rev().find(|(id, _)| id == operation).map(|(_, origin)| origin.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_told_also_where_it_is_found_out_later() {
        let (origins, operation, origin) = (Origins::default(), OperationId::new(), Origin::sought());
        origins.note(&operation, &origin);
        let asked = origins.of(&operation);
        assert_eq!(asked.stranger(), None);
        origin.found(Some("/usr/bin/curl".to_owned()));
        origin.found(None);
        assert_eq!(asked.stranger(), Some("/usr/bin/curl"));
        assert_eq!(origins.of(&OperationId::new()).stranger(), None);
    }

    #[test]
    fn what_is_the_sessions_own_is_not_remembered_and_the_rest_has_an_end() {
        let (origins, own) = (Origins::default(), Origin::sought());
        own.found(None);
        origins.note(&OperationId::new(), &own);
        origins.note(&OperationId::new(), &Origin::default());
        assert!(origins.0.lock().is_empty());
        (0..REMEMBERED + 5).for_each(|_| origins.note(&OperationId::new(), &Origin::sought()));
        assert_eq!(origins.0.lock().len(), REMEMBERED);
    }
}
