//! Listens to what a remote server says in an answer or on a stream: lists of tools are filtered, questions of its own are
//! operations, and everything else passes with its bytes untouched.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use http::Response;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use reeve_domain::event::EventBody;
use reeve_domain::operation::Operation;
use reeve_protocol::events::{EventReader, StreamEvent};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};

use crate::channel::Channel;
use crate::exchange::intake::content_coding;
use crate::exchange::mcp::lanes::{self, Lane, Reading};
use crate::exchange::mcp::server::is_stream;
use crate::exchange::mcp::{EVENTS, expected, id_of, key, party, questions, said};
use crate::exchange::request::{Asked, Incoming};
use crate::exchange::{Answer, Case, Turned, hold};
use crate::payload::{Payload, PayloadError, empty, full};
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
    let (is_get, events) = (case.asked.endpoint.method == "GET", said(&case.asked.headers, ACCEPT.as_str(), EVENTS));
    // Its place was noted when it was read.
    let expected = expected(&case.channel, &case.asked);
    let (known, heeds) = (expected == Expected::Mcp, !is_get || expected != Expected::Anything);
    if heeds || events {
        case.asked.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    let (channel, asked, asking) = (case.channel.clone(), case.asked.clone(), Arc::new(Semaphore::new(ASKING)));
    let lane = if is_get { None } else { Lane::of(&channel, &asked) };
    let hears = if heeds { Hears::Everything } else { Hears::ItsName };
    if let (Some(lane), Some(question)) = (&lane, &question) {
        let refused = |why: &str| Refusal::malformed(format!("The MCP message cannot be judged: {why}."));
        lane.asks(&question.id).map_err(refused)?;
    }
    let operation = is_get.then(|| Arc::new(case.operation.clone()));
    let ears = Ears {
        mouth,
        party: party(&case),
        question,
        known,
        is_get,
        events,
        hears,
        lane,
        channel,
        asked,
        operation,
        asking,
    };
    if known {
        questions::note(&ears.channel, &ears.asked, ears.question.as_ref());
    }
    let answer = hold::decide(case, view).await.inspect_err(|_| ears.was_not_taken())?;
    let Answer { response, tunnel } = answer;
    Ok(Answer { response: ears.listen(response).await?, tunnel })
}

/// What of a stream is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hears {
    Everything,
    /// Whether the server names where it is posted to; until then it may be anything.
    ItsName,
}

#[derive(Clone)]
struct Ears {
    mouth: Arc<dyn ToolMouth>,
    party: Party,
    question: Option<Question>,
    /// Nothing but MCP is spoken there.
    known: bool,
    is_get: bool,
    /// The client said that it takes a stream.
    events: bool,
    hears: Hears,
    /// The stream on which what is posted here is answered, or which this is.
    lane: Option<Lane>,
    channel: Channel,
    asked: Asked,
    /// The one that is listened for, where it was a request to listen.
    operation: Option<Arc<Operation>>,
    asking: Arc<Semaphore>,
}

impl Ears {
    async fn listen(self, response: Response<Payload>) -> Result<Response<Payload>, Turned> {
        // One message that is no stream matters by what was asked; or it answers something else that was.
        let matters = self.mouth.concerns(self.question.as_ref(), &[]);
        if !response.status().is_success() {
            // What broke inside the server may still be answered.
            if response.status().is_server_error() {
                self.is_over()
            } else {
                self.was_not_taken()
            }
            return Ok(response);
        }
        if self.question.as_ref().is_some_and(|question| question.method == "initialize")
            && let Some(desk) = self.channel.shared.desk(self.channel.session.id())
        {
            desk.opened.note(&self.asked, response.headers());
        }
        let is_events = is_stream(&response);
        if !(matters || self.known && is_json(&response) || is_events) {
            return Ok(response);
        }
        if self.lane.is_some() && !is_events {
            // What is said here nobody listens to.
            let (mut head, _) = response.into_parts();
            head.headers.remove(CONTENT_LENGTH);
            head.headers.remove(CONTENT_ENCODING);
            return Ok(Response::from_parts(head, empty()));
        }
        let heeds = self.events || self.hears == Hears::Everything;
        if !heeds && content_coding(response.headers()).is_some() {
            // No client that listens to a server asks like that.
            return Ok(response);
        }
        if content_coding(response.headers()).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            let why = "The server coded its answer although that was not offered, so it cannot be looked at.";
            return Err(Turned::Failed(Refusal::upstream(why)));
        }
        let (mut head, body) = response.into_parts();
        head.headers.remove(CONTENT_LENGTH);
        head.headers.remove(CONTENT_ENCODING);
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

    /// The server did not take the request.
    fn was_not_taken(&self) {
        if let (Some(lane), Some(question)) = (&self.lane, &self.question) {
            lane.forget(&question.id);
        }
        self.is_over();
    }

    /// No answer is waited for any more.
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

    /// When the client's list of tools would be another one.
    fn changes(&self) -> BoxStream<'static, Bytes> {
        let subscription = self.question.as_ref().map(|question| question.listens.clone());
        // A stream that answers something else says nothing besides, nor does one that may be anything.
        if matches!(subscription, Some(None)) || self.hears == Hears::ItsName {
            return stream::pending().boxed();
        }
        self.mouth.changes(self.party.clone(), subscription.flatten())
    }

    /// The same from where the server has named the place that is posted to. What is answered to other places reaches nobody.
    fn at(&self, named: Option<Asked>, lane: Option<&Reading>) -> Self {
        let asked = named.unwrap_or_else(|| self.asked.clone());
        let party = Party { endpoint: asked.endpoint.clone(), ..self.party.clone() };
        Self { asked, party, lane: lane.map(Reading::lane), hears: Hears::Everything, ..self.clone() }
    }

    async fn pump(self, mut body: Payload, pass: mpsc::Sender<Result<Bytes, PayloadError>>) {
        let mut changes = self.changes();
        let listening = self.asked.clone();
        let mut ears = Arc::new(self);
        let mut lane = None;
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
                None if ears.hears == Hears::ItsName => {
                    let _ = pass.send(Ok(reader.rest())).await;
                    return;
                }
                None => return,
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
                        if ears.is_get && event.name.as_deref() == Some(lanes::NAMES) {
                            drop(lane.take());
                            let named = lanes::named(&listening, event.data.as_deref().unwrap_or_default());
                            lane = named.as_ref().and_then(|to| Reading::new(&ears.channel, to, &pass));
                            ears = Arc::new(ears.at(named, lane.as_ref()));
                            changes = ears.changes();
                        }
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

    /// Masks what was put into anything that the session sent: what is answered here was asked elsewhere.
    async fn mask(&self, event: &mut StreamEvent) {
        let Some(desk) = self.channel.shared.desk(self.channel.session.id()) else { return };
        for (credential, set) in desk.masks.all() {
            let mut masker = set.stream();
            event.raw = [masker.feed(&event.raw), masker.finish()].concat().into();
            let times = masker.count();
            if let Some(data) = event.data.as_mut() {
                let mut masker = set.stream();
                let masked = [masker.feed(data.as_bytes()), masker.finish()].concat();
                *data = String::from_utf8_lossy(&masked).into_owned();
            }
            let Some(operation) = self.operation.as_ref().filter(|_| times > 0) else { continue };
            let note = EventBody::CredentialMasked { credential, times };
            if let Err(error) = self.channel.shared.engine.gate().note(operation, note).await {
                tracing::error!(%error, "could not record what happened to a credential");
            }
        }
    }

    async fn event(ears: &Arc<Self>, mut event: StreamEvent, pass: &mpsc::Sender<Result<Bytes, PayloadError>>) {
        let lane = ears.lane.as_ref().filter(|_| ears.is_get);
        if let Some(lane) = lane {
            // Who makes a call masks what it injected.
            let answered = event.data.as_ref().map(|data| Bytes::from(data.clone()));
            let id = answered.as_ref().and_then(|message| ears.mouth.answers(message));
            if let (Some(message), Some(id)) = (&answered, &id)
                && lane.deliver(id, message)
            {
                return;
            }
            ears.mask(&mut event).await;
        }
        // What a server asks for is asked before it named its place, too.
        let heard =
            event.data.as_ref().filter(|data| ears.hears == Hears::Everything || ears.mouth.asks(data.as_bytes()));
        let concerns = heard.filter(|data| ears.mouth.concerns(ears.question.as_ref(), data.as_bytes()));
        let Some(message) = concerns.map(|data| Bytes::from(data.clone())) else {
            let _ = pass.send(Ok(event.raw)).await;
            return;
        };
        let asks = ears.mouth.asks(&message);
        let waits = lane.filter(|_| asks).map(|lane| (lane.clone(), lane.waits()));
        let (here, pass) = (Arc::clone(ears), pass.clone());
        let closed = pass.clone();
        let hearing = async move {
            let ears = here;
            match ears.hear(&message).await {
                Passage::AsItIs => {
                    if let Some((lane, waits)) = waits {
                        lane.puts(&ears.channel, key(&ears.channel, &ears.asked, &id_of(&message)), waits);
                    }
                    drop(pass.send(Ok(event.raw)).await);
                }
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
