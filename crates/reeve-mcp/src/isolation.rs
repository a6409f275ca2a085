//! Keeps one server's trouble from becoming everybody's: how fast and how many at once its tools are called, and what is left
//! alone for a while because it fails again and again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reeve_domain::event::EventBody;
use reeve_domain::health::Refusal;
use reeve_domain::id::OperationId;
use reeve_domain::operation::Operation;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::breakers::{Open, Place, Rate};
use reeve_engine::denials::own;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::gateway::Gateway;
use crate::upstream::Failure;

/// How long a call may take whose rules do not say.
pub const LONGEST: Duration = Duration::from_secs(1800);
/// How long a call waits for its turn among those at the same time.
const TURN: Duration = Duration::from_secs(60);
/// Most limits that are kept in mind; a file has few.
const MOST: usize = 1_024;

/// What counts calls. In memory: a restart may let a few more through.
#[derive(Debug, Default)]
pub(crate) struct Isolation {
    lines: Mutex<HashMap<(String, Option<String>), Line>>,
}

#[derive(Debug, Default)]
struct Line {
    /// When the calls so far would be over at the permitted pace.
    busy_until: Option<DateTime<Utc>>,
    at_once: Option<(u32, Arc<Semaphore>)>,
}

impl Isolation {
    fn with<T>(&self, rate: &Rate, work: impl FnOnce(&mut Line) -> T) -> T {
        let mut lines = self.lines.lock();
        if lines.len() >= MOST {
            lines.clear();
        }
        work(lines.entry((rate.server.clone(), rate.tool.clone())).or_default())
    }

    /// Whether a call fits the pace of this limit, and `counts` it where it does; `Err`: when the next one fits.
    fn pace(&self, rate: &Rate, now: DateTime<Utc>, counts: bool) -> Result<(), DateTime<Utc>> {
        let Some((calls, per)) = rate.calls else { return Ok(()) };
        let per = chrono::Duration::from_std(per).unwrap_or(chrono::Duration::hours(1));
        let each = per / i32::try_from(calls).unwrap_or(i32::MAX).max(1);
        self.with(rate, |line| {
            // Never further ahead than one whole stretch, also when the clock was set back.
            let busy = line.busy_until.unwrap_or(now).clamp(now, now + per);
            line.busy_until = Some(busy);
            if busy + each > now + per {
                return Err(busy + each - per);
            }
            if counts {
                line.busy_until = Some(busy + each);
            }
            Ok(())
        })
    }

    fn places(&self, rate: &Rate) -> Option<Arc<Semaphore>> {
        let most = rate.at_once?;
        self.with(rate, |line| match &line.at_once {
            Some((known, places)) if *known == most => Some(Arc::clone(places)),
            _ => {
                let places = Arc::new(Semaphore::new(most as usize));
                line.at_once = Some((most, Arc::clone(&places)));
                Some(places)
            }
        })
    }
}

impl Gateway {
    /// Whether the server bears another call now; a denial in Reeve's words where it does not. Uses up nothing: what is denied
    /// after this takes no permitted call away, and no trial of what was left alone.
    pub(crate) fn bears(&self, (server, tool): (&str, &str), operation: &Operation) -> Option<Denial> {
        let now = self.engine().now();
        for place in [Place::Server(server.to_owned()), of_tool(server, tool)] {
            if let Err(open) = self.engine().breakers().look(&place, now) {
                return Some(left_alone(operation, &place, &open));
            }
        }
        let in_force = self.engine().policies().in_force();
        let mut limits = in_force.limits.rates().iter().filter(|rate| rate.applies(server, tool));
        let (rate, next) = limits.find_map(|rate| Some((rate, self.isolation().pace(rate, now, false).err()?)))?;
        let (calls, per) = rate.calls?;
        let message = format!(
            "{} was not sent: {calls} calls within {} are permitted, and the next one fits at {}",
            operation.summary,
            stretch(per),
            next.format("%H:%M:%S UTC")
        );
        Some(unavailable(operation, message, "call it more slowly", "tool-rate"))
    }

    /// The last look right before the call is sent: it may be the one trial of what was left alone. `trial`: the operation
    /// whose trial it is: what is tried for a call is part of its own.
    pub(crate) fn enters(
        &self,
        (server, tool): (&str, &str),
        trial: &OperationId,
        operation: &Operation,
    ) -> Result<(), Denial> {
        let now = self.engine().now();
        for place in [Place::Server(server.to_owned()), of_tool(server, tool)] {
            if let Err(open) = self.engine().breakers().enter(&place, trial, now) {
                // Where the server would have been tried, another call may try it.
                self.engine().breakers().give_back(trial, now);
                return Err(left_alone(operation, &place, &open));
            }
        }
        Ok(())
    }

    /// Waits for a place among the calls that may run at the same time, and counts the call. Held until the call is over.
    /// `within`: the tool of the call that it is made for and that has its places: where that one counts, both share one.
    pub(crate) async fn turn(
        &self,
        (server, tool): (&str, &str),
        within: Option<&str>,
    ) -> Result<Vec<OwnedSemaphorePermit>, &'static str> {
        let in_force = self.engine().policies().in_force();
        let limits = in_force.limits.rates().iter().filter(|rate| rate.applies(server, tool));
        let limits: Vec<Rate> = limits.cloned().collect();
        let taken = |rate: &Rate| within.is_some_and(|other| rate.applies(server, other));
        let open = limits.iter().filter(|rate| !taken(rate));
        let places: Vec<Arc<Semaphore>> = open.filter_map(|rate| self.isolation().places(rate)).collect();
        drop(in_force);
        let mut held = Vec::new();
        for place in places {
            match tokio::time::timeout(TURN, place.acquire_owned()).await {
                Ok(Ok(permit)) => held.push(permit),
                _ => return Err("too many of its calls run at the same time"),
            }
        }
        let now = self.engine().now();
        if limits.iter().any(|rate| self.isolation().pace(rate, now, true).is_err()) {
            return Err("others took the last calls that are permitted for now");
        }
        Ok(held)
    }

    /// What the end of a tool call says of its server and tool.
    pub(crate) async fn bore(&self, operation: &Operation, answered: Result<&Value, &Failure>) {
        let Some(call) = operation.mcp() else { return };
        let (server, own) = (Place::Server(call.server.clone()), of_tool(&call.server, &call.tool));
        let (place, why, refusal) = match answered {
            // A tool that says that it failed works.
            Ok(_) | Err(Failure::Rpc(_)) => {
                for place in [server, own] {
                    if self.engine().breakers().succeeded(&place) {
                        self.said(operation, EventBody::ToolBack { place: place.to_string() }).await;
                    }
                }
                return;
            }
            Err(Failure::Cancelled | Failure::Down { .. }) => return,
            Err(failure @ (Failure::Timeout | Failure::TooLarge { .. })) => (own, failure.to_string(), None),
            // The credential of the call is dead there, not the server: that is learned where the call is settled.
            Err(Failure::Status(401 | 403)) if operation.credential.is_some() => return,
            Err(Failure::Status(status @ (401 | 403))) => {
                (server, format!("it refuses the credential ({status})"), Some(Refusal::Unsaid))
            }
            Err(Failure::Status(status)) if *status < 500 => return,
            Err(failure) => (server, failure.to_string(), None),
        };
        let limits = self.engine().policies().in_force().limits.breakers();
        let most = if refusal.is_some() { limits.refusals } else { limits.failures };
        let now = self.engine().now();
        if let Some(Open { failures, why, .. }) =
            self.engine().breakers().failed(&place, &why, refusal, (most, limits), now)
        {
            self.said(operation, EventBody::ToolCutOff { place: place.to_string(), why, failures }).await;
        }
    }

    async fn said(&self, operation: &Operation, body: EventBody) {
        if let Err(error) = self.engine().gate().note(operation, body).await {
            tracing::error!(operation = %operation.id, %error, "what became of a server could not be recorded");
        }
    }
}

fn of_tool(server: &str, tool: &str) -> Place {
    Place::Tool { server: server.to_owned(), tool: tool.to_owned() }
}

fn left_alone(operation: &Operation, place: &Place, open: &Open) -> Denial {
    let message = format!(
        "{} was not sent: `{place}` failed {} times since {} ({}); the next trial is at {}",
        operation.summary,
        open.failures,
        open.since.format("%H:%M:%S UTC"),
        open.why,
        open.until.format("%H:%M:%S UTC")
    );
    unavailable(
        operation,
        message,
        "go on with something else, or tell the human that this server fails",
        "tool-cut-off",
    )
}

pub(crate) fn unavailable(operation: &Operation, message: String, advice: &str, rule: &str) -> Denial {
    let record = Some(operation.id.clone());
    Denial { kind: DenialKind::Unavailable, message, advice: advice.to_owned(), reasons: vec![own(rule)], record }
}

fn stretch(per: Duration) -> &'static str {
    match per.as_secs() {
        0 | 1 => "a second",
        2..=60 => "a minute",
        _ => "an hour",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(calls: u32, per: u64) -> Rate {
        Rate { server: "s".to_owned(), tool: None, calls: Some((calls, Duration::from_secs(per))), at_once: None }
    }

    #[test]
    fn so_many_calls_fit_into_a_stretch_and_one_more_after_its_share_of_it() {
        let isolation = Isolation::default();
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let at = |seconds| start + chrono::Duration::seconds(seconds);
        let rate = rate(3, 60);
        // Looking whether one fits takes nothing away.
        for _ in 0..9 {
            assert_eq!(isolation.pace(&rate, start, false), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(isolation.pace(&rate, start, true), Ok(()));
        }
        assert_eq!(isolation.pace(&rate, start, true), Err(at(20)));
        assert_eq!(isolation.pace(&rate, at(19), true), Err(at(20)));
        assert_eq!(isolation.pace(&rate, at(20), true), Ok(()));
        assert!(isolation.pace(&rate, at(20), true).is_err());
        assert_eq!(isolation.pace(&rate, at(500), true), Ok(()));
        // A clock that is set back by a day holds nobody for a day.
        let back = start - chrono::Duration::days(1);
        assert!(isolation.pace(&rate, back, true).is_err());
        assert_eq!(isolation.pace(&rate, back + chrono::Duration::seconds(20), true), Ok(()));
    }

    #[test]
    fn a_limit_that_was_changed_applies_to_the_next_call() {
        let isolation = Isolation::default();
        let two = Rate { calls: None, at_once: Some(2), ..rate(1, 1) };
        assert_eq!(isolation.places(&two).unwrap().available_permits(), 2);
        let one = Rate { at_once: Some(1), ..two };
        assert_eq!(isolation.places(&one).unwrap().available_permits(), 1);
    }
}
