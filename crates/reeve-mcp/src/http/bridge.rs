//! One MCP session over HTTP in front of a link: what is posted goes to the server, and what comes back finds the stream of
//! the request that it belongs to. Ids and progress tokens are replaced on the way, so that clients without sessions, which
//! share one server, never meet.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use reeve_domain::id::SessionId;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::http::stream::Stream;
use crate::lists::{self, CHANGED, SUBSCRIPTION, Seen};
use crate::queue::{Receiver, Sender};

/// Streams that ended and are kept for clients that lost their connection.
const ENDED: usize = 16;
/// Answered requests whose progress is still told.
const TOKENS: usize = 256;
/// Requests that one client has under way at once.
const UNDER_WAY: usize = 1024;

/// The number of the stream that belongs to no request.
const OWN: u64 = 0;

/// One MCP session.
pub(super) struct Bridge {
    /// What the client names it by; empty: it serves clients without sessions.
    pub id: String,
    pub owner: SessionId,
    pub server: String,
    /// What was heard of the server behind it.
    pub seen: Arc<Seen>,
    to_server: Sender<Bytes>,
    desk: Mutex<Desk>,
    pub ended: CancellationToken,
}

struct Desk {
    next: u64,
    /// Requests under way, by the id that the server sees.
    waiting: HashMap<u64, Waiting>,
    /// What belongs to no request.
    own: Arc<Stream>,
    /// Oldest first.
    finished: VecDeque<Arc<Stream>>,
    /// Progress tokens of requests that were answered: a task that they began goes on.
    tokens: VecDeque<(u64, Value)>,
    used: Instant,
}

struct Waiting {
    /// The client's own id and progress token.
    id: Value,
    token: Option<Value>,
    /// It subscribed to changes of the list of tools.
    listens: bool,
    stream: Arc<Stream>,
}

/// The link to the server is gone.
#[derive(Debug)]
pub(super) struct Gone;

/// A request that is under way.
pub(super) struct Begun {
    /// As the server knows it.
    pub number: u64,
    pub stream: Arc<Stream>,
}

impl Bridge {
    /// Begins to serve a link: its sending half is kept here, its receiving half is read until it ends.
    pub fn start(
        id: String,
        owner: SessionId,
        (server, seen): (String, Arc<Seen>),
        to_server: Sender<Bytes>,
        from_server: Receiver<Bytes>,
        ended: CancellationToken,
    ) -> Arc<Self> {
        let desk = Desk {
            next: 1,
            waiting: HashMap::new(),
            own: Stream::new(OWN),
            finished: VecDeque::new(),
            tokens: VecDeque::new(),
            used: Instant::now(),
        };
        let bridge = Arc::new(Self { id, owner, server, seen, to_server, desk: Mutex::new(desk), ended });
        tokio::spawn(Arc::clone(&bridge).listen(from_server));
        bridge
    }

    async fn listen(self: Arc<Self>, mut from_server: Receiver<Bytes>) {
        loop {
            let message = tokio::select! {
                message = from_server.recv() => message,
                () = self.ended.cancelled() => None,
            };
            let Some(message) = message else { break };
            if let Ok(value) = serde_json::from_slice::<Value>(&message) {
                self.heard(value, message);
            }
        }
        self.ended.cancel();
        let mut desk = self.desk.lock();
        desk.own.close();
        for (_, waiting) in desk.waiting.drain() {
            waiting.stream.say(failed(waiting.id, "the server ended before it answered"), true);
        }
    }

    /// Begins a request: it gets an id of its own towards the server.
    ///
    /// # Errors
    /// When the link is gone, or too many requests are under way.
    pub async fn request(&self, mut message: Value) -> Result<Begun, Gone> {
        let (begun, bytes) = {
            let mut desk = self.desk.lock();
            desk.used = Instant::now();
            if desk.waiting.len() >= UNDER_WAY || self.ended.is_cancelled() {
                return Err(Gone);
            }
            let number = desk.next;
            desk.next += 1;
            let id = message.get("id").cloned().unwrap_or(Value::Null);
            let token = message.pointer("/params/_meta/progressToken").cloned();
            if let Some(place) = message.pointer_mut("/params/_meta/progressToken") {
                *place = json!(number);
            }
            if let Some(place) = message.get_mut("id") {
                *place = json!(number);
            }
            let stream = Stream::new(number);
            let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
            let listens = lists::listens(method, message.get("params").unwrap_or(&Value::Null));
            desk.waiting.insert(number, Waiting { id, token, listens, stream: Arc::clone(&stream) });
            (Begun { number, stream }, Bytes::from(message.to_string()))
        };
        if self.to_server.send(bytes).await.is_err() {
            self.desk.lock().waiting.remove(&begun.number);
            return Err(Gone);
        }
        Ok(begun)
    }

    /// Passes on what needs no answer: a notification, or the answer to a question of the server.
    ///
    /// # Errors
    /// When the link is gone.
    pub async fn tell(&self, mut message: Value) -> Result<(), Gone> {
        {
            let mut desk = self.desk.lock();
            desk.used = Instant::now();
            if message.get("method").and_then(Value::as_str) == Some("notifications/cancelled") {
                let asked = message.pointer("/params/requestId").cloned();
                let number = desk.waiting.iter().find(|(_, one)| Some(&one.id) == asked.as_ref()).map(|(n, _)| *n);
                // What has its answer already needs no cancelling.
                let Some((number, left)) = number.and_then(|number| desk.waiting.remove_entry(&number)) else {
                    return Ok(());
                };
                // Nothing more comes for it: an answer that is on its way is nobody's.
                left.stream.close();
                if let Some(place) = message.pointer_mut("/params/requestId") {
                    *place = json!(number);
                }
            }
        }
        self.to_server.send(Bytes::from(message.to_string())).await.map_err(|_| Gone)
    }

    /// Tells the server that nobody waits for this request any more.
    pub fn cancel(&self, number: u64) {
        if self.desk.lock().waiting.remove(&number).is_none() {
            return;
        }
        let note = json!({
            "jsonrpc": "2.0",
            "method": "notifications/cancelled",
            "params": { "requestId": number, "reason": "the client hung up" },
        });
        // Where the link is full the server has more to do than to stop.
        let _ = self.to_server.try_send(Bytes::from(note.to_string()));
    }

    /// The stream that belongs to no request.
    pub fn own(&self) -> Arc<Stream> {
        let mut desk = self.desk.lock();
        desk.used = Instant::now();
        Arc::clone(&desk.own)
    }

    /// The stream that an event's id names, and the number of the event on it.
    pub fn resume(&self, event: &str) -> Option<(Arc<Stream>, u64)> {
        let (number, after) = event.split_once('-')?;
        let (number, after): (u64, u64) = (number.parse().ok()?, after.parse().ok()?);
        let desk = self.desk.lock();
        if number == OWN {
            return Some((Arc::clone(&desk.own), after));
        }
        let running = desk.waiting.get(&number).map(|one| Arc::clone(&one.stream));
        let kept = || desk.finished.iter().find(|one| one.number == number).map(Arc::clone);
        Some((running.or_else(kept)?, after))
    }

    /// How long nobody wanted anything of it; `None` while somebody does.
    pub fn idle(&self) -> Option<std::time::Duration> {
        let desk = self.desk.lock();
        (desk.waiting.is_empty() && !desk.own.is_read()).then(|| desk.used.elapsed())
    }

    /// Finds the stream for what the server says.
    fn heard(&self, mut message: Value, raw: Bytes) {
        let mut desk = self.desk.lock();
        if message.get("method").is_none() {
            let waiting = message.get("id").and_then(Value::as_u64).and_then(|number| desk.waiting.remove(&number));
            // Whoever waited for it hung up.
            let Some(waiting) = waiting else { return };
            if let Some(place) = message.get_mut("id") {
                *place = waiting.id;
            }
            if let Some((number, token)) = Some(waiting.stream.number).zip(waiting.token) {
                desk.tokens.push_back((number, token));
                if desk.tokens.len() > TOKENS {
                    desk.tokens.pop_front();
                }
            }
            waiting.stream.say(Bytes::from(message.to_string()), true);
            desk.finished.push_back(waiting.stream);
            if desk.finished.len() > ENDED {
                desk.finished.pop_front();
            }
            return;
        }
        for place in ["/params/progressToken", &format!("/params/_meta/{}", SUBSCRIPTION.replace('/', "~1"))] {
            let Some(number) = message.pointer(place).and_then(Value::as_u64) else { continue };
            let Some(waiting) = desk.waiting.get(&number) else {
                let known = desk.tokens.iter().find(|(one, _)| *one == number).map(|(_, token)| token.clone());
                if let (Some(token), Some(place)) = (known, message.pointer_mut(place)) {
                    *place = token;
                    desk.related().say(Bytes::from(message.to_string()), false);
                }
                // Nobody knows what else it is about.
                return;
            };
            let own = if place.ends_with("Token") { waiting.token.clone() } else { Some(waiting.id.clone()) };
            if let (Some(own), Some(place)) = (own, message.pointer_mut(place)) {
                *place = own;
            }
            waiting.stream.say(Bytes::from(message.to_string()), false);
            return;
        }
        // Of tools everybody hears who subscribed to that, each under the id of that.
        let subscribed: Vec<&Waiting> = desk.waiting.values().filter(|one| one.listens).collect();
        if message.get("method").and_then(Value::as_str) == Some(CHANGED) && !subscribed.is_empty() {
            for one in subscribed {
                one.stream.say(lists::changed(Some(&one.id)), false);
            }
            return;
        }
        desk.related().say(raw, false);
    }
}

impl Desk {
    /// Where something goes that names no request: to the client that listens, else to whoever waits since the shortest
    /// time, else it is kept for the client that will listen.
    fn related(&self) -> &Stream {
        if self.own.is_read() {
            return &self.own;
        }
        let newest = self.waiting.iter().max_by_key(|(number, _)| **number);
        newest.map_or(&self.own, |(_, waiting)| &waiting.stream)
    }
}

/// An answer of Reeve's own that says why there is none.
fn failed(id: Value, why: &str) -> Bytes {
    let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32000, "message": why } });
    Bytes::from(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::queue;

    fn bridge() -> (Arc<Bridge>, Receiver<Bytes>, Sender<Bytes>) {
        let (to, at_server) = queue(16);
        let (from_server, from) = queue(16);
        let ended = CancellationToken::new();
        let bridge =
            Bridge::start("one".to_owned(), SessionId::new(), ("s".to_owned(), Arc::default()), to, from, ended);
        (bridge, at_server, from_server)
    }

    fn value(bytes: &Bytes) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    fn call(id: Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "_meta": { "progressToken": 1 }, "x": 1 } })
    }

    #[tokio::test]
    async fn two_clients_with_the_same_ids_and_tokens_hear_each_their_own() {
        let (bridge, mut at_server, from_server) = bridge();
        let first = bridge.request(call(json!(7))).await.unwrap();
        let second = bridge.request(call(json!(7))).await.unwrap();
        let seen = [value(&at_server.recv().await.unwrap()), value(&at_server.recv().await.unwrap())];
        assert_ne!(seen[0]["id"], seen[1]["id"]);
        assert_ne!(seen[0]["params"]["_meta"]["progressToken"], seen[1]["params"]["_meta"]["progressToken"]);
        let say = |message: Value| from_server.send(Bytes::from(message.to_string()));
        let token = &seen[1]["params"]["_meta"]["progressToken"];
        let progress = json!({ "progressToken": token, "progress": 1 });
        say(json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": progress })).await.unwrap();
        for (one, words) in seen.iter().zip(["first", "second"]) {
            say(json!({ "jsonrpc": "2.0", "id": one["id"], "result": { "said": words } })).await.unwrap();
        }
        let only = value(&first.stream.only().await.unwrap());
        assert_eq!(only, json!({ "jsonrpc": "2.0", "id": 7, "result": { "said": "first" } }));
        assert_eq!(second.stream.only().await, None, "progress came before");
        let last = value(&second.stream.last().await.unwrap());
        assert_eq!((&last["id"], &last["result"]["said"]), (&json!(7), &json!("second")));
    }

    #[tokio::test]
    async fn of_a_changed_list_everybody_hears_who_subscribed_under_the_id_of_that() {
        let (bridge, mut at_server, from_server) = bridge();
        let subscribe = |id: &str, tools: bool| {
            let params = json!({ "notifications": { "toolsListChanged": tools } });
            json!({ "jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": params })
        };
        let first = bridge.request(subscribe("a", true)).await.unwrap();
        let second = bridge.request(subscribe("b", true)).await.unwrap();
        let other = bridge.request(subscribe("c", false)).await.unwrap();
        from_server.send(lists::changed(None)).await.unwrap();
        for _ in 0..3 {
            let asked = value(&at_server.recv().await.unwrap());
            let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": {} });
            from_server.send(Bytes::from(answer.to_string())).await.unwrap();
        }
        assert!(other.stream.only().await.is_some(), "it subscribed to something else");
        for (begun, id) in [(first, "a"), (second, "b")] {
            let answer = value(&begun.stream.last().await.unwrap());
            assert_eq!(answer["id"], id);
            assert_eq!(begun.stream.only().await, None, "the change came before its end");
            let said = value(&begun.stream.first().unwrap());
            assert_eq!((&said["method"], &said["params"]["_meta"][SUBSCRIPTION]), (&json!(CHANGED), &json!(id)));
        }
    }

    #[tokio::test]
    async fn cancelling_names_the_request_as_the_server_knows_it() {
        let (bridge, mut at_server, _from_server) = bridge();
        let begun = bridge.request(call(json!("a"))).await.unwrap();
        let number = value(&at_server.recv().await.unwrap())["id"].clone();
        let cancel =
            |id: &str| json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
        bridge.tell(cancel("other")).await.unwrap();
        bridge.tell(cancel("a")).await.unwrap();
        assert_eq!(value(&at_server.recv().await.unwrap())["params"]["requestId"], number);
        assert_eq!(begun.stream.last().await, None, "its stream is closed without an answer");
        assert!(bridge.idle().is_some(), "nobody waits for it any more");
    }

    #[tokio::test]
    async fn who_waits_hears_that_the_server_is_gone() {
        let (bridge, _at_server, from_server) = bridge();
        let begun = bridge.request(call(json!(1))).await.unwrap();
        drop(from_server);
        let answer = value(&begun.stream.last().await.unwrap());
        assert_eq!(answer["error"]["code"], -32000);
        assert!(bridge.request(call(json!(2))).await.is_err());
    }
}
