//! Room for MCP sessions: so many over all agents, and so many for the session of each, so that one agent's clients never take
//! all of it.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use reeve_domain::id::SessionId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// MCP sessions at once, over all agents.
const ALL: usize = 256;
/// MCP sessions at once in the session of one agent.
const EACH: usize = 32;

/// Who has how much of the room.
#[derive(Debug)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    each: Mutex<HashMap<SessionId, Weak<Semaphore>>>,
}

/// One place, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    _all: OwnedSemaphorePermit,
    _each: OwnedSemaphorePermit,
}

impl Default for Room {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(ALL)), each: Mutex::default() }
    }
}

impl Room {
    /// A place for one MCP session; `None`: there is no room.
    pub fn take(&self, session: &SessionId) -> Option<Taken> {
        let each = {
            let mut each = self.each.lock();
            each.retain(|_, places| places.strong_count() > 0);
            let known = each.get(session).and_then(Weak::upgrade);
            let places = known.unwrap_or_else(|| Arc::new(Semaphore::new(EACH)));
            each.insert(session.clone(), Arc::downgrade(&places));
            places
        };
        let of_session = each.try_acquire_owned().ok()?;
        let of_all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Taken { _all: of_all, _each: of_session })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_session_never_takes_all_the_room_and_what_it_lets_go_of_is_there_again() {
        let (room, greedy, other) = (Room::default(), SessionId::new(), SessionId::new());
        let mut taken: Vec<Taken> = (0..EACH).map(|_| room.take(&greedy).unwrap()).collect();
        assert!(room.take(&greedy).is_none());
        assert!(room.take(&other).is_some());
        taken.pop();
        assert!(room.take(&greedy).is_some());
        let others: Vec<SessionId> = (0..ALL / EACH).map(|_| SessionId::new()).collect();
        let all: Vec<Taken> = others.iter().flat_map(|one| (0..EACH).map_while(|_| room.take(one))).collect();
        assert_eq!(all.len() + taken.len(), ALL);
        assert!(room.take(&other).is_none(), "all of it is taken");
    }
}
