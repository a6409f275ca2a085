//! The server's side of a connection: who waits for which answer of its, over all its lives.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use reeve_engine::Admission;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::message::{self, Answer, Id};
use crate::queue::Sender;
use crate::upstream::{Failure, Upstream};

/// The server's side: who waits for which answer of its.
pub(super) struct Server {
    /// Why it is not there, while it is not.
    to: Mutex<Result<Sender<Bytes>, String>>,
    next: AtomicU64,
    waiting: Mutex<HashMap<Id, oneshot::Sender<Result<Answer, Failure>>>>,
}

impl Server {
    pub fn new(to: Sender<Bytes>) -> Self {
        Self { to: Mutex::new(Ok(to)), next: AtomicU64::new(1), waiting: Mutex::default() }
    }

    /// Why it is not there now, where it is not.
    pub fn is_down(&self) -> Option<String> {
        self.to.lock().as_ref().err().cloned()
    }

    /// It crashed. Whoever waits for it hears so; whether there was anybody is told back.
    pub fn down(&self, why: &str) -> bool {
        *self.to.lock() = Err(why.to_owned());
        let waited_for = !self.waiting.lock().is_empty();
        self.all_failed(&Failure::Gone { why: why.to_owned() });
        waited_for
    }

    /// It runs again.
    pub fn up(&self, to: Sender<Bytes>) {
        *self.to.lock() = Ok(to);
    }

    /// Passes something on. A server that is not there does not hear it.
    pub async fn tell(&self, raw: Bytes) {
        let to = self.to.lock().clone();
        if let Ok(to) = to {
            let _ = to.send(raw).await;
        }
    }

    /// Nobody waits for it any more.
    pub fn let_go(&self) {
        self.waiting.lock().clear();
    }

    pub fn answered(&self, id: &Id, answer: Answer) {
        if let Some(waits) = self.waiting.lock().remove(id) {
            // Whoever gave up does not want its answer any more.
            let _ = waits.send(Ok(answer));
        }
    }

    pub fn failed(&self, id: &Id, failure: Failure) {
        if let Some(waits) = self.waiting.lock().remove(id) {
            // As above.
            let _ = waits.send(Err(failure));
        }
    }

    /// Nobody can tell whose answer it was.
    pub fn all_failed(&self, failure: &Failure) {
        for (_, waits) in self.waiting.lock().drain() {
            // As above.
            let _ = waits.send(Err(failure.clone()));
        }
    }

    async fn send(&self, admission: &Admission, id: &Id, method: &str, params: Value) -> Result<Value, Failure> {
        let lost = || Failure::Gone { why: "it ended".to_owned() };
        let (tell, told) = oneshot::channel();
        let to = {
            // Under one lock: who waits for a server that crashes hears so.
            let to = self.to.lock();
            let to = to.as_ref().map_err(|why| Failure::Down { why: why.clone() })?.clone();
            self.waiting.lock().insert(id.clone(), tell);
            to
        };
        let raw = message::request(id, method, params);
        let room = to.reserve(raw.len()).await.map_err(|_| lost())?;
        admission.sent();
        room.send(raw);
        match told.await {
            Ok(Ok(Answer::Result(result))) => Ok(result),
            Ok(Ok(Answer::Error(error))) => Err(Failure::Rpc(error)),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(lost()),
        }
    }
}

impl Upstream for Server {
    fn request<'a>(
        &'a self,
        admission: &'a Admission,
        method: &'a str,
        params: Value,
        cancelled: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let id = Id::own(self.next.fetch_add(1, Ordering::Relaxed));
            let waiting = Waiting { server: self, id };
            if cancelled.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            tokio::select! {
                // That the server is gone says more than that nobody waits for it any more.
                biased;
                answered = self.send(admission, &waiting.id, method, params) => answered,
                () = cancelled.cancelled() => Err(Failure::Cancelled),
            }
        })
    }
}

/// A request that waits for the server. Dropped before the answer came, it tells the server so.
struct Waiting<'a> {
    server: &'a Server,
    id: Id,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.server.waiting.lock().remove(&self.id).is_some() {
            let params = json!({ "requestId": self.id.value(), "reason": "the caller does not wait any more" });
            // A server that is so far behind hears it never; its answer then finds nobody.
            if let Ok(to) = &*self.server.to.lock() {
                let _ = to.try_send(message::notification("notifications/cancelled", params));
            }
        }
    }
}
