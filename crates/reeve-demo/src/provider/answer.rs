//! An answer as a plan of beats (wait, send, break off): every fault of the script is one shape of such a plan.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use super::ask::{Ask, Turn};
use super::coding::Encoder;
use super::dialect::{Dialect, Event};
use super::record::{End, Progress};
use crate::script::{Coding, Mishap, Phase, Route, Tokens};

/// Long enough that what was sent before a break is on the wire.
const BEFORE_BREAK: Duration = Duration::from_millis(30);

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

#[derive(Debug, Clone)]
enum Beat {
    Wait(Duration),
    Send(Bytes),
    Break,
}

/// Status, headers and the plan of the body.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    /// Before the status line.
    pause: Duration,
    /// The connection ends before any byte of the answer.
    reset: bool,
    beats: Vec<Beat>,
    /// Bytes that Content-Length promises beyond those sent; `None`: no length is declared.
    promise: Option<u64>,
    pub(super) usage: Option<Tokens>,
}

impl Answer {
    fn new(status: u16, content_type: &str, pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            pause: Duration::ZERO,
            reset: false,
            beats: pieces.into_iter().map(Beat::Send).collect(),
            promise: Some(0),
            usage: None,
        }
    }

    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", [body.to_string().into()])
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { headers: Vec::new(), ..Self::new(status, "", []) }
    }

    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A fixed route's answer; `fill` replaces references to received headers.
    pub(super) fn route(route: &Route, fill: &dyn Fn(&str) -> String) -> Self {
        let body = Bytes::from(fill(&route.body));
        let mut answer = Self::new(route.status, "application/json", []);
        if !route.headers.is_empty() {
            answer.headers = route.headers.iter().map(|(n, v)| (n.clone(), fill(v))).collect();
        }
        if route.chunk == 0 {
            answer.beats.push(Beat::Send(body));
            return answer;
        }
        answer.promise = None;
        for at in (0..body.len()).step_by(route.chunk) {
            answer.beats.push(Beat::Wait(route.gap()));
            answer.beats.push(Beat::Send(body.slice(at..body.len().min(at + route.chunk))));
        }
        answer
    }

    /// A model's answer, whole or streamed as the request asked.
    pub(super) fn of_model(dialect: Dialect, ask: &Ask, turn: &Turn, sse: bool, mishap: Option<&Mishap>) -> Self {
        let mut answer = if ask.stream {
            let events = dialect.events(ask, turn);
            let kind = if sse { "text/event-stream; charset=utf-8" } else { "application/json" };
            let mut answer = Self::new(200, kind, if sse { as_sse(dialect, &events) } else { as_array(&events) });
            answer.promise = None;
            answer
        } else {
            // In two pieces, so that "in the middle" is a place.
            let body = Bytes::from(dialect.whole(ask, turn).to_string());
            let half = body.len() / 2;
            Self::new(200, "application/json", [body.slice(..half), body.slice(half..)])
        };
        answer.usage = Some(turn.usage);
        if let Some(mishap) = mishap {
            answer = answer.spoiled(mishap, dialect, ask.stream && sse);
        }
        let id = format!("req_demo_{}", turn.serial);
        answer.with_header("request-id", &id).with_header("x-request-id", &id)
    }

    /// The answer with the mishap in it.
    fn spoiled(mut self, mishap: &Mishap, dialect: Dialect, streamed: bool) -> Self {
        let at = |after: usize| if streamed { after } else { after.min(1) };
        match mishap {
            Mishap::Status { status, message, headers, body } => {
                let mut answer = match body {
                    Some(text) => Self::new(*status, "text/plain", [Bytes::from(text.clone())]),
                    None => Self::json(*status, &dialect.error(*status, message)),
                };
                answer.headers.extend(headers.iter().cloned());
                answer
            }
            Mishap::Redirect { status, location } => Self::empty(*status).with_header("location", location),
            Mishap::Garbage => {
                let page = Bytes::from_static(b"<html><body>Sign in to use this network</body></html>");
                Self::new(200, "text/html", [page])
            }
            Mishap::Reset => Self { reset: true, ..self },
            Mishap::ErrorEvent { message, .. } if !streamed => Self::json(500, &dialect.error(500, message)),
            Mishap::ErrorEvent { after, message } => {
                self.beats.truncate(*after);
                self.beats.push(Beat::Send(dialect.error_event(message).sse().into()));
                self
            }
            Mishap::Truncate { after } => {
                self.beats.truncate(at(*after));
                self.beats.extend([Beat::Wait(BEFORE_BREAK), Beat::Break]);
                // The cut is in what was promised, where a length was.
                self.promise = self.promise.map(|_| 64);
                self
            }
            Mishap::ContentLength { extra } => {
                self.beats.extend([Beat::Wait(BEFORE_BREAK), Beat::Break]);
                Self { promise: Some(*extra), ..self }
            }
            Mishap::Slow { gap_ms } => {
                let gap = Duration::from_millis(*gap_ms);
                self.beats = self.beats.into_iter().flat_map(|beat| [Beat::Wait(gap), beat]).collect();
                self
            }
            Mishap::Hold { phase: Phase::Headers, ms } => Self { pause: Duration::from_millis(*ms), ..self },
            Mishap::Hold { phase: Phase::After(after), ms } => {
                let place = at(*after).min(self.beats.len());
                self.beats.insert(place, Beat::Wait(Duration::from_millis(*ms)));
                self
            }
        }
    }

    /// An endpoint that answers in one piece: only the mishaps that concern a status apply.
    pub(super) fn spoiled_small(self, mishap: Option<&Mishap>, dialect: Dialect) -> Self {
        match mishap {
            Some(mishap @ (Mishap::Status { .. } | Mishap::Reset | Mishap::Garbage | Mishap::Redirect { .. })) => {
                self.spoiled(mishap, dialect, false)
            }
            _ => self,
        }
    }

    /// The same answer in a content coding.
    pub(super) fn encoded(mut self, coding: Option<Coding>) -> io::Result<Self> {
        let Some(coding) = coding else { return Ok(self) };
        let mut encoder = Encoder::new(Some(coding))?;
        for beat in &mut self.beats {
            if let Beat::Send(data) = beat {
                *data = encoder.piece(std::mem::take(data))?;
            }
        }
        if !self.beats.iter().any(|beat| matches!(beat, Beat::Break)) {
            self.beats.push(Beat::Send(encoder.end()?));
        }
        Ok(self.with_header("content-encoding", coding.token()))
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// Performs it.
    ///
    /// # Errors
    /// When the script says that the connection ends here, or a header of it cannot be sent.
    pub(super) async fn play(self, progress: Progress) -> io::Result<Response<Body>> {
        tokio::time::sleep(self.pause).await;
        if self.reset {
            progress.end(End::Cut);
            return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
        }
        let length: u64 = self.beats.iter().map(|beat| if let Beat::Send(b) = beat { b.len() as u64 } else { 0 }).sum();
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(self.status).map_err(io::Error::other)?;
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(io::Error::other)?;
            response.headers_mut().append(name, HeaderValue::try_from(value.as_str()).map_err(io::Error::other)?);
        }
        if let Some(extra) = self.promise {
            response.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(length + extra));
        }
        progress.0.lock().status = Some(self.status);
        let beats = self.beats.into_iter();
        if beats.len() == 0 {
            progress.end(End::Complete);
        }
        let frames = stream::unfold((beats, progress), |(mut beats, progress)| async move {
            loop {
                match beats.next()? {
                    Beat::Wait(pause) => tokio::time::sleep(pause).await,
                    Beat::Send(data) => {
                        progress.piece();
                        if beats.len() == 0 {
                            progress.end(End::Complete);
                        }
                        return Some((Ok(Frame::data(data)), (beats, progress)));
                    }
                    Beat::Break => {
                        progress.end(End::Cut);
                        let broken = io::Error::from(io::ErrorKind::ConnectionAborted);
                        return Some((Err(broken), (beats, progress)));
                    }
                }
            }
        });
        Ok(response.map(|()| StreamBody::new(frames).boxed_unsync()))
    }
}

fn as_sse(dialect: Dialect, events: &[Event]) -> Vec<Bytes> {
    let end = dialect.terminator().map(Bytes::from);
    events.iter().map(|e| Bytes::from(e.sse())).chain(end).collect()
}

/// Gemini without `alt=sse` streams one JSON array.
fn as_array(events: &[Event]) -> Vec<Bytes> {
    let lead = |index| if index == 0 { "[" } else { ",\n" };
    let items = events.iter().enumerate().map(|(index, e)| Bytes::from(format!("{}{}", lead(index), e.data)));
    items.chain([Bytes::from_static(b"]")]).collect()
}
