//! Steps that lead nowhere. Each step has two hashes, of what was tried and of what came, and so four cases: both new is
//! progress; the same tried and something else came, the world changed; the same tried and the same came, it is stuck; other
//! things tried and the same failure came, it stagnates. The agent is told first, then a human is asked, then it is paused.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reeve_domain::health::{LoopCase, LoopStage};
use reeve_domain::id::SessionId;
use reeve_domain::operation::{Digest, Operation, Subject};
use reeve_domain::outcome::{Ending, Outcome, ToolResult};
use reeve_policy::limits::LoopLimits;

/// Most steps of a session that are looked back on.
const MOST_STEPS: usize = 256;
/// Within what time so many of the same are a burst.
const BURST: chrono::Duration = chrono::Duration::seconds(10);

/// Owner of what each session tried lately; in memory, because it is about the last minutes.
#[derive(Debug, Default)]
pub struct Loops(Mutex<HashMap<SessionId, Steps>>);

#[derive(Debug, Default)]
struct Steps {
    ended: VecDeque<Step>,
    begun: VecDeque<(DateTime<Utc>, Digest)>,
}

#[derive(Debug, Clone)]
struct Step {
    at: DateTime<Utc>,
    approach: Digest,
    outcome: Digest,
    failed: bool,
    /// At most worth a word: a request that reads and is answered.
    harmless: bool,
}

/// A loop, as far as it has gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle {
    pub case: LoopCase,
    pub stage: LoopStage,
    pub times: u32,
    /// It came to this stage by this very step.
    pub newly: bool,
}

impl Circle {
    /// For the agent and for the human.
    #[must_use]
    pub fn words(&self) -> String {
        self.case.words(self.times)
    }
}

impl Loops {
    /// Notes that a step begins.
    pub fn began(&self, operation: &Operation, limits: LoopLimits, now: DateTime<Utc>) {
        if limits.burst == 0 || !looks_at(operation, limits) {
            return;
        }
        let mut all = self.0.lock();
        let begun = &mut all.entry(operation.principal.session.clone()).or_default().begun;
        begun.retain(|(at, _)| now - *at < BURST);
        if begun.len() < MOST_STEPS {
            begun.push_back((now, operation.content.clone()));
        }
    }

    /// Notes what a step came to. `Some`: it goes in circles, and how far.
    pub fn ended(
        &self,
        operation: &Operation,
        outcome: &Outcome,
        limits: LoopLimits,
        now: DateTime<Utc>,
    ) -> Option<Circle> {
        if !looks_at(operation, limits) || is_the_upstreams(outcome) {
            return None;
        }
        let failed = !outcome.succeeded();
        let harmless = !failed && matches!(operation.subject, Subject::Http(_)) && operation.only_reads();
        let step =
            Step { at: now, approach: operation.content.clone(), outcome: hash(outcome, failed), failed, harmless };
        self.add(&operation.principal.session, step, limits)
    }

    /// A human, or nobody, said no to a step that was held as a loop: it counts like the one before.
    pub fn refused(&self, operation: &Operation, limits: LoopLimits, now: DateTime<Utc>) -> Option<Circle> {
        let session = &operation.principal.session;
        let last = self.0.lock().get(session)?.ended.back().cloned()?;
        self.add(session, Step { at: now, ..last }, limits)
    }

    fn add(&self, session: &SessionId, step: Step, limits: LoopLimits) -> Option<Circle> {
        let mut all = self.0.lock();
        let steps = all.entry(session.clone()).or_default();
        steps.look(limits, step.at);
        if steps.ended.len() >= MOST_STEPS {
            steps.ended.pop_front();
        }
        let approach = step.approach.clone();
        steps.ended.push_back(step);
        steps.circle(&approach, limits)
    }

    /// How far this very operation would go in circles if it were let through.
    #[must_use]
    pub fn of(&self, operation: &Operation, limits: LoopLimits, now: DateTime<Utc>) -> Option<Circle> {
        if !looks_at(operation, limits) {
            return None;
        }
        let mut all = self.0.lock();
        let steps = all.get_mut(&operation.principal.session)?;
        steps.look(limits, now);
        steps.circle(&operation.content, limits)
    }

    /// A human let it go on: what was before does not count any more.
    pub fn forgive(&self, operation: &Operation) {
        if let Some(steps) = self.0.lock().get_mut(&operation.principal.session) {
            *steps = Steps::default();
        }
    }

    /// The session is over.
    pub fn forget(&self, session: &SessionId) {
        self.0.lock().remove(session);
    }
}

impl Steps {
    /// Forgets what lies before the window, or after now where the clock was set back.
    fn look(&mut self, limits: LoopLimits, now: DateTime<Utc>) {
        let window = chrono::Duration::from_std(limits.window).unwrap_or(chrono::Duration::MAX);
        self.ended.retain(|step| step.at <= now && now - step.at < window);
        self.begun.retain(|(at, _)| *at <= now && now - *at < BURST);
    }

    fn circle(&self, approach: &Digest, limits: LoopLimits) -> Option<Circle> {
        let stuck = self.stuck(approach);
        let stagnant = self.stagnant();
        let burst = self.begun.iter().filter(|(_, begun)| begun == approach).count();
        let burst = if limits.burst > 0 && burst >= limits.burst as usize { burst } else { 0 };
        let circle = |case, times: usize, least: Option<LoopStage>| {
            let times = u32::try_from(times).unwrap_or(u32::MAX);
            let stage = stage(times, limits).max(least)?;
            let newly = match case {
                LoopCase::Burst => times == limits.burst,
                _ => [limits.warn, limits.hold, limits.pause].contains(&times),
            };
            Some(Circle { case, stage, times, newly })
        };
        if burst > 0 {
            return circle(LoopCase::Burst, burst, Some(LoopStage::Held));
        }
        let harmless = self.ended.iter().rev().find(|step| step.approach == *approach).is_some_and(|s| s.harmless);
        let found = if stuck >= stagnant {
            circle(LoopCase::Stuck, stuck, None)
        } else {
            circle(LoopCase::Stagnant, stagnant, None)
        };
        found.map(|found| Circle { stage: if harmless { LoopStage::Warned } else { found.stage }, ..found })
    }

    /// How often in a row the same came of it, up to now.
    fn stuck(&self, approach: &Digest) -> usize {
        let mut same = self.ended.iter().rev().filter(|step| step.approach == *approach);
        let Some(last) = same.next() else { return 0 };
        1 + same.take_while(|step| step.outcome == last.outcome).count()
    }

    /// How many steps in a row failed in the same way, where not all of them were the same step.
    fn stagnant(&self) -> usize {
        let Some(last) = self.ended.back().filter(|step| step.failed) else { return 0 };
        let alike = self.ended.iter().rev().take_while(|step| step.failed && step.outcome == last.outcome);
        let (mut steps, mut others) = (0, false);
        for step in alike {
            steps += 1;
            others |= step.approach != last.approach;
        }
        if others { steps } else { 0 }
    }
}

fn stage(times: u32, limits: LoopLimits) -> Option<LoopStage> {
    let reached = |threshold: u32| threshold > 0 && times >= threshold;
    if reached(limits.pause) {
        Some(LoopStage::Paused)
    } else if reached(limits.hold) {
        Some(LoopStage::Held)
    } else {
        reached(limits.warn).then_some(LoopStage::Warned)
    }
}

fn looks_at(operation: &Operation, limits: LoopLimits) -> bool {
    match &operation.subject {
        Subject::Mcp(call) => call.purpose.is_call(),
        Subject::Http(_) => limits.requests,
        Subject::Llm(_) => limits.models,
        _ => false,
    }
}

/// What the other side asks to be tried again says nothing of the agent.
fn is_the_upstreams(outcome: &Outcome) -> bool {
    outcome.status.is_some_and(|status| matches!(status, 408 | 425 | 429) || status >= 500)
}

/// What came, as far as two answers can be told apart. Of failures the kind: their texts hold times and numbers of requests.
fn hash(outcome: &Outcome, failed: bool) -> Digest {
    let ending = match &outcome.ending {
        Ending::Complete => "complete".to_owned(),
        Ending::NotSent { why } | Ending::CutByUpstream { why } | Ending::CutByReeve { why } => why.clone(),
        Ending::CutByClient => "cut".to_owned(),
        Ending::Unknown => "unknown".to_owned(),
    };
    let what = match &outcome.result {
        Some(ToolResult::ToolError { message }) => message.clone(),
        Some(ToolResult::SchemaFailure { problems }) => format!("{problems:?}"),
        Some(ToolResult::TimedOut { .. }) => "timed out".to_owned(),
        Some(ToolResult::Exited { code }) => format!("{code:?}"),
        Some(ToolResult::Ok) | None => String::new(),
    };
    let answer = outcome.answer.as_ref().filter(|_| !failed).map_or("", Digest::as_str);
    let calls: Vec<&str> = outcome.tool_calls.iter().map(|call| call.name.as_str()).collect();
    Digest::of(format!("{ending}\n{:?}\n{what}\n{answer}\n{}", outcome.status, calls.join(" ")).as_bytes())
}

#[cfg(test)]
mod tests;
