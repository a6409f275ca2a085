//! One connection between an agent and a server. Both directions are read at once and each message finds its way by its
//! kind: tool calls go through every stage of [`crate::call`], everything else passes with its bytes untouched, also while
//! calls are held, also what nobody here has heard of.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use reeve_engine::{Admission, LiveSession};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use reeve_protocol::mcp_ask;

use crate::asks::{self, Asking};
use crate::call::{Call, Reply, gone};
use crate::gateway::Gateway;
use crate::link::{Link, ServerRef};
use crate::lists;
use crate::message::{self, Answer, Id, Message, MessageError, Unread};
use crate::progress::Progress;
use crate::upstream::{Failure, Upstream};

/// Most requests of an agent that may wait for their answers at a time.
const IN_FLIGHT: usize = 1024;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    AgentGone,
    ServerGone,
    SessionOver,
}

/// The server's side: who waits for which answer of its.
struct Server {
    tx: mpsc::Sender<Bytes>,
    next: AtomicU64,
    waiting: Mutex<HashMap<Id, oneshot::Sender<Result<Answer, Failure>>>>,
}

/// A request of the agent that has no answer yet.
enum Asked {
    Call {
        cancelled: CancellationToken,
        progress: Option<Arc<Progress>>,
    },
    /// Tools; whether from the first page on.
    List {
        first: bool,
    },
    /// What the server is.
    Greeting,
    Passed,
}

struct Relay {
    gateway: Gateway,
    session: Arc<LiveSession>,
    server: Arc<ServerRef>,
    to_agent: mpsc::Sender<Bytes>,
    upstream: Server,
    asked: Mutex<HashMap<Id, Asked>>,
    /// What the server asked of the agent's side, until it is answered.
    asks: Mutex<HashMap<Id, Asking>>,
    /// Calls under way.
    tasks: TaskTracker,
    /// Cancelled when nobody waits for a person's answer here any more.
    over: CancellationToken,
}

impl Gateway {
    /// Carries one connection until either end or the session is over. What was asked and not answered is answered then, as
    /// long as somebody hears it.
    pub async fn relay(&self, session: Arc<LiveSession>, server: ServerRef, agent: Link, upstream: Link) -> Ended {
        let over = session.ended().clone();
        let relay = Arc::new(Relay {
            gateway: self.clone(),
            session,
            server: Arc::new(server),
            to_agent: agent.tx,
            upstream: Server { tx: upstream.tx, next: AtomicU64::new(1), waiting: Mutex::default() },
            asked: Mutex::default(),
            asks: Mutex::default(),
            tasks: TaskTracker::new(),
            over: over.child_token(),
        });
        // Its files are looked at now, as close to its start as can be.
        let begun = Arc::clone(&relay);
        relay.tasks.spawn(async move { drop(begun.gateway.identity(&begun.server).await) });
        let ended = tokio::select! {
            biased;
            () = over.cancelled() => Ended::SessionOver,
            () = relay.read_server(upstream.rx) => Ended::ServerGone,
            () = relay.read_agent(agent.rx) => Ended::AgentGone,
            never = relay.tell_changes() => match never {},
        };
        relay.end(ended).await;
        ended
    }
}

impl Relay {
    async fn read_agent(self: &Arc<Self>, mut from: mpsc::Receiver<Bytes>) {
        while let Some(raw) = from.recv().await {
            match message::parse(&raw) {
                Ok(message) => self.from_agent(message, raw).await,
                Err(error) => {
                    let why = "a message of the agent that is no MCP";
                    self.gateway.record_refused(&self.session, why, format!("{}: {error}", self.server.name)).await;
                    self.tell_agent(message::answer(None, Answer::Error(error.object()))).await;
                }
            }
        }
    }

    async fn from_agent(self: &Arc<Self>, message: Message, raw: Bytes) {
        match message {
            Message::Request { id, method, params } => self.asked(id, &method, params, raw).await,
            Message::Notification { method, params } if method == "notifications/cancelled" => {
                self.cancelled(&params, raw).await;
            }
            Message::Response { id: Some(id), answer } => {
                if let Some(asking) = self.asks.lock().remove(&id) {
                    asking.answered(&answer);
                }
                self.tell_server(raw).await;
            }
            // Some servers would make the call all the same, and nobody could be answered.
            Message::Notification { method, .. } if method == "tools/call" => {
                let why = "a tool call without an id";
                self.gateway.record_refused(&self.session, why, self.server.name.clone()).await;
            }
            Message::Notification { .. } | Message::Response { .. } => self.tell_server(raw).await,
        }
    }

    /// Tells the agent that its list of tools would be another one now.
    async fn tell_changes(&self) -> std::convert::Infallible {
        loop {
            let told = self.gateway.lists_change(&self.session, &self.server).await;
            self.tell_agent(told).await;
        }
    }

    async fn asked(self: &Arc<Self>, id: Id, method: &str, params: Value, raw: Bytes) {
        let is_call = method == "tools/call";
        let cancelled = CancellationToken::new();
        let progress = Progress::asked_for(&params, self.to_agent.clone()).filter(|_| is_call).map(Arc::new);
        let asked = match is_call {
            true => Asked::Call { cancelled: cancelled.clone(), progress: progress.clone() },
            false if method == "tools/list" => Asked::List { first: params.get("cursor").is_none_or(Value::is_null) },
            false if lists::greets(method) => Asked::Greeting,
            false => Asked::Passed,
        };
        if let Err(why) = self.note(&id, asked) {
            return self.tell_agent(message::answer(Some(&id), message::failure(-32600, why))).await;
        }
        if !is_call {
            return self.tell_server(raw).await;
        }
        let call = Call::read(Arc::clone(&self.session), Arc::clone(&self.server), params, progress, cancelled);
        match call {
            Ok(call) => {
                let relay = Arc::clone(self);
                self.tasks.spawn(async move {
                    let reply = relay.gateway.call(call, &relay.upstream).await;
                    relay.answer(&id, reply).await;
                });
            }
            Err(answer) => self.answer(&id, Reply::Answer(answer)).await,
        }
    }

    /// Two requests of one id could not be told apart by their answers.
    fn note(&self, id: &Id, one: Asked) -> Result<(), &'static str> {
        let mut asked = self.asked.lock();
        if id.is_own() {
            return Err("ids that begin with `reeve-` are Reeve's own");
        }
        if asked.contains_key(id) {
            return Err("a request of this id waits for its answer already");
        }
        if asked.len() >= IN_FLIGHT {
            return Err("too many requests wait for their answers");
        }
        asked.insert(id.clone(), one);
        Ok(())
    }

    /// What the agent does not wait for any more. A call that is held lets go of its question, which stays.
    async fn cancelled(&self, params: &Value, raw: Bytes) {
        let asked = params.get("requestId").and_then(Id::read).and_then(|id| self.asked.lock().remove(&id));
        match asked {
            Some(Asked::Call { cancelled, .. }) => cancelled.cancel(),
            Some(_) | None => self.tell_server(raw).await,
        }
    }

    /// Each request is answered once, and one that was cancelled is not.
    async fn answer(&self, id: &Id, reply: Reply) {
        let waits = self.asked.lock().remove(id).is_some();
        if let Reply::Answer(answer) = reply
            && waits
        {
            self.tell_agent(message::answer(Some(id), answer)).await;
        }
    }

    async fn read_server(self: &Arc<Self>, mut from: mpsc::Receiver<Bytes>) {
        while let Some(raw) = from.recv().await {
            match message::parse(&raw) {
                Ok(message) => self.from_server(message, raw).await,
                Err(error) => self.unread(&raw, &error).await,
            }
        }
    }

    /// A line that is no message. Many servers print words where only messages belong, and those reach nobody; but whoever
    /// waits for what might have been an answer hears at once that it cannot be read.
    async fn unread(&self, raw: &[u8], error: &MessageError) {
        tracing::warn!(server = %self.server.name, %error, "a line of an MCP server was dropped");
        let failure = match error {
            MessageError::TooLarge { bytes } => Failure::TooLarge { bytes: *bytes },
            other => Failure::Garbage { why: other.to_string() },
        };
        match message::of_unread(raw) {
            Unread::Answer(id) if id.is_own() => self.upstream.failed(&id, failure),
            Unread::Answer(id) => {
                let waits = {
                    let mut asked = self.asked.lock();
                    let passes = asked.get(&id).is_some_and(|one| !matches!(one, Asked::Call { .. }));
                    passes && asked.remove(&id).is_some()
                };
                if waits {
                    self.tell_agent(message::answer(Some(&id), message::failure(-32603, failure.to_string()))).await;
                }
            }
            Unread::Perhaps => self.upstream.all_failed(&failure),
            Unread::Words => {}
        }
    }

    async fn from_server(self: &Arc<Self>, message: Message, raw: Bytes) {
        match message {
            Message::Response { id: Some(id), answer } if id.is_own() => self.upstream.answered(&id, answer),
            Message::Response { id: Some(id), answer } => self.answered(id, answer, raw).await,
            Message::Request { id, method, params } if mcp_ask::is_ask(&method) => self.asks(id, method, params, raw),
            Message::Notification { method, params } => {
                if method == "notifications/progress" {
                    self.hand_over(&params);
                }
                if method == "notifications/cancelled"
                    && let Some(id) = params.get("requestId").and_then(Id::read)
                    && let Some(asking) = self.asks.lock().remove(&id)
                {
                    asking.dropped();
                }
                self.tell_agent(raw).await;
            }
            Message::Request { .. } | Message::Response { id: None, .. } => self.tell_agent(raw).await,
        }
    }

    /// An answer of the server's own, to a request that the agent waits for. Only Reeve answers calls: what a server says under
    /// their ids is nobody's.
    async fn answered(self: &Arc<Self>, id: Id, answer: Answer, raw: Bytes) {
        let asked = {
            let mut asked = self.asked.lock();
            let is_call = matches!(asked.get(&id), Some(Asked::Call { .. }) | None);
            if is_call { None } else { asked.remove(&id) }
        };
        match (asked, answer) {
            (None, _) => {}
            (Some(Asked::List { first }), Answer::Result(result)) => {
                let relay = Arc::clone(self);
                self.tasks.spawn(async move {
                    let answer = relay.gateway.listed(&relay.session, &relay.server, first, result).await;
                    relay.tell_agent(message::answer(Some(&id), answer)).await;
                });
            }
            (Some(Asked::Greeting), Answer::Result(result)) => {
                let answer = Answer::Result(self.gateway.greeted(&self.server, result));
                self.tell_agent(message::answer(Some(&id), answer)).await;
            }
            (Some(Asked::Passed), Answer::Result(result)) if asks::has_inputs(&result) => {
                let relay = Arc::clone(self);
                self.tasks.spawn(async move {
                    let judged = relay.gateway.inputs(&relay.session, &relay.server, &result, None);
                    let judged = tokio::select! {
                        biased;
                        () = relay.over.cancelled() => return,
                        judged = judged => judged,
                    };
                    match judged {
                        Ok(()) => relay.tell_agent(raw).await,
                        Err(why) => relay.tell_agent(message::answer(Some(&id), message::failure(-32603, why))).await,
                    }
                });
            }
            (Some(_), _) => self.tell_agent(raw).await,
        }
    }

    /// What the server asks of the agent's side goes before the gate, and on as it came.
    fn asks(self: &Arc<Self>, id: Id, method: String, params: Value, raw: Bytes) {
        let relay = Arc::clone(self);
        self.tasks.spawn(async move {
            let asked = relay.gateway.ask(&relay.session, &relay.server, &method, &params, None);
            let asking = tokio::select! {
                biased;
                () = relay.over.cancelled() => return,
                asking = asked => asking,
            };
            match asking {
                Ok(asking) => {
                    relay.asks.lock().insert(id, asking);
                    relay.tell_agent(raw).await;
                }
                Err(answer) => relay.tell_server(message::answer(Some(&id), answer)).await,
            }
        });
    }

    /// The server tells of a call's progress itself.
    fn hand_over(&self, params: &Value) {
        let Some(token) = params.get("progressToken") else { return };
        for asked in self.asked.lock().values() {
            if let Asked::Call { progress: Some(progress), .. } = asked
                && progress.token() == token
            {
                progress.taken_over();
            }
        }
    }

    async fn tell_agent(&self, raw: Bytes) {
        // An agent that is gone does not hear it; its end is seen where it is read.
        let _ = self.to_agent.send(raw).await;
    }

    async fn tell_server(&self, raw: Bytes) {
        // As above.
        let _ = self.upstream.tx.send(raw).await;
    }

    async fn end(&self, how: Ended) {
        let why = match how {
            Ended::AgentGone => "the agent went away",
            Ended::ServerGone => "it ended",
            Ended::SessionOver => "the session is over",
        };
        // Calls that wait for the server hear it at once; those that are held are let go of.
        self.upstream.waiting.lock().clear();
        self.over.cancel();
        self.asks.lock().drain().for_each(|(_, asking)| asking.dropped());
        let open: Vec<(Id, Asked)> = self.asked.lock().drain().collect();
        for (id, asked) in open {
            if let Asked::Call { cancelled, .. } = asked {
                cancelled.cancel();
            }
            if how != Ended::AgentGone {
                self.tell_agent(message::answer(Some(&id), gone(&self.server.name, why))).await;
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Server {
    fn answered(&self, id: &Id, answer: Answer) {
        if let Some(waits) = self.waiting.lock().remove(id) {
            // Whoever gave up does not want its answer any more.
            let _ = waits.send(Ok(answer));
        }
    }

    fn failed(&self, id: &Id, failure: Failure) {
        if let Some(waits) = self.waiting.lock().remove(id) {
            // As above.
            let _ = waits.send(Err(failure));
        }
    }

    /// Nobody can tell whose answer it was.
    fn all_failed(&self, failure: &Failure) {
        for (_, waits) in self.waiting.lock().drain() {
            // As above.
            let _ = waits.send(Err(failure.clone()));
        }
    }

    async fn send(&self, admission: &Admission, id: &Id, method: &str, params: Value) -> Result<Value, Failure> {
        let lost = || Failure::Gone { why: "it ended".to_owned() };
        let (tell, told) = oneshot::channel();
        self.waiting.lock().insert(id.clone(), tell);
        let room = self.tx.reserve().await.map_err(|_| lost())?;
        admission.sent();
        room.send(message::request(id, method, params));
        match told.await {
            Ok(Ok(Answer::Result(result))) => Ok(result),
            Ok(Ok(Answer::Error(error))) => Err(Failure::Rpc(error)),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(lost()),
        }
    }
}

impl Upstream for Server {
    fn request<'a>(
        &'a self,
        admission: &'a Admission,
        method: &'a str,
        params: Value,
        cancelled: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let id = Id::own(self.next.fetch_add(1, Ordering::Relaxed));
            let waiting = Waiting { server: self, id };
            if cancelled.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            tokio::select! {
                // That the server is gone says more than that nobody waits for it any more.
                biased;
                answered = self.send(admission, &waiting.id, method, params) => answered,
                () = cancelled.cancelled() => Err(Failure::Cancelled),
            }
        })
    }
}

/// A request that waits for the server. Dropped before the answer came, it tells the server so.
struct Waiting<'a> {
    server: &'a Server,
    id: Id,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.server.waiting.lock().remove(&self.id).is_some() {
            let params = json!({ "requestId": self.id.value(), "reason": "the caller does not wait any more" });
            // A server that is so far behind hears it never; its answer then finds nobody.
            let _ = self.server.tx.try_send(message::notification("notifications/cancelled", params));
        }
    }
}
