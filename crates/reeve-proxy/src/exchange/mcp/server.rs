//! The remote server as the tool mouth sees it: a request goes out with the headers of the client's own, the secret goes in
//! last, and the answer is read as one message or as a stream, which is taken up again where the server closes it early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use reeve_domain::address::Ranges;
use reeve_domain::event::EventBody;
use reeve_domain::host::Authority;
use reeve_domain::obligation::Obligation;
use reeve_domain::operation::{Endpoint, Operation};
use reeve_engine::Admission;
use reeve_engine::patience::Patience;
use reeve_protocol::events::{EventReader, StreamEvent};
use reeve_protocol::mcp_headers;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::channel::Channel;
use crate::exchange::Case;
use crate::exchange::inject::{Slots, inject};
use crate::exchange::intake::content_coding;
use crate::exchange::mcp::call::Asks;
use crate::exchange::mcp::lanes::Lane;
use crate::exchange::mcp::listen::{ASKING, answer_server};
use crate::exchange::mcp::{id_of, key, party, questions};
use crate::exchange::request::Asked;
use crate::forward::{Answered, Outgoing, OutgoingBody, Route};
use crate::mask::Masker;
use crate::payload::Payload;
use crate::tools::{Party, Passage, ToolFailure, ToolMouth, ToolServer};

/// Largest answer that is read, in bytes.
const MOST: usize = 16 * 1024 * 1024;
/// How long to wait before a stream is taken up again, where the server does not say.
const AGAIN: Duration = Duration::from_millis(1000);
/// Longest such wait that a server may ask for.
const LONGEST: Duration = Duration::from_secs(30);
/// How often in a row a stream that brings nothing new is taken up again.
const TRIES: u32 = 10;

/// One remote server, for one call.
pub(super) struct Remote {
    channel: Channel,
    asked: Asked,
    /// The request that the call came in.
    carrier: Operation,
    party: Party,
    mouth: Arc<dyn ToolMouth>,
    /// The client's own id: the call itself goes out under it, so that the server knows it by the same.
    id: Value,
    /// The tool that the client's headers are about, and the arguments.
    tool: Value,
    arguments: Value,
    used: AtomicBool,
    next: AtomicU64,
    say: mpsc::Sender<Bytes>,
    /// The call's time does not run while somebody is asked for its sake.
    patience: Arc<Patience>,
    asks: Asks,
    asking: Arc<Semaphore>,
    status: Mutex<(Option<StatusCode>, Option<HeaderValue>)>,
    /// Where it answers, unless it answers where it is asked.
    lane: Option<Lane>,
}

impl Remote {
    pub fn new(
        case: &Case,
        id: &Value,
        params: &Value,
        (say, patience): (mpsc::Sender<Bytes>, Arc<Patience>),
        mouth: Arc<dyn ToolMouth>,
    ) -> Self {
        Self {
            channel: case.channel.clone(),
            asked: case.asked.clone(),
            carrier: case.operation.clone(),
            party: party(case),
            mouth,
            id: id.clone(),
            tool: params.get("name").cloned().unwrap_or(Value::Null),
            arguments: params.get("arguments").cloned().unwrap_or(Value::Null),
            used: AtomicBool::new(false),
            next: AtomicU64::new(1),
            say,
            patience,
            asks: Asks::default(),
            asking: Arc::new(Semaphore::new(ASKING)),
            status: Mutex::default(),
            lane: Lane::of(&case.channel, &case.asked),
        }
    }

    /// The status of the last answer that was no success, and how it asks to log in.
    pub fn status(&self) -> (Option<StatusCode>, Option<HeaderValue>) {
        self.status.lock().clone()
    }

    /// The call itself keeps the client's id; previews and probes have ids of their own.
    fn id_for(&self, admission: &Admission) -> Value {
        let is_call = admission.operation().mcp().is_some_and(|call| call.purpose.is_call());
        if is_call && !self.used.swap(true, Ordering::AcqRel) {
            return self.id.clone();
        }
        // Other calls may be answered on the same stream.
        json!(format!("reeve-{}-{}", admission.operation().id, self.next.fetch_add(1, Ordering::Relaxed)))
    }

    /// The client's own headers, as far as they hold for what is sent: those that say what a message says are written from what
    /// is really sent, by the definition of the tool that it was judged by.
    fn headers(&self, method: &str, params: &Value) -> Result<HeaderMap, ToolFailure> {
        let mut headers = self.asked.headers.clone();
        let named = params.get("name").and_then(Value::as_str).unwrap_or_default();
        let tool = self.mouth.tool(&self.party, named);
        let schema = tool.as_ref().and_then(|tool| tool.definition.get("inputSchema"));
        let changed = params.get("arguments").unwrap_or(&Value::Null) != &self.arguments;
        if self.tool.as_str() != Some(named) {
            mcp_headers::strip_parameters(&mut headers);
        } else if changed && mcp_headers::says_more(&headers, schema) {
            // It may hold the very value that was taken out.
            let why = "a header says what no argument is known for, and Reeve had to change the arguments".to_owned();
            return Err(ToolFailure::Gone(why));
        }
        mcp_headers::write(&mut headers, method, params, schema);
        headers.remove(CONTENT_ENCODING);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        // For servers, and what stands before them, that tell repeats by the header.
        let key = params.pointer("/_meta/reeve~1idempotency-key").and_then(Value::as_str);
        if let Some(key) = key.and_then(|key| HeaderValue::from_str(key).ok()) {
            headers.insert("idempotency-key", key);
        }
        Ok(headers)
    }

    /// Sends one request of the exchange with the server.
    async fn send(
        &self,
        admission: &Admission,
        method: &str,
        mut headers: HeaderMap,
        mut body: Bytes,
    ) -> Result<(Response<Payload>, Option<Masker>), ToolFailure> {
        let route = self.route(admission).map_err(ToolFailure::Gone)?;
        let mut target = target(&self.asked);
        let mut masker = None;
        if let Some(injection) = admission.injection() {
            let slots = Slots { headers: &mut headers, target: &mut target, body: Some(&mut body) };
            inject(injection, slots).map_err(|error| {
                ToolFailure::Gone(format!("credential `{}` cannot be injected: {error}", injection.credential))
            })?;
            let desk = self.channel.shared.desk(self.channel.session.id());
            masker = desk.map(|desk| desk.masks.of(&injection.credential, &injection.secret).stream());
            if masker.is_none() {
                return Err(ToolFailure::Gone("the session is over".to_owned()));
            }
        }
        let outgoing = Outgoing {
            method: method.to_owned(),
            target,
            headers,
            body: OutgoingBody::Whole(body),
            upgrade: None,
            trailers: false,
        };
        let sent = self.channel.shared.forwarder.send(&route, outgoing, || admission.sent()).await;
        let reached = sent.map_err(|error| ToolFailure::Gone(error.to_string()))?;
        match reached.answered {
            Answered::Response(response) => Ok((response, masker)),
            Answered::Upgraded(..) => Err(ToolFailure::Garbage("it changed the protocol".to_owned())),
        }
    }

    /// Where it goes. Special addresses are permitted by rules for the place, which rules for tools do not name.
    fn route(&self, admission: &Admission) -> Result<Route, String> {
        let endpoint = admission.operation().endpoint();
        let same = |endpoint: &&Endpoint| {
            (endpoint.scheme, &endpoint.host, endpoint.port, &endpoint.path)
                == (
                    self.asked.endpoint.scheme,
                    &self.asked.endpoint.host,
                    self.asked.endpoint.port,
                    &self.asked.endpoint.path,
                )
        };
        let endpoint = endpoint.filter(same).ok_or_else(|| "what was admitted goes to another place".to_owned())?;
        let engine = &self.channel.shared.engine;
        let verdict = engine.gate().verdict(&self.carrier, &self.channel.session, engine.now());
        let ranges = verdict.obligations().iter().filter_map(|obligation| match obligation {
            Obligation::PermitAddresses { ranges } => Some(ranges.join(",")),
            _ => None,
        });
        Ok(Route {
            session: self.channel.session.id().clone(),
            credential: admission.injection().map(|injection| injection.credential.clone()),
            scheme: endpoint.scheme,
            authority: Authority { host: endpoint.host.clone(), port: endpoint.port },
            permitted: Ranges::parse(&ranges.collect::<Vec<_>>().join(",")).map_err(|error| error.to_string())?,
            upgrade: false,
        })
    }

    async fn exchange(&self, admission: &Admission, method: &str, params: Value) -> Result<Value, ToolFailure> {
        let id = self.id_for(admission);
        let headers = self.headers(method, &params)?;
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        // From before it is sent: the answer may be there before the server says that it took the call.
        let waiting = self.lane.as_ref().map(|lane| lane.expect(&id, &self.patience)).transpose();
        let waiting = waiting.map_err(|why| ToolFailure::Gone(why.to_owned()))?;
        let (response, mut masker) = self.send(admission, "POST", headers, Bytes::from(body.to_string())).await?;
        let answered = match waiting {
            Some(waiting) => self.elsewhere(response, waiting, &mut masker, &id).await,
            None => self.read(admission, response, &mut masker, &id).await,
        };
        self.note(admission, masker).await;
        answered
    }

    /// Waits for the answer on the stream where the server answers everything.
    async fn elsewhere(
        &self,
        response: Response<Payload>,
        waiting: oneshot::Receiver<Bytes>,
        masker: &mut Option<Masker>,
        id: &Value,
    ) -> Result<Value, ToolFailure> {
        if !response.status().is_success() {
            if let Some(lane) = self.lane.as_ref().filter(|_| response.status().is_client_error()) {
                lane.forget(id);
            }
            return self.failed(response, masker).await;
        }
        // It says only that the server took the call.
        drop(response);
        let gone = |_| ToolFailure::Gone("the stream ended on which it answers".to_owned());
        let mut message = waiting.await.map_err(gone)?;
        if let Some(masker) = masker {
            message = [masker.feed(&message), masker.finish()].concat().into();
        }
        self.result(&message, id)?.ok_or_else(|| ToolFailure::Garbage("it answers another id".to_owned()))
    }

    /// Reads the answer, over as many connections as the server needs.
    async fn read(
        &self,
        admission: &Admission,
        mut response: Response<Payload>,
        masker: &mut Option<Masker>,
        id: &Value,
    ) -> Result<Value, ToolFailure> {
        let mut last: Option<String> = None;
        let mut wait = AGAIN;
        let mut in_vain = 0;
        loop {
            if !response.status().is_success() {
                let challenge = response.headers().get(http::header::WWW_AUTHENTICATE).cloned();
                *self.status.lock() = (Some(response.status()), challenge);
                return self.failed(response, masker).await;
            }
            if content_coding(response.headers()).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
                return Err(ToolFailure::Garbage("it is coded although that was not offered".to_owned()));
            }
            if !is_stream(&response) {
                let whole = collect(response.into_body(), masker).await?;
                return self
                    .result(&whole, id)?
                    .ok_or_else(|| ToolFailure::Garbage("it answers another id".to_owned()));
            }
            let before = last.clone();
            if let Some(answered) = self.stream(response.into_body(), masker, id, &mut last, &mut wait).await? {
                return Ok(answered);
            }
            in_vain = if last == before { in_vain + 1 } else { 0 };
            let Some(from) = last.as_ref().filter(|_| in_vain < TRIES) else {
                return Err(ToolFailure::Gone("it ended the stream without an answer".to_owned()));
            };
            tokio::time::sleep(wait.min(LONGEST)).await;
            let mut headers = self.asked.headers.clone();
            // It carries no message that they could be about.
            mcp_headers::strip_all(&mut headers);
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_TYPE);
            headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            let resumed = HeaderValue::from_str(from)
                .map_err(|_| ToolFailure::Garbage("the id of an event cannot be a header".to_owned()))?;
            headers.insert("last-event-id", resumed);
            let (next, mask) = self.send(admission, "GET", headers, Bytes::new()).await?;
            if let (Some(old), Some(fresh)) = (masker.as_mut(), mask) {
                // What the last connection held back belongs to no event.
                let _ = old.finish();
                drop(fresh);
            }
            response = next;
        }
    }

    /// Reads one stream; `None`: it ended before the answer.
    async fn stream(
        &self,
        mut body: Payload,
        masker: &mut Option<Masker>,
        id: &Value,
        last: &mut Option<String>,
        wait: &mut Duration,
    ) -> Result<Option<Value>, ToolFailure> {
        let mut reader = EventReader::default();
        while let Some(frame) = body.frame().await {
            // A connection that breaks is taken up like one that ends.
            let Ok(frame) = frame else { break };
            let Ok(data) = frame.into_data() else { continue };
            let data = masker.as_mut().map_or_else(|| data.clone(), |masker| masker.feed(&data));
            reader.feed(&data);
            while let Some(event) = reader.next_event().map_err(|_| ToolFailure::TooLarge(MOST))? {
                if let Some(seen) = &event.id {
                    *last = Some(seen.clone()).filter(|seen| !seen.is_empty());
                }
                if let Some(retry) = event.retry {
                    *wait = Duration::from_millis(retry);
                }
                if let Some(answered) = self.event(event, id).await? {
                    return Ok(Some(answered));
                }
            }
        }
        Ok(None)
    }

    /// One event: the answer, or something that the client hears before it.
    async fn event(&self, event: StreamEvent, id: &Value) -> Result<Option<Value>, ToolFailure> {
        let Some(data) = event.data.filter(|data| !data.trim().is_empty()) else { return Ok(None) };
        let message = Bytes::from(data);
        if let Some(answered) = self.result(&message, id)? {
            return Ok(Some(answered));
        }
        if self.mouth.asks(&message) {
            self.ask(message).await;
            return Ok(None);
        }
        let message = match self.mouth.concerns(None, &message) {
            false => message,
            true => match self.heard(&message).await {
                Passage::AsItIs => message,
                Passage::Changed(changed) => changed,
                Passage::Answered(answer) => {
                    answer_server(&self.channel, &self.asked, answer);
                    return Ok(None);
                }
                Passage::Dropped => return Ok(None),
            },
        };
        // A client that hung up is not waited for: the call is cancelled elsewhere.
        let _ = self.say.send(message).await;
        Ok(None)
    }

    async fn heard(&self, message: &Bytes) -> Passage {
        let place = (&self.channel, &self.asked);
        questions::hear(&self.mouth, &self.party, place, None, message).await
    }

    /// A question of the server's own. What it says besides does not wait for the person.
    async fn ask(&self, message: Bytes) {
        let Ok(place) = Arc::clone(&self.asking).acquire_owned().await else { return };
        let (channel, asked, say) = (self.channel.clone(), self.asked.clone(), self.say.clone());
        let (waiting, asks) = (vec![self.patience.begin()], self.asks.clone());
        let hearing = self.mouth.hear(self.party.clone(), None, message.clone());
        tokio::spawn(async move {
            match hearing.await {
                Passage::AsItIs => {
                    let key = key(&channel, &asked, &id_of(&message));
                    if asks.puts(&channel, key, waiting) {
                        drop(say.send(message).await);
                    }
                }
                Passage::Changed(changed) => drop(say.send(changed).await),
                Passage::Answered(answer) => answer_server(&channel, &asked, answer),
                Passage::Dropped => {}
            }
            drop(place);
        });
    }

    /// The result in a message; `None`: it is another message.
    fn result(&self, message: &[u8], id: &Value) -> Result<Option<Value>, ToolFailure> {
        let garbage = |why: &str| ToolFailure::Garbage(why.to_owned());
        let value: Value = serde_json::from_slice(message).map_err(|_| garbage("it is not JSON"))?;
        let Value::Object(mut fields) = value else { return Err(garbage("it is not one message")) };
        if fields.contains_key("method") || fields.get("id") != Some(id) {
            return Ok(None);
        }
        match (fields.shift_remove("result"), fields.shift_remove("error")) {
            (Some(result), None) => Ok(Some(result)),
            (None, Some(error)) => Err(ToolFailure::Rpc(error)),
            _ => Err(garbage("it has neither a result nor an error")),
        }
    }

    /// An answer without success: its JSON-RPC error where it has one.
    async fn failed(&self, response: Response<Payload>, masker: &mut Option<Masker>) -> Result<Value, ToolFailure> {
        let status = response.status().as_u16();
        let whole = collect(response.into_body(), masker).await.unwrap_or_default();
        let error = serde_json::from_slice::<Value>(&whole).ok().and_then(|mut value| {
            let error = value.get_mut("error").map(Value::take)?;
            (error.get("code").is_some_and(Value::is_i64) && error.get("message").is_some_and(Value::is_string))
                .then_some(error)
        });
        Err(error.filter(|_| status == 400 || status == 404).map_or(ToolFailure::Status(status), ToolFailure::Rpc))
    }

    /// Records what happened to the credential.
    async fn note(&self, admission: &Admission, masker: Option<Masker>) {
        let Some(injection) = admission.injection() else { return };
        let credential = injection.credential.clone();
        let mut notes = vec![EventBody::CredentialInjected { credential: credential.clone() }];
        let times = masker.map_or(0, |masker| masker.count());
        if times > 0 {
            notes.push(EventBody::CredentialMasked { credential, times });
        }
        for note in notes {
            if let Err(error) = self.channel.shared.engine.gate().note(admission.operation(), note).await {
                tracing::error!(%error, "could not record what happened to a credential");
            }
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.asks.end(&self.channel);
    }
}

impl ToolServer for Remote {
    fn request<'a>(
        &'a self,
        admission: &'a Admission,
        method: &'a str,
        params: Value,
        cancelled: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Value, ToolFailure>> {
        Box::pin(async move {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => Err(ToolFailure::Cancelled),
                answered = self.exchange(admission, method, params) => answered,
            }
        })
    }
}

/// The bytes that were judged, and no others.
fn target(asked: &Asked) -> String {
    let path = asked.endpoint.path.as_str();
    asked.query.as_ref().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

pub(super) fn is_stream(response: &Response<Payload>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().starts_with("text/event-stream")
}

/// A whole body, masked and bounded.
async fn collect(mut body: Payload, masker: &mut Option<Masker>) -> Result<Bytes, ToolFailure> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ToolFailure::Gone(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if all.len() + data.len() > MOST {
            return Err(ToolFailure::TooLarge(all.len() + data.len()));
        }
        match masker.as_mut() {
            Some(masker) => all.extend_from_slice(&masker.feed(&data)),
            None => all.extend_from_slice(&data),
        }
    }
    if let Some(masker) = masker {
        all.extend_from_slice(&masker.finish());
    }
    Ok(all.freeze())
}
