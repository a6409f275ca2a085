//! Answers of OpenAI Chat Completions. A stream reports usage once, in its last chunk, and only when asked to; hosts that
//! copy the API may repeat it, and then the last value wins.

use std::borrow::Cow;

use reeve_domain::operation::LlmCall;
use reeve_domain::usage::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::openai::{self, Tally};
use super::parts::{self, Unread};
use super::{Piece, Seen};

#[derive(Debug)]
pub struct Reading(Tally);

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    choices: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow)]
    refusal: Option<Cow<'a, str>>,
    /// As some hosts name the thinking they show.
    #[serde(borrow)]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, alias = "custom")]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, alias = "input")]
    arguments: Option<Cow<'a, str>>,
}

impl Reading {
    pub fn new(call: &LlmCall) -> Self {
        let mut tally = Tally::new(call);
        // One search per answer of a model or request that searches.
        let searches = call.server_tools.iter().any(|tool| reeve_domain::price::is_search(&tool.name));
        tally.searches = u64::from(searches);
        Self(tally)
    }

    pub fn read(&mut self, piece: Piece<'_>, seen: &mut Seen) -> Result<(), Unread> {
        let (Piece::Event(json) | Piece::Whole(json)) = piece;
        if json == b"[DONE]" {
            self.0.ended = true;
            return Ok(());
        }
        let chunk: Chunk<'_> = parts::read(json)?;
        seen.model(chunk.model.as_deref().unwrap_or_default());
        self.0.tier(chunk.service_tier.as_deref());
        openai::error(chunk.error, seen)?;
        let mut finished = false;
        let mut spoilt = false;
        let choices = parts::each(chunk.choices, |choice: Choice<'_>| {
            finished |= choice.finish_reason.is_some();
            for message in [choice.delta, choice.message] {
                spoilt |= note(message, seen).is_err();
            }
        });
        self.0.ended |= finished;
        self.0.usage(chunk.usage)?;
        if spoilt { Err(Unread) } else { choices }
    }

    pub fn finish(self) -> (Option<Usage>, bool) {
        self.0.finish()
    }
}

fn note(raw: Option<&RawValue>, seen: &mut Seen) -> Result<(), Unread> {
    let Some(message) = parts::part::<Message<'_>>(raw)? else { return Ok(()) };
    for text in [&message.content, &message.refusal].into_iter().flatten() {
        seen.say(text);
    }
    if let Some(text) = &message.reasoning_content {
        seen.text(text);
    }
    parts::each(message.tool_calls, |call: ToolCall<'_>| {
        let Some(function) = call.function else { return };
        // Only the first chunk of a call names it.
        if let Some(name) = function.name.filter(|name| !name.is_empty()) {
            seen.tool_call(call.id.as_deref().unwrap_or_default(), &name);
        }
        if let Some(arguments) = function.arguments {
            seen.text(&arguments);
        }
    })
}
