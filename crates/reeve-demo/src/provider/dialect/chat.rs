//! OpenAI Chat Completions. A stream reports usage in one last chunk, and only to clients that asked for it.

#![expect(
    clippy::indexing_slicing,
    reason = "reading a missing key of a JSON value gives null, and what is written to was made an object here"
)]

use serde_json::{Value, json};

use super::{Event, each, text_of};
use crate::provider::ask::{Ask, Turn, halves, words};
use crate::script::{Stop, Tokens};

pub(super) fn read(body: &Value) -> Ask {
    let mut results = 0;
    for message in each(&body["messages"]) {
        match message["role"].as_str() {
            Some("user") => results = 0,
            Some("tool") => results += 1,
            _ => {}
        }
    }
    Ask {
        model: text_of(&body["model"], "demo-model"),
        stream: body["stream"] == true,
        tools: each(&body["tools"]).map(|tool| text_of(&tool["function"]["name"], "")).collect(),
        results,
        include_usage: body["stream_options"]["include_usage"] == true,
        schema: Some(&body["response_format"]["json_schema"]["schema"]).filter(|s| s.is_object()).cloned(),
        ..Ask::default()
    }
}

fn usage(tokens: &Tokens) -> Value {
    json!({
        "prompt_tokens": tokens.prompt(),
        "completion_tokens": tokens.output,
        "total_tokens": tokens.prompt() + tokens.output,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write(),
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::EndTurn => "stop",
        Stop::ToolUse => "tool_calls",
        Stop::MaxTokens => "length",
        Stop::Refusal => "content_filter",
    }
}

fn calls(turn: &Turn) -> Vec<Value> {
    let call = |c: &crate::provider::ask::Call| {
        let function = json!({ "name": c.name, "arguments": c.input.to_string() });
        json!({ "id": format!("call_{}", c.id), "type": "function", "function": function })
    };
    turn.calls.iter().map(call).collect()
}

pub(super) fn whole(ask: &Ask, turn: &Turn) -> Value {
    let mut message = json!({ "role": "assistant", "content": turn.text, "refusal": null });
    if !turn.calls.is_empty() {
        message["tool_calls"] = json!(calls(turn));
    }
    json!({
        "id": format!("chatcmpl-demo-{}", turn.serial),
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": ask.model,
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish(turn.stop) }],
        "usage": usage(&turn.usage),
        "service_tier": "default",
    })
}

pub(super) fn events(ask: &Ask, turn: &Turn) -> Vec<Event> {
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": format!("chatcmpl-demo-{}", turn.serial),
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": ask.model,
            "service_tier": "default",
            "choices": choices,
        });
        if ask.include_usage {
            chunk["usage"] = usage;
        }
        Event::plain(chunk)
    };
    let delta = |delta: Value, finish: Option<&str>| {
        chunk(json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }]), Value::Null)
    };
    let mut events = vec![delta(json!({ "role": "assistant", "content": "" }), None)];
    events.extend(words(&turn.text).map(|w| delta(json!({ "content": w }), None)));
    for (index, call) in calls(turn).into_iter().enumerate() {
        let arguments = text_of(&call["function"]["arguments"], "");
        let mut head = call;
        head["index"] = json!(index);
        head["function"]["arguments"] = json!("");
        events.push(delta(json!({ "tool_calls": [head] }), None));
        events.extend(
            halves(&arguments).map(|part| {
                delta(json!({ "tool_calls": [{ "index": index, "function": { "arguments": part } }] }), None)
            }),
        );
    }
    events.push(delta(json!({}), Some(finish(turn.stop))));
    if ask.include_usage {
        events.push(chunk(json!([]), usage(&turn.usage)));
    }
    events
}

/// Chat Completions and Responses share the shape of errors.
pub(super) fn error(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        400 => ("invalid_request_error", None),
        401 => ("invalid_request_error", Some("invalid_api_key")),
        402 => ("insufficient_quota", Some("insufficient_quota")),
        403 => ("permission_error", Some("forbidden")),
        404 => ("invalid_request_error", Some("not_found")),
        429 => ("rate_limit_exceeded", Some("rate_limit_exceeded")),
        _ => ("server_error", None),
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}
