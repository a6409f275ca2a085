//! A client that speaks message by message, as over standard input and output, to a registered server: each of its messages
//! becomes a request to the endpoint, and what is answered becomes messages again. A server that had to be started anew is
//! greeted with the client's own greeting.

mod reading;
mod request;
mod turns;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Method, StatusCode};
use parking_lot::Mutex;
use reeve_domain::sensitive::Secret;
use reeve_engine::LiveSession;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::http::Endpoint;
use crate::http::line::reading::Told;
use crate::http::line::request::Spoken;
use crate::http::line::turns::{Turns, Waiting};
use crate::link::Link;
use crate::message::{self, Answer, Id, Message};
use crate::queue::Sender;
use crate::relay::Ended;

pub(super) use request::OfLine;

/// How long the server may take to hear that its client is gone.
const FAREWELL: Duration = Duration::from_secs(2);
/// Most requests of a client that may wait for their answers at a time.
const IN_FLIGHT: usize = 1024;
/// The id of a greeting that is said again.
const GREETING: &str = "bridge-greeting";

/// The JSON-RPC error that answers a request.
type Failed = Box<Answer>;

fn failed(why: impl Into<String>) -> Failed {
    Box::new(message::failure(-32000, why))
}

struct Line {
    endpoint: Endpoint,
    token: Secret,
    server: String,
    to_client: Sender<Bytes>,
    talk: Mutex<Talk>,
    /// Only one greets at a time.
    greeting: tokio::sync::Mutex<()>,
    /// Requests that wait for their answers.
    open: Mutex<HashMap<Id, Waiting>>,
    turns: Turns,
    over: CancellationToken,
}

/// What was agreed on with the server.
#[derive(Default)]
struct Talk {
    /// What the client opened the conversation with.
    greeting: Option<Value>,
    /// None: nobody greeted the server yet.
    spoken: Option<Spoken>,
    /// Ends the stream that belongs to no request.
    listening: Option<CancellationToken>,
}

impl Endpoint {
    /// Serves a client that speaks message by message, until it hangs up or its session is over. `greeting`: its request to
    /// begin, where it began with an engine that ran before.
    pub async fn carry(
        &self,
        session: &LiveSession,
        token: Secret,
        server: &str,
        greeting: Option<Value>,
        client: Link,
    ) -> Ended {
        let Link { tx, mut rx } = client;
        let line = Arc::new(Line {
            endpoint: self.clone(),
            token,
            server: server.to_owned(),
            to_client: tx,
            talk: Mutex::new(Talk { greeting, ..Talk::default() }),
            greeting: tokio::sync::Mutex::default(),
            open: Mutex::default(),
            turns: Turns::new(),
            over: session.ended().child_token(),
        });
        let ended = loop {
            let raw = tokio::select! {
                biased;
                () = line.over.cancelled() => break Ended::SessionOver,
                raw = rx.recv() => raw,
            };
            let Some(raw) = raw else { break Ended::AgentGone };
            tokio::select! {
                biased;
                // A client that reads nothing does not keep its session.
                () = line.over.cancelled() => break Ended::SessionOver,
                () = line.said(raw) => {}
            }
        };
        line.over.cancel();
        line.farewell().await;
        ended
    }
}

impl Line {
    /// One message of the client. Requests wait for their answers beside each other, behind what was said before them.
    async fn said(self: &Arc<Self>, raw: Bytes) {
        match message::parse(&raw) {
            Ok(Message::Request { id, method, params }) => self.asked(id, method, params, raw).await,
            Ok(Message::Notification { method, params }) => {
                if method != "notifications/cancelled" || self.cancelled(&params) {
                    self.pass(method, params, raw);
                }
            }
            Ok(Message::Response { .. }) => self.pass(String::new(), Value::Null, raw),
            Err(error) => self.tell(message::answer(None, Answer::Error(error.object()))).await,
        }
    }

    /// Passes on what needs no answer, each in its turn: the way there may have to wait for a person.
    fn pass(self: &Arc<Self>, method: String, params: Value, raw: Bytes) {
        let Some((turn, place)) = self.turns.next() else {
            return tracing::warn!(server = %self.server, "too many messages wait for their server: one was dropped");
        };
        let line = Arc::clone(self);
        tokio::spawn(async move {
            line.behind(turn - 1).await;
            line.told(&method, &params, raw).await;
            if method == "notifications/initialized" {
                line.listen();
            }
            if method == "notifications/cancelled" {
                line.let_go(&params);
            }
            line.turns.took(turn);
            drop(place);
        });
    }

    async fn behind(&self, turn: u64) {
        tokio::select! {
            () = self.turns.behind(turn) => {}
            () = self.over.cancelled() => {}
        }
    }

    async fn asked(self: &Arc<Self>, id: Id, method: String, params: Value, raw: Bytes) {
        let waiting = Waiting::new(self.over.child_token());
        if let Err(why) = self.note(&id, waiting.clone()) {
            return self.tell(message::answer(Some(&id), message::failure(-32600, why))).await;
        }
        if method == "initialize"
            && let Ok(greeting) = message::strict(&raw)
        {
            let left = std::mem::replace(&mut *self.talk.lock(), Talk { greeting: Some(greeting), ..Talk::default() });
            if let Some(listening) = left.listening {
                listening.cancel();
            }
        }
        let (line, turn) = (Arc::clone(self), self.turns.last());
        tokio::spawn(async move {
            let asking = async {
                line.behind(turn).await;
                line.ask(&id, &method, &params, raw, &waiting.handed_on).await
            };
            let answered = tokio::select! {
                biased;
                () = waiting.cancelled.cancelled() => Ok(()),
                answered = asking => answered,
            };
            let waits = line.open.lock().remove(&id).is_some_and(|one| !one.is_left);
            if let Err(answer) = answered
                && waits
            {
                line.tell(message::answer(Some(&id), *answer)).await;
            }
        });
    }

    /// Two requests of one id could not be told apart by their answers.
    fn note(&self, id: &Id, waiting: Waiting) -> Result<(), &'static str> {
        let mut open = self.open.lock();
        if open.contains_key(id) {
            return Err("a request of this id waits for its answer already");
        }
        if open.len() >= IN_FLIGHT {
            return Err("too many requests wait for their answers");
        }
        open.insert(id.clone(), waiting);
        Ok(())
    }

    /// Whether the server is to be told.
    fn cancelled(&self, params: &Value) -> bool {
        let has_session = self.talk.lock().spoken.as_ref().is_some_and(|spoken| spoken.session.is_some());
        let Some(id) = params.get("requestId").and_then(Id::read) else { return false };
        let mut open = self.open.lock();
        let Some(waiting) = open.get_mut(&id) else { return false };
        waiting.cancel(has_session)
    }

    /// The server was told that nobody waits for a request: neither does anything here.
    fn let_go(&self, params: &Value) {
        let Some(id) = params.get("requestId").and_then(Id::read) else { return };
        if let Some(left) = self.open.lock().get(&id).filter(|one| one.is_left) {
            left.cancelled.cancel();
        }
    }

    /// Sends a request and passes on what belongs to it, its answer last.
    async fn ask(
        self: &Arc<Self>,
        id: &Id,
        method: &str,
        params: &Value,
        raw: Bytes,
        handed_on: &AtomicBool,
    ) -> Result<(), Failed> {
        let greets = method == "initialize";
        let own = request::own_version(method, params);
        let mut spoken = match (greets, &own) {
            (true, _) | (false, Some(_)) => None,
            (false, None) => self.agreed().await?,
        };
        let carrying = |spoken: Option<&Spoken>| self.carrying(method, params, own.as_deref(), spoken, raw.clone());
        handed_on.store(true, Ordering::Release);
        let mut response = self.endpoint.serve(carrying(spoken.as_ref())).await;
        let is_lost = response.status() == StatusCode::NOT_FOUND;
        if is_lost && let Some(lost) = spoken.clone().filter(|spoken| spoken.session.is_some()) {
            spoken = self.greeted_anew(Some(&lost)).await?;
            response = self.endpoint.serve(carrying(spoken.as_ref())).await;
        }
        let session = response.headers().get(super::check::SESSION).cloned();
        let told = self.passed_on(response, id, spoken.as_ref()).await?;
        if greets && let Told::Result(result) = &told.answer {
            // Before the client hears it, because it goes on at once.
            self.talk.lock().spoken = Some(Spoken::of(session, result));
        }
        self.tell(told.raw).await;
        Ok(())
    }

    /// What was agreed on. A client that began with an engine that ran before is greeted for.
    async fn agreed(self: &Arc<Self>) -> Result<Option<Spoken>, Failed> {
        let (spoken, knows) = {
            let talk = self.talk.lock();
            (talk.spoken.clone(), talk.greeting.is_some())
        };
        match (spoken, knows) {
            (Some(spoken), _) => Ok(Some(spoken)),
            (None, true) => self.greeted_anew(None).await,
            (None, false) => Ok(None),
        }
    }

    /// Says the client's greeting again, unless somebody else did since `lost` was agreed on.
    async fn greeted_anew(self: &Arc<Self>, lost: Option<&Spoken>) -> Result<Option<Spoken>, Failed> {
        let _one = self.greeting.lock().await;
        let (now, greeting) = {
            let talk = self.talk.lock();
            (talk.spoken.clone(), talk.greeting.clone())
        };
        if now.as_ref().map(|now| &now.session) != lost.map(|lost| &lost.session) {
            return Ok(now);
        }
        let id = Id::Text(GREETING.to_owned());
        let mut greeting = greeting.ok_or_else(|| failed("the MCP session has ended"))?;
        if let Some(place) = greeting.get_mut("id") {
            *place = id.value();
        }
        let request = self.request(Method::POST, Bytes::from(greeting.to_string()));
        let response = self.endpoint.serve(request).await;
        let session = response.headers().get(super::check::SESSION).cloned();
        let told = self.passed_on(response, &id, None).await?;
        let spoken = match &told.answer {
            Told::Result(result) => Spoken::of(session, result),
            Told::Error(error) => return Err(Box::new(Answer::Error(error.clone()))),
        };
        self.talk.lock().spoken = Some(spoken.clone());
        let begun = message::notification("notifications/initialized", serde_json::json!({}));
        self.told("notifications/initialized", &Value::Null, begun).await;
        self.listen();
        Ok(Some(spoken))
    }

    /// Passes on what needs no answer.
    async fn told(&self, method: &str, params: &Value, raw: Bytes) {
        let spoken = self.talk.lock().spoken.clone();
        let own = request::own_version(method, params);
        let carrying = self.carrying(method, params, own.as_deref(), spoken.as_ref(), raw);
        let response = tokio::select! {
            response = self.endpoint.serve(carrying) => response,
            () = self.over.cancelled() => return,
        };
        if !response.status().is_success() {
            tracing::debug!(status = %response.status(), server = %self.server, "a message was not taken");
        }
    }

    /// Hears what belongs to no request, where the server has something to say there.
    fn listen(self: &Arc<Self>) {
        let (spoken, listening) = {
            let mut talk = self.talk.lock();
            let Some(spoken) = talk.spoken.clone() else { return };
            let listening = self.over.child_token();
            if let Some(before) = talk.listening.replace(listening.clone()) {
                before.cancel();
            }
            (spoken, listening)
        };
        let line = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                () = line.hear_rest(&spoken) => {}
                () = listening.cancelled() => {}
            }
        });
    }

    /// The server is told that its client is gone.
    async fn farewell(&self) {
        let spoken = self.talk.lock().spoken.take().filter(|spoken| spoken.session.is_some());
        let Some(spoken) = spoken else { return };
        let mut request = self.request(Method::DELETE, Bytes::new());
        spoken.put(request.headers_mut());
        // Whether it hears it or not, nothing more is sent to it.
        let _ = tokio::time::timeout(FAREWELL, self.endpoint.serve(request)).await;
    }

    async fn tell(&self, raw: Bytes) {
        // A client that is gone does not hear it; its end is seen where it is read.
        let _ = self.to_client.send(raw).await;
    }
}

fn header(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}
