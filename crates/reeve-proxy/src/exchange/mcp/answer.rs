//! How a tool call is answered over HTTP: by one message where that is all there is to say, else by a stream.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use reeve_domain::verdict::Denial;
use reeve_protocol::events::StreamEvent;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::DropGuard;

use crate::exchange::mcp::lanes;
use crate::exchange::{Answer, Case};
use crate::payload::full;

/// How long an answer in one message is waited for before a stream begins: the head of an answer must not be late.
const PATIENCE: Duration = Duration::from_secs(5);
/// A comment goes out after so much silence.
const QUIET: Duration = Duration::from_secs(15);

/// A call under way, as its client sees it.
pub(super) struct Coming {
    /// What is said before the answer.
    pub said: mpsc::Receiver<Bytes>,
    /// The answer. An end without one means that it was cancelled.
    pub answer: oneshot::Receiver<Answered>,
    /// Cancels the call when the client hangs up.
    pub hangs_up: DropGuard,
}

/// The last message, and the status where the server's own says more than the message.
pub(super) struct Answered {
    pub message: Bytes,
    pub status: StatusCode,
    pub challenge: Option<HeaderValue>,
}

/// What is told about a call that never came before the gate.
pub(super) async fn denied(case: &Case, id: &Value, denial: &Denial) -> Answer {
    let message = case.channel.shared.tools.get().map(|mouth| mouth.answer(id, denial)).unwrap_or_default();
    told(case, message).await
}

/// Reeve's own answer to what the server never hears.
pub(super) async fn told(case: &Case, message: Bytes) -> Answer {
    if let Some(answer) = lanes::told(case, message.clone()).await {
        return answer;
    }
    one(case, Answered { message, status: StatusCode::OK, challenge: None }).into()
}

/// Waits for the answer as long as one message may take, then begins a stream.
pub(super) async fn tell(case: &Case, mut coming: Coming) -> Answer {
    let first = timeout(PATIENCE, async {
        tokio::select! {
            biased;
            answered = &mut coming.answer => Ok(answered.ok()),
            Some(said) = coming.said.recv() => Err(said),
        }
    });
    let said = match first.await {
        // What was said in the same moment comes first.
        Ok(Ok(answered)) => match (coming.said.try_recv(), answered) {
            (Err(_), Some(answered)) => {
                let _ = coming.hangs_up.disarm();
                return one(case, answered).into();
            }
            // MCP wants no answer to what was cancelled.
            (Err(_), None) => return lanes::accepted(),
            (Ok(said), answered) => return streamed(Some(said), coming.said, Rest::Known(answered), coming.hangs_up),
        },
        Ok(Err(said)) => Some(said),
        Err(_) => None,
    };
    streamed(said, coming.said, Rest::Coming(coming.answer), coming.hangs_up)
}

enum Rest {
    Coming(oneshot::Receiver<Answered>),
    Known(Option<Answered>),
    Over,
}

struct Telling {
    first: Option<Bytes>,
    said: mpsc::Receiver<Bytes>,
    rest: Rest,
    _hangs_up: DropGuard,
}

impl Telling {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(event(&first));
        }
        loop {
            match std::mem::replace(&mut self.rest, Rest::Over) {
                Rest::Over => return None,
                Rest::Known(answered) => {
                    if let Ok(said) = self.said.try_recv() {
                        self.rest = Rest::Known(answered);
                        return Some(event(&said));
                    }
                    return answered.map(|answered| event(&answered.message));
                }
                Rest::Coming(mut coming) => {
                    let next = timeout(QUIET, async {
                        tokio::select! {
                            biased;
                            Some(said) = self.said.recv() => Err(said),
                            answered = &mut coming => Ok(answered.ok()),
                        }
                    });
                    match next.await {
                        Ok(Ok(answered)) => self.rest = Rest::Known(answered),
                        Ok(Err(said)) => {
                            self.rest = Rest::Coming(coming);
                            return Some(event(&said));
                        }
                        Err(_) => {
                            self.rest = Rest::Coming(coming);
                            return Some(Bytes::from_static(b": still here\n\n"));
                        }
                    }
                }
            }
        }
    }
}

fn streamed(first: Option<Bytes>, said: mpsc::Receiver<Bytes>, rest: Rest, hangs_up: DropGuard) -> Answer {
    let telling = Telling { first, said, rest, _hangs_up: hangs_up };
    let events = stream::unfold(telling, |mut telling| async move {
        let next = telling.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(next)), telling))
    });
    let mut response = Response::new(StreamBody::new(events).map_err(|never| match never {}).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.into()
}

fn event(message: &Bytes) -> Bytes {
    StreamEvent::encode(None, &String::from_utf8_lossy(message))
}

/// One message, as JSON where the client takes that.
fn one(case: &Case, answered: Answered) -> Response<crate::payload::Payload> {
    let accepts = case.asked.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accepts: Vec<String> = accepts.map(str::to_ascii_lowercase).collect();
    let json = accepts.is_empty() || accepts.iter().any(|value| value.contains("json") || value.contains("*/*"));
    let (kind, body) = match json {
        true => ("application/json", answered.message),
        false => ("text/event-stream", event(&answered.message)),
    };
    let mut response = Response::new(full(body));
    *response.status_mut() = answered.status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(challenge) = answered.challenge {
        response.headers_mut().insert(http::header::WWW_AUTHENTICATE, challenge);
    }
    response
}
