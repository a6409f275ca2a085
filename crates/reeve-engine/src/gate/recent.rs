//! What an operation meets of what happened lately: credentials that are refused, steps that lead nowhere, answers that its
//! session asked for already; and what its own end adds to that.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reeve_domain::budget::{BudgetDefinition, Limit};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::health::{LoopStage, Refusal};
use reeve_domain::id::SessionId;
use reeve_domain::operation::{Digest, Operation, Stage};
use reeve_domain::outcome::Outcome;
use reeve_domain::settings::Mode;
use reeve_domain::verdict::{Denial, Reason, Verdict};
use reeve_policy::PolicySet;
use reeve_policy::limits::Limits;
use reeve_store::Counting;

use super::Gate;
use crate::breakers::{Open, Place};
use crate::denials;
use crate::loops::Circle;

/// Rule that holds what goes in circles.
pub(crate) const LOOP: &str = "reeve-loop";

/// What the end of an operation leads to.
#[derive(Debug, Default)]
pub(super) struct Told {
    events: Vec<EventBody>,
    pauses: bool,
}

impl Gate {
    /// Why a request with this credential is answered here: its host refused it again and again. `None`: it may go, maybe as
    /// the trial.
    pub(super) fn refused_credential(&self, operation: &Operation, mode: Mode, now: DateTime<Utc>) -> Option<Denial> {
        let place = credential_place(operation).filter(|_| mode == Mode::Enforce)?;
        let open = self.0.breakers.enter(&place, &operation.id, now).err()?;
        Some(denials::credential_refused(operation, &place, &open))
    }

    /// The verdict with what holds the operation besides: reasons that its mouth gives, and a loop that went far enough.
    pub(super) fn held_besides(
        &self,
        operation: &Operation,
        verdict: Verdict,
        holds: &[Reason],
        now: DateTime<Utc>,
    ) -> Verdict {
        let circle = self.circle(operation, now).filter(|circle| circle.stage >= LoopStage::Held);
        let looped = circle.map(|circle| denials::own_because(LOOP, &circle.words()));
        holds.iter().cloned().chain(looped).fold(verdict, Verdict::held_by)
    }

    /// How far this very operation goes in circles, for a word to the agent beside its result.
    #[must_use]
    pub fn circle(&self, operation: &Operation, now: DateTime<Utc>) -> Option<Circle> {
        self.0.loops.of(operation, self.0.policies.in_force().limits.loops(), now)
    }

    /// What the call counts as of what its session may ask for only so often.
    pub(super) fn counting(&self, operation: &Operation, mode: Mode) -> Option<Counting> {
        let call = operation.llm()?;
        let in_force = self.0.policies.in_force();
        let limits = &in_force.limits;
        let projects = self.project_sets(&operation.principal.session);
        let own = || projects.iter().map(|set| set.tools().limits_of_projects());
        let max_candidates = own().filter_map(Limits::max_candidates).chain(limits.max_candidates()).min();
        let max_judged = own().filter_map(Limits::max_judge_calls).chain(limits.max_judge_calls()).min();
        max_candidates.or(max_judged)?;
        let judges = limits.judges(&call.model) || own().any(|limits| limits.judges(&call.model));
        Some(Counting {
            answers: call.candidates.max(1),
            competes: call.stage == Some(Stage::Generation),
            judges: judges || call.stage == Some(Stage::Judge),
            max_candidates,
            max_judged,
            binds: mode == Mode::Enforce,
        })
    }

    /// Sets with the rules of the project that the session works in.
    fn project_sets(&self, session: &SessionId) -> Vec<Arc<PolicySet>> {
        let live = self.0.sessions.find(session);
        live.map(|live| live.project_rules()).unwrap_or_default()
    }

    /// Budgets that bind a session: those in force, and where its project names a lower one, that; with what a person raised
    /// them by for this session.
    #[must_use]
    pub fn budgets_of(&self, session: &SessionId) -> Vec<BudgetDefinition> {
        let mut all = self.0.policies.in_force().limits.budgets().to_vec();
        for set in self.project_sets(session) {
            for own in set.tools().limits_of_projects().budgets() {
                match all.iter_mut().find(|known| known.id == own.id && known.scope == own.scope) {
                    Some(known) if binds_more(own, known) => *known = own.clone(),
                    Some(_) => {}
                    None => all.push(own.clone()),
                }
            }
        }
        self.0.raises.applied(&all, session).into_owned()
    }

    /// An operation was admitted: what a human let go on is no loop any more.
    pub(super) fn admitted(&self, operation: &Operation, verdict: &Verdict, approved: bool) {
        if approved && held_as_loop(verdict) {
            self.0.loops.forgive(operation);
        }
        self.0.loops.began(operation, self.0.policies.in_force().limits.loops(), self.0.clock.now());
    }

    /// An operation that was held as a loop was not let through.
    pub(super) async fn refused_as_loop(&self, operation: &Operation, verdict: Option<&Verdict>) {
        if verdict.is_some_and(held_as_loop) {
            let limits = self.0.policies.in_force().limits.loops();
            let circle = self.0.loops.refused(operation, limits, self.0.clock.now());
            let told = circle.map(|circle| self.told_of(operation, &circle)).unwrap_or_default();
            self.tell(operation, told).await;
        }
    }

    /// What the end of an operation adds to what happened lately.
    pub(super) fn look_back(&self, operation: &Operation, outcome: &Outcome) -> Told {
        let now = self.0.clock.now();
        let limits = self.0.policies.in_force().limits.loops();
        // Of a session that is over nobody would forget the steps any more.
        let lives = self.is_live(operation);
        let circle = lives.then(|| self.0.loops.ended(operation, outcome, limits, now)).flatten();
        let mut told = circle.map(|circle| self.told_of(operation, &circle)).unwrap_or_default();
        told.events.extend(self.credential_taken(operation, outcome, now));
        told
    }

    fn is_live(&self, operation: &Operation) -> bool {
        self.0.sessions.find(&operation.principal.session).is_some_and(|live| !live.ended().is_cancelled())
    }

    fn told_of(&self, operation: &Operation, circle: &Circle) -> Told {
        if !circle.newly {
            return Told::default();
        }
        let (case, stage, times) = (circle.case, circle.stage, circle.times);
        let what = operation.summary.clone();
        let live = self.0.sessions.find(&operation.principal.session);
        let mode = live.map(|live| self.0.protection.mode_for(&live.session, self.0.clock.now()));
        let pauses = stage == LoopStage::Paused && mode == Some(Mode::Enforce);
        Told { events: vec![EventBody::AgentLooped { case, stage, times, what }], pauses }
    }

    /// Whether the host took the credential, as far as its answer says.
    fn credential_taken(&self, operation: &Operation, outcome: &Outcome, now: DateTime<Utc>) -> Option<EventBody> {
        let (place, status) = (credential_place(operation)?, outcome.status?);
        let Place::Credential { credential, host } = place.clone() else { return None };
        let host = host.to_string();
        if (200..400).contains(&status) {
            let event = EventBody::CredentialAccepted { credential, host };
            return self.0.breakers.succeeded(&place).then_some(event);
        }
        let refusal = outcome.refusal.unwrap_or(Refusal::Unsaid);
        if !matches!(status, 401 | 403) || !refusal.is_of_the_credential() {
            return None;
        }
        let limits = self.0.policies.in_force().limits.breakers();
        let why = format!("{status}: it {}", refusal.words());
        let opened = self.0.breakers.failed(&place, &why, Some(refusal), (limits.refusals, limits), now);
        opened.map(|Open { since, .. }| EventBody::CredentialRefused { credential, host, refusal, since })
    }

    /// Records what happened lately came to. The operation itself is recorded already; this is beside it.
    pub(super) async fn tell(&self, operation: &Operation, told: Told) {
        if told.pauses
            && let Err(error) = self.0.agents.pause(&operation.principal.agent, "reeve").await
        {
            tracing::error!(%error, agent = %operation.principal.agent, "could not pause an agent that goes in circles");
        }
        if told.events.is_empty() {
            return;
        }
        let drafts = told.events.into_iter().map(|body| Draft::of(operation, body)).collect();
        if let Err(error) = self.0.store.append(drafts).await {
            tracing::error!(%error, operation = %operation.id, "what an operation's end led to could not be recorded");
        }
    }
}

/// What a human is asked: the operation, and what holds it besides policy. A yes to the one says nothing of the other, so
/// neither answers the other's question.
pub(super) fn asked(operation: Digest, holds: &[Reason], verdict: &Verdict) -> Digest {
    let looped = verdict.reasons().iter().filter(|reason| reason.rule.as_str() == LOOP);
    let rules: BTreeSet<&str> = holds.iter().chain(looped).map(|reason| reason.rule.as_str()).collect();
    if rules.is_empty() {
        return operation;
    }
    let rules: Vec<&str> = rules.into_iter().collect();
    Digest::of(format!("reeve-held-1\n{}\n{}", operation.as_str(), rules.join("\n")).as_bytes())
}

fn held_as_loop(verdict: &Verdict) -> bool {
    verdict.reasons().iter().any(|reason| reason.rule.as_str() == LOOP)
}

fn credential_place(operation: &Operation) -> Option<Place> {
    let (credential, host) = (operation.credential.clone()?, operation.endpoint()?.host.clone());
    Some(Place::Credential { credential, host })
}

fn binds_more(own: &BudgetDefinition, known: &BudgetDefinition) -> bool {
    matches!((own.limit, known.limit), (Limit::Money(own), Limit::Money(known)) if own < known)
}
