//! What OpenAI's two APIs say alike in their answers: counts of tokens, the tier that was billed, and errors.

use std::borrow::Cow;

use reeve_domain::operation::LlmCall;
use reeve_domain::usage::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Seen;
use super::parts::{self, Unread};

/// What has been read of the usage; the last value of each part wins.
#[derive(Debug)]
pub struct Tally {
    counts: Option<Counts>,
    service_tier: Option<String>,
    regions: Vec<String>,
    /// Searches that are charged.
    pub searches: u64,
    /// The answer said that it is over.
    pub ended: bool,
}

impl Tally {
    pub fn new(call: &LlmCall) -> Self {
        Self { counts: None, service_tier: None, regions: regions(call), searches: 0, ended: false }
    }

    pub fn tier(&mut self, tier: Option<&str>) {
        if let Some(tier) = tier {
            self.service_tier = Some(tier.chars().take(64).collect());
        }
    }

    pub fn usage(&mut self, raw: Option<&RawValue>) -> Result<(), Unread> {
        if let Some(counts) = parts::usage::<Counts>(raw)? {
            self.counts = Some(counts);
        }
        Ok(())
    }

    /// What was used, and whether that is the provider's final word.
    pub fn finish(self) -> (Option<Usage>, bool) {
        let usage = self.counts.map(|counts| Usage {
            service_tier: self.service_tier,
            web_searches: self.searches,
            multipliers: self.regions,
            ..counts.usage()
        });
        let is_final = usage.is_some() && self.ended;
        (usage, is_final)
    }
}

/// The multipliers that come from the host called, which no answer repeats.
fn regions(call: &LlmCall) -> Vec<String> {
    call.multipliers.iter().filter(|key| key.starts_with("region_")).cloned().collect()
}

/// Notes the provider's error, where there is one.
pub fn error(raw: Option<&RawValue>, seen: &mut Seen) -> Result<(), Unread> {
    if let Some(error) = parts::part::<ErrorBody<'_>>(raw)? {
        seen.error(error.message.as_deref().unwrap_or(NO_REASON));
    }
    Ok(())
}

pub const NO_REASON: &str = "the provider gave no reason";

#[derive(Deserialize)]
pub struct ErrorBody<'a> {
    #[serde(borrow)]
    pub message: Option<Cow<'a, str>>,
}

/// Usage of Chat Completions and, under other names, of Responses.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct Counts {
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
    fn usage(self) -> Usage {
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
