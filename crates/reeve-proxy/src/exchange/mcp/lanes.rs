//! The older way of MCP over HTTP: the server names on a stream of events where its client posts, and answers everything on that
//! stream. What it answers there to a tool call goes to whoever makes the call, and what that says goes to the client.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use parking_lot::Mutex;
use reeve_domain::host::Authority;
use reeve_domain::operation::Endpoint;
use reeve_engine::patience::{Patience, Waiting};
use reeve_protocol::events::StreamEvent;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::channel::Channel;
use crate::exchange::mcp::answer::Answered;
use crate::exchange::mcp::call::Asks;
use crate::exchange::mcp::key;
use crate::exchange::request::{Asked, split_target};
use crate::exchange::{Answer, Case};
use crate::payload::{PayloadError, empty};

/// The event by which a server names where it is posted to.
pub(super) const NAMES: &str = "endpoint";
/// Most such streams of one session; what is answered on one more reaches nobody.
const LANES: usize = 100;
/// Most requests on one of them that wait for their answers. A call that was given up is one of them: its answer may still come.
const OPEN: usize = 1000;
/// Numbers beyond it are not the same to everybody who reads them.
const EXACT: u64 = 1 << 53;

/// The streams of one session, by what is posted where.
#[derive(Debug, Default)]
pub(crate) struct Lanes(Mutex<HashMap<String, Lane>>);

/// One stream on which everything is answered.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    to_client: mpsc::WeakSender<Result<Bytes, PayloadError>>,
    /// What waits for its answer, by the ids that the server knows.
    open: Arc<Mutex<HashMap<String, Open>>>,
    /// What the server asked on it that the client has before it; `None`: the stream is over.
    asked: Asks,
    ended: CancellationToken,
}

/// A request to which the answer is to come.
#[derive(Debug)]
enum Open {
    /// A call, and whom it waits for besides.
    Call(oneshot::Sender<Bytes>, Arc<Patience>),
    /// What is a request and stays one.
    Question,
}

impl Lane {
    /// The lane that this request is posted to.
    pub fn of(channel: &Channel, asked: &Asked) -> Option<Self> {
        let desk = channel.shared.desk(channel.session.id())?;
        let lanes = desk.lanes.0.lock();
        lanes.get(&key(channel, asked, &Value::Null)).cloned()
    }

    /// Says one message to the client. One whose stream is over does not hear it.
    pub async fn say(&self, message: &[u8]) {
        if let Some(to_client) = self.to_client.upgrade() {
            let event = StreamEvent::encode(None, &String::from_utf8_lossy(message));
            let _ = to_client.send(Ok(event)).await;
        }
    }

    /// Waits for the answer with this id. It ends without one when the stream does.
    ///
    /// # Errors
    /// Why the request must not be sent: the answer to it could be taken for that to another one.
    pub fn expect(&self, id: &Value, patience: &Arc<Patience>) -> Result<oneshot::Receiver<Bytes>, &'static str> {
        let (answers, answer) = oneshot::channel();
        self.begin(id, Open::Call(answers, Arc::clone(patience)))?;
        Ok(answer)
    }

    /// The same for what passes as a request: its answer goes to the client.
    ///
    /// # Errors
    /// As with [`Self::expect`].
    pub fn asks(&self, id: &Value) -> Result<(), &'static str> {
        self.begin(id, Open::Question)
    }

    fn begin(&self, id: &Value, one: Open) -> Result<(), &'static str> {
        let name = name(id).ok_or("its id is neither a text nor a number that everybody reads alike")?;
        let mut open = self.open.lock();
        if open.len() >= OPEN {
            return Err("too many requests wait for their answers on this stream");
        }
        // Behind the end of the stream nobody answers any more.
        if self.ended.is_cancelled() {
            return Ok(());
        }
        match open.entry(name) {
            Entry::Occupied(_) => Err("a request with this id waits for its answer already"),
            Entry::Vacant(place) => {
                place.insert(one);
                Ok(())
            }
        }
    }

    /// This request was not sent, or the server did not take it: no answer comes.
    pub fn forget(&self, id: &Value) {
        if let Some(name) = name(id) {
            self.open.lock().remove(&name);
        }
    }

    /// Hands an answer to the call that waits for it, or waited. `false`: it answers something else.
    pub fn deliver(&self, id: &Value, message: &Bytes) -> bool {
        match name(id).and_then(|name| self.open.lock().remove(&name)) {
            // A call that was given up does not hear it, nor does its client.
            Some(Open::Call(answers, _)) => {
                let _ = answers.send(message.clone());
                true
            }
            Some(Open::Question) | None => false,
        }
    }

    /// A person is asked about something that the server asks: which of the calls it is for, it does not say.
    pub fn waits(&self) -> Vec<Waiting> {
        let patience = |one: &Open| match one {
            Open::Call(_, patience) => Some(patience.begin()),
            Open::Question => None,
        };
        self.open.lock().values().filter_map(patience).collect()
    }

    /// From now on the client has this question before it.
    pub fn puts(&self, channel: &Channel, key: String, waiting: Vec<Waiting>) {
        self.asked.puts(channel, key, waiting);
    }

    /// Cancels a call when its client hangs up.
    pub fn hangs_up(&self) -> CancellationToken {
        self.ended.child_token()
    }

    /// Tells on the stream what a call comes to.
    pub async fn tell(self, mut said: mpsc::Receiver<Bytes>, mut answer: oneshot::Receiver<Answered>) {
        loop {
            tokio::select! {
                biased;
                Some(word) = said.recv() => self.say(&word).await,
                answered = &mut answer => {
                    // What was said in the same moment comes first.
                    while let Ok(word) = said.try_recv() {
                        self.say(&word).await;
                    }
                    if let Ok(answered) = answered {
                        self.say(&answered.message).await;
                    }
                    return;
                }
            }
        }
    }
}

/// What an id is to any reader: some servers give a number back as a text.
fn name(id: &Value) -> Option<String> {
    match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            number.as_i64().filter(|number| number.unsigned_abs() <= EXACT).map(|number| number.to_string())
        }
        _ => None,
    }
}

/// A lane for as long as its stream is read.
pub(super) struct Reading {
    channel: Channel,
    key: String,
    lane: Lane,
}

impl Reading {
    /// Opens a lane for what is posted to `to`. `None`: there are too many.
    pub fn new(channel: &Channel, to: &Asked, pass: &mpsc::Sender<Result<Bytes, PayloadError>>) -> Option<Self> {
        let desk = channel.shared.desk(channel.session.id())?;
        let key = key(channel, to, &Value::Null);
        let ended = channel.session.ended().child_token();
        let lane = Lane { to_client: pass.downgrade(), open: Arc::default(), asked: Asks::default(), ended };
        let mut lanes = desk.lanes.0.lock();
        if lanes.len() >= LANES {
            return None;
        }
        lanes.insert(key.clone(), lane.clone());
        drop(lanes);
        desk.places.note(&to.endpoint);
        Some(Self { channel: channel.clone(), key, lane })
    }

    pub fn lane(&self) -> Lane {
        self.lane.clone()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.lane.ended.cancel();
        self.lane.open.lock().clear();
        self.lane.asked.end(&self.channel);
        if let Some(desk) = self.channel.shared.desk(self.channel.session.id()) {
            let mut lanes = desk.lanes.0.lock();
            // Another stream may have been opened for the same place since.
            if lanes.get(&self.key).is_some_and(|one| Arc::ptr_eq(&one.open, &self.lane.open)) {
                lanes.remove(&self.key);
            }
        }
    }
}

/// The answer to what is posted to a lane: all else is said on its stream.
pub(super) fn accepted() -> Answer {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response.into()
}

/// Answers what the server never hears, on the stream of its lane where it has one.
pub(super) async fn told(case: &Case, message: Bytes) -> Option<Answer> {
    let lane = Lane::of(&case.channel, &case.asked)?;
    lane.say(&message).await;
    Some(accepted())
}

/// Where a server says that it is posted to, read as clients do. Other places than its own are not followed.
pub(super) fn named(listening: &Asked, said: &str) -> Option<Asked> {
    let here = &listening.endpoint;
    let said = said.trim();
    let scheme = said.split_once("://").filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let target = match scheme {
        None if said.starts_with("//") => return None,
        None => said,
        Some((scheme, rest)) => {
            let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            let named = Authority::parse(authority, Some(here.scheme.default_port())).ok()?;
            let same = scheme.eq_ignore_ascii_case(here.scheme.as_str())
                && (&named.host, named.port) == (&here.host, here.port);
            Some(target).filter(|_| same)?
        }
    };
    let target = target.split('#').next().unwrap_or_default();
    let path = here.path.as_str();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let target = match target.bytes().next() {
        Some(b'/') => target.to_owned(),
        Some(b'?') | None if scheme.is_none() => format!("{path}{target}"),
        Some(b'?') | None => format!("/{target}"),
        Some(_) => format!("{folder}/{target}"),
    };
    let (path, query) = split_target(&target).ok()?;
    let endpoint = Endpoint { method: "POST".to_owned(), path, ..here.clone() };
    Some(Asked { endpoint, query, ..listening.clone() })
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use reeve_domain::host::Host;
    use reeve_domain::operation::Scheme;
    use reeve_domain::path::RequestPath;

    use super::*;

    #[test]
    fn a_server_names_its_own_places_and_no_others() {
        let endpoint = Endpoint {
            scheme: Scheme::Https,
            host: Host::parse("mcp.example").unwrap(),
            port: 443,
            method: "GET".to_owned(),
            path: RequestPath::parse("/v1/sse").unwrap(),
        };
        let listening = Asked { endpoint, query: None, headers: HeaderMap::new(), upgrade: None, trailers: false };
        let read = |said: &str| {
            let asked = named(&listening, said)?;
            assert_eq!(asked.endpoint.method, "POST");
            Some(format!("{} {}", asked.endpoint.path.as_str(), asked.query.unwrap_or_default()))
        };
        for (said, meant) in [
            ("/messages/?session_id=1", "/messages/ session_id=1"),
            (" https://MCP.example:443/m?s=1#x ", "/m s=1"),
            ("messages?to=http://a.example", "/v1/messages to=http://a.example"),
            ("?s=2", "/v1/sse s=2"),
            ("https://mcp.example", "/ "),
        ] {
            assert_eq!(read(said).as_deref(), Some(meant), "{said}");
        }
        for said in
            ["//other.example/m", "https://other.example/m", "http://mcp.example/m", "/a/../b", "/a b", "ftp://x"]
        {
            assert_eq!(read(said), None, "{said}");
        }
    }
}
