//! Answers of Anthropic Messages. Usage is cumulative: the last value of each field wins and nothing is added, but for
//! the passes listed in `iterations` as compactions, which are not in the top-level sums.

use std::borrow::Cow;

use reeve_domain::usage::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::parts::{self, Unread};
use super::{Piece, Seen};

#[derive(Debug, Default)]
pub struct Reading {
    last: Counts,
    compacted: Vec<Counts>,
    any: bool,
    done: bool,
}

/// Passes over the input beyond this many are not kept; a call has one or two.
const MAX_PASSES: usize = 64;

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Counts {
    r#type: Option<String>,
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens: Option<u64>,
    server_tool_use: Option<ServerToolUse>,
    service_tier: Option<String>,
    inference_geo: Option<String>,
    speed: Option<String>,
    iterations: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct ServerToolUse {
    web_search_requests: Option<u64>,
}

/// An event, or a whole message.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Event<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stop_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    thinking: Option<Cow<'a, str>>,
    #[serde(borrow)]
    partial_json: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stop_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    thinking: Option<Cow<'a, str>>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
}

impl Reading {
    pub fn read(&mut self, piece: Piece<'_>, seen: &mut Seen) -> Result<(), Unread> {
        let (Piece::Event(json) | Piece::Whole(json)) = piece;
        let event: Event<'_> = parts::read(json)?;
        match event.r#type.as_ref() {
            "content_block_delta" => delta(event.delta, seen).map(|_| ()),
            "content_block_start" => {
                if let Some(block) = parts::part::<Block<'_>>(event.content_block)? {
                    note(&block, false, seen);
                }
                Ok(())
            }
            "message_start" => match event.message {
                Some(message) => {
                    let message: Event<'_> = parts::read(message.get().as_bytes())?;
                    seen.model(message.model.as_deref().unwrap_or_default());
                    self.usage(message.usage)
                }
                None => Err(Unread),
            },
            "message_delta" => {
                let stopped = delta(event.delta, seen)?;
                self.usage(event.usage)?;
                self.done |= stopped && event.usage.is_some();
                Ok(())
            }
            "message" => {
                seen.model(event.model.as_deref().unwrap_or_default());
                let content = parts::each(event.content, |block: Block<'_>| note(&block, true, seen));
                self.usage(event.usage)?;
                self.done |= event.stop_reason.is_some() && event.usage.is_some();
                content
            }
            "error" => {
                let error = parts::part::<ErrorBody<'_>>(event.error)?;
                seen.error(error.and_then(|e| e.message).as_deref().unwrap_or("the provider gave no reason"));
                Ok(())
            }
            // `ping`, `content_block_stop`, `message_stop`, and what is to come.
            _ => Ok(()),
        }
    }

    fn usage(&mut self, raw: Option<&RawValue>) -> Result<(), Unread> {
        let Some(new) = parts::usage::<Counts>(raw)? else { return Ok(()) };
        self.any = true;
        if let Some(passes) = new.iterations.as_deref() {
            let mut compacted = Vec::new();
            parts::each(Some(passes), |pass: Counts| {
                if pass.r#type.as_deref() == Some("compaction") && compacted.len() < MAX_PASSES {
                    compacted.push(pass);
                }
            })?;
            self.compacted = compacted;
        }
        let last = &mut self.last;
        last.input_tokens = new.input_tokens.or(last.input_tokens);
        last.cache_creation_input_tokens = new.cache_creation_input_tokens.or(last.cache_creation_input_tokens);
        last.cache_read_input_tokens = new.cache_read_input_tokens.or(last.cache_read_input_tokens);
        last.cache_creation = new.cache_creation.or(last.cache_creation);
        last.output_tokens = new.output_tokens.or(last.output_tokens);
        last.server_tool_use = new.server_tool_use.or(last.server_tool_use);
        last.service_tier = new.service_tier.or(last.service_tier.take());
        last.inference_geo = new.inference_geo.or(last.inference_geo.take());
        last.speed = new.speed.or(last.speed.take());
        Ok(())
    }

    pub fn finish(self) -> (Option<Usage>, bool) {
        if !self.any {
            return (None, false);
        }
        let mut usage = Usage::default();
        for counts in std::iter::once(&self.last).chain(&self.compacted) {
            counts.add_to(&mut usage);
        }
        usage.service_tier.clone_from(&self.last.service_tier);
        if self.last.inference_geo.as_deref() == Some("us") {
            usage.multipliers.push("us".to_owned());
        }
        if self.last.speed.as_deref() == Some("fast") {
            usage.multipliers.push("fast".to_owned());
        }
        (Some(usage), self.done)
    }
}

impl Counts {
    fn add_to(&self, usage: &mut Usage) {
        let split = self.cache_creation.unwrap_or_default();
        let hour = split.ephemeral_1h_input_tokens.unwrap_or_default();
        let short = split.ephemeral_5m_input_tokens.unwrap_or_default();
        // Without the split, all that was written lives five minutes.
        let total = self.cache_creation_input_tokens.unwrap_or_default();
        let short = short.max(total.saturating_sub(hour));
        for (sum, more) in [
            (&mut usage.input, self.input_tokens.unwrap_or_default()),
            (&mut usage.cache_read, self.cache_read_input_tokens.unwrap_or_default()),
            (&mut usage.cache_write, short),
            (&mut usage.cache_write_1h, hour),
            (&mut usage.output, self.output_tokens.unwrap_or_default()),
            (&mut usage.web_searches, self.server_tool_use.and_then(|t| t.web_search_requests).unwrap_or_default()),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// Counts the text of a delta; true when it says why the message stopped.
fn delta(raw: Option<&RawValue>, seen: &mut Seen) -> Result<bool, Unread> {
    let Some(delta) = parts::part::<Delta<'_>>(raw)? else { return Ok(false) };
    if let Some(text) = &delta.text {
        seen.say(text);
    }
    for text in [&delta.thinking, &delta.partial_json].into_iter().flatten() {
        seen.text(text);
    }
    Ok(delta.stop_reason.is_some())
}

/// Notes a block; `whole` when its text and input are all there instead of following as deltas.
fn note(block: &Block<'_>, whole: bool, seen: &mut Seen) {
    if block.r#type == "tool_use" {
        seen.tool_call(block.id.as_deref().unwrap_or_default(), block.name.as_deref().unwrap_or_default());
    }
    if let Some(text) = &block.text {
        seen.say(text);
    }
    if let Some(text) = &block.thinking {
        seen.text(text);
    }
    if let Some(input) = block.input.filter(|_| whole) {
        seen.text(input.get());
    }
}
