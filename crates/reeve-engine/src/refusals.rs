//! Bounds what refusals write into the record: the first of each minute one by one, the rest as a number.
//! Whoever knocks without end fills no disk and keeps nobody's record waiting. What matters is not drowned by it: leaks and
//! what is of high risk are always recorded, and of what is new within its minute the first is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::{AgentId, SessionId};
use reeve_domain::operation::Operation;
use reeve_domain::verdict::{Denial, DenialKind, Risk, Verdict};

/// How many refused connections are recorded one by one, for each session and for all that name none…
const CONNECTIONS: u64 = 100;
/// …and how many denied operations of each session…
const OPERATIONS: u64 = 600;
/// …and beyond those, how many that are the first of their kind: turned away for another reason or at another host…
const FIRSTS: u64 = 200;
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
    recorded: u64,
    /// Not recorded one by one.
    more: u64,
    /// Reason and host of what was recorded.
    kinds: HashSet<(String, String)>,
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
        !bounded || self.count(Kind::Connection, draft.session.clone(), draft.agent.clone(), None)
    }

    /// Whether the denial of an operation is to be recorded by itself. One that is not is counted.
    pub fn admits_denial(&self, operation: &Operation, verdict: Option<&Verdict>, denial: &Denial) -> bool {
        if denial.kind == DenialKind::Leak || verdict.is_some_and(|verdict| verdict.risk() >= Risk::High) {
            return true;
        }
        let rules: Vec<&str> = denial.reasons.iter().map(|reason| reason.rule.as_str()).collect();
        let of = (format!("{:?} {}", denial.kind, rules.join(" ")), operation.endpoint().host.to_string());
        let principal = &operation.principal;
        self.count(Kind::Operation, Some(principal.session.clone()), Some(principal.agent.clone()), Some(of))
    }

    fn count(
        &self,
        kind: Kind,
        session: Option<SessionId>,
        agent: Option<AgentId>,
        of: Option<(String, String)>,
    ) -> bool {
        let began = self.clock.monotonic();
        let mut windows = self.windows.lock();
        let new = || Window { agent, began, recorded: 0, more: 0, kinds: HashSet::new() };
        let window = windows.entry((kind, session)).or_insert_with(new);
        let first = of.as_ref().is_some_and(|of| !window.kinds.contains(of));
        if window.recorded < kind.recorded() || first && window.recorded < kind.recorded() + FIRSTS {
            window.recorded += 1;
            window.kinds.extend(of);
            return true;
        }
        window.more = window.more.saturating_add(1);
        false
    }

    /// The numbers of the minutes that are over (`all`: also of those that are not), to be recorded.
    pub fn counted(&self, all: bool) -> Vec<Draft> {
        let now = self.clock.monotonic();
        let mut windows = self.windows.lock();
        let over = windows.extract_if(|_, window| all || now.saturating_sub(window.began) >= WINDOW);
        let draft = |((kind, session), window): ((Kind, Option<SessionId>), Window)| Draft {
            agent: window.agent,
            session,
            operation: None,
            body: kind.more(window.more),
        };
        over.filter(|(_, window)| window.more > 0).map(draft).collect()
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
    fn other_events_are_never_held_back() {
        let refusals = Refusals::new(Arc::new(ManualClock::new(DateTime::UNIX_EPOCH)));
        let event = Draft::engine(EventBody::ModeChanged { what: "pause".to_owned() });
        assert!((0..1_000).all(|_| refusals.admits(&event)));
    }
}
