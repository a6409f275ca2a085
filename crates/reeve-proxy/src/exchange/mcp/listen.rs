//! Listens to what a remote server says in an answer or on a stream: lists of tools are filtered, questions of its own are
//! operations, and everything else passes with its bytes untouched.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream;
use http::Response;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use reeve_protocol::events::{EventReader, StreamEvent};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};

use crate::channel::Channel;
use crate::exchange::intake::content_coding;
use crate::exchange::mcp::server::is_stream;
use crate::exchange::mcp::{expected, party, questions};
use crate::exchange::request::{Asked, Incoming};
use crate::exchange::{Answer, Case, Turned, hold};
use crate::payload::{Payload, PayloadError, full};
use crate::refusal::Refusal;
use crate::tools::{Expected, Party, Passage, Question, ToolMouth};

/// Largest answer that is looked at, in bytes.
const MOST: usize = 16 * 1024 * 1024;
/// Pieces that wait for a client before the server has to.
const QUEUE: usize = 64;
/// Questions on one stream that a person may be asked about at once; after so many the stream waits.
pub(super) const ASKING: usize = 32;

/// Puts the request before the gate and listens to its answer.
///
/// # Errors
/// When it is turned away.
pub(super) async fn to_answer(mut case: Case, view: Value, question: Option<Question>) -> Result<Answer, Turned> {
    let Some(mouth) = case.channel.shared.tools.get().map(Arc::clone) else { return hold::decide(case, view).await };
    case.asked.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let (channel, asked, asking) = (case.channel.clone(), case.asked.clone(), Arc::new(Semaphore::new(ASKING)));
    // Its place was noted when it was read.
    let known = expected(&channel, &asked) == Expected::Mcp;
    let ears = Ears { mouth, party: party(&case), question, known, channel, asked, asking };
    if known {
        questions::note(&ears.channel, &ears.asked, ears.question.as_ref());
    }
    let answer = hold::decide(case, view).await.inspect_err(|_| ears.is_over())?;
    let Answer { response, tunnel } = answer;
    Ok(Answer { response: ears.listen(response).await?, tunnel })
}

struct Ears {
    mouth: Arc<dyn ToolMouth>,
    party: Party,
    question: Option<Question>,
    /// Nothing but MCP is spoken there.
    known: bool,
    channel: Channel,
    asked: Asked,
    asking: Arc<Semaphore>,
}

impl Ears {
    async fn listen(self, response: Response<Payload>) -> Result<Response<Payload>, Turned> {
        // One message that is no stream matters by what was asked; or it answers something else that was.
        let matters = self.mouth.concerns(self.question.as_ref(), &[]);
        if !response.status().is_success() {
            self.is_over();
            return Ok(response);
        }
        if !(matters || self.known && is_json(&response) || is_stream(&response)) {
            return Ok(response);
        }
        if content_coding(response.headers()).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            let why = "The server coded its answer although that was not offered, so it cannot be looked at.";
            return Err(Turned::Failed(Refusal::upstream(why)));
        }
        let (mut head, body) = response.into_parts();
        head.headers.remove(CONTENT_LENGTH);
        head.headers.remove(CONTENT_ENCODING);
        let is_events =
            head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if is_events {
            return Ok(Response::from_parts(head, self.stream(body)));
        }
        let whole = collect(body).await?;
        if !matters && !self.mouth.concerns(None, &whole) {
            return Ok(Response::from_parts(head, full(whole)));
        }
        let passed = match self.hear(&whole).await {
            Passage::AsItIs => whole,
            Passage::Changed(changed) | Passage::Answered(changed) => changed,
            Passage::Dropped => Bytes::new(),
        };
        Ok(Response::from_parts(head, full(passed)))
    }

    async fn hear(&self, message: &Bytes) -> Passage {
        let place = (&self.channel, &self.asked);
        questions::hear(&self.mouth, &self.party, place, self.question.as_ref(), message).await
    }

    /// No answer comes any more.
    fn is_over(&self) {
        if let Some(question) = &self.question {
            questions::is_over(&self.channel, question);
        }
    }

    /// A stream that is read on a task of its own: while a person is asked about one message, the others pass.
    fn stream(self, body: Payload) -> Payload {
        let (pass, passed) = mpsc::channel(QUEUE);
        tokio::spawn(self.pump(body, pass));
        let frames = stream::unfold(passed, |mut passed| async move {
            let next: Result<Bytes, PayloadError> = passed.recv().await?;
            Some((next.map(Frame::data), passed))
        });
        StreamBody::new(frames).boxed_unsync()
    }

    async fn pump(self, mut body: Payload, pass: mpsc::Sender<Result<Bytes, PayloadError>>) {
        let subscription = self.question.as_ref().map(|question| question.listens.clone());
        let mut changes = match subscription {
            // A stream that answers something else says nothing besides.
            Some(None) => stream::pending().boxed(),
            subscription => self.mouth.changes(self.party.clone(), subscription.flatten()),
        };
        let ears = Arc::new(self);
        let mut reader = EventReader::default();
        // What answers a request begins with the server's own word.
        let mut begun = ears.question.is_none();
        loop {
            let frame = tokio::select! {
                frame = body.frame() => frame,
                Some(told) = changes.next(), if begun => {
                    let told = StreamEvent::encode(None, &String::from_utf8_lossy(&told));
                    let _ = pass.send(Ok(told)).await;
                    continue;
                }
                () = pass.closed() => return,
            };
            let data = match frame.map(|frame| frame.map(Frame::into_data)) {
                None => break,
                Some(Ok(Ok(data))) => data,
                Some(Ok(Err(_))) => continue,
                Some(Err(error)) => {
                    let _ = pass.send(Err(error)).await;
                    return;
                }
            };
            reader.feed(&data);
            loop {
                match reader.next_event() {
                    Ok(Some(event)) => {
                        Self::event(&ears, event, &pass).await;
                        begun = true;
                    }
                    Ok(None) => break,
                    Err(error) => {
                        let _ = pass.send(Err(PayloadError::Upstream(error.to_string()))).await;
                        return;
                    }
                }
            }
        }
    }

    async fn event(ears: &Arc<Self>, event: StreamEvent, pass: &mpsc::Sender<Result<Bytes, PayloadError>>) {
        let concerns = event.data.as_ref().filter(|data| ears.mouth.concerns(ears.question.as_ref(), data.as_bytes()));
        let Some(message) = concerns.map(|data| Bytes::from(data.clone())) else {
            let _ = pass.send(Ok(event.raw)).await;
            return;
        };
        let asks = ears.mouth.asks(&message);
        let (here, pass) = (Arc::clone(ears), pass.clone());
        let closed = pass.clone();
        let hearing = async move {
            let ears = here;
            match ears.hear(&message).await {
                Passage::AsItIs => drop(pass.send(Ok(event.raw)).await),
                Passage::Changed(changed) => {
                    let text = String::from_utf8_lossy(&changed).into_owned();
                    let _ = pass.send(Ok(StreamEvent::encode(event.id.as_deref(), &text))).await;
                }
                Passage::Answered(answer) => answer_server(&ears.channel, &ears.asked, answer),
                Passage::Dropped => {}
            }
        };
        if !asks {
            // In its place among the others.
            return hearing.await;
        }
        let place = tokio::select! {
            place = Arc::clone(&ears.asking).acquire_owned() => place,
            () = closed.closed() => return,
        };
        tokio::spawn(async move {
            hearing.await;
            drop(place);
        });
    }
}

fn is_json(response: &Response<Payload>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().contains("json")
}

async fn collect(mut body: Payload) -> Result<Bytes, Turned> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let failed = |why: String| Turned::Failed(Refusal::upstream(format!("The answer broke off: {why}.")));
        let frame = frame.map_err(|error| failed(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if all.len() + data.len() > MOST {
            return Err(Turned::Failed(Refusal::upstream("The server's answer has more than 16 MiB.")));
        }
        all.extend_from_slice(&data);
    }
    Ok(all.freeze())
}

/// Answers a question of the server in the client's place: a request of its own, judged like the client's own answer would
/// be.
pub(super) fn answer_server(channel: &Channel, asked: &Asked, answer: Bytes) {
    let mut headers = asked.headers.clone();
    headers.remove(CONTENT_ENCODING);
    headers.remove("last-event-id");
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    let path = asked.endpoint.path.as_str();
    let target = asked.query.as_ref().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let incoming = Incoming {
        method: "POST".to_owned(),
        scheme: Some(channel.scheme.as_str().to_owned()),
        authority: Some(channel.target.to_string()),
        target,
        headers,
        length: Some(answer.len() as u64),
        body: full(answer),
        upgradable: false,
    };
    let channel = channel.clone();
    // Boxed, because an exchange may come to this very place.
    let exchange: futures_util::future::BoxFuture<'static, Answer> =
        Box::pin(crate::exchange::exchange(channel, incoming));
    tokio::spawn(async move {
        let response = exchange.await.response;
        if !response.status().is_success() {
            tracing::warn!(status = %response.status(), "a server did not hear that its question was refused");
        }
    });
}
