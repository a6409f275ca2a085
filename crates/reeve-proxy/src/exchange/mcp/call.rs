//! A tool call under way: it runs on a task of its own, so that however its client goes, what became of it is recorded.

use std::collections::HashMap;
use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::exchange::mcp::answer::{Answered, Coming, tell};
use crate::exchange::mcp::server::Remote;
use crate::exchange::mcp::{Carried, key, party};
use crate::exchange::{Answer, Case};
use crate::tools::ToolCall;

/// Messages that wait for a client before the server has to.
const QUEUE: usize = 64;

/// The calls under way, so that a client can cancel one with another request.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<HashMap<String, CancellationToken>>);

impl Calls {
    pub fn cancel(&self, key: &str) {
        if let Some(token) = self.0.lock().remove(key) {
            token.cancel();
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
    let cancelled = CancellationToken::new();
    let key = key(&case, &id);
    let shared = Arc::clone(&case.channel.shared);
    shared.calls.0.lock().insert(key.clone(), cancelled.clone());
    let server = Arc::new(Remote::new(&case, &id, &params, say.clone(), Arc::clone(&mouth)));
    let call = ToolCall { party: party(&case), id, params, credential, say, cancelled: cancelled.clone() };
    let room = case.room.take();
    let remote = Arc::clone(&server);
    let hangs_up = cancelled.clone().drop_guard();
    tokio::spawn(async move {
        let message = mouth.call(call, remote).await;
        shared.calls.0.lock().remove(&key);
        if let Some(message) = message {
            let (status, challenge) = server.status();
            let status = status.filter(|status| passes(*status)).unwrap_or(StatusCode::OK);
            let challenge = challenge.filter(|_| status != StatusCode::OK);
            let _ = answering.send(Answered { message, status, challenge });
        }
        drop(room);
    });
    tell(&case, Coming { said, answer, hangs_up }).await
}

/// What a client must be told by the status too: to log in anew, or that the server has forgotten its session.
fn passes(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
}
