//! Anthropic Messages. Usage in a stream is cumulative: input counts at the start, final values in `message_delta`.

#![expect(clippy::indexing_slicing, reason = "reading a missing key of a JSON value gives null")]

use serde_json::{Value, json};

use super::{Event, each, text_of};
use crate::provider::ask::{Ask, Turn, halves, words};
use crate::script::{Stop, Tokens};

pub(super) fn read(body: &Value) -> Ask {
    let mut results = 0;
    for message in each(&body["messages"]).filter(|m| m["role"] == "user") {
        let found = each(&message["content"]).filter(|block| block["type"] == "tool_result").count();
        results = if found == 0 { 0 } else { results + found };
    }
    let schemas = [&body["output_format"]["schema"], &body["output_config"]["format"]["schema"]];
    Ask {
        model: text_of(&body["model"], "demo-model"),
        stream: body["stream"] == true,
        tools: each(&body["tools"]).map(|tool| text_of(&tool["name"], "")).collect(),
        results,
        schema: schemas.into_iter().find(|s| s.is_object()).cloned(),
        ..Ask::default()
    }
}

fn usage(tokens: &Tokens, output: u64) -> Value {
    json!({
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": tokens.cache_write(),
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h,
        },
        "output_tokens": output,
        "output_tokens_details": { "thinking_tokens": tokens.reasoning.min(output) },
        "service_tier": "standard",
    })
}

fn stop_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::EndTurn => "end_turn",
        Stop::ToolUse => "tool_use",
        Stop::MaxTokens => "max_tokens",
        Stop::Refusal => "refusal",
    }
}

fn blocks(turn: &Turn) -> Vec<Value> {
    let mut blocks = Vec::new();
    if !turn.reasoning.is_empty() {
        blocks.push(json!({ "type": "thinking", "thinking": turn.reasoning, "signature": "ZGVtbw==" }));
    }
    if !turn.text.is_empty() {
        blocks.push(json!({ "type": "text", "text": turn.text }));
    }
    blocks.extend(turn.calls.iter().map(|call| {
        json!({ "type": "tool_use", "id": format!("toolu_{}", call.id), "name": call.name, "input": call.input })
    }));
    blocks
}

fn message(ask: &Ask, turn: &Turn, content: &[Value], stop: Option<Stop>, usage: &Value) -> Value {
    json!({
        "id": format!("msg_demo_{}", turn.serial),
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": content,
        "stop_reason": stop.map(stop_reason),
        "stop_sequence": null,
        "usage": usage,
    })
}

pub(super) fn whole(ask: &Ask, turn: &Turn) -> Value {
    message(ask, turn, &blocks(turn), Some(turn.stop), &usage(&turn.usage, turn.usage.output))
}

pub(super) fn events(ask: &Ask, turn: &Turn) -> Vec<Event> {
    let opening = message(ask, turn, &[], None, &usage(&turn.usage, 1));
    let mut events = vec![
        Event::named("message_start", json!({ "type": "message_start", "message": opening })),
        Event::named("ping", json!({ "type": "ping" })),
    ];
    for (index, block) in blocks(turn).iter().enumerate() {
        let (empty, deltas) = in_pieces(block);
        let start = json!({ "type": "content_block_start", "index": index, "content_block": empty });
        events.push(Event::named("content_block_start", start));
        events.extend(deltas.into_iter().map(|delta| {
            let data = json!({ "type": "content_block_delta", "index": index, "delta": delta });
            Event::named("content_block_delta", data)
        }));
        let stop = json!({ "type": "content_block_stop", "index": index });
        events.push(Event::named("content_block_stop", stop));
    }
    let delta = json!({ "stop_reason": stop_reason(turn.stop), "stop_sequence": null });
    let usage = usage(&turn.usage, turn.usage.output);
    events.push(Event::named("message_delta", json!({ "type": "message_delta", "delta": delta, "usage": usage })));
    events.push(Event::named("message_stop", json!({ "type": "message_stop" })));
    events
}

/// A content block without its content, and the deltas that bring it.
fn in_pieces(block: &Value) -> (Value, Vec<Value>) {
    let text = |key: &str| block[key].as_str().unwrap_or_default();
    match block["type"].as_str() {
        Some("text") => {
            let deltas = words(text("text")).map(|w| json!({ "type": "text_delta", "text": w }));
            (json!({ "type": "text", "text": "" }), deltas.collect())
        }
        Some("thinking") => {
            let deltas = words(text("thinking")).map(|w| json!({ "type": "thinking_delta", "thinking": w }));
            let signature = json!({ "type": "signature_delta", "signature": text("signature") });
            (json!({ "type": "thinking", "thinking": "", "signature": "" }), deltas.chain([signature]).collect())
        }
        _ => {
            let input = block["input"].to_string();
            let pieces = std::iter::once("").chain(halves(&input));
            let deltas = pieces.map(|p| json!({ "type": "input_json_delta", "partial_json": p })).collect();
            (json!({ "type": "tool_use", "id": block["id"], "name": block["name"], "input": {} }), deltas)
        }
    }
}

pub(super) fn error(status: u16, message: &str) -> Value {
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_demo" })
}
