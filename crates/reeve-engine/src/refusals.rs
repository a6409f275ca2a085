//! Bounds what refusals write into the record: the first of each minute one by one, the rest as a number.
//! Whoever knocks without end fills no disk and keeps nobody's record waiting.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::{AgentId, SessionId};
use reeve_domain::principal::Principal;

/// How many refused connections are recorded one by one, for each session and for all that name none…
const CONNECTIONS: u64 = 100;
/// …and how many denied operations of each session…
const OPERATIONS: u64 = 600;
/// …within this time.
const WINDOW: Duration = Duration::from_secs(60);

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Connection,
    Operation,
}

impl Kind {
    fn recorded(self) -> u64 {
        match self {
            Self::Connection => CONNECTIONS,
            Self::Operation => OPERATIONS,
        }
    }

    fn more(self, more: u64) -> EventBody {
        match self {
            Self::Connection => EventBody::ConnectionRefused {
                why: "too many".to_owned(),
                detail: format!("{more} more within a minute"),
            },
            Self::Operation => EventBody::OperationsDenied { more },
        }
    }
}

#[derive(Debug)]
struct Window {
    agent: Option<AgentId>,
    /// Monotonic.
    began: Duration,
    seen: u64,
}

/// Counts refusals by the session whose token they carried; `None`: no token that is known.
#[derive(Debug)]
pub struct Refusals {
    clock: Arc<dyn Clock>,
    windows: Mutex<HashMap<(Kind, Option<SessionId>), Window>>,
}

impl Refusals {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, windows: Mutex::default() }
    }

    /// Whether this event is to be recorded by itself. One that is not is counted.
    pub fn admits(&self, draft: &Draft) -> bool {
        let bounded =
            matches!(draft.body, EventBody::ConnectionRefused { .. } | EventBody::ConnectionUnattributed { .. });
        !bounded || self.count(Kind::Connection, draft.session.clone(), draft.agent.clone())
    }

    /// Whether the denial of an operation is to be recorded by itself. One that is not is counted.
    pub fn admits_denial(&self, of: &Principal) -> bool {
        self.count(Kind::Operation, Some(of.session.clone()), Some(of.agent.clone()))
    }

    fn count(&self, kind: Kind, session: Option<SessionId>, agent: Option<AgentId>) -> bool {
        let began = self.clock.monotonic();
        let mut windows = self.windows.lock();
        let window = windows.entry((kind, session)).or_insert_with(|| Window { agent, began, seen: 0 });
        window.seen = window.seen.saturating_add(1);
        window.seen <= kind.recorded()
    }

    /// The numbers of the minutes that are over (`all`: also of those that are not), to be recorded.
    pub fn counted(&self, all: bool) -> Vec<Draft> {
        let now = self.clock.monotonic();
        let mut windows = self.windows.lock();
        let over = windows.extract_if(|_, window| all || now.saturating_sub(window.began) >= WINDOW);
        let draft = |((kind, session), window): ((Kind, Option<SessionId>), Window)| {
            let more = window.seen.checked_sub(kind.recorded()).filter(|more| *more > 0)?;
            Some(Draft { agent: window.agent, session, operation: None, body: kind.more(more) })
        };
        over.filter_map(draft).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use reeve_domain::clock::ManualClock;

    use super::*;

    fn refused() -> Draft {
        Draft::engine(EventBody::ConnectionRefused { why: "no token".to_owned(), detail: String::new() })
    }

    #[test]
    fn a_flood_is_recorded_as_its_beginning_and_a_number() {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let refusals = Refusals::new(clock.clone());
        let recorded = (0..1_000).filter(|_| refusals.admits(&refused())).count();
        assert_eq!(recorded, 100);
        assert!(refusals.counted(false).is_empty(), "the minute is not over");
        clock.advance(WINDOW);
        let counted = refusals.counted(false);
        let [Draft { body: EventBody::ConnectionRefused { detail, .. }, .. }] = counted.as_slice() else {
            panic!("{counted:?}")
        };
        assert_eq!(detail, "900 more within a minute");
        assert!(refusals.admits(&refused()), "the next minute is a new one");
        assert!(refusals.counted(true).is_empty());
    }

    #[test]
    fn denials_are_counted_for_each_session_by_itself() {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let refusals = Refusals::new(clock.clone());
        let of = |session: SessionId| Principal {
            agent: AgentId::parse("codex").unwrap(),
            session,
            user: "dana".to_owned(),
            team: None,
        };
        let (loud, quiet) = (of(SessionId::new()), of(SessionId::new()));
        let recorded = (0..1_000).filter(|_| refusals.admits_denial(&loud)).count();
        assert!(recorded == 600 && refusals.admits_denial(&quiet));
        clock.advance(WINDOW);
        let counted = refusals.counted(false);
        let [Draft { body: EventBody::OperationsDenied { more: 400 }, session, .. }] = counted.as_slice() else {
            panic!("{counted:?}")
        };
        assert_eq!(session.as_ref(), Some(&loud.session));
    }

    #[test]
    fn other_events_are_never_held_back() {
        let refusals = Refusals::new(Arc::new(ManualClock::new(DateTime::UNIX_EPOCH)));
        let event = Draft::engine(EventBody::ModeChanged { what: "pause".to_owned() });
        assert!((0..100).all(|_| refusals.admits(&event)));
    }
}
