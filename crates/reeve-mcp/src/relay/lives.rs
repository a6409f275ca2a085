//! A server that crashes and is started anew behind the same connection: whoever waits for it hears that it is gone, what comes
//! meanwhile is answered here, and what it is and offers is looked at again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reeve_domain::event::{Draft, EventBody};
use reeve_engine::breakers::Place;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::call::gone;
use crate::gateway::Gateway;
use crate::link::Link;
use crate::lists;
use crate::message::{self, Id};
use crate::queue::Receiver;
use crate::relay::{Asked, Relay};

/// What becomes of a server whose link ended. Whoever keeps the server tells it before the link ends.
#[derive(Debug)]
pub enum Life {
    /// It crashed, and is started again after so long.
    Down { why: String, again: Duration },
    /// It runs again, and answered this to the greeting of the agent, where that was said again.
    Up { link: Link, greeting: Option<Value> },
}

impl Relay {
    /// Reads a server over all its lives, until it does not come back.
    pub(super) async fn read_lives(self: &Arc<Self>, mut from: Receiver<Bytes>, mut lives: mpsc::Receiver<Life>) {
        loop {
            self.read_server(from).await;
            from = loop {
                match lives.recv().await {
                    Some(Life::Down { why, again }) => self.down(&why, again).await,
                    Some(Life::Up { link, greeting }) => break self.up(link, greeting).await,
                    None => return,
                }
            };
        }
    }

    async fn down(&self, why: &str, again: Duration) {
        let words = format!("{why}; it is started again in {} s", again.as_secs_f32());
        let waited_for = self.upstream.down(&words);
        // Known before anybody hears of it.
        self.gateway.crashed(self, why, again, waited_for).await;
        self.gateway.let_go_of_tasks(&self.session, &self.server).await;
        // The server that could hear the answers is gone.
        let asks: Vec<_> = self.asks.lock().drain().collect();
        for (id, (asking, _)) in asks {
            asking.dropped();
            let params = json!({ "requestId": id.value(), "reason": "the server is gone" });
            self.tell_agent(message::notification("notifications/cancelled", params)).await;
        }
        let passed: Vec<Id> = {
            let mut asked = self.asked.lock();
            let passed = asked.iter().filter(|(_, one)| !matches!(one, Asked::Call { .. }));
            let passed = passed.map(|(id, _)| id.clone()).collect::<Vec<_>>();
            passed.iter().for_each(|id| drop(asked.remove(id)));
            passed
        };
        for id in passed {
            self.tell_agent(message::answer(Some(&id), gone(&self.server.name, &words))).await;
        }
    }

    async fn up(&self, link: Link, greeting: Option<Value>) -> Receiver<Bytes> {
        // It may be another program by now.
        self.server.seen.forget_files().await;
        if let Some(greeting) = greeting {
            self.gateway.heard_greeting(&self.server, &greeting);
        }
        drop(self.gateway.identity(&self.server).await);
        self.upstream.up(link.tx);
        self.gateway.told_of(self, EventBody::ServerRestarted { server: self.server.name.clone() }).await;
        if self.server.seen.was_shown() {
            self.tell_agent(lists::changed(None)).await;
        }
        link.rx
    }
}

impl Gateway {
    /// Records a crash. Calls that waited for the server count it as they end; without any it counts once.
    async fn crashed(&self, relay: &Relay, why: &str, again: Duration, waited_for: bool) {
        let server = relay.server.name.clone();
        let again_ms = u64::try_from(again.as_millis()).unwrap_or(u64::MAX);
        let crashed = EventBody::ServerCrashed { server: server.clone(), why: why.to_owned(), again_ms };
        self.told_of(relay, crashed).await;
        if waited_for {
            return;
        }
        let place = Place::Server(server);
        let limits = self.engine().policies().in_force().limits.breakers();
        let now = self.engine().now();
        if let Some(open) = self.engine().breakers().failed(&place, why, None, (limits.failures, limits), now) {
            let place = place.to_string();
            self.told_of(relay, EventBody::ToolCutOff { place, why: open.why, failures: open.failures }).await;
        }
    }

    async fn told_of(&self, relay: &Relay, body: EventBody) {
        let (agent, session) = (relay.session.session.agent.clone(), relay.session.id().clone());
        let draft = Draft { agent: Some(agent), session: Some(session), operation: None, body };
        if let Err(error) = self.engine().gate().record(draft).await {
            tracing::error!(server = relay.server.name, %error, "what became of a server could not be recorded");
        }
    }
}

/// For a server that has one life.
pub(super) fn once() -> mpsc::Receiver<Life> {
    mpsc::channel(1).1
}

/// Where a server with many lives is told about.
#[must_use]
pub fn lives() -> (mpsc::Sender<Life>, mpsc::Receiver<Life>) {
    mpsc::channel(4)
}
