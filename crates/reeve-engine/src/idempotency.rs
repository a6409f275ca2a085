//! Calls that are to have their effect once, however often they are made: whoever comes first makes it, who comes meanwhile
//! waits for the result, and who comes later is given it. A call whose end nobody knows is never made again by itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reeve_domain::clock::Clock;
use reeve_domain::id::OperationId;
use reeve_domain::obligation::{Idempotence, IdempotenceScope};
use reeve_domain::operation::{Digest, McpToolCall};
use reeve_domain::principal::Principal;
use reeve_domain::slot::{Claimed, Slot, SlotEnd, SlotState};
use reeve_store::{Store, StoreError};
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Most bytes of a result that are kept; of a larger one only that the call was made.
pub const LARGEST_RESULT: usize = 256 * 1024;

/// Owner of the slots. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Idempotency(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    /// Who waits for a call that is being made.
    waiting: Mutex<HashMap<Digest, watch::Sender<()>>>,
    /// Who makes a call here now, and for how many seconds it is leased each time.
    under_way: Mutex<HashMap<Digest, (OperationId, u64)>>,
}

/// What a call finds.
#[derive(Debug)]
pub enum Found {
    /// It is to be made; what came of it is to be told.
    Mine(Box<Held>),
    /// It was made before.
    Made(Slot),
    /// It was made before, and nobody knows what came of it.
    Unknown(Slot),
    /// The caller went away while it waited.
    Cancelled,
}

impl Idempotency {
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { store, clock, waiting: Mutex::default(), under_way: Mutex::default() }))
    }

    /// What is known of a call without making it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn look(&self, key: &Digest) -> Result<Option<Slot>, StoreError> {
        self.renew(key).await?;
        self.0.store.slot(key).await
    }

    /// A call that is still being made here is not lost, however long people are waited for during it: whoever looks finds its
    /// lease as if it had just begun.
    async fn renew(&self, key: &Digest) -> Result<(), StoreError> {
        let under_way = self.0.under_way.lock().get(key).cloned();
        let Some((operation, seconds)) = under_way else { return Ok(()) };
        self.0.store.renew_slot(key.clone(), operation, after(self.0.clock.now(), seconds)).await
    }

    /// Takes the slot, or waits for whoever makes the call; one that is not made here is waited for until its lease is over. `over`: the operation whose end or
    /// result does not stand in the way any more, because a human or a probe said so.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn claim(
        &self,
        key: &Digest,
        operation: &OperationId,
        rules: &Idempotence,
        over: Option<&OperationId>,
        cancelled: &CancellationToken,
    ) -> Result<Found, StoreError> {
        loop {
            // Listens before it looks: what is told between both is heard.
            let mut told = self.listen(key);
            self.renew(key).await?;
            let now = self.0.clock.now();
            let (lease, keep) = (after(now, rules.lease_seconds), after(now, rules.cache_ttl_seconds));
            let keep = keep.max(lease);
            let claimed = self.0.store.claim_slot(key.clone(), operation.clone(), lease, keep, over.cloned()).await?;
            let slot = match claimed {
                Claimed::Fresh => return Ok(Found::Mine(Box::new(self.held(key, operation, rules)))),
                Claimed::Taken(slot) => slot,
            };
            match slot.state {
                SlotState::Done | SlotState::FailedFinal => return Ok(Found::Made(slot)),
                SlotState::Unknown => return Ok(Found::Unknown(slot)),
                SlotState::Reserved | SlotState::FailedRetryable => {}
            }
            let left = (slot.lease_until - self.0.clock.now()).to_std().unwrap_or_default();
            tokio::select! {
                () = cancelled.cancelled() => return Ok(Found::Cancelled),
                _ = told.changed() => {}
                // Never longer than a moment on the wall clock's word alone: it may be set back.
                () = tokio::time::sleep(left.clamp(Duration::from_millis(10), Duration::from_secs(5))) => {}
            }
        }
    }

    /// It was found out that the call of this operation, whose end nobody knew, took effect.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn found_done(&self, key: &Digest, operation: &OperationId, result: &Value) -> Result<(), StoreError> {
        let end = SlotEnd { state: SlotState::Done, result: Some(result.to_string()) };
        self.finish(key.clone(), operation.clone(), end).await.map(|_| ())
    }

    fn held(&self, key: &Digest, operation: &OperationId, rules: &Idempotence) -> Held {
        self.0.under_way.lock().insert(key.clone(), (operation.clone(), rules.lease_seconds));
        Held {
            owner: self.clone(),
            key: key.clone(),
            operation: operation.clone(),
            final_errors: rules.final_errors.clone(),
            sent: AtomicBool::new(false),
            told: false,
        }
    }

    fn listen(&self, key: &Digest) -> watch::Receiver<()> {
        let mut waiting = self.0.waiting.lock();
        // Nobody waits for those any more.
        waiting.retain(|_, sender| sender.receiver_count() > 0);
        waiting.entry(key.clone()).or_insert_with(|| watch::channel(()).0).subscribe()
    }

    async fn finish(&self, key: Digest, operation: OperationId, end: SlotEnd) -> Result<bool, StoreError> {
        let finished = self.0.store.finish_slot(key.clone(), operation.clone(), end).await;
        self.is_over(&key, &operation);
        // Also after a failure: who waits looks again, and finds the lease.
        if let Some(sender) = self.0.waiting.lock().get(&key) {
            let _ = sender.send(());
        }
        finished
    }

    fn is_over(&self, key: &Digest, operation: &OperationId) {
        let mut under_way = self.0.under_way.lock();
        if under_way.get(key).is_some_and(|(one, _)| one == operation) {
            under_way.remove(key);
        }
    }
}

fn after(now: DateTime<Utc>, seconds: u64) -> DateTime<Utc> {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    chrono::Duration::try_seconds(seconds)
        .and_then(|wait| now.checked_add_signed(wait))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The right to make a call once. Let go of without a word it says what is certain: not sent, nothing happened; sent, nobody
/// knows.
#[must_use = "what came of the call is to be told"]
#[derive(Debug)]
pub struct Held {
    owner: Idempotency,
    key: Digest,
    operation: OperationId,
    final_errors: Vec<String>,
    sent: AtomicBool,
    told: bool,
}

impl Held {
    /// Whether these words of a tool's error say that the same call fails the same way each time.
    #[must_use]
    pub fn is_final(&self, error: &str) -> bool {
        let error = error.to_lowercase();
        self.final_errors.iter().any(|words| error.contains(words))
    }

    /// To be called right before the first byte goes to the tool.
    pub fn sent(&self) {
        self.sent.store(true, Ordering::Release);
    }

    /// Names the call for upstreams that take an idempotency key.
    #[must_use]
    pub fn key(&self) -> &Digest {
        &self.key
    }

    /// It was made. To be called before the answer goes out. A result that is too large is not kept.
    ///
    /// # Errors
    /// When it cannot be recorded; then nobody knows, after its lease.
    pub async fn done(self, result: &Value) -> Result<(), StoreError> {
        self.tell(SlotState::Done, Some(result)).await
    }

    /// It failed, and making it again gives the same.
    ///
    /// # Errors
    /// As [`Held::done`].
    pub async fn failed(self, result: &Value) -> Result<(), StoreError> {
        self.tell(SlotState::FailedFinal, Some(result)).await
    }

    /// Nothing of it took effect: the next one may make it.
    ///
    /// # Errors
    /// As [`Held::done`].
    pub async fn not_made(self) -> Result<(), StoreError> {
        self.tell(SlotState::FailedRetryable, None).await
    }

    /// It was sent, and nobody knows what came of it.
    ///
    /// # Errors
    /// As [`Held::done`].
    pub async fn lost(self) -> Result<(), StoreError> {
        self.tell(SlotState::Unknown, None).await
    }

    async fn tell(mut self, state: SlotState, result: Option<&Value>) -> Result<(), StoreError> {
        self.told = true;
        let result = result.map(Value::to_string).filter(|text| text.len() <= LARGEST_RESULT);
        let (key, operation) = (self.key.clone(), self.operation.clone());
        if !self.owner.finish(key, operation, SlotEnd { state, result }).await? {
            tracing::warn!(operation = %self.operation, "a call ended after its lease, and another one took its place");
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return self.owner.is_over(&self.key, &self.operation);
        };
        let state = if self.sent.load(Ordering::Acquire) { SlotState::Unknown } else { SlotState::FailedRetryable };
        let (owner, key, operation) = (self.owner.clone(), self.key.clone(), self.operation.clone());
        runtime.spawn(async move {
            let id = operation.clone();
            if let Err(error) = owner.finish(key, operation, SlotEnd { state, result: None }).await {
                tracing::error!(operation = %id, %error, "the end of a call that was let go of could not be recorded");
            }
        });
    }
}

/// What makes two calls the same: who makes them as far as the scope says, the tool in the version that is pinned, and all
/// arguments or those that the rules name.
///
/// # Errors
/// The first of the named arguments that the call does not have: without it nobody can tell.
pub fn key(
    principal: &Principal,
    call: &McpToolCall,
    arguments: &Value,
    rules: &Idempotence,
) -> Result<Digest, String> {
    let who = match rules.scope {
        IdempotenceScope::Session => format!("session {}", principal.session),
        IdempotenceScope::Agent => format!("agent {}", principal.agent),
        IdempotenceScope::All => "all".to_owned(),
    };
    let what = if rules.key_fields.is_empty() {
        canonical(arguments)
    } else {
        let field = |path: &String| at(arguments, path).filter(|value| !value.is_null()).ok_or_else(|| path.clone());
        let fields: Result<Vec<&Value>, String> = rules.key_fields.iter().map(field).collect();
        let named = rules.key_fields.iter().zip(fields?).map(|(path, value)| format!("{path:?}={}", canonical(value)));
        named.collect::<Vec<_>>().join("\n")
    };
    let definition = call.definition.as_ref().map_or("unlisted", Digest::as_str);
    Ok(Digest::of(format!("reeve-slot-1\n{who}\n{}\n{definition}\n{what}", call.resource()).as_bytes()))
}

/// The value at a path of names and indices: `order.lines.0.id`. A name that holds a dot is found as it is, too.
#[must_use]
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(found) = value.get(path) {
        return Some(found);
    }
    path.split('.').try_fold(value, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => value.get(name),
    })
}

/// The same text for the same value, in whatever order its fields come. Numbers stay as they are written.
#[must_use]
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(b.0));
            let fields =
                sorted.into_iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests;
