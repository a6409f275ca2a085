//! What another set of rules would have decided of what was recorded: how much would be newly allowed, newly held and
//! newly denied. Bounded in operations and in time; nothing is changed by it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reeve_domain::id::{AgentId, OperationId};
use reeve_domain::verdict::{Decision, Reason, Risk, Verdict};
use reeve_policy::{Circumstances, PolicySet};
use reeve_store::Judged;

use crate::Engine;
use crate::error::EngineError;

/// Most operations judged again, the newest first.
pub const MOST_OPERATIONS: usize = 20_000;
/// Longest time spent on judging.
const LONGEST: Duration = Duration::from_secs(8);
/// Most kinds of change listed; the counts cover all.
const MOST_CHANGES: usize = 200;

/// How far back a replay looks unless it is told otherwise.
pub const WINDOW: chrono::Duration = chrono::Duration::days(7);

/// Operations that would newly be decided one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub count: u64,
    /// Of these, of high or critical risk.
    pub grave: u64,
}

/// What would change of operations that look the same to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub agent: AgentId,
    pub summary: String,
    /// `llm`, `http` and so on.
    pub kind: &'static str,
    pub before: Decision,
    pub after: Decision,
    pub risk: Risk,
    /// Why the candidate decides as it does, for the newest of them.
    pub reasons: Vec<Reason>,
    pub times: u64,
    /// The newest of them.
    pub sample: OperationId,
}

/// The rules in force against a candidate, over what was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    pub since: DateTime<Utc>,
    /// Operations judged by both.
    pub judged: u64,
    /// Whether these were all since then.
    pub complete: bool,
    pub newly_allowed: Tally,
    pub newly_asked: Tally,
    pub newly_denied: Tally,
    /// Operations that were critical, when recorded or by the rules in force, and would be less grave and not denied.
    pub eased: u64,
    pub same: u64,
    /// What becomes allowed first, the gravest first.
    pub changes: Vec<Change>,
    pub took: Duration,
}

impl Engine {
    /// Judges what was recorded since then by the rules in force and by the candidate, under the circumstances of its
    /// time. Answers that were remembered for a session or for a while do not count, nor do rules that a project brought
    /// along: both sets are weighed alone. One at a time; others wait.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn replay(&self, candidate: Arc<PolicySet>, since: DateTime<Utc>) -> Result<Replay, EngineError> {
        let one = Arc::clone(&self.0.weighing).lock_owned().await;
        let recorded = self.store().judged(since, MOST_OPERATIONS).await?;
        let live = Arc::clone(&self.policies().in_force().set);
        let judge = move || {
            // Until it is done, also where nobody waits for it any more.
            let _one = one;
            compare(&live, &candidate, &recorded.operations, since, !recorded.more)
        };
        tokio::task::spawn_blocking(judge).await.map_err(|error| EngineError::Refused(error.to_string()))
    }
}

/// What the operation came with when it was judged.
pub(crate) fn circumstances(judged: &Judged) -> Circumstances {
    Circumstances {
        now: judged.operation.at.with_timezone(&chrono::Local).fixed_offset(),
        first_seen: judged.first_seen,
        first_write: judged.first_write,
        cwd: judged.cwd.clone(),
        grants: Vec::new(),
    }
}

fn compare(live: &PolicySet, candidate: &PolicySet, operations: &[Judged], since: DateTime<Utc>, all: bool) -> Replay {
    let begun = Instant::now();
    let mut replay = Replay {
        since,
        judged: 0,
        complete: all,
        newly_allowed: Tally::default(),
        newly_asked: Tally::default(),
        newly_denied: Tally::default(),
        eased: 0,
        same: 0,
        changes: Vec::new(),
        took: Duration::ZERO,
    };
    let mut changes: HashMap<(&AgentId, &str, Decision, Decision), Change> = HashMap::new();
    for judged in operations {
        if begun.elapsed() > LONGEST {
            replay.complete = false;
            break;
        }
        let circumstances = circumstances(judged);
        let before = live.evaluate(&judged.operation, &circumstances);
        let after = candidate.evaluate(&judged.operation, &circumstances);
        replay.count(&before, &after);
        replay.eased += u64::from(is_eased(judged.verdict.risk(), &before, &after));
        if before.decision() != after.decision() {
            let operation = &judged.operation;
            let key = (&operation.principal.agent, operation.summary.as_str(), before.decision(), after.decision());
            let risk = before.risk().max(after.risk());
            let change = changes.entry(key).or_insert_with(|| Change {
                agent: operation.principal.agent.clone(),
                summary: operation.summary.clone(),
                kind: operation.action().kind(),
                before: before.decision(),
                after: after.decision(),
                risk,
                reasons: after.reasons().to_vec(),
                times: 0,
                sample: operation.id.clone(),
            });
            change.times += 1;
            change.risk = change.risk.max(risk);
        }
    }
    replay.changes = changes.into_values().collect();
    replay.changes.sort_by(|a, b| {
        let rank = |c: &Change| (order(c.after), std::cmp::Reverse(c.risk), std::cmp::Reverse(c.times));
        // To the last part of what tells them apart: they are shown in the same order each time.
        let rest = |c: &Change| (c.summary.clone(), c.agent.clone(), order(c.before));
        rank(a).cmp(&rank(b)).then_with(|| rest(a).cmp(&rest(b)))
    });
    replay.changes.truncate(MOST_CHANGES);
    replay.took = begun.elapsed();
    replay
}

/// Also by way of another rule in between, such as one that denies it for a while: what it weighed when it was recorded counts.
fn is_eased(recorded: Risk, before: &Verdict, after: &Verdict) -> bool {
    let differs = before.decision() != after.decision() || before.risk() != after.risk();
    let less = recorded.max(before.risk()) == Risk::Critical && after.risk() < Risk::Critical;
    differs && less && after.decision() != Decision::Deny
}

impl Replay {
    /// How grave it is to put the candidate in force: as the gravest that would newly pass; critical where that was not all,
    /// or where the next of its kind would not be critical any more.
    pub(crate) fn weight(&self) -> Option<Risk> {
        if !self.complete || self.eased > 0 {
            return Some(Risk::Critical);
        }
        self.changes.iter().filter(|change| change.after == Decision::Allow).map(|change| change.risk).max()
    }

    fn count(&mut self, before: &Verdict, after: &Verdict) {
        self.judged += 1;
        if before.decision() == after.decision() {
            self.same += 1;
            return;
        }
        let tally = match after.decision() {
            Decision::Allow => &mut self.newly_allowed,
            Decision::Ask => &mut self.newly_asked,
            Decision::Deny => &mut self.newly_denied,
        };
        tally.count += 1;
        tally.grave += u64::from(before.risk().max(after.risk()) >= Risk::High);
    }
}

fn order(decision: Decision) -> u8 {
    match decision {
        Decision::Allow => 0,
        Decision::Ask => 1,
        Decision::Deny => 2,
    }
}

#[cfg(test)]
mod tests {
    use reeve_domain::settings::Preset;

    use super::*;

    #[test]
    fn what_was_not_weighed_to_its_end_counts_as_critical() {
        let set = PolicySet::load(Preset::Balanced, &[], &[]).unwrap();
        let weight = |all| compare(&set, &set, &[], DateTime::UNIX_EPOCH, all).weight();
        assert_eq!((weight(true), weight(false)), (None, Some(Risk::Critical)));
    }
}
