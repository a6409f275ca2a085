//! A tool call under way: it runs on a task of its own, so that however its client goes, what became of it is recorded.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use parking_lot::Mutex;
use reeve_engine::patience::{Patience, Waiting};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::channel::Channel;
use crate::exchange::mcp::answer::{Answered, Coming, tell};
use crate::exchange::mcp::lanes::{Lane, accepted};
use crate::exchange::mcp::server::Remote;
use crate::exchange::mcp::{Carried, key, party};
use crate::exchange::{Answer, Case};
use crate::tools::ToolCall;

/// Messages that wait for a client before the server has to.
const QUEUE: usize = 64;
/// Most questions whose answers are waited for; for the oldest of more the time of the calls runs again.
const ASKED: usize = 256;

/// The calls under way, so that a client can cancel one with another request.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// Clients without MCP sessions may use the same ids at the same time.
    under_way: Mutex<HashMap<String, Vec<(u64, CancellationToken)>>>,
    /// What servers asked for during a call, until the client answers.
    asked: Mutex<HashMap<String, Vec<Waiting>>>,
    next: AtomicU64,
}

/// Questions of one call, or of one stream, that the client has before it; `None`: it is over, and nobody is waited for any
/// more.
#[derive(Debug, Clone)]
pub(super) struct Asks(Arc<Mutex<Option<Vec<String>>>>);

impl Default for Asks {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(Vec::new()))))
    }
}

impl Asks {
    /// From now on the client has this question before it. `false`: it was over before the person said yes.
    pub fn puts(&self, channel: &Channel, key: String, waiting: Vec<Waiting>) -> bool {
        let mut keys = self.0.lock();
        let Some(keys) = keys.as_mut() else { return false };
        if keys.len() >= ASKED {
            channel.shared.calls.answered(&keys.remove(0));
        }
        keys.push(key.clone());
        channel.shared.calls.asks(key, waiting);
        true
    }

    pub fn end(&self, channel: &Channel) {
        let asks = self.0.lock().take().unwrap_or_default();
        asks.iter().for_each(|key| channel.shared.calls.answered(key));
    }
}

impl Calls {
    /// Cancels the call with this key, where there is only one: another client's is not to end with it.
    pub fn cancel(&self, key: &str) {
        if let Some([(_, token)]) = self.under_way.lock().get(key).map(Vec::as_slice) {
            token.cancel();
        }
    }

    /// The client has a question of the server before it.
    fn asks(&self, key: String, waiting: Vec<Waiting>) {
        self.asked.lock().insert(key, waiting);
    }

    /// It was answered, or nobody waits for it.
    pub fn answered(&self, key: &str) {
        self.asked.lock().remove(key);
    }

    /// Whether the client waits for the answer to a call with this key.
    pub fn is_under_way(&self, key: &str) -> bool {
        self.under_way.lock().contains_key(key)
    }

    fn begin(&self, key: &str, token: CancellationToken) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.under_way.lock().entry(key.to_owned()).or_default().push((number, token));
        number
    }

    fn end(&self, key: &str, number: u64) {
        let mut under_way = self.under_way.lock();
        let Some(calls) = under_way.get_mut(key) else { return };
        calls.retain(|(one, _)| *one != number);
        if calls.is_empty() {
            under_way.remove(key);
        }
    }
}

/// Makes the call and tells its client.
pub(super) async fn make(mut case: Case, credential: Carried, id: Value, params: Value) -> Answer {
    let Some(mouth) = case.channel.shared.tools.get().map(Arc::clone) else {
        return crate::refusal::Refusal::unidentified().response().into();
    };
    let (say, said) = mpsc::channel(QUEUE);
    let (answering, answer) = oneshot::channel();
    let lane = Lane::of(&case.channel, &case.asked);
    let cancelled = lane.as_ref().map_or_else(CancellationToken::new, Lane::hangs_up);
    let key = key(&case.channel, &case.asked, &id);
    let shared = Arc::clone(&case.channel.shared);
    let number = shared.calls.begin(&key, cancelled.clone());
    let patience = Arc::<Patience>::default();
    let server = Arc::new(Remote::new(&case, &id, &params, (say.clone(), Arc::clone(&patience)), Arc::clone(&mouth)));
    let call = ToolCall { party: party(&case), id, params, credential, say, cancelled: cancelled.clone(), patience };
    let room = case.room.take();
    let remote = Arc::clone(&server);
    let (coming, telling) = match lane {
        Some(lane) => (None, Some(tokio::spawn(lane.tell(said, answer)))),
        None => (Some(Coming { said, answer, hangs_up: cancelled.drop_guard() }), None),
    };
    tokio::spawn(async move {
        let message = mouth.call(call, remote).await;
        shared.calls.end(&key, number);
        if let Some(message) = message {
            let (status, challenge) = server.status();
            let status = status.filter(|status| passes(*status)).unwrap_or(StatusCode::OK);
            let challenge = challenge.filter(|_| status != StatusCode::OK);
            let _ = answering.send(Answered { message, status, challenge });
        }
        // Until the client has taken it: how much waits for clients that read nothing is bounded.
        if let Some(telling) = telling {
            let _ = telling.await;
        }
        drop(room);
    });
    match coming {
        Some(coming) => tell(&case, coming).await,
        None => accepted(),
    }
}

/// What a client must be told by the status too: to log in anew, or that the server has forgotten its session.
fn passes(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_with_the_same_key_are_not_cancelled_by_either_and_each_alone_is() {
        let calls = Calls::default();
        let tokens = [CancellationToken::new(), CancellationToken::new()];
        let first = calls.begin("key", tokens[0].clone());
        let second = calls.begin("key", tokens[1].clone());
        calls.cancel("key");
        assert!(tokens.iter().all(|token| !token.is_cancelled()));
        calls.end("key", first);
        calls.cancel("key");
        assert!(tokens[1].is_cancelled() && !tokens[0].is_cancelled());
        calls.end("key", second);
        assert!(calls.under_way.lock().is_empty());
    }
}
