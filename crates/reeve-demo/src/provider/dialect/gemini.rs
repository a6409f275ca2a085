//! Gemini generateContent. `promptTokenCount` includes cached tokens, `candidatesTokenCount` excludes thoughts; usage is
//! cumulative, and early chunks lack the output.

#![expect(
    clippy::indexing_slicing,
    reason = "reading a missing key of a JSON value gives null, and what is written to was made an object here"
)]

use serde_json::{Value, json};

use super::{Event, each};
use crate::provider::ask::{Ask, Turn, words};
use crate::script::{Stop, Tokens};

/// `path` ends in `/models/MODEL:VERB`; Code Assist has only the verb there.
pub(super) fn read(body: &Value, path: &str) -> Ask {
    let mut results = 0;
    for content in each(&body["contents"]).filter(|c| c["role"] != "model") {
        let found = each(&content["parts"]).filter(|part| part.get("functionResponse").is_some()).count();
        results = if found == 0 { 0 } else { results + found };
    }
    let tools = each(&body["tools"]).flat_map(|tool| {
        each(&tool["functionDeclarations"])
            .chain(each(&tool["function_declarations"]))
            .map(|f| super::text_of(&f["name"], ""))
    });
    let options = &body["generationConfig"];
    let last = path.rsplit('/').next().unwrap_or_default();
    let (model, verb) = last.split_once(':').unwrap_or((last, ""));
    Ask {
        model: model.to_owned(),
        stream: verb == "streamGenerateContent",
        tools: tools.collect(),
        results,
        schema: [&options["responseJsonSchema"], &options["responseSchema"]]
            .into_iter()
            .find(|s| s.is_object())
            .cloned(),
        ..Ask::default()
    }
}

fn usage(tokens: &Tokens) -> Value {
    let mut usage = json!({
        "promptTokenCount": tokens.prompt(),
        "candidatesTokenCount": tokens.output.saturating_sub(tokens.reasoning),
        "totalTokenCount": tokens.prompt() + tokens.output,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": tokens.prompt() }],
    });
    if tokens.cache_read > 0 {
        usage["cachedContentTokenCount"] = json!(tokens.cache_read);
        usage["cacheTokensDetails"] = json!([{ "modality": "TEXT", "tokenCount": tokens.cache_read }]);
    }
    if tokens.reasoning > 0 {
        usage["thoughtsTokenCount"] = json!(tokens.reasoning);
    }
    usage
}

fn early_usage(tokens: &Tokens) -> Value {
    json!({ "promptTokenCount": tokens.prompt(), "totalTokenCount": tokens.prompt() })
}

fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::EndTurn | Stop::ToolUse => "STOP",
        Stop::MaxTokens => "MAX_TOKENS",
        Stop::Refusal => "SAFETY",
    }
}

fn chunk(ask: &Ask, turn: &Turn, parts: &[Value], last: bool) -> Value {
    let mut candidate = json!({ "content": { "role": "model", "parts": parts }, "index": 0 });
    if last {
        candidate["finishReason"] = json!(finish(turn.stop));
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": if last { usage(&turn.usage) } else { early_usage(&turn.usage) },
        "modelVersion": ask.model,
        "responseId": format!("demo-{}", turn.serial),
    })
}

fn thoughts(turn: &Turn) -> Option<Value> {
    (!turn.reasoning.is_empty()).then(|| json!({ "text": turn.reasoning, "thought": true }))
}

fn calls(turn: &Turn) -> impl Iterator<Item = Value> {
    turn.calls.iter().map(|call| {
        let function = json!({ "id": call.id, "name": call.name, "args": call.input });
        json!({ "functionCall": function, "thoughtSignature": "ZGVtbw==" })
    })
}

pub(super) fn whole(ask: &Ask, turn: &Turn) -> Value {
    let text = (!turn.text.is_empty()).then(|| json!({ "text": turn.text }));
    let parts: Vec<Value> = thoughts(turn).into_iter().chain(text).chain(calls(turn)).collect();
    chunk(ask, turn, &parts, true)
}

pub(super) fn events(ask: &Ask, turn: &Turn) -> Vec<Event> {
    let text = words(&turn.text).map(|w| json!({ "text": w }));
    let parts = thoughts(turn).into_iter().chain(text).chain(calls(turn));
    let mut events: Vec<Event> = parts.map(|part| Event::plain(chunk(ask, turn, &[part], false))).collect();
    events.push(Event::plain(chunk(ask, turn, &[json!({ "text": "" })], true)));
    events
}

pub(super) fn error(status: u16, message: &str) -> Value {
    let name = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        402 => "FAILED_PRECONDITION",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        500 => "INTERNAL",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNKNOWN",
    };
    json!({ "error": { "code": status, "message": message, "status": name } })
}
