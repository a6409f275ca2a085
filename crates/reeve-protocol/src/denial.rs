//! The only place that words denials for agents: in each dialect's own error shape, with a status that makes the client
//! stop and show our words instead of trying again (measured client by client), and in a stream once headers are out.

mod hold;

use bytes::Bytes;
use reeve_domain::operation::Dialect;
use reeve_domain::verdict::{Denial, DenialKind};
use serde_json::{Value, json};

use crate::text;

pub use hold::{HoldPlan, answers_with_events, hold_limits, keepalive};

/// Longest text for an agent, in characters.
const LONGEST: usize = 1_000;

/// An answer of Reeve's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireDenial {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Bytes,
}

/// What the agent is told instead of the upstream's answer. `dialect` is that of a call to a language model, `None` for
/// plain HTTP.
///
/// Never 401, 408, 409, 429 or 5xx: clients try again on these by themselves, some for ever.
#[must_use]
pub fn response(denial: &Denial, dialect: Option<Dialect>, user_agent: &str) -> WireDenial {
    let text = text(denial);
    match dialect {
        // Codex shows a plain 400 as it is; it tries others again or hides them.
        Some(_) if user_agent.starts_with("codex") => wire(400, "text/plain; charset=utf-8", text.into_bytes()),
        Some(dialect) => {
            let status = if denial.kind == DenialKind::Malformed { 400 } else { 402 };
            json_wire(status, "application/json", &error(dialect, status, denial, &text))
        }
        None => {
            let status = match denial.kind {
                DenialKind::Budget | DenialKind::Unpriced => 402,
                DenialKind::Malformed => 400,
                _ => 403,
            };
            json_wire(status, "application/problem+json", &problem(denial, status, text))
        }
    }
}

/// A denial as the result of a tool call: an error, because models read those and clients show them. What it is of is in
/// its `_meta` for programs.
#[must_use]
pub fn tool_result(denial: &Denial) -> Value {
    json!({
        "content": [{ "type": "text", "text": text(denial) }],
        "isError": true,
        "_meta": { "reeve/denial": {
            "code": code(denial.kind),
            "rules": denial.reasons.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>(),
            "record": denial.record.as_ref().map(ToString::to_string),
        } },
    })
}

/// The event that ends a stream whose headers are out. The client's repeat then meets the recorded refusal.
#[must_use]
pub fn in_stream(denial: &Denial, dialect: Dialect) -> Bytes {
    let text = text(denial);
    let (name, data) = match dialect {
        Dialect::AnthropicMessages => ("error", error(dialect, 402, denial, &text)),
        Dialect::OpenaiChat | Dialect::Gemini | Dialect::GeminiCodeAssist => ("", error(dialect, 402, denial, &text)),
        // The one code that Codex neither rewords nor tries again.
        Dialect::OpenaiResponses => (
            "response.failed",
            json!({
                "type": "response.failed",
                "sequence_number": 0,
                "response": {
                    "id": "resp_reeve",
                    "object": "response",
                    "status": "failed",
                    "error": { "code": "invalid_prompt", "message": text },
                    "output": [],
                    "usage": null,
                },
            }),
        ),
    };
    event(name, &data)
}

/// The answer to a WebSocket upgrade of a language model: its clients then use HTTP with events, which is metered.
#[must_use]
pub fn upgrade_required() -> WireDenial {
    let body = "Reeve passes calls to language models over HTTP only: use server-sent events instead of a WebSocket.\n";
    let mut wire = wire(426, "text/plain; charset=utf-8", body.as_bytes().to_vec());
    wire.headers.push(("upgrade", "HTTP/1.1"));
    wire
}

/// What was denied and by which rule, that sending it again will not help, what to do instead, and the record: one line.
#[must_use]
pub fn text(denial: &Denial) -> String {
    let mut sentences = vec![format!("{}: {}", opening(denial.kind), denial.message.trim().trim_end_matches('.'))];
    let unnamed = denial.reasons.iter().filter(|reason| !denial.message.contains(reason.rule.as_str()));
    let rules: Vec<String> = unnamed
        .map(|reason| match reason.text.trim().trim_end_matches('.') {
            "" => format!("`{}`", reason.rule),
            text => format!("`{}` ({text})", reason.rule),
        })
        .collect();
    if !rules.is_empty() {
        sentences.push(format!("Rule: {}", rules.join(", ")));
    }
    sentences.push(again(denial.kind).to_owned());
    let advice = denial.advice.trim().trim_end_matches('.');
    if !advice.is_empty() {
        sentences.push(capitalised(advice));
    }
    let record = denial.record.as_ref().map(|record| format!(" Record: {record}.")).unwrap_or_default();
    let said = text::line(&format!("{}.", sentences.join(". ")), LONGEST - record.len());
    format!("{said}{record}")
}

fn opening(kind: DenialKind) -> &'static str {
    match kind {
        DenialKind::Fault => "Reeve could not decide or record this, so it was not sent",
        DenialKind::Malformed => "Reeve could not read this without doubt, so it was not sent",
        DenialKind::Stopped => "Reeve stopped this",
        DenialKind::Unavailable => "Reeve answered this itself",
        DenialKind::Policy
        | DenialKind::Refused
        | DenialKind::Expired
        | DenialKind::Budget
        | DenialKind::Unpriced
        | DenialKind::Leak
        | DenialKind::Address => "Reeve denied this",
    }
}

fn again(kind: DenialKind) -> &'static str {
    match kind {
        DenialKind::Budget => "Sending it again will not help until the budget is raised or its window is over",
        DenialKind::Unpriced => "Sending it again will not help until a price is known",
        DenialKind::Expired => "Sending it again by itself will not help",
        DenialKind::Fault => "Sending it again will not help until the fault is mended",
        DenialKind::Unavailable => "Sending it again at once will not help",
        _ => "Sending it again will not help",
    }
}

fn title(kind: DenialKind) -> &'static str {
    match kind {
        DenialKind::Policy => "Denied by a rule",
        DenialKind::Refused => "Refused by a human",
        DenialKind::Expired => "Not approved in time",
        DenialKind::Budget => "Over budget",
        DenialKind::Unpriced => "No price is known",
        DenialKind::Leak => "A credential was on its way to another place",
        DenialKind::Address => "Address not permitted",
        DenialKind::Malformed => "Malformed or ambiguous request",
        DenialKind::Stopped => "Stopped",
        DenialKind::Unavailable => "Not available now",
        DenialKind::Fault => "Not decided or not recorded",
    }
}

/// The name of a kind in answers: as it is recorded.
fn code(kind: DenialKind) -> String {
    match serde_json::to_value(kind) {
        Ok(Value::String(name)) => name,
        _ => "denied".to_owned(),
    }
}

fn error(dialect: Dialect, status: u16, denial: &Denial, text: &str) -> Value {
    match dialect {
        Dialect::AnthropicMessages => {
            let kind = if status == 400 { "invalid_request_error" } else { "billing_error" };
            json!({ "type": "error", "error": { "type": kind, "message": text } })
        }
        Dialect::OpenaiChat | Dialect::OpenaiResponses => json!({
            "error": {
                "message": text,
                "type": "invalid_request_error",
                "param": null,
                "code": format!("reeve_{}", code(denial.kind)),
            }
        }),
        Dialect::Gemini | Dialect::GeminiCodeAssist => {
            let name = if status == 400 { "INVALID_ARGUMENT" } else { "FAILED_PRECONDITION" };
            json!({ "error": { "code": status, "message": text, "status": name } })
        }
    }
}

/// RFC 9457.
fn problem(denial: &Denial, status: u16, text: String) -> Value {
    let code = code(denial.kind);
    json!({
        "type": format!("urn:reeve:denial:{code}"),
        "title": title(denial.kind),
        "status": status,
        "detail": text,
        "code": code,
        "rules": denial.reasons.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>(),
        "advice": text::line(&denial.advice, LONGEST),
        "record": denial.record.as_ref().map(ToString::to_string),
    })
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn json_wire(status: u16, content_type: &'static str, body: &Value) -> WireDenial {
    wire(status, content_type, body.to_string().into_bytes())
}

fn wire(status: u16, content_type: &'static str, body: Vec<u8>) -> WireDenial {
    let headers = vec![("content-type", content_type), ("cache-control", "no-store"), ("x-should-retry", "false")];
    WireDenial { status, headers, body: body.into() }
}

/// One server-sent event; JSON text has no line breaks.
fn event(name: &str, data: &Value) -> Bytes {
    let head = if name.is_empty() { String::new() } else { format!("event: {name}\n") };
    Bytes::from(format!("{head}data: {data}\n\n"))
}

#[cfg(test)]
mod tests;
