//! What policy says of an operation: made by policy only, read by everybody, changed by nobody.

use serde::{Deserialize, Serialize};

use crate::id::RuleId;
use crate::obligation::Obligation;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Allow,
    Ask,
    Deny,
}

/// Where a rule comes from; a lower layer can only tighten what a higher one set as deny or ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    Organisation,
    Team,
    Mine,
    Project,
    /// The shipped starting policy.
    Preset,
    /// A check that is Reeve's own and not a rule: leak guard, address check, budget, protocol refusal.
    Reeve,
}

/// A rule that determined a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub rule: RuleId,
    /// The rule's `@reason`, a plain sentence.
    pub text: String,
    pub layer: Layer,
    /// File the rule is in, as shown to people; empty for Reeve's own checks.
    pub file: String,
    /// 1-based line of the rule; 0 for Reeve's own checks.
    pub line: u32,
    /// Whether the rule's owner lets a standing approval lift it.
    pub liftable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    Low,
    Medium,
    High,
    Critical,
}

/// Decision, obligations and reasons. Fields are private: nothing downstream can turn a deny into an allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    decision: Decision,
    obligations: Vec<Obligation>,
    reasons: Vec<Reason>,
    risk: Risk,
    risk_reasons: Vec<String>,
    revision: String,
    /// Standing approvals that lifted an ask, by id.
    lifted_by: Vec<String>,
    /// Rules that only observe and would have had a say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    observed: Vec<Reason>,
}

impl Verdict {
    /// Called by the policy crate, and by nothing else outside tests.
    #[must_use]
    pub fn new(
        decision: Decision,
        obligations: Vec<Obligation>,
        reasons: Vec<Reason>,
        risk: Risk,
        risk_reasons: Vec<String>,
        revision: String,
        lifted_by: Vec<String>,
    ) -> Self {
        Self { decision, obligations, reasons, risk, risk_reasons, revision, lifted_by, observed: Vec::new() }
    }

    /// Held to more, besides; what only permits more is none of that.
    #[must_use]
    pub fn held_to(mut self, more: &[Obligation]) -> Self {
        if self.decision != Decision::Deny {
            let new = more.iter().filter(|one| !matches!(one, Obligation::PermitAddresses { .. }));
            let new: Vec<Obligation> = new.filter(|one| !self.obligations.contains(one)).cloned().collect();
            self.obligations.extend(new);
        }
        self
    }

    /// With the rules that only observe. Called by the policy crate; decides nothing.
    #[must_use]
    pub fn observed_by(mut self, rules: Vec<Reason>) -> Self {
        self.observed = rules;
        self
    }

    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    #[must_use]
    pub fn obligations(&self) -> &[Obligation] {
        &self.obligations
    }

    /// The rules that determined it; empty only when nothing matched and the preset's default decided.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    #[must_use]
    pub fn risk(&self) -> Risk {
        self.risk
    }

    /// At most three computed sentences.
    #[must_use]
    pub fn risk_reasons(&self) -> &[String] {
        &self.risk_reasons
    }

    /// The policy revision that judged.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The same held for a human by a check of Reeve's own; a deny stays one.
    #[must_use]
    pub fn held_by(mut self, reason: Reason) -> Self {
        if self.decision == Decision::Allow {
            self.decision = Decision::Ask;
            self.reasons.clear();
        }
        if self.decision == Decision::Ask {
            self.reasons.push(reason);
        }
        self
    }

    /// Rules that only observe and would have had a say.
    #[must_use]
    pub fn observed(&self) -> &[Reason] {
        &self.observed
    }

    #[must_use]
    pub fn lifted_by(&self) -> &[String] {
        &self.lifted_by
    }
}

/// Why an operation was turned away, by class. The wire wording is `protocol::denial`'s alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenialKind {
    /// A rule forbids it.
    Policy,
    /// A human refused it.
    Refused,
    /// Nobody answered in time.
    Expired,
    /// A budget does not afford it.
    Budget,
    /// No price is known and a money budget applies.
    Unpriced,
    /// A placeholder or a bound secret was on its way to another place.
    Leak,
    /// The name resolves to an address that no rule permits.
    Address,
    /// The request is malformed or ambiguous.
    Malformed,
    /// The session ended, was stopped, or everything is stopped.
    Stopped,
    /// What it would reach fails again and again, or has too much to do: answered here, and worth another try later.
    Unavailable,
    /// Reeve could not decide or could not record.
    Fault,
}

/// An operation turned away: a value that carries its verdict, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    pub kind: DenialKind,
    /// One sentence: what was denied and why. Safe to show to the agent.
    pub message: String,
    /// What to do instead; safe to show to the agent.
    pub advice: String,
    pub reasons: Vec<Reason>,
    /// The record the human finds it under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<crate::id::OperationId>,
}
