//! Answers of Gemini, alone, as events or as one JSON list, and of Code Assist, which wraps each in `response`. Usage is
//! cumulative: the last chunk has it all. Thoughts are counted apart from the visible output.

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
    finished: bool,
    queries: u64,
    /// Older families charge a grounded answer once, however many queries it took.
    search_by_answer: bool,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Counts {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
    prompt_tokens_details: Vec<Modality>,
    cache_tokens_details: Vec<Modality>,
    candidates_tokens_details: Vec<Modality>,
    traffic_type: Option<String>,
    service_tier: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Modality {
    modality: Option<String>,
    token_count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    /// Code Assist.
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    candidates: Option<&'a RawValue>,
    #[serde(borrow)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    model_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    grounding_metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    parts: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    thought: Option<bool>,
    #[serde(borrow)]
    function_call: Option<FunctionCall<'a>>,
}

#[derive(Deserialize)]
struct FunctionCall<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grounding<'a> {
    #[serde(borrow)]
    web_search_queries: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
}

impl Reading {
    pub fn new(call: &LlmCall) -> Self {
        let search_by_answer = call.model.starts_with("gemini-2.") || call.model.starts_with("gemini-1.");
        Self { counts: None, finished: false, queries: 0, search_by_answer }
    }

    pub fn read(&mut self, piece: Piece<'_>, seen: &mut Seen) -> Result<(), Unread> {
        let (Piece::Event(json) | Piece::Whole(json)) = piece;
        let mut chunk: Chunk<'_> = parts::read(json)?;
        if let Some(inner) = parts::part::<Chunk<'_>>(chunk.response)? {
            chunk = inner;
        }
        seen.model(chunk.model_version.as_deref().unwrap_or_default());
        if let Some(error) = parts::part::<ErrorBody<'_>>(chunk.error)? {
            seen.error(error.message.as_deref().unwrap_or("the provider gave no reason"));
        }
        if let Some(counts) = parts::usage::<Counts>(chunk.usage_metadata)? {
            self.counts = Some(counts);
        }
        let mut spoilt = false;
        let candidates = parts::each(chunk.candidates, |candidate: Candidate<'_>| {
            self.finished |= candidate.finish_reason.is_some();
            spoilt |= self.candidate(&candidate, seen).is_err();
        });
        if spoilt { Err(Unread) } else { candidates }
    }

    fn candidate(&mut self, candidate: &Candidate<'_>, seen: &mut Seen) -> Result<(), Unread> {
        if let Some(content) = parts::part::<Content<'_>>(candidate.content)? {
            parts::each(content.parts, |part: Part<'_>| {
                let text = part.text.as_deref().unwrap_or_default();
                if part.thought == Some(true) {
                    seen.text(text)
                } else {
                    seen.say(text)
                }
                if let Some(call) = part.function_call {
                    seen.tool_call(call.id.as_deref().unwrap_or_default(), call.name.as_deref().unwrap_or_default());
                    seen.text(call.args.map(RawValue::get).unwrap_or_default());
                }
            })?;
        }
        if let Some(grounding) = parts::part::<Grounding<'_>>(candidate.grounding_metadata)? {
            let mut queries = 0_u64;
            parts::each(grounding.web_search_queries, |_: serde::de::IgnoredAny| queries += 1)?;
            self.queries = self.queries.max(queries);
        }
        Ok(())
    }

    pub fn finish(self) -> (Option<Usage>, bool) {
        let web_searches = if self.search_by_answer { self.queries.min(1) } else { self.queries };
        let usage = self.counts.map(|counts| Usage { web_searches, ..counts.usage() });
        let is_final = usage.is_some() && self.finished;
        (usage, is_final)
    }
}

impl Counts {
    fn usage(self) -> Usage {
        let prompt = self.prompt_token_count.unwrap_or_default();
        let cached = self.cached_content_token_count.unwrap_or_default().min(prompt);
        let audio_cached = audio(&self.cache_tokens_details).min(cached);
        let fresh = (prompt - cached).saturating_add(self.tool_use_prompt_token_count.unwrap_or_default());
        let audio_input = audio(&self.prompt_tokens_details).saturating_sub(audio_cached).min(fresh);
        let visible = self.candidates_token_count.unwrap_or_default();
        let audio_output = audio(&self.candidates_tokens_details).min(visible);
        Usage {
            input: fresh - audio_input,
            cache_read: cached - audio_cached,
            audio_input,
            audio_cache_read: audio_cached,
            output: visible - audio_output,
            audio_output,
            reasoning: self.thoughts_token_count.unwrap_or_default(),
            service_tier: self.service_tier.or(self.traffic_type).map(|tier| tier.to_ascii_lowercase()),
            ..Usage::default()
        }
    }
}

fn audio(details: &[Modality]) -> u64 {
    let spoken = details.iter().filter(|part| part.modality.as_deref() == Some("AUDIO"));
    spoken.filter_map(|part| part.token_count).fold(0, u64::saturating_add)
}
