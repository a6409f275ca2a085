//! OpenAI Responses. Tools may travel in `tools` or as an item of the conversation, in namespaces, and a tool may take a
//! program instead of JSON (Codex' code mode).

#![expect(
    clippy::indexing_slicing,
    reason = "reading a missing key of a JSON value gives null, and what is written to was made an object here"
)]

use serde_json::{Value, json};

use super::{Event, each, text_of};
use crate::provider::ask::{Ask, Turn, halves, words};
use crate::script::{Stop, Tokens};

pub(super) fn read(body: &Value) -> Ask {
    let mut ask = Ask {
        model: text_of(&body["model"], "demo-model"),
        stream: body["stream"] == true,
        schema: Some(&body["text"]["format"]["schema"]).filter(|s| s.is_object()).cloned(),
        ..Ask::default()
    };
    each(&body["tools"]).for_each(|tool| offer(&mut ask, tool));
    for item in each(&body["input"]) {
        match item["type"].as_str().unwrap_or("message") {
            "message" if item["role"] == "user" => ask.results = 0,
            "additional_tools" => each(&item["tools"]).for_each(|tool| offer(&mut ask, tool)),
            kind if kind.ends_with("_output") => ask.results += 1,
            _ => {}
        }
    }
    ask
}

fn offer(ask: &mut Ask, tool: &Value) {
    if tool["type"] == "namespace" {
        let space = text_of(&tool["name"], "");
        for inner in each(&tool["tools"]) {
            offer(ask, inner);
            // `functions` is the name of having no namespace.
            if space != "functions" {
                ask.namespaces.insert(text_of(&inner["name"], ""), space.clone());
            }
        }
        return;
    }
    let name = tool["name"].as_str().or_else(|| tool["type"].as_str()).unwrap_or_default().to_owned();
    if tool["type"] == "custom" {
        ask.free_form.insert(name.clone());
        if tool["description"].as_str().is_some_and(|d| d.contains("JavaScript")) {
            ask.code_tool = Some(name.clone());
        }
    }
    ask.tools.push(name);
}

fn usage(tokens: &Tokens) -> Value {
    json!({
        "input_tokens": tokens.prompt(),
        "input_tokens_details": { "cached_tokens": tokens.cache_read, "cache_write_tokens": tokens.cache_write() },
        "output_tokens": tokens.output,
        "output_tokens_details": { "reasoning_tokens": tokens.reasoning },
        "total_tokens": tokens.prompt() + tokens.output,
    })
}

fn items(turn: &Turn) -> Vec<Value> {
    let mut items = Vec::new();
    if !turn.reasoning.is_empty() {
        items.push(json!({
            "type": "reasoning",
            "id": format!("rs_demo_{}", turn.serial),
            "summary": [{ "type": "summary_text", "text": turn.reasoning }],
            "encrypted_content": "ZGVtbw==",
        }));
    }
    if !turn.text.is_empty() {
        items.push(json!({
            "type": "message",
            "id": format!("msg_demo_{}", turn.serial),
            "status": "completed",
            "role": "assistant",
            "content": [{ "type": "output_text", "text": turn.text, "annotations": [], "logprobs": [] }],
        }));
    }
    for call in &turn.calls {
        let mut item = json!({
            "type": "function_call",
            "id": format!("fc_{}", call.id),
            "status": "completed",
            "call_id": format!("call_{}", call.id),
            "name": call.name,
        });
        if let Some(namespace) = &call.namespace {
            item["namespace"] = json!(namespace);
        }
        if call.free_form {
            item["type"] = json!("custom_tool_call");
            item["input"] = json!(call.input.as_str().map_or_else(|| call.input.to_string(), str::to_owned));
        } else {
            item["arguments"] = json!(call.input.to_string());
        }
        items.push(item);
    }
    items
}

fn response(ask: &Ask, turn: &Turn, status: &str, output: &[Value], usage: &Value) -> Value {
    let incomplete = (status == "incomplete").then(|| json!({ "reason": "max_output_tokens" }));
    json!({
        "id": format!("resp_demo_{}", turn.serial),
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "error": null,
        "incomplete_details": incomplete,
        "model": ask.model,
        "output": output,
        "parallel_tool_calls": true,
        "tool_choice": "auto",
        "tools": [],
        "service_tier": "default",
        "usage": usage,
    })
}

pub(super) fn whole(ask: &Ask, turn: &Turn) -> Value {
    let status = if turn.stop == Stop::MaxTokens { "incomplete" } else { "completed" };
    response(ask, turn, status, &items(turn), &usage(&turn.usage))
}

pub(super) fn events(ask: &Ask, turn: &Turn) -> Vec<Event> {
    let opening = json!({ "response": response(ask, turn, "in_progress", &[], &Value::Null) });
    let mut out = vec![("response.created", opening.clone()), ("response.in_progress", opening)];
    for (index, item) in items(turn).into_iter().enumerate() {
        out.extend(item_events(index, &item));
        out.push(("response.output_item.done", json!({ "output_index": index, "item": item })));
    }
    let last = if turn.stop == Stop::MaxTokens { "response.incomplete" } else { "response.completed" };
    out.push((last, json!({ "response": whole(ask, turn) })));
    let numbered = out.into_iter().enumerate().map(|(number, (name, mut data))| {
        data["type"] = json!(name);
        data["sequence_number"] = json!(number);
        Event::named(name, data)
    });
    numbered.collect()
}

/// What announces an item and brings its content, without the closing event.
fn item_events(index: usize, item: &Value) -> Vec<(&'static str, Value)> {
    let added = |key: &str, empty: Value| {
        let mut item = item.clone();
        item[key] = empty;
        if item["type"] != "reasoning" {
            item["status"] = json!("in_progress");
        }
        ("response.output_item.added", json!({ "output_index": index, "item": item }))
    };
    let at = |key: &str, value: Value| {
        let mut data = json!({ "output_index": index, "item_id": item["id"] });
        data[key] = value;
        data
    };
    match item["type"].as_str() {
        Some("message") => text_events(&item["content"][0], added("content", json!([])), &at),
        Some("reasoning") => vec![added("summary", json!([]))],
        kind => {
            let (key, delta, done) = if kind == Some("custom_tool_call") {
                ("input", "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done")
            } else {
                ("arguments", "response.function_call_arguments.delta", "response.function_call_arguments.done")
            };
            let text = text_of(&item[key], "");
            let mut events = vec![added(key, json!(""))];
            events.extend(halves(&text).map(|half| (delta, at("delta", json!(half)))));
            events.push((done, at(key, json!(text))));
            events
        }
    }
}

fn text_events(
    part: &Value,
    added: (&'static str, Value),
    at: &dyn Fn(&str, Value) -> Value,
) -> Vec<(&'static str, Value)> {
    let at = |key: &str, value: Value, logprobs: bool| {
        let mut data = at(key, value);
        data["content_index"] = json!(0);
        if logprobs {
            data["logprobs"] = json!([]);
        }
        data
    };
    let text = text_of(&part["text"], "");
    let mut bare = part.clone();
    bare["text"] = json!("");
    let mut events = vec![added, ("response.content_part.added", at("part", bare, false))];
    events.extend(words(&text).map(|w| ("response.output_text.delta", at("delta", json!(w), true))));
    events.push(("response.output_text.done", at("text", json!(text), true)));
    events.push(("response.content_part.done", at("part", part.clone(), false)));
    events
}

pub(super) fn failed(message: &str) -> Event {
    let error = json!({ "code": "server_error", "message": message });
    let response = json!({
        "id": "resp_demo_failed", "object": "response", "status": "failed", "error": error, "output": [], "usage": null,
    });
    let data = json!({ "type": "response.failed", "sequence_number": 99, "response": response });
    Event::named("response.failed", data)
}
