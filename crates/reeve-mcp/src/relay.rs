//! One connection between an agent and a server. Both directions are read at once and each message finds its way by its
//! kind: tool calls go through every stage of [`crate::call`], everything else passes with its bytes untouched, also while
//! calls are held, also what nobody here has heard of.

pub mod lives;
mod server;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use reeve_engine::LiveSession;
use reeve_engine::patience::{self, Patience};
use serde_json::Value;
use tokio::sync::mpsc;
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
use crate::queue;
use crate::relay::lives::Life;
use crate::relay::server::Server;
use crate::tasks;
use crate::upstream::Failure;

/// Most requests of an agent that may wait for their answers at a time.
const IN_FLIGHT: usize = 1024;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    AgentGone,
    ServerGone,
    SessionOver,
}

/// A request of the agent that has no answer yet.
pub(crate) enum Asked {
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
    /// What became of a task; whether the answer is its result itself.
    Task {
        id: String,
        whole: bool,
    },
    Passed,
}

pub(crate) struct Relay {
    gateway: Gateway,
    session: Arc<LiveSession>,
    server: Arc<ServerRef>,
    to_agent: queue::Sender<Bytes>,
    upstream: Server,
    asked: Mutex<HashMap<Id, Asked>>,
    /// What the server asked of the agent's side, until it is answered.
    asks: Mutex<HashMap<Id, (Asking, patience::Waiting)>>,
    /// Which call a question is for is not said: no call's time runs while one is open.
    patience: Arc<Patience>,
    /// Calls under way.
    tasks: TaskTracker,
    /// Cancelled when nobody waits for a person's answer here any more.
    over: CancellationToken,
}

impl Gateway {
    /// Carries one connection until either end or the session is over. What was asked and not answered is answered then, as
    /// long as somebody hears it.
    pub async fn relay(&self, session: Arc<LiveSession>, server: ServerRef, agent: Link, upstream: Link) -> Ended {
        self.relay_lives(session, server, agent, upstream, lives::once()).await
    }

    /// The same for a server that is started anew when it crashes: `lives` tells of that.
    pub async fn relay_lives(
        &self,
        session: Arc<LiveSession>,
        server: ServerRef,
        agent: Link,
        upstream: Link,
        lives: mpsc::Receiver<Life>,
    ) -> Ended {
        self.relay_until(session, server, agent, upstream, lives, &CancellationToken::new()).await
    }

    /// The same for an agent whose end is told by `gone`, because its link stays open.
    pub async fn relay_until(
        &self,
        session: Arc<LiveSession>,
        server: ServerRef,
        agent: Link,
        upstream: Link,
        lives: mpsc::Receiver<Life>,
        gone: &CancellationToken,
    ) -> Ended {
        let over = session.ended().clone();
        let relay = Arc::new(Relay {
            gateway: self.clone(),
            session,
            server: Arc::new(server),
            to_agent: agent.tx,
            upstream: Server::new(upstream.tx),
            asked: Mutex::default(),
            asks: Mutex::default(),
            patience: Arc::default(),
            tasks: TaskTracker::new(),
            over: over.child_token(),
        });
        // Its files are looked at now, as close to its start as can be.
        let begun = Arc::clone(&relay);
        relay.tasks.spawn(async move { drop(begun.gateway.identity(&begun.server).await) });
        let ended = tokio::select! {
            biased;
            () = over.cancelled() => Ended::SessionOver,
            () = gone.cancelled() => Ended::AgentGone,
            () = relay.read_lives(upstream.rx, lives) => Ended::ServerGone,
            () = relay.read_agent(agent.rx) => Ended::AgentGone,
            never = relay.tell_changes() => match never {},
        };
        relay.end(ended).await;
        ended
    }
}

impl Relay {
    async fn read_agent(self: &Arc<Self>, mut from: queue::Receiver<Bytes>) {
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
                let asking = self.asks.lock().remove(&id);
                if let Some((asking, _)) = asking {
                    asking.answered(&answer);
                }
                self.tell_server(raw).await;
            }
            // Some servers would make the call all the same, and nobody could be answered.
            Message::Notification { method, .. } if method == "tools/call" => {
                let why = "a tool call without an id";
                self.gateway.record_refused(&self.session, why, self.server.name.clone()).await;
            }
            Message::Notification { method, .. } if mcp_ask::is_ask(&method) => {
                let detail = format!("{}: {method}", self.server.name);
                self.gateway.record_refused(&self.session, asks::WITHOUT_ID, detail).await;
            }
            Message::Notification { .. } | Message::Response { .. } => self.tell_server(raw).await,
        }
    }

    /// Tells the agent that its list of tools would be another one now.
    async fn tell_changes(&self) -> std::convert::Infallible {
        let mut changes = self.gateway.changes(Arc::clone(&self.session), Arc::clone(&self.server));
        loop {
            changes.next().await;
            self.tell_agent(lists::changed(None)).await;
        }
    }

    async fn asked(self: &Arc<Self>, id: Id, method: &str, params: Value, raw: Bytes) {
        let is_call = method == "tools/call";
        if let Some(refused) = self.gateway.refuses(&self.session, &self.server.name, method).await {
            return self.tell_agent(message::answer(Some(&id), refused)).await;
        }
        let cancelled = CancellationToken::new();
        let progress = Progress::asked_for(&params, self.to_agent.clone()).filter(|_| is_call).map(Arc::new);
        let asked = match is_call {
            true => Asked::Call { cancelled: cancelled.clone(), progress: progress.clone() },
            false if method == "tools/list" => Asked::List { first: params.get("cursor").is_none_or(Value::is_null) },
            false if lists::greets(method) => Asked::Greeting,
            false => match (tasks::fetches(method), params.get("taskId").and_then(Value::as_str)) {
                (Some(whole), Some(id)) => Asked::Task { id: id.to_owned(), whole },
                (Some(_), None) => {
                    return self.tell_agent(message::answer(Some(&id), message::failure(-32602, tasks::UNNAMED))).await;
                }
                (None, _) => Asked::Passed,
            },
        };
        if let Err(why) = self.note(&id, asked) {
            return self.tell_agent(message::answer(Some(&id), message::failure(-32600, why))).await;
        }
        if !is_call {
            return match self.upstream.is_down() {
                None => self.tell_server(raw).await,
                Some(why) => self.answer(&id, Reply::Answer(gone(&self.server.name, &why))).await,
            };
        }
        let call = Call::read(Arc::clone(&self.session), Arc::clone(&self.server), params, progress, cancelled);
        match call {
            Ok(call) => {
                let relay = Arc::clone(self);
                let call = Call { patience: Arc::clone(&self.patience), ..call };
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

    async fn read_server(self: &Arc<Self>, mut from: queue::Receiver<Bytes>) {
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
            // Some clients would ask their person all the same.
            Message::Notification { method, .. } if mcp_ask::is_ask(&method) => {
                let detail = format!("{}: {method}", self.server.name);
                self.gateway.record_refused(&self.session, asks::WITHOUT_ID, detail).await;
            }
            Message::Notification { method, params } if tasks::is_told(&method) => {
                self.task_told(&method, params, raw).await
            }
            Message::Notification { method, params } => {
                if method == "notifications/progress" {
                    self.hand_over(&params);
                }
                if method == "notifications/cancelled"
                    && let Some(id) = params.get("requestId").and_then(Id::read)
                    && let Some((asking, _)) = self.asks.lock().remove(&id)
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
            (Some(Asked::Task { id: task, whole }), answer) if !has_inputs(&answer) => {
                let relay = Arc::clone(self);
                self.tasks.spawn(async move {
                    let told = relay.gateway.task_told(&relay.session, &relay.server, &task, whole, answer.clone());
                    let told = told.await;
                    // What was not changed keeps its bytes.
                    let raw = if told == answer { raw } else { message::answer(Some(&id), told) };
                    relay.tell_agent(raw).await;
                });
            }
            (Some(Asked::Greeting), Answer::Result(result)) => {
                let answer = Answer::Result(self.gateway.greeted(&self.server, result));
                self.tell_agent(message::answer(Some(&id), answer)).await;
            }
            (Some(Asked::Passed | Asked::Task { .. }), Answer::Result(result)) if asks::has_inputs(&result) => {
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

    /// The server tells of a task by itself; what came of it may be in that.
    async fn task_told(&self, method: &str, params: Value, raw: Bytes) {
        let Some(task) = params.get("taskId").and_then(Value::as_str).map(str::to_owned) else {
            let detail = format!("{}: {method}", self.server.name);
            return self.gateway.record_refused(&self.session, tasks::UNNAMED, detail).await;
        };
        let told = self.gateway.task_told(&self.session, &self.server, &task, false, Answer::Result(params.clone()));
        match told.await {
            Answer::Result(told) if told == params => self.tell_agent(raw).await,
            Answer::Result(told) => self.tell_agent(message::notification(method, told)).await,
            // The agent hears why where it asks for the result.
            Answer::Error(_) => {}
        }
    }

    /// What the server asks of the agent's side goes before the gate, and on as it came.
    fn asks(self: &Arc<Self>, id: Id, method: String, params: Value, raw: Bytes) {
        let relay = Arc::clone(self);
        let waiting = self.patience.begin();
        self.tasks.spawn(async move {
            let asked = relay.gateway.ask(&relay.session, &relay.server, &method, &params, None);
            let asking = tokio::select! {
                biased;
                () = relay.over.cancelled() => return,
                asking = asked => asking,
            };
            match asking {
                Ok(asking) => {
                    relay.asks.lock().insert(id, (asking, waiting));
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
        self.upstream.tell(raw).await;
    }

    async fn end(&self, how: Ended) {
        let why = match how {
            Ended::AgentGone => "the agent went away",
            Ended::ServerGone => "it ended",
            Ended::SessionOver => "the session is over",
        };
        // Calls that wait for the server hear it at once; those that are held are let go of.
        self.upstream.let_go();
        self.over.cancel();
        self.gateway.let_go_of_tasks(&self.session, &self.server).await;
        self.asks.lock().drain().for_each(|(_, (asking, _))| asking.dropped());
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
        // One of the calls may have become a task meanwhile.
        self.gateway.let_go_of_tasks(&self.session, &self.server).await;
    }
}

fn has_inputs(answer: &Answer) -> bool {
    matches!(answer, Answer::Result(result) if asks::has_inputs(result))
}
