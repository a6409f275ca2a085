//! Holds the admission of a tool call until its end is known, and settles it then, also when everything around it is dropped.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Instant;

use reeve_domain::outcome::{Ending, Outcome, ToolResult};
use reeve_engine::Admission;

/// Why a call that ran was cut.
pub(crate) const STOPPED: &str = "the session ended, or its rules changed";

/// An admitted call under way.
pub(crate) struct Acting {
    admission: Option<Box<Admission>>,
    started: Instant,
    /// What is known so far; its ending is set last.
    pub outcome: Outcome,
}

impl Acting {
    pub fn new(admission: Box<Admission>) -> Self {
        let mut outcome = Outcome::ended(Ending::Unknown);
        outcome.injected = admission.injection().map(|injection| injection.credential.clone()).into_iter().collect();
        Self { admission: Some(admission), started: Instant::now(), outcome }
    }

    pub fn admission(&self) -> Option<&Admission> {
        self.admission.as_deref()
    }

    /// Settles with this ending. The writer has the command before this returns, so whatever the agent does next is judged
    /// after it; the answer does not wait for the disk.
    pub fn settle(&mut self, ending: Ending) {
        let Some(admission) = self.admission.take() else { return };
        let mut outcome = std::mem::replace(&mut self.outcome, Outcome::ended(Ending::Unknown));
        outcome.ending = ending;
        outcome.total_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let id = admission.operation().id.clone();
        background(async move {
            if let Err(error) = admission.settle(outcome).await {
                tracing::error!(operation = %id, %error, "could not record what came of a tool call");
            }
        });
    }

    /// Notes that it did not answer in its time, where it was sent.
    pub fn timed_out(&mut self) {
        if self.admission().is_some_and(Admission::was_sent) {
            let after_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.outcome.result = Some(ToolResult::TimedOut { after_ms });
        }
    }

    /// An end that leaves open whether anything came of it, told by whether it was sent.
    pub fn cut(&mut self, sent: impl FnOnce(String) -> Ending, why: &str) {
        let why = why.to_owned();
        let was_sent = self.admission().is_some_and(Admission::was_sent);
        self.settle(if was_sent { sent(why) } else { Ending::NotSent { why } });
    }
}

/// Runs a future at once as far as it goes, and the rest in the background.
fn background(future: impl Future<Output = ()> + Send + 'static) {
    let mut future = Box::pin(future);
    if pin!(&mut future).poll(&mut Context::from_waker(Waker::noop())).is_ready() {
        return;
    }
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(future)),
        Err(_) => tracing::error!("a tool call ended outside the runtime; the sweep will close it"),
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        let Some(admission) = &self.admission else { return };
        if admission.revoked().is_cancelled() {
            self.cut(|why| Ending::CutByReeve { why }, STOPPED);
        } else {
            self.cut(|_| Ending::CutByClient, "the agent went away");
        }
    }
}
