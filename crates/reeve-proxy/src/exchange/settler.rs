//! Holds an admission until its end is known, and settles it then, also when everything around it is dropped.

use std::future::Future;
use std::hash::{DefaultHasher, Hasher as _};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Instant;

use http::HeaderMap;
use reeve_domain::event::EventBody;
use reeve_domain::operation::{Digest, Operation};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_engine::{Admission, Engine};
use reeve_protocol::{Meter, Metered, refusal};
use tokio::sync::OwnedSemaphorePermit;

use crate::exchange::passing::STOPPED;

/// An admitted operation under way.
pub(super) struct Settler {
    engine: Engine,
    admission: Option<Box<Admission>>,
    started: Instant,
    sent: AtomicBool,
    _room: Option<OwnedSemaphorePermit>,
    /// Reads the answer of a language model.
    pub meter: Option<Meter>,
    /// Why the answer to a request with a credential could not be decoded, and whether it was blocked.
    pub unmasked: Option<(String, bool)>,
    /// Reads why the place refuses the credential, where it does.
    pub refused: Option<Refused>,
    /// Hashes the answer, where it is to be told whether the same comes again.
    pub answer: Option<DefaultHasher>,
    /// What is known so far; its ending is set last.
    pub outcome: Outcome,
}

impl Settler {
    pub fn new(engine: &Engine, admission: Box<Admission>, room: Option<OwnedSemaphorePermit>) -> Self {
        let mut outcome = Outcome::ended(Ending::Unknown);
        outcome.injected = admission.injection().map(|injection| injection.credential.clone()).into_iter().collect();
        Self {
            engine: engine.clone(),
            admission: Some(admission),
            started: Instant::now(),
            sent: AtomicBool::new(false),
            _room: room,
            meter: None,
            unmasked: None,
            refused: None,
            answer: None,
            outcome,
        }
    }

    pub fn admission(&self) -> Option<&Admission> {
        self.admission.as_deref()
    }

    /// To be called right before the first byte goes upstream.
    pub fn sent(&self) {
        self.sent.store(true, Ordering::Release);
        if let Some(admission) = &self.admission {
            admission.sent();
        }
    }

    pub fn was_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
    }

    /// Notes that the answer's body begins.
    pub fn first_byte(&mut self) {
        if self.outcome.first_byte_ms.is_none() {
            self.outcome.first_byte_ms = Some(self.elapsed());
        }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Settles with this ending. The writer has the command before this returns, so whatever the client sends next is
    /// judged after it; the answer does not wait for the disk.
    pub fn settle(&mut self, ending: Ending) {
        let Some(admission) = self.admission.take() else { return };
        let mut outcome = std::mem::replace(&mut self.outcome, Outcome::ended(Ending::Unknown));
        outcome.ending = ending;
        outcome.total_ms = self.elapsed();
        if let Some(meter) = self.meter.take() {
            read(meter.finish(), &mut outcome);
        }
        let now = self.engine.now();
        let why = |refused: Refused| refusal::read(refused.status, &refused.headers, &refused.body, now);
        outcome.refusal = self.refused.take().map(why);
        outcome.answer = self.answer.take().map(|hasher| Digest(format!("{:016x}", hasher.finish())));
        let (engine, operation) = (self.engine.clone(), admission.operation().clone());
        let notes = notes(&outcome, self.was_sent(), self.unmasked.take());
        background(async move {
            if let Err(error) = admission.settle(outcome).await {
                tracing::error!(operation = %operation.id, %error, "could not record what came of an operation");
            }
            for note in notes {
                if let Err(error) = engine.gate().note(&operation, note).await {
                    tracing::error!(operation = %operation.id, %error, "could not record what happened to a credential");
                }
            }
        });
    }
}

/// The beginning of an answer that refuses a credential.
pub(super) struct Refused {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Refused {
    /// `None`: the answer is no refusal, or the request carried no credential of Reeve's.
    pub fn of(operation: &Operation, status: u16, headers: &HeaderMap) -> Option<Self> {
        let refuses = matches!(status, 401 | 403) && operation.credential.is_some();
        refuses.then(|| Self { status, headers: headers.clone(), body: Vec::new() })
    }

    pub fn feed(&mut self, data: &[u8]) {
        let room = refusal::LOOKED_AT.saturating_sub(self.body.len()).min(data.len());
        self.body.extend_from_slice(data.get(..room).unwrap_or_default());
    }
}

fn read(metered: Metered, outcome: &mut Outcome) {
    outcome.usage = metered.usage;
    outcome.usage_final = metered.usage_final;
    outcome.counted_output = metered.counted_output;
    outcome.tool_calls = metered.tool_calls;
    outcome.served_model = metered.served_model;
    outcome.said = metered.said;
}

/// What happened to the credential, as events of their own.
fn notes(outcome: &Outcome, sent: bool, unmasked: Option<(String, bool)>) -> Vec<EventBody> {
    let mut notes = Vec::new();
    for credential in outcome.injected.iter().filter(|_| sent) {
        notes.push(EventBody::CredentialInjected { credential: credential.clone() });
        if outcome.masked > 0 {
            notes.push(EventBody::CredentialMasked { credential: credential.clone(), times: outcome.masked });
        }
        if let Some((why, blocked)) = unmasked.clone() {
            notes.push(EventBody::CredentialUnmasked { credential: credential.clone(), why, blocked });
        }
    }
    notes
}

/// Runs a future at once as far as it goes, and the rest in the background.
fn background(future: impl Future<Output = ()> + Send + 'static) {
    let mut future = Box::pin(future);
    if pin!(&mut future).poll(&mut Context::from_waker(Waker::noop())).is_ready() {
        return;
    }
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(future)),
        Err(_) => tracing::error!("an operation ended outside the runtime; the sweep will charge it"),
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        let Some(admission) = &self.admission else { return };
        let ending = if admission.revoked().is_cancelled() {
            Ending::CutByReeve { why: STOPPED.to_owned() }
        } else if self.was_sent() {
            Ending::CutByClient
        } else {
            Ending::NotSent { why: "the client went away".to_owned() }
        };
        self.settle(ending);
    }
}
