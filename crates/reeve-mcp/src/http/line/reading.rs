//! What comes back: one message or a stream of them, taken up again where the server closes it before its answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use reeve_protocol::events::EventReader;
use serde_json::Value;

use super::request::Spoken;
use super::{Failed, Line, failed};
use crate::http::Body;
use crate::http::check::EVENTS;
use crate::message::{Answer, Id, MAX_MESSAGE, strict};

/// How long to wait before a stream is taken up again, where the server does not say.
const AGAIN: Duration = Duration::from_secs(1);
/// Longest such wait.
const LONGEST: Duration = Duration::from_secs(30);
/// How often in a row a stream that brings nothing new is taken up again for an answer.
const TRIES: u32 = 10;

/// The answer to a request.
pub(super) struct Heard {
    pub raw: Bytes,
    pub answer: Told,
}

pub(super) enum Told {
    Result(Value),
    Error(Value),
}

/// Where a stream is.
struct Place {
    last: Option<String>,
    wait: Duration,
    /// It brought something since it was opened.
    moved: bool,
}

impl Default for Place {
    fn default() -> Self {
        Self { last: None, wait: AGAIN, moved: false }
    }
}

impl Line {
    /// Passes on what comes for a request, and returns its answer.
    pub(super) async fn passed_on(
        &self,
        mut response: Response<Body>,
        id: &Id,
        spoken: Option<&Spoken>,
    ) -> Result<Heard, Failed> {
        let (mut place, mut in_vain) = (Place::default(), 0);
        loop {
            if !response.status().is_success() {
                return Err(why_not(response).await);
            }
            if !is_stream(response.headers()) {
                let whole = whole(response.into_body()).await?;
                let read = strict(&whole).ok().and_then(|message| answer_to(&message, id));
                let answer = read.ok_or_else(|| failed("the server answered something that is no answer to this"))?;
                return Ok(Heard { raw: whole, answer });
            }
            if let Some(heard) = self.stream(response.into_body(), Some(id), &mut place).await? {
                return Ok(heard);
            }
            in_vain = if place.moved { 0 } else { in_vain + 1 };
            let (Some(spoken), Some(last)) = (spoken, place.last.as_deref()) else {
                return Err(failed("the server's answer broke off"));
            };
            if in_vain >= TRIES {
                return Err(failed("the server's answer broke off and did not come again"));
            }
            tokio::time::sleep(place.wait).await;
            response = self.endpoint.serve(self.listening(spoken, Some(last))).await;
        }
    }

    /// Passes on what belongs to no request, for as long as the server says such things.
    pub(super) async fn hear_rest(&self, spoken: &Spoken) {
        let mut place = Place::default();
        let mut wait = AGAIN;
        loop {
            let response = self.endpoint.serve(self.listening(spoken, place.last.as_deref())).await;
            let status = response.status();
            if !status.is_success() && !status.is_server_error() && status != StatusCode::CONFLICT {
                // It has no such stream, or the session is over.
                return;
            }
            place.moved = false;
            if status.is_success() && is_stream(response.headers()) {
                // However it broke off, it is taken up again.
                let _ = self.stream(response.into_body(), None, &mut place).await;
            }
            wait = if place.moved { place.wait } else { wait.saturating_mul(2).min(LONGEST) };
            tokio::time::sleep(wait).await;
        }
    }

    /// Reads one stream: the answer to `id` ends it, all else is passed on.
    async fn stream(&self, mut body: Body, id: Option<&Id>, place: &mut Place) -> Result<Option<Heard>, Failed> {
        let mut reader = EventReader::default();
        place.moved = false;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Ok(None) };
            let Ok(data) = frame.into_data() else { continue };
            reader.feed(&data);
            loop {
                let event = match reader.next_event() {
                    Ok(Some(event)) => event,
                    Ok(None) => break,
                    Err(error) => return Err(failed(error.to_string())),
                };
                if let Some(retry) = event.retry {
                    place.wait = Duration::from_millis(retry).min(LONGEST);
                }
                if let Some(id) = event.id.filter(|id| !id.is_empty()) {
                    place.last = Some(id);
                }
                let Some(data) = event.data.filter(|data| !data.is_empty()) else { continue };
                place.moved = true;
                let raw = Bytes::from(data);
                let Ok(message) = strict(&raw) else {
                    tracing::warn!(server = %self.server, "an event of an MCP server was dropped");
                    continue;
                };
                match id.and_then(|id| answer_to(&message, id)) {
                    Some(answer) => return Ok(Some(Heard { raw, answer })),
                    None => self.tell(raw).await,
                }
            }
        }
        Ok(None)
    }
}

fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(EVENTS)
}

/// The answer that a message is to this request.
fn answer_to(message: &Value, id: &Id) -> Option<Told> {
    if message.get("method").is_some() || message.get("id").and_then(Id::read).as_ref() != Some(id) {
        return None;
    }
    let result = message.get("result").cloned().map(Told::Result);
    result.or_else(|| message.get("error").cloned().map(Told::Error))
}

async fn whole(body: Body) -> Result<Bytes, Failed> {
    let read = Limited::new(body, MAX_MESSAGE).collect().await;
    read.map(http_body_util::Collected::to_bytes).map_err(|error| failed(format!("the answer cannot be read: {error}")))
}

/// The words of an answer that turns a request away: its own error object, else its status.
async fn why_not(response: Response<Body>) -> Failed {
    let status = response.status();
    let said = whole(response.into_body()).await.ok().and_then(|body| strict(&body).ok());
    let error = said.and_then(|said| said.get("error").cloned()).filter(|error| error.get("code").is_some());
    error.map_or_else(|| failed(format!("the server answered with status {status}")), |e| Box::new(Answer::Error(e)))
}
