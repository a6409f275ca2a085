//! What fails again and again is left alone for a while, and then tried once: tools, servers, and credentials at a host.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reeve_domain::health::Refusal;
use reeve_domain::host::Host;
use reeve_domain::id::{CredentialId, OperationId};
use reeve_policy::limits::BreakerLimits;

pub use reeve_policy::limits::Rate;

/// Calls that are looked back on: with twice as many failures among them as in a row are too many, it opens as well.
const LOOK_BACK: u32 = 32;
/// Most breakers that are kept in mind; closed ones go first.
const MOST: usize = 4_096;

/// What is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    Server(String),
    Tool { server: String, tool: String },
    Credential { credential: CredentialId, host: Host },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(server) => f.write_str(server),
            Self::Tool { server, tool } => write!(f, "{server}/{tool}"),
            Self::Credential { credential, host } => write!(f, "{credential} at {host}"),
        }
    }
}

/// Why and until when something is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    pub why: String,
    pub since: DateTime<Utc>,
    /// The next trial.
    pub until: DateTime<Utc>,
    pub failures: u32,
    pub refusal: Option<Refusal>,
    wait: Duration,
    /// The one call that may try.
    trial: Option<OperationId>,
}

impl Open {
    /// Whether the place is left alone yet. A clock that was set back must not close it for longer than its wait.
    fn rests(&self, now: DateTime<Utc>) -> bool {
        now < self.until && later(now, self.wait) >= self.until
    }
}

#[derive(Debug, Default)]
struct Breaker {
    in_a_row: u32,
    /// The newest call in the lowest bit; set where it failed.
    recent: u32,
    open: Option<Open>,
}

/// Owner of all breakers; in memory, because a restart is a good moment for a trial.
#[derive(Debug, Default)]
pub struct Breakers(Mutex<HashMap<Place, Breaker>>);

impl Breakers {
    /// Whether a call may go there: it may unless the place is left alone, and once per wait as a trial.
    ///
    /// # Errors
    /// Why it may not.
    pub fn enter(&self, place: &Place, operation: &OperationId, now: DateTime<Utc>) -> Result<(), Open> {
        let mut all = self.0.lock();
        let Some(open) = all.get_mut(place).and_then(|breaker| breaker.open.as_mut()) else { return Ok(()) };
        if open.trial.as_ref() == Some(operation) {
            return Ok(());
        }
        if open.rests(now) {
            return Err(open.clone());
        }
        // Where nothing is heard of the trial, the next one may come after another wait.
        open.trial = Some(operation.clone());
        open.until = later(now, open.wait);
        Ok(())
    }

    /// Whether a call could go there now, without its being the trial: it may still be turned away, or wait for a person.
    ///
    /// # Errors
    /// Why it could not.
    pub fn look(&self, place: &Place, now: DateTime<Utc>) -> Result<(), Open> {
        match self.open(place) {
            Some(open) if open.rests(now) => Err(open),
            _ => Ok(()),
        }
    }

    /// An operation that might have been a trial is not sent: the next one may be it, at once.
    pub fn give_back(&self, operation: &OperationId, now: DateTime<Utc>) {
        for open in self.0.lock().values_mut().filter_map(|breaker| breaker.open.as_mut()) {
            if open.trial.as_ref() == Some(operation) {
                (open.until, open.trial) = (now, None);
            }
        }
    }

    /// A call failed there. Gives what opened by it, if anything did. `most`: failures in a row.
    pub fn failed(
        &self,
        place: &Place,
        why: &str,
        refusal: Option<Refusal>,
        (most, limits): (u32, BreakerLimits),
        now: DateTime<Utc>,
    ) -> Option<Open> {
        let mut all = self.0.lock();
        if all.len() >= MOST {
            all.retain(|_, breaker| breaker.open.is_some());
        }
        let breaker = all.entry(place.clone()).or_default();
        breaker.in_a_row = breaker.in_a_row.saturating_add(1);
        breaker.recent = breaker.recent << 1 | 1;
        if let Some(open) = &mut breaker.open {
            open.wait = (open.wait * 2).min(limits.longest);
            open.until = later(now, open.wait);
            open.failures = open.failures.saturating_add(1);
            (open.trial, open.why, open.refusal) = (None, why.to_owned(), refusal.or(open.refusal));
            return None;
        }
        let often = most.saturating_mul(2) <= LOOK_BACK && breaker.recent.count_ones() >= most.saturating_mul(2);
        if breaker.in_a_row < most && !often {
            return None;
        }
        breaker.open = Some(Open {
            why: why.to_owned(),
            since: now,
            until: later(now, limits.open_for),
            failures: breaker.in_a_row,
            refusal,
            wait: limits.open_for,
            trial: None,
        });
        breaker.open.clone()
    }

    /// A call went well there. `true`: the place was left alone until now.
    pub fn succeeded(&self, place: &Place) -> bool {
        let mut all = self.0.lock();
        let Some(breaker) = all.get_mut(place) else { return false };
        breaker.in_a_row = 0;
        breaker.recent <<= 1;
        let was_open = breaker.open.take().is_some();
        if was_open {
            breaker.recent = 0;
        }
        was_open
    }

    /// What a place is left alone for.
    #[must_use]
    pub fn open(&self, place: &Place) -> Option<Open> {
        self.0.lock().get(place)?.open.clone()
    }

    /// Every tool of a server that is left alone, and the server itself (as no tool).
    #[must_use]
    pub fn of_server(&self, name: &str) -> Vec<(Option<String>, Open)> {
        let all = self.0.lock();
        let mut found: Vec<_> = all
            .iter()
            .filter_map(|(place, breaker)| {
                let open = breaker.open.clone()?;
                match place {
                    Place::Server(server) if server == name => Some((None, open)),
                    Place::Tool { server, tool } if server == name => Some((Some(tool.clone()), open)),
                    _ => None,
                }
            })
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// Every host that refuses this credential.
    #[must_use]
    pub fn of_credential(&self, id: &CredentialId) -> Vec<(Host, Open)> {
        let all = self.0.lock();
        let mut found: Vec<_> = all
            .iter()
            .filter_map(|(place, breaker)| match place {
                Place::Credential { credential, host } if credential == id => {
                    Some((host.clone(), breaker.open.clone()?))
                }
                _ => None,
            })
            .collect();
        found.sort_by_key(|one| one.0.to_string());
        found
    }

    /// How many credentials are refused now, each counted once for each host.
    #[must_use]
    pub fn refused_credentials(&self) -> usize {
        let all = self.0.lock();
        let refused =
            |(place, breaker): &(&Place, &Breaker)| matches!(place, Place::Credential { .. }) && breaker.open.is_some();
        all.iter().filter(refused).count()
    }

    /// A person tries the credential: the next request with it is the trial.
    pub fn try_now(&self, id: &CredentialId, now: DateTime<Utc>) {
        for (place, breaker) in self.0.lock().iter_mut() {
            if let (Place::Credential { credential, .. }, Some(open)) = (place, &mut breaker.open)
                && credential == id
            {
                (open.until, open.trial) = (now, None);
            }
        }
    }

    /// The credential has another secret now, or is gone. Gives the hosts that refused it.
    pub fn forget_credential(&self, id: &CredentialId) -> Vec<Host> {
        let refused = self.of_credential(id).into_iter().map(|(host, _)| host).collect();
        self.0.lock().retain(|place, _| !matches!(place, Place::Credential { credential, .. } if credential == id));
        refused
    }

    /// The credential goes to these hosts alone: what others said of it is of no use any more.
    pub fn keep_credential_at(&self, id: &CredentialId, hosts: &[Host]) {
        self.0.lock().retain(|place, _| {
            !matches!(place, Place::Credential { credential, host } if credential == id && !hosts.contains(host))
        });
    }
}

fn later(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    chrono::Duration::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> BreakerLimits {
        BreakerLimits { failures: 3, refusals: 2, open_for: Duration::from_secs(10), longest: Duration::from_secs(25) }
    }

    fn tool(name: &str) -> Place {
        Place::Tool { server: "s".to_owned(), tool: name.to_owned() }
    }

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn fail(all: &Breakers, place: &Place, now: DateTime<Utc>) -> Option<Open> {
        all.failed(place, "it hangs", None, (3, limits()), now)
    }

    #[test]
    fn it_opens_after_so_many_failures_in_a_row_and_only_there() {
        let (all, now) = (Breakers::default(), start());
        assert!(fail(&all, &tool("a"), now).is_none() && fail(&all, &tool("a"), now).is_none());
        assert!(!all.succeeded(&tool("a")));
        assert!(fail(&all, &tool("a"), now).is_none() && fail(&all, &tool("a"), now).is_none());
        let opened = fail(&all, &tool("a"), now).unwrap();
        assert_eq!((opened.failures, opened.since, opened.why.as_str()), (3, now, "it hangs"));
        assert!(all.enter(&tool("a"), &OperationId::new(), now).is_err());
        assert!(all.enter(&tool("b"), &OperationId::new(), now).is_ok());
        assert_eq!(all.of_server("s").len(), 1);
    }

    #[test]
    fn one_call_tries_after_the_wait_and_each_trial_that_fails_doubles_it_up_to_the_longest() {
        let (all, mut now) = (Breakers::default(), start());
        (0..3).for_each(|_| drop(fail(&all, &tool("a"), now)));
        for wait in [10, 20, 25, 25] {
            now += chrono::Duration::seconds(wait - 1);
            assert!(all.enter(&tool("a"), &OperationId::new(), now).is_err(), "{wait}");
            now += chrono::Duration::seconds(1);
            let trial = OperationId::new();
            assert!(all.enter(&tool("a"), &trial, now).is_ok(), "{wait}");
            assert!(all.enter(&tool("a"), &trial, now).is_ok(), "the trial itself is judged twice");
            assert!(all.enter(&tool("a"), &OperationId::new(), now).is_err(), "one trial at a time");
            assert!(fail(&all, &tool("a"), now).is_none(), "it is told once");
        }
        assert!(all.succeeded(&tool("a")));
        assert!(all.enter(&tool("a"), &OperationId::new(), now).is_ok() && !all.succeeded(&tool("a")));
    }

    #[test]
    fn a_trial_of_which_nothing_is_heard_closes_nothing_for_ever() {
        let (all, now) = (Breakers::default(), start());
        (0..3).for_each(|_| drop(fail(&all, &tool("a"), now)));
        let after = |seconds| now + chrono::Duration::seconds(seconds);
        assert!(all.enter(&tool("a"), &OperationId::new(), after(10)).is_ok());
        assert!(all.enter(&tool("a"), &OperationId::new(), after(19)).is_err());
        assert!(all.enter(&tool("a"), &OperationId::new(), after(20)).is_ok());
        let set_back = now - chrono::Duration::days(1);
        assert!(all.enter(&tool("a"), &OperationId::new(), set_back).is_ok());
    }

    #[test]
    fn a_trial_that_is_not_sent_is_given_back_and_looking_takes_none() {
        let (all, now) = (Breakers::default(), start());
        (0..3).for_each(|_| drop(fail(&all, &tool("a"), now)));
        let later = now + chrono::Duration::seconds(10);
        assert!(all.look(&tool("a"), now).is_err() && all.look(&tool("a"), later).is_ok());
        assert!(all.look(&tool("a"), later).is_ok(), "looking takes no trial");
        let (trial, other) = (OperationId::new(), OperationId::new());
        assert!(all.enter(&tool("a"), &trial, later).is_ok() && all.look(&tool("a"), later).is_err());
        all.give_back(&other, later);
        assert!(all.enter(&tool("a"), &other, later).is_err(), "it was another one's");
        all.give_back(&trial, later);
        assert!(all.enter(&tool("a"), &other, later).is_ok());
    }

    #[test]
    fn what_fails_every_other_time_opens_too() {
        let (all, now) = (Breakers::default(), start());
        let opened = (0..6).any(|_| {
            all.succeeded(&tool("a"));
            fail(&all, &tool("a"), now).is_some()
        });
        assert!(opened);
    }

    #[test]
    fn a_credential_is_tried_when_a_person_says_so_and_forgotten_with_its_secret() {
        let (all, now) = (Breakers::default(), start());
        let credential = CredentialId::parse("github").unwrap();
        let host: Host = Host::parse("api.github.com").unwrap();
        let place = Place::Credential { credential: credential.clone(), host: host.clone() };
        for _ in 0..2 {
            all.failed(&place, "401", Some(Refusal::Expired), (2, limits()), now);
        }
        assert_eq!(all.enter(&place, &OperationId::new(), now).unwrap_err().refusal, Some(Refusal::Expired));
        all.keep_credential_at(&CredentialId::parse("other").unwrap(), &[]);
        all.keep_credential_at(&credential, std::slice::from_ref(&host));
        assert_eq!(all.refused_credentials(), 1);
        all.try_now(&credential, now);
        assert!(all.enter(&place, &OperationId::new(), now).is_ok());
        assert!(all.enter(&place, &OperationId::new(), now).is_err());
        assert_eq!(all.forget_credential(&credential), [host]);
        assert!(all.enter(&place, &OperationId::new(), now).is_ok());
        for _ in 0..2 {
            all.failed(&place, "401", Some(Refusal::Expired), (2, limits()), now);
        }
        all.keep_credential_at(&credential, &[]);
        assert_eq!(all.refused_credentials(), 0, "it does not go there any more");
    }
}
