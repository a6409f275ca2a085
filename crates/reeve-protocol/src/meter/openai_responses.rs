//! Answers of OpenAI Responses: whole-response totals in the event that ends it (`response.completed`, `.incomplete` or
//! `.failed`), or in the one object of an answer that is not streamed.

use std::borrow::Cow;

use reeve_domain::operation::LlmCall;
use reeve_domain::usage::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::openai::{self, ErrorBody, NO_REASON, Tally};
use super::parts::{self, Unread};
use super::{Piece, Seen};

#[derive(Debug)]
pub struct Reading(Tally);

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    call_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct SearchAction<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
}

impl Reading {
    pub fn new(call: &LlmCall) -> Self {
        Self(Tally::new(call))
    }

    pub fn read(&mut self, piece: Piece<'_>, seen: &mut Seen) -> Result<(), Unread> {
        let json = match piece {
            Piece::Whole(json) => return self.response(&parts::read(json)?, true, seen),
            Piece::Event(b"[DONE]") => return Ok(()),
            Piece::Event(json) => json,
        };
        let event: Event<'_> = parts::read(json)?;
        let kind = event.r#type.as_ref();
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => match event.response {
                Some(raw) => self.response(&parts::read(raw.get().as_bytes())?, false, seen),
                None => Err(Unread),
            },
            "response.completed" | "response.incomplete" | "response.failed" | "response.done" => {
                match event.response {
                    Some(raw) => {
                        self.0.ended = true;
                        self.response(&parts::read(raw.get().as_bytes())?, false, seen)
                    }
                    None => Err(Unread),
                }
            }
            "response.output_item.added" | "response.output_item.done" => {
                let Some(item) = parts::part::<Item<'_>>(event.item)? else { return Ok(()) };
                note(&item, false, seen)?;
                self.0.searches += u64::from(kind.ends_with("done") && is_paid_search(&item));
                Ok(())
            }
            "error" => {
                let error = parts::part::<ErrorBody<'_>>(event.error)?.and_then(|error| error.message);
                seen.error(error.or(event.message).as_deref().unwrap_or(NO_REASON));
                Ok(())
            }
            _ if kind.ends_with(".delta") => {
                match parts::part::<Cow<'_, str>>(event.delta)? {
                    Some(text) if matches!(kind, "response.output_text.delta" | "response.refusal.delta") => {
                        seen.say(&text)
                    }
                    Some(text) => seen.text(&text),
                    None => {}
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn response(&mut self, response: &Response<'_>, whole: bool, seen: &mut Seen) -> Result<(), Unread> {
        seen.model(response.model.as_deref().unwrap_or_default());
        self.0.tier(response.service_tier.as_deref());
        openai::error(response.error, seen)?;
        self.0.usage(response.usage)?;
        // An answer that is not streamed is there whole; the compaction endpoint gives it no status.
        let running = matches!(response.status.as_deref(), Some("queued" | "in_progress"));
        self.0.ended |= whole && !running;
        let (mut searches, mut spoilt) = (0_u64, false);
        let output = parts::each(response.output, |item: Item<'_>| {
            spoilt |= note(&item, whole, seen).is_err();
            searches += u64::from(is_paid_search(&item));
        });
        // The final answer lists again what came as items of the stream.
        self.0.searches = self.0.searches.max(searches);
        if spoilt { Err(Unread) } else { output }
    }

    pub fn finish(self) -> (Option<Usage>, bool) {
        self.0.finish()
    }
}

/// Notes an output item; `whole` when its text did not come as deltas before.
fn note(item: &Item<'_>, whole: bool, seen: &mut Seen) -> Result<(), Unread> {
    let kind = item.r#type.as_ref();
    if kind.ends_with("_call") && !is_server_call(kind) {
        let id = item.call_id.as_deref().or(item.id.as_deref()).unwrap_or_default();
        let name = item.name.as_deref().unwrap_or(kind);
        match item.namespace.as_deref() {
            Some(space) => seen.tool_call(id, &format!("{space}.{name}")),
            None => seen.tool_call(id, name),
        }
    }
    if !whole {
        return Ok(());
    }
    for raw in [item.arguments, item.input] {
        match parts::part::<Cow<'_, str>>(raw) {
            Ok(Some(text)) => seen.text(&text),
            Ok(None) => {}
            Err(Unread) => seen.text(raw.map(RawValue::get).unwrap_or_default()),
        }
    }
    if kind == "message" {
        parts::each(item.content, |content: Content<'_>| seen.say(content.text.as_deref().unwrap_or_default()))?;
    }
    Ok(())
}

/// Calls of tools that OpenAI runs by itself.
fn is_server_call(kind: &str) -> bool {
    matches!(
        kind,
        "web_search_call"
            | "file_search_call"
            | "code_interpreter_call"
            | "image_generation_call"
            | "mcp_call"
            | "tool_search_call"
    )
}

/// Opening a page and finding in it are steps of a search, and not charged as one.
fn is_paid_search(item: &Item<'_>) -> bool {
    if item.r#type != "web_search_call" {
        return false;
    }
    let action = parts::part::<SearchAction<'_>>(item.action).ok().flatten().and_then(|action| action.r#type);
    !matches!(action.as_deref(), Some("open_page" | "find" | "find_in_page"))
}
