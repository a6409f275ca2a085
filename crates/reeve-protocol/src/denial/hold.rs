//! How long each client bears to wait for an answer that a human must release first, and what keeps it waiting.
//! Measured in 2026-11 with Claude Code 2.1, Codex 0.169, Gemini CLI 0.61, opencode 1.18 and Copilot CLI 1.0.

use std::time::Duration;

use bytes::Bytes;
use reeve_domain::operation::{Dialect, LlmCall};
use serde_json::json;

use super::event;

/// How to hold one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldPlan {
    /// The headers are withheld this long: a decision within it gets its real status.
    pub withhold: Duration,
    /// After that, `200` and event-stream headers go out, and a [`keepalive`] this often.
    pub keepalive_every: Duration,
    /// After this the request is answered in any case. A client that then repeats finds its question again.
    pub longest: Duration,
}

const QUARTER_MINUTE: Duration = Duration::from_secs(15);

/// The plan for a client and a request. `events` is whether its answer would be server-sent events
/// ([`answers_with_events`]); without them nothing can be sent before the answer, so all of the hold is withheld. `most`
/// is the longest to withhold from a client whose patience a person knows better; it never adds any.
#[must_use]
pub fn hold_limits(user_agent: &str, dialect: Option<Dialect>, events: bool, most: Option<Duration>) -> HoldPlan {
    let is = |start: &str| user_agent.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    let gemini = is("GeminiCLI") || matches!(dialect, Some(Dialect::Gemini | Dialect::GeminiCodeAssist));
    // Seconds until the headers must be out; seconds until the client gives up whatever is sent.
    let (headers, end) = if dialect.is_none() {
        (600, 600)
    } else if is("codex") || is("copilot") {
        (1_800, 1_800)
    } else if gemini {
        (45, 1_800)
    } else if is("claude-cli") {
        // 300 s in all, keepalives or not.
        (240, 285)
    } else if is("opencode") {
        (240, 1_800)
    } else {
        // The SDKs wait 600 s.
        (240, 570)
    };
    let longest = if events {
        end
    } else if gemini {
        // It waits 60 s for the first byte.
        55
    } else if is("claude-cli") || is("opencode") {
        // They wait 300 s for the first byte.
        285
    } else {
        end.min(570)
    };
    let withhold = Duration::from_secs(if events { headers } else { longest });
    let withhold = most.map_or(withhold, |most| most.min(withhold));
    let longest = if events { Duration::from_secs(longest) } else { withhold };
    HoldPlan { withhold, keepalive_every: QUARTER_MINUTE, longest }
}

/// Whether the answer to a call is a stream of server-sent events. Gemini sends its stream as one JSON list unless the
/// query has `alt=sse`.
#[must_use]
pub fn answers_with_events(call: &LlmCall, query: Option<&str>) -> bool {
    let asks_sse = || query.is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse"));
    match call.dialect {
        Dialect::Gemini | Dialect::GeminiCodeAssist => call.stream && asks_sse(),
        Dialect::AnthropicMessages | Dialect::OpenaiChat | Dialect::OpenaiResponses => call.stream,
    }
}

/// A valid event of the dialect that says nothing. Comments will not do: Gemini's clients break on them.
#[must_use]
pub fn keepalive(dialect: Dialect) -> Bytes {
    let nothing =
        || json!({ "candidates": [{ "content": { "role": "model", "parts": [{ "text": "" }] }, "index": 0 }] });
    match dialect {
        Dialect::AnthropicMessages => event("ping", &json!({ "type": "ping" })),
        Dialect::OpenaiChat => event(
            "",
            &json!({
                "id": "chatcmpl-reeve",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": "",
                "choices": [{ "index": 0, "delta": {}, "finish_reason": null }],
            }),
        ),
        Dialect::OpenaiResponses => event("keepalive", &json!({ "type": "keepalive", "sequence_number": 0 })),
        Dialect::Gemini => event("", &nothing()),
        Dialect::GeminiCodeAssist => event("", &json!({ "response": nothing() })),
    }
}
