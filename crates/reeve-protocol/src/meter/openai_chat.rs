//! Answers of OpenAI Chat Completions. A stream reports usage once, in its last chunk, and only when asked to; hosts that
//! copy the API may repeat it, and then the last value wins.

use std::borrow::Cow;

use reeve_domain::operation::LlmCall;
use reeve_domain::usage::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::parts::{self, Unread};
use super::{Piece, Seen};

#[derive(Debug)]
pub struct Reading {
    counts: Option<Counts>,
    service_tier: Option<String>,
    finished: bool,
    /// One search per answer of a model or request that searches.
    searches: u64,
    regions: Vec<String>,
}

/// Usage of Chat Completions and, under other names, of Responses.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct Counts {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(alias = "output_tokens")]
    completion_tokens: Option<u64>,
    #[serde(alias = "input_tokens_details")]
    prompt_tokens_details: Option<Details>,
    #[serde(alias = "output_tokens_details")]
    completion_tokens_details: Option<Details>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    cache_write_tokens_details: Option<Lives>,
    audio_tokens: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct Lives {
    ttl_12h_tokens: Option<u64>,
}

impl Counts {
    /// Input includes what was read from and written to the cache; reasoning is inside the output.
    pub fn usage(self) -> Usage {
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let total = self.prompt_tokens.unwrap_or_default();
        let cache_read = prompt.cached_tokens.unwrap_or_default().min(total);
        let written = prompt.cache_write_tokens.unwrap_or_default().min(total - cache_read);
        let lives = prompt.cache_write_tokens_details.unwrap_or_default();
        let cache_write_1h = lives.ttl_12h_tokens.unwrap_or_default().min(written);
        let fresh = total - cache_read - written;
        let audio_input = prompt.audio_tokens.unwrap_or_default().min(fresh);
        let output = self.completion_tokens.unwrap_or_default();
        let spoken = self.completion_tokens_details.and_then(|details| details.audio_tokens).unwrap_or_default();
        let audio_output = spoken.min(output);
        Usage {
            input: fresh - audio_input,
            cache_read,
            cache_write: written - cache_write_1h,
            cache_write_1h,
            audio_input,
            output: output - audio_output,
            audio_output,
            ..Usage::default()
        }
    }
}

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

#[derive(Deserialize)]
pub struct ErrorBody<'a> {
    #[serde(borrow)]
    pub message: Option<Cow<'a, str>>,
}

impl Reading {
    pub fn new(call: &LlmCall) -> Self {
        let searches = call.server_tools.iter().any(|tool| reeve_domain::price::is_search(&tool.name));
        Self {
            counts: None,
            service_tier: None,
            finished: false,
            searches: u64::from(searches),
            regions: regions(call),
        }
    }

    pub fn read(&mut self, piece: Piece<'_>, seen: &mut Seen) -> Result<(), Unread> {
        let (Piece::Event(json) | Piece::Whole(json)) = piece;
        if json == b"[DONE]" {
            self.finished = true;
            return Ok(());
        }
        let chunk: Chunk<'_> = parts::read(json)?;
        seen.model(chunk.model.as_deref().unwrap_or_default());
        if let Some(tier) = chunk.service_tier {
            self.service_tier = Some(tier.chars().take(64).collect());
        }
        if let Some(error) = parts::part::<ErrorBody<'_>>(chunk.error)? {
            seen.error(error.message.as_deref().unwrap_or("the provider gave no reason"));
        }
        let mut finished = false;
        let mut spoilt = false;
        let choices = parts::each(chunk.choices, |choice: Choice<'_>| {
            finished |= choice.finish_reason.is_some();
            for message in [choice.delta, choice.message] {
                spoilt |= note(message, seen).is_err();
            }
        });
        self.finished |= finished;
        if let Some(counts) = parts::usage::<Counts>(chunk.usage)? {
            self.counts = Some(counts);
        }
        if spoilt { Err(Unread) } else { choices }
    }

    pub fn finish(self) -> (Option<Usage>, bool) {
        let usage = self.counts.map(|counts| Usage {
            service_tier: self.service_tier,
            web_searches: self.searches,
            multipliers: self.regions,
            ..counts.usage()
        });
        let is_final = usage.is_some() && self.finished;
        (usage, is_final)
    }
}

/// The multipliers that come from the host called, which no answer repeats.
pub fn regions(call: &LlmCall) -> Vec<String> {
    call.multipliers.iter().filter(|key| key.starts_with("region_")).cloned().collect()
}

fn note(raw: Option<&RawValue>, seen: &mut Seen) -> Result<(), Unread> {
    let Some(message) = parts::part::<Message<'_>>(raw)? else { return Ok(()) };
    for text in [&message.content, &message.refusal, &message.reasoning_content].into_iter().flatten() {
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
