//! Proof that an operation passed the gate: the only key to injection and upstream. Must be settled; a dropped one is
//! charged and recorded as abandoned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reeve_domain::budget::{Reservation, Settlement};
use reeve_domain::event::Event;
use reeve_domain::money::NanoUsd;
use reeve_domain::obligation::Obligation;
use reeve_domain::operation::{Digest, Operation};
use reeve_domain::outcome::Outcome;
use reeve_domain::verdict::Verdict;
use tokio_util::sync::CancellationToken;

use crate::budgets;
use crate::credentials::Injection;
use crate::error::EngineError;
use crate::gate::Gate;

/// Made by `Gate::admit` only; cannot be cloned.
#[must_use = "an admission must be settled"]
#[derive(Debug)]
pub struct Admission {
    gate: Gate,
    operation: Arc<Operation>,
    verdict: Verdict,
    reservation: Option<Reservation>,
    obligations: Vec<Obligation>,
    injection: Option<Injection>,
    fingerprint: Digest,
    revoked: CancellationToken,
    sent: AtomicBool,
    settled: bool,
}

impl Admission {
    pub(crate) fn new(
        gate: Gate,
        operation: Arc<Operation>,
        verdict: Verdict,
        reservation: Option<Reservation>,
        injection: Option<Injection>,
        revoked: CancellationToken,
    ) -> Self {
        let asked = operation.llm().and_then(|call| call.output_limit);
        let limit = reservation.as_ref().map_or(asked, |r| r.output_limit);
        let mut obligations = verdict.obligations().to_vec();
        if let Some(tokens) = limit.filter(|_| limit != asked) {
            obligations.push(Obligation::ClampOutput { tokens });
        }
        let fingerprint = operation.fingerprint(limit);
        Self {
            gate,
            operation,
            verdict,
            reservation,
            obligations,
            injection,
            fingerprint,
            revoked,
            sent: AtomicBool::new(false),
            settled: false,
        }
    }

    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Everything the mouth must do for the permission to hold, budget clamps included.
    #[must_use]
    pub fn obligations(&self) -> &[Obligation] {
        &self.obligations
    }

    /// The output limit to write into the request, where it must be lowered.
    #[must_use]
    pub fn clamp(&self) -> Option<u64> {
        self.obligations.iter().find_map(|o| match o {
            Obligation::ClampOutput { tokens } => Some(*tokens),
            _ => None,
        })
    }

    /// What the request must hash to right before it is sent.
    #[must_use]
    pub fn fingerprint(&self) -> &Digest {
        &self.fingerprint
    }

    /// The secret to put into the request, last.
    #[must_use]
    pub fn injection(&self) -> Option<&Injection> {
        self.injection.as_ref()
    }

    /// Cancelled when the operation may not go on: session ended, everything stopped, or a reloaded policy denies it.
    #[must_use]
    pub fn revoked(&self) -> &CancellationToken {
        &self.revoked
    }

    /// To be called right before the first byte goes upstream: from then on an unknown ending costs the reservation.
    pub fn sent(&self) {
        self.sent.store(true, Ordering::Release);
    }

    /// Whether [`Self::sent`] was called.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
    }

    /// Charges and records what came of it; durable when it returns.
    ///
    /// # Errors
    /// When it cannot be recorded; the reservation then stays whole until the sweep charges it.
    pub async fn settle(mut self, outcome: Outcome) -> Result<Event, EngineError> {
        self.settled = true;
        let settlement = self.settlement(&outcome);
        self.gate.close(&self.operation, outcome, settlement).await
    }

    fn settlement(&self, outcome: &Outcome) -> Option<Settlement> {
        let reservation = self.reservation.as_ref()?;
        let call = self.operation.llm()?;
        Some(budgets::settle(call, reservation, outcome, &self.gate.prices().table()))
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let nothing =
            Settlement { amount: NanoUsd::ZERO, worth: NanoUsd::ZERO, tokens: 0, estimated: false, overrun: false };
        let sent = self.sent.load(Ordering::Acquire);
        let settlement = self.reservation.as_ref().map(|r| if sent { budgets::whole(r) } else { nothing });
        let why = if sent { "let go of after it was sent" } else { "let go of before it was sent" };
        self.gate.abandon(Arc::clone(&self.operation), why, settlement);
    }
}
