//! What the agent asked and waits for, and whether there is an engine that may see it. Each request is answered once: by the
//! engine's leave, or with a refusal.

use std::borrow::Cow;
use std::collections::HashMap;

use reeve_domain::verdict::{Denial, DenialKind};
use reeve_mcp::queue::Sender;
use reeve_protocol::denial;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::transport::frames::Channel;

/// A way to the engine.
pub(super) type ToEngine = Sender<(Channel, Vec<u8>)>;

enum Engine {
    /// Not there yet, or not any more: it may come back.
    Lost,
    There(ToEngine),
    /// The session is over, or the server ended.
    Over(String),
}

pub(super) struct State {
    to_agent: Sender<Vec<u8>>,
    engine: Engine,
    /// Requests without an answer, by their id's own bytes, and whether they are tool calls.
    open: HashMap<String, bool>,
    /// What the agent opened the conversation with.
    greeting: Option<Value>,
}

/// Enough of a message to answer it.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
}

impl State {
    pub fn new(to_agent: Sender<Vec<u8>>) -> Self {
        Self { to_agent, engine: Engine::Lost, open: HashMap::new(), greeting: None }
    }

    pub fn attached(&mut self, to_engine: ToEngine) {
        self.engine = Engine::There(to_engine);
    }

    pub fn is_lost(&self) -> bool {
        matches!(self.engine, Engine::Lost)
    }

    /// Whether nothing waits for an answer.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// For an engine that did not hear it.
    pub fn greeting(&self) -> Option<Value> {
        self.greeting.clone()
    }

    pub async fn heard_agent(&mut self, line: Vec<u8>) {
        let asked = asked(&line);
        if self.greeting.is_none() && matches!(&self.engine, Engine::There(_)) {
            self.greeting = greeting(&line);
        }
        let why = match &self.engine {
            Engine::There(engine) => {
                if let Some((id, call)) = asked {
                    self.open.insert(id, call);
                } else if let Some(id) = cancelled(&line) {
                    // It gets no answer any more.
                    self.open.remove(&id);
                }
                // A loss is heard where its end is read; what is open is refused then.
                let _ = engine.send((Channel::Agent, line)).await;
                return;
            }
            Engine::Lost => LOST.to_owned(),
            Engine::Over(why) => why.clone(),
        };
        if let Some((id, call)) = asked {
            self.refuse(&id, call, &why).await;
        }
    }

    pub async fn heard_server(&self, line: Vec<u8>) {
        // Without an engine to look at it, nothing passes.
        if let Engine::There(engine) = &self.engine {
            let _ = engine.send((Channel::Server, line)).await;
        }
    }

    pub async fn tell_agent(&mut self, message: Vec<u8>) {
        if let Ok(Head { id: Some(id), method: None }) = serde_json::from_slice::<Head<'_>>(&message) {
            self.open.remove(id.get());
        }
        // An agent that is gone is seen by its closed input.
        let _ = self.to_agent.send(message).await;
    }

    /// The engine is gone: whatever waits is refused, and so is what comes.
    pub async fn lost(&mut self) {
        self.engine = Engine::Lost;
        self.refuse_open(LOST).await;
    }

    /// Nothing will pass here any more.
    pub async fn over(&mut self, why: &str) {
        self.engine = Engine::Over(why.to_owned());
        self.refuse_open(why).await;
    }

    async fn refuse_open(&mut self, why: &str) {
        for (id, call) in std::mem::take(&mut self.open) {
            self.refuse(&id, call, why).await;
        }
    }

    async fn refuse(&self, id: &str, call: bool, why: &str) {
        let body = if call {
            let denial = Denial {
                kind: DenialKind::Fault,
                message: why.to_owned(),
                advice: "ask the human to run `reeve doctor`".to_owned(),
                reasons: Vec::new(),
                record: None,
            };
            format!(r#""result":{}"#, denial::tool_result(&denial))
        } else {
            format!(r#""error":{{"code":-32000,"message":{}}}"#, Value::String(format!("Reeve: {why}")))
        };
        let _ = self.to_agent.send(format!(r#"{{"jsonrpc":"2.0","id":{id},{body}}}"#).into_bytes()).await;
    }
}

const LOST: &str = "the engine of Reeve does not answer";

/// The id of a request, and whether it is a tool call. What cannot be read is the engine's to refuse.
fn asked(line: &[u8]) -> Option<(String, bool)> {
    let head: Head<'_> = serde_json::from_slice(line).ok()?;
    Some((head.id?.get().to_owned(), head.method? == "tools/call"))
}

/// The id of the request that the agent does not wait for any more.
fn cancelled(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Note<'a> {
        #[serde(borrow)]
        method: Cow<'a, str>,
        #[serde(borrow)]
        params: Left<'a>,
    }
    #[derive(Deserialize)]
    struct Left<'a> {
        #[serde(borrow, rename = "requestId")]
        id: &'a RawValue,
    }
    let note: Note<'_> = serde_json::from_slice(line).ok()?;
    (note.method == "notifications/cancelled").then(|| note.params.id.get().to_owned())
}

/// The request that opens a conversation.
fn greeting(line: &[u8]) -> Option<Value> {
    let head: Head<'_> = serde_json::from_slice(line).ok()?;
    let greets = head.id.is_some() && head.method? == "initialize";
    greets.then(|| serde_json::from_slice(line).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(agent: &mut reeve_mcp::queue::Receiver<Vec<u8>>) -> Value {
        serde_json::from_slice(&agent.try_recv().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn without_an_engine_requests_are_refused_with_words_and_nothing_passes() {
        let (to_agent, mut agent) = reeve_mcp::queue::queue(8);
        let (to_engine, mut engine) = reeve_mcp::queue::queue(8);
        let mut state = State::new(to_agent);
        state.heard_agent(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_vec()).await;
        assert!(heard(&mut agent)["error"]["message"].as_str().unwrap().contains("does not answer"));
        state.attached(to_engine);
        state.heard_agent(br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{}}"#.to_vec()).await;
        state.heard_agent(br#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#.to_vec()).await;
        assert!(engine.try_recv().is_ok() && engine.try_recv().is_ok() && agent.try_recv().is_err());
        state.tell_agent(br#"{"jsonrpc":"2.0","id":2,"result":{}}"#.to_vec()).await;
        assert_eq!(heard(&mut agent)["id"], 2);
        state.heard_agent(br#"{"jsonrpc":"2.0","id":"b","method":"tools/call","params":{}}"#.to_vec()).await;
        let cancel = br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"b"}}"#;
        state.heard_agent(cancel.to_vec()).await;
        assert!(engine.try_recv().is_ok() && engine.try_recv().is_ok(), "the engine hears both");
        state.lost().await;
        let refused = heard(&mut agent);
        assert_eq!((&refused["id"], &refused["result"]["isError"]), (&Value::from("a"), &Value::Bool(true)));
        assert!(agent.try_recv().is_err(), "what was answered or cancelled is not answered again");
        state.heard_server(br#"{"jsonrpc":"2.0","method":"notifications/message"}"#.to_vec()).await;
        assert!(engine.try_recv().is_err() && agent.try_recv().is_err());
        state.over("the session is over").await;
        state.heard_agent(br#"{"jsonrpc":"2.0","id":3,"method":"tools/call"}"#.to_vec()).await;
        let text = heard(&mut agent)["result"]["content"][0]["text"].as_str().unwrap().to_owned();
        assert!(text.contains("the session is over"), "{text}");
        assert!(state.is_idle() && !state.is_lost());
    }
}
