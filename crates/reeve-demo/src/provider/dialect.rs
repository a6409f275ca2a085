//! The four dialects as one closed set: how each reads a request, words an answer, streams it and reports an error.

mod anthropic;
mod chat;
mod gemini;
mod responses;

use serde_json::{Value, json};

use super::ask::{Ask, Turn};
use crate::script::Group;

/// The shape of requests and answers at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Anthropic,
    Chat,
    Responses,
    Gemini,
    /// Gemini inside `request` and `response`.
    CodeAssist,
}

/// One event of a stream.
#[derive(Debug, Clone)]
pub struct Event {
    /// Value of `event:`, in dialects that name their events.
    pub name: Option<&'static str>,
    pub data: Value,
}

impl Event {
    fn plain(data: Value) -> Self {
        Self { name: None, data }
    }

    fn named(name: &'static str, data: Value) -> Self {
        Self { name: Some(name), data }
    }

    /// As server-sent event.
    #[must_use]
    pub fn sse(&self) -> String {
        match self.name {
            Some(name) => format!("event: {name}\ndata: {}\n\n", self.data),
            None => format!("data: {}\n\n", self.data),
        }
    }
}

impl Dialect {
    #[must_use]
    pub fn group(self) -> Group {
        match self {
            Self::Anthropic => Group::Messages,
            Self::Chat => Group::Chat,
            Self::Responses => Group::Responses,
            Self::Gemini | Self::CodeAssist => Group::Gemini,
        }
    }

    /// Reads a request's body. `path` tells model and streaming where the dialect has them there.
    #[must_use]
    pub fn read(self, body: &Value, path: &str) -> Ask {
        match self {
            Self::Anthropic => anthropic::read(body),
            Self::Chat => chat::read(body),
            Self::Responses => responses::read(body),
            Self::Gemini => gemini::read(body, path),
            Self::CodeAssist => Ask {
                model: body["model"].as_str().unwrap_or("demo-model").to_owned(),
                ..gemini::read(&body["request"], path)
            },
        }
    }

    /// The whole answer at once.
    #[must_use]
    pub fn whole(self, ask: &Ask, turn: &Turn) -> Value {
        match self {
            Self::Anthropic => anthropic::whole(ask, turn),
            Self::Chat => chat::whole(ask, turn),
            Self::Responses => responses::whole(ask, turn),
            Self::Gemini => gemini::whole(ask, turn),
            Self::CodeAssist => json!({ "response": gemini::whole(ask, turn) }),
        }
    }

    /// The same answer as a stream.
    #[must_use]
    pub fn events(self, ask: &Ask, turn: &Turn) -> Vec<Event> {
        match self {
            Self::Anthropic => anthropic::events(ask, turn),
            Self::Chat => chat::events(ask, turn),
            Self::Responses => responses::events(ask, turn),
            Self::Gemini => gemini::events(ask, turn),
            Self::CodeAssist => gemini::events(ask, turn)
                .into_iter()
                .map(|e| Event { data: json!({ "response": e.data }), ..e })
                .collect(),
        }
    }

    /// What ends a stream after its last event.
    #[must_use]
    pub fn terminator(self) -> Option<&'static str> {
        (self == Self::Chat).then_some("data: [DONE]\n\n")
    }

    /// Body of an answer with an error status.
    #[must_use]
    pub fn error(self, status: u16, message: &str) -> Value {
        match self {
            Self::Anthropic => anthropic::error(status, message),
            Self::Chat | Self::Responses => chat::error(status, message),
            Self::Gemini | Self::CodeAssist => gemini::error(status, message),
        }
    }

    /// An error inside a stream.
    #[must_use]
    pub fn error_event(self, message: &str) -> Event {
        match self {
            Self::Anthropic => Event::named("error", anthropic::error(529, message)),
            Self::Chat => Event::plain(chat::error(500, message)),
            Self::Responses => responses::failed(message),
            Self::Gemini | Self::CodeAssist => Event::plain(gemini::error(503, message)),
        }
    }

    /// Body of an answer to a request to count tokens.
    #[must_use]
    pub fn count(self, body_bytes: usize) -> Value {
        let tokens = body_bytes / 4;
        match self {
            Self::Anthropic => json!({ "input_tokens": tokens }),
            Self::Chat | Self::Responses => json!({ "object": "response.input_tokens", "input_tokens": tokens }),
            Self::Gemini | Self::CodeAssist => json!({ "totalTokens": tokens }),
        }
    }
}

/// The entries of an array, or none where there is no array.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text_of(value: &Value, otherwise: &str) -> String {
    value.as_str().unwrap_or(otherwise).to_owned()
}
