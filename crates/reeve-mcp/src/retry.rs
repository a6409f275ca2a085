//! A call that failed without any effect is made again, as often as the limits say, where a repeat cannot do harm: it is known
//! by its key, or its reviewed definition says that it only reads or changes the same once. What may have taken effect is
//! never made again.

use std::time::Duration;

use reeve_domain::operation::Operation;
use reeve_engine::Admission;
use reeve_engine::idempotency::Held;
use serde_json::Value;
use tokio::time::Instant;

use crate::acting::Acting;
use crate::asks;
use crate::call::{Call, Failed, limit};
use crate::gateway::Gateway;
use crate::preview::Counted;
use crate::upstream::{Failure, Upstream};

/// What an attempt goes by, besides the call itself.
pub(crate) struct Attempt<'a> {
    pub operation: &'a Operation,
    pub held: Option<&'a Held>,
    pub counted: Option<&'a Counted>,
}

impl Gateway {
    /// Sends the call, and again after it failed without effect. All attempts together take no longer than one may.
    pub(crate) async fn carry_out(
        &self,
        call: &Call,
        acting: &mut Acting,
        attempt: Attempt<'_>,
        upstream: &dyn Upstream,
    ) -> Result<Value, Failed> {
        let limits = self.engine().policies().in_force().limits.retries();
        let most = if attempt.may_be_made_again() { limits.times } else { 0 };
        let time = limit(acting.admission().map_or(&[], Admission::obligations));
        let deadline = Instant::now() + time;
        let (mut wait, mut time) = (limits.wait, time);
        loop {
            let answered = self.forward(call, acting, time, upstream).await;
            if acting.outcome.retries >= most
                || Instant::now() + wait >= deadline
                || !is_without_effect(&answered, acting)
            {
                return answered;
            }
            match &answered {
                Ok(result) => self.bore(attempt.operation, Ok(result)).await,
                Err(Failed::Upstream(failure)) => self.bore(attempt.operation, Err(failure)).await,
                Err(Failed::Revoked) => {}
            }
            waited(call, acting, wait).await?;
            if !self.goes_again(call, &attempt, upstream).await {
                return answered;
            }
            acting.outcome.retries += 1;
            time = deadline.saturating_duration_since(Instant::now());
            wait = wait.saturating_mul(2).min(limits.longest);
        }
    }

    /// Whether server, pace and what was counted still bear the call.
    async fn goes_again(&self, call: &Call, attempt: &Attempt<'_>, upstream: &dyn Upstream) -> bool {
        let (operation, place) = (attempt.operation, (call.server.name.as_str(), call.tool.as_str()));
        self.bears(place, operation).is_none()
            && self.still(call, operation, attempt.counted, upstream).await.is_ok()
            && self.turn(place, Some(&call.tool)).await.is_ok()
            && self.enters(place, &operation.id, operation).is_ok()
    }
}

impl Attempt<'_> {
    fn may_be_made_again(&self) -> bool {
        let claims = self.operation.mcp().map(|call| call.annotations).unwrap_or_default();
        self.held.is_some() || claims.only_reads() || claims.idempotent == Some(true)
    }
}

/// Whether it is certain that nothing happened: the tool says that it failed, or it never heard of the call.
fn is_without_effect(answered: &Result<Value, Failed>, acting: &Acting) -> bool {
    match answered {
        Ok(result) => result.get("isError").and_then(Value::as_bool) == Some(true) && !asks::is_interim(result),
        Err(Failed::Revoked | Failed::Upstream(Failure::Cancelled)) => false,
        Err(Failed::Upstream(_)) => !acting.admission().is_some_and(Admission::was_sent),
    }
}

/// Lets the time pass, unless nobody waits for the call any more.
async fn waited(call: &Call, acting: &Acting, wait: Duration) -> Result<(), Failed> {
    let Some(admission) = acting.admission() else { return Err(Failed::Revoked) };
    tokio::select! {
        biased;
        () = admission.revoked().cancelled() => Err(Failed::Revoked),
        () = call.cancelled.cancelled() => Err(Failed::Upstream(Failure::Cancelled)),
        () = tokio::time::sleep(wait) => Ok(()),
    }
}
