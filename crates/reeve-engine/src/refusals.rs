//! Bounds what refusals write into the record: the first of each minute one by one, the rest as a number.
//! Whoever knocks without end fills no disk and keeps nobody's record waiting. What matters is not drowned by it: what is of
//! high risk, and what is a leak, is counted by itself, and of what is new within its minute the first is recorded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::{AgentId, CredentialId, SessionId};
use reeve_domain::operation::Operation;
use reeve_domain::verdict::{Denial, DenialKind, Risk, Verdict};

/// How many refused connections are recorded one by one, for each session and for all that name none…
const CONNECTIONS: u64 = 100;
/// …and how many denied operations of each session, of each gravity…
const OPERATIONS: u64 = 600;
/// …and how many leaks of each credential of each session…
const LEAKS: u64 = 100;
/// …and beyond those, how many that are the first of their kind: turned away for another reason or at another place…
const FIRSTS: u64 = 200;
/// …within this time.
const WINDOW: Duration = Duration::from_secs(60);

/// Most numbers that wait while nothing can be recorded. A process that cannot record lets nothing pass, so there are few.
const WAITING: usize = 10_000;

/// What was refused. Each kind has its own numbers, so that none drowns another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    Connection,
    Operation,
    /// An operation of high risk.
    Grave,
    /// An operation that carried a credential to another place.
    Leaking,
    /// The leak itself.
    Leak(CredentialId),
}

impl Kind {
    fn recorded(&self) -> u64 {
        match self {
            Self::Connection => CONNECTIONS,
            Self::Operation | Self::Grave | Self::Leaking => OPERATIONS,
            Self::Leak(_) => LEAKS,
        }
    }

    fn told(self, more: More) -> EventBody {
        let More { times, first, last, place } = more;
        match self {
            Self::Connection => EventBody::ConnectionRefused {
                why: "too many".to_owned(),
                detail: format!("{times} more within a minute"),
            },
            Self::Operation => EventBody::OperationsDenied { more: times, grave: false },
            Self::Grave | Self::Leaking => EventBody::OperationsDenied { more: times, grave: true },
            Self::Leak(credential) => EventBody::CredentialLeaksStopped { credential, more: times, first, last, place },
        }
    }
}

/// What is not recorded one by one.
#[derive(Debug)]
struct More {
    times: u64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    /// Where the last one was going; empty for a connection.
    place: String,
}

#[derive(Debug)]
struct Window {
    agent: Option<AgentId>,
    /// Monotonic.
    began: Duration,
    recorded: u64,
    more: Option<More>,
    /// Reason and place of what was recorded.
    kinds: HashSet<(String, String)>,
}

/// Counts refusals by the session whose token they carried; `None`: no token that is known.
#[derive(Debug)]
pub struct Refusals {
    clock: Arc<dyn Clock>,
    windows: Mutex<HashMap<(Kind, Option<SessionId>), Window>>,
    /// Numbers that could not be recorded.
    waiting: Mutex<Vec<Draft>>,
}

impl Refusals {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, windows: Mutex::default(), waiting: Mutex::default() }
    }

    /// Whether this event is to be recorded by itself. One that is not is counted.
    pub fn admits(&self, draft: &Draft) -> bool {
        let (kind, of) = match &draft.body {
            EventBody::ConnectionRefused { .. } | EventBody::ConnectionUnattributed { .. } => (Kind::Connection, None),
            EventBody::CredentialLeakStopped { credential, place } => {
                (Kind::Leak(credential.clone()), Some((String::new(), place.clone())))
            }
            _ => return true,
        };
        self.count(kind, draft.session.clone(), draft.agent.clone(), of)
    }

    /// Whether the denial of an operation is to be recorded by itself. One that is not is counted.
    pub fn admits_denial(&self, operation: &Operation, verdict: Option<&Verdict>, denial: &Denial) -> bool {
        let kind = match denial.kind {
            DenialKind::Leak => Kind::Leaking,
            _ if verdict.is_some_and(|verdict| verdict.risk() >= Risk::High) => Kind::Grave,
            _ => Kind::Operation,
        };
        let rules: Vec<&str> = denial.reasons.iter().map(|reason| reason.rule.as_str()).collect();
        let of = (format!("{:?} {}", denial.kind, rules.join(" ")), operation.places().join(" "));
        let principal = &operation.principal;
        self.count(kind, Some(principal.session.clone()), Some(principal.agent.clone()), Some(of))
    }

    fn count(
        &self,
        kind: Kind,
        session: Option<SessionId>,
        agent: Option<AgentId>,
        of: Option<(String, String)>,
    ) -> bool {
        let (began, now) = (self.clock.monotonic(), self.clock.now());
        let recorded = kind.recorded();
        let mut windows = self.windows.lock();
        let new = || Window { agent, began, recorded: 0, more: None, kinds: HashSet::new() };
        let window = windows.entry((kind, session)).or_insert_with(new);
        let first = of.as_ref().is_some_and(|of| !window.kinds.contains(of));
        if window.recorded < recorded || first && window.recorded < recorded + FIRSTS {
            window.recorded += 1;
            window.kinds.extend(of);
            return true;
        }
        let place = of.map(|(_, place)| place).unwrap_or_default();
        let more = window.more.get_or_insert(More { times: 0, first: now, last: now, place: String::new() });
        *more = More { times: more.times.saturating_add(1), first: more.first, last: now, place };
        false
    }

    /// The numbers of the minutes that are over (`all`: also of those that are not), to be recorded.
    pub fn counted(&self, all: bool) -> Vec<Draft> {
        let now = self.clock.monotonic();
        let mut windows = self.windows.lock();
        let over = windows.extract_if(|_, window| all || now.saturating_sub(window.began) >= WINDOW);
        let draft = |((kind, session), window): ((Kind, Option<SessionId>), Window)| {
            Some(Draft { agent: window.agent, session, operation: None, body: kind.told(window.more?) })
        };
        let mut counted = std::mem::take(&mut *self.waiting.lock());
        counted.extend(over.filter_map(draft));
        counted
    }

    /// Takes back numbers that could not be recorded: the next [`Refusals::counted`] has them again.
    pub fn put_back(&self, counted: Vec<Draft>) {
        let mut waiting = self.waiting.lock();
        waiting.splice(..0, counted);
        if waiting.len() > WAITING {
            tracing::error!(lost = waiting.len() - WAITING, "numbers of what was refused are lost");
            waiting.truncate(WAITING);
        }
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
    fn a_number_that_could_not_be_recorded_is_told_the_next_time() {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let refusals = Refusals::new(clock);
        assert_eq!((0..101).filter(|_| refusals.admits(&refused())).count(), 100);
        let counted = refusals.counted(true);
        assert_eq!(counted.len(), 1);
        refusals.put_back(counted.clone());
        assert_eq!(refusals.counted(false), counted);
        assert!(refusals.counted(true).is_empty());
    }

    #[test]
    fn of_leaks_without_end_the_first_at_each_place_are_recorded_and_the_rest_is_told_with_its_times() {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let refusals = Refusals::new(clock.clone());
        let leak = |credential: &str, place: &str| {
            let credential = CredentialId::parse(credential).unwrap();
            Draft::engine(EventBody::CredentialLeakStopped { credential, place: place.to_owned() })
        };
        assert_eq!((0..150).filter(|_| refusals.admits(&leak("github", "a.example"))).count(), 100);
        clock.advance(Duration::from_secs(5));
        assert!(refusals.admits(&leak("github", "b.example")), "the first at another place");
        assert!(!refusals.admits(&leak("github", "b.example")));
        assert!(refusals.admits(&leak("gitlab", "a.example")), "another credential is counted by itself");
        clock.advance(WINDOW);
        let counted = refusals.counted(false);
        let [Draft { body, .. }] = counted.as_slice() else { panic!("{counted:?}") };
        let first = DateTime::UNIX_EPOCH;
        let expected = EventBody::CredentialLeaksStopped {
            credential: CredentialId::parse("github").unwrap(),
            more: 51,
            first,
            last: first + chrono::Duration::seconds(5),
            place: "b.example".to_owned(),
        };
        assert_eq!(*body, expected);
    }

    #[test]
    fn other_events_are_never_held_back() {
        let refusals = Refusals::new(Arc::new(ManualClock::new(DateTime::UNIX_EPOCH)));
        let event = Draft::engine(EventBody::ModeChanged { what: "pause".to_owned() });
        assert!((0..1_000).all(|_| refusals.admits(&event)));
    }
}
