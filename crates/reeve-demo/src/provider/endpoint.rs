//! From a request to its answer: records it, finds the endpoint by its path, and asks the script.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Version, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::answer::{Answer, Body};
use super::ask::{Ask, turn};
use super::dialect::Dialect;
use super::listener::Origin;
use super::record::{Progress, Received};
use super::{Shared, coding};
use crate::script::{Coding, Group, Script};

/// What a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Call(Dialect),
    Count(Dialect),
    Models,
    /// Code Assist's question for the project.
    LoadCodeAssist,
}

impl Endpoint {
    fn find(method: &str, path: &str) -> Option<Self> {
        if method == "GET" {
            return path.ends_with("/models").then_some(Self::Models);
        }
        if method != "POST" {
            return None;
        }
        let ends = |tail: &str| path.ends_with(tail);
        let gemini = if path.starts_with("/v1internal:") { Dialect::CodeAssist } else { Dialect::Gemini };
        match path.rsplit_once(':').map(|(_, verb)| verb) {
            Some("generateContent" | "streamGenerateContent") => Some(Self::Call(gemini)),
            Some("countTokens") => Some(Self::Count(gemini)),
            Some("loadCodeAssist") => Some(Self::LoadCodeAssist),
            _ if ends("/v1/messages") => Some(Self::Call(Dialect::Anthropic)),
            _ if ends("/v1/messages/count_tokens") => Some(Self::Count(Dialect::Anthropic)),
            _ if ends("/chat/completions") => Some(Self::Call(Dialect::Chat)),
            _ if ends("/responses") => Some(Self::Call(Dialect::Responses)),
            _ if ends("/responses/input_tokens") => Some(Self::Count(Dialect::Responses)),
            _ => None,
        }
    }

    fn group(self) -> Option<Group> {
        match self {
            Self::Call(dialect) => Some(dialect.group()),
            Self::Count(_) => Some(Group::CountTokens),
            Self::Models | Self::LoadCodeAssist => None,
        }
    }
}

/// Hosts that real agents ask for more than model calls: what is not known is `404` there, which they bear, while every
/// other host echoes.
const PROVIDER_HOSTS: [&str; 7] = [
    "api.anthropic.com",
    "api.openai.com",
    "chatgpt.com",
    "ab.chatgpt.com",
    "generativelanguage.googleapis.com",
    "cloudcode-pa.googleapis.com",
    "models.opencode.ai",
];

pub(super) async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    origin: Origin,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let progress = Arc::default();
    let limited = Limited::new(body, usize::try_from(coding::BODY_LIMIT).unwrap_or(usize::MAX));
    let wire = limited.collect().await.map_err(io::Error::other)?.to_bytes();
    let wire_bytes = wire.len();
    let decoded = coding::decode(&all_values(&head.headers, &header::CONTENT_ENCODING), wire);
    let problem = decoded.as_ref().err().map(ToString::to_string);
    let received = record(&shared, &head, origin, decoded.unwrap_or_default(), wire_bytes, &progress);
    let script = Arc::clone(&shared.state.lock().script);
    let answer = match problem {
        Some(problem) => Answer::json(400, &json!({ "error": { "message": problem } })),
        None => decide(&shared, &script, &received),
    };
    let answer = answer.encoded(script.coding.filter(|c| accepts(&received, *c)))?;
    if (200..300).contains(&answer.status()) {
        progress.lock().usage = answer.usage;
    }
    answer.play(Progress(progress)).await
}

fn record(
    shared: &Shared,
    head: &http::request::Parts,
    origin: Origin,
    body: Bytes,
    wire_bytes: usize,
    progress: &Arc<Mutex<super::Answered>>,
) -> Received {
    let authority = head.uri.authority().map(ToString::to_string);
    let authority =
        authority.or_else(|| head.headers.get(header::HOST).and_then(|h| h.to_str().ok()).map(str::to_owned));
    let host = authority.unwrap_or_default().to_ascii_lowercase();
    let host = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).to_owned();
    let path = head.uri.path().to_owned();
    let endpoint = Endpoint::find(head.method.as_str(), &path);
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let main = match endpoint {
        Some(Endpoint::Call(dialect)) => {
            let body = serde_json::from_slice(&body).unwrap_or_default();
            !dialect.read(&body, &path).tools.is_empty()
        }
        _ => false,
    };
    let received = Received {
        serial: shared.next_serial(),
        at: shared.started.elapsed(),
        connection: origin.connection,
        sni: origin.sni,
        host,
        http2: head.version == Version::HTTP_2,
        method: head.method.to_string(),
        path,
        query: head.uri.query().map(str::to_owned),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
        wire_bytes,
        group: endpoint.and_then(Endpoint::group),
        main,
        answer: Arc::clone(progress),
    };
    shared.log.lock().push(received.clone());
    received
}

/// What the script says to this request.
fn decide(shared: &Shared, script: &Script, received: &Received) -> Answer {
    let fill = |text: &str| filled(text, received);
    if let Some(route) = script.routes.iter().find(|r| r.matches(&received.method, &received.host, &received.path)) {
        return Answer::route(route, &fill);
    }
    if received.header("upgrade").is_some() {
        return Answer::json(426, &json!({ "error": { "message": "no upgrades here: use plain HTTPS" } }));
    }
    let Some(endpoint) = Endpoint::find(&received.method, &received.path) else {
        return elsewhere(received);
    };
    let mishap = |group| shared.state.lock().mishap(group, received.main);
    match endpoint {
        Endpoint::Call(dialect) => {
            let Ok(body) = serde_json::from_slice::<Value>(&received.body) else {
                return Answer::json(400, &dialect.error(400, "the body is not JSON"));
            };
            let whole = String::from_utf8_lossy(&received.body).into_owned();
            let ask = Ask { whole, ..dialect.read(&body, &received.path) };
            let turn = turn(script, &ask, received.serial, fill);
            received.answer.lock().model = Some(ask.model.clone());
            let gemini = matches!(dialect, Dialect::Gemini | Dialect::CodeAssist);
            let sse = !gemini || received.query.as_deref().is_some_and(|q| q.contains("alt=sse"));
            Answer::of_model(dialect, &ask, &turn, sse, mishap(dialect.group()).as_ref())
        }
        Endpoint::Count(dialect) => Answer::json(200, &dialect.count(received.body.len()))
            .spoiled_small(mishap(Group::CountTokens).as_ref(), dialect),
        Endpoint::Models => models(script, &received.path),
        Endpoint::LoadCodeAssist => {
            let tier = json!({ "id": "standard-tier", "name": "demo" });
            Answer::json(200, &json!({ "currentTier": tier, "cloudaicompanionProject": "demo-project" }))
        }
    }
}

fn models(script: &Script, path: &str) -> Answer {
    if path.starts_with("/backend-api/codex") {
        // Codex knows its own models; anything else in here it cannot read.
        return Answer::json(200, &json!({ "models": [] }));
    }
    let list: Vec<Value> = if path.contains("v1beta") {
        let model = |id: &String| json!({ "name": format!("models/{id}"), "inputTokenLimit": 1_000_000 });
        script.models.iter().map(model).collect()
    } else {
        let model = |id: &String| {
            json!({
                "id": id, "type": "model", "object": "model", "display_name": id, "owned_by": "demo",
                "created": 1_700_000_000, "created_at": "2026-01-01T00:00:00Z",
            })
        };
        script.models.iter().map(model).collect()
    };
    let key = if path.contains("v1beta") { "models" } else { "data" };
    Answer::json(200, &json!({ "object": "list", "has_more": false, key: list }))
}

/// Hosts of providers know nothing else; any other host says what it got.
fn elsewhere(received: &Received) -> Answer {
    if received.method == "HEAD" {
        return Answer::empty(200);
    }
    if PROVIDER_HOSTS.contains(&received.host.as_str()) {
        // Codex with a ChatGPT login stops working when this one is missing: it names where the account's calls go.
        if received.path == "/backend-api/wham/accounts/check" {
            let account = json!({
                "id": received.header("chatgpt-account-id").unwrap_or_default(),
                "workspace_backend_origin": "https://chatgpt.com",
                "account_routing_override": "NO_CONSTRAINT",
            });
            return Answer::json(200, &json!({ "accounts": [account], "account_ordering": [] }));
        }
        let error = json!({ "type": "not_found_error", "message": "the demo provider has no such endpoint" });
        return Answer::json(404, &json!({ "type": "error", "error": error }));
    }
    let headers: serde_json::Map<String, Value> =
        received.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    Answer::json(
        200,
        &json!({
            "echo": {
                "method": received.method,
                "host": received.host,
                "path": received.path,
                "query": received.query,
                "headers": headers,
                "body": String::from_utf8_lossy(&received.body),
            },
        }),
    )
}

/// Replaces `{header:NAME}`, `{base64:NAME}`, `{hex:NAME}` and `{percent:NAME}` by the received header in that form.
fn filled(text: &str, received: &Received) -> String {
    let mut out = text.to_owned();
    for (name, value) in &received.headers {
        let hex = |lead: &str| value.bytes().fold(String::new(), |s, b| format!("{s}{lead}{b:02x}"));
        let forms: [(&str, &dyn Fn() -> String); 4] = [
            ("header", &|| value.clone()),
            ("base64", &|| BASE64_STANDARD.encode(value)),
            ("hex", &|| hex("")),
            ("percent", &|| hex("%")),
        ];
        for (form, value) in forms {
            let reference = format!("{{{form}:{name}}}");
            if out.contains(&reference) {
                out = out.replace(&reference, &value());
            }
        }
    }
    out
}

fn all_values(headers: &HeaderMap, name: &header::HeaderName) -> String {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}

fn accepts(received: &Received, coding: Coding) -> bool {
    let accepted = received.header("accept-encoding").unwrap_or_default();
    accepted.split(',').any(|a| a.split(';').next().is_some_and(|token| token.trim() == coding.token()))
}
