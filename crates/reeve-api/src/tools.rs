//! Brings proxy and gateway together, which do not see each other: tool calls that the proxy finds in requests go to the
//! gateway, and the gateway reaches remote servers over the proxy.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use reeve_domain::host::{Authority, Host};
use reeve_domain::operation::Endpoint;
use reeve_domain::server::ToolRecord;
use reeve_domain::verdict::Denial;
use reeve_engine::Admission;
use reeve_engine::servers::Start;
use reeve_mcp::http::{Endpoint as McpEndpoint, WeakEndpoint};
use reeve_mcp::message::{self, Answer, Id, Message};
use reeve_mcp::progress::Progress;
use reeve_mcp::{Call, Failure, Gateway, Reply, ServerRef, Upstream};
use reeve_mcp::{asks, lists, tasks};
use reeve_protocol::{denial, mcp_ask};
use reeve_proxy::payload::{Payload, PayloadError};
use reeve_proxy::tools::{Expected, Party, Passage, Posted, Question, ToolCall, ToolFailure, ToolMouth, ToolServer};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// Why an answer of a server is dropped.
const UNASKED: &str = "an answer to nothing that was asked there";

/// The gateway, as the proxy sees it.
pub(crate) struct Mouth {
    pub gateway: Gateway,
    /// Set once the endpoint listens. Not held: it reaches remote servers through the proxy, which holds this.
    pub endpoint: OnceLock<WeakEndpoint>,
}

impl Mouth {
    /// The server that a message goes to or comes from. One that is not registered is known by where it is.
    fn server(&self, party: &Party) -> ServerRef {
        let name = party.server.as_ref().map(ToString::to_string).or_else(|| self.registered(&party.endpoint));
        let name = name.unwrap_or_else(|| by_place(&party.endpoint));
        let seen = self.gateway.seen(&party.session, &name);
        ServerRef::remote(&name, Endpoint { method: "POST".to_owned(), ..party.endpoint.clone() }, seen)
    }

    fn endpoint(&self) -> Option<McpEndpoint> {
        self.endpoint.get().and_then(WeakEndpoint::upgrade)
    }

    fn registered(&self, endpoint: &Endpoint) -> Option<String> {
        let declared = self.gateway.engine().servers().declared();
        declared.iter().find_map(|(name, one)| match &one.start {
            Start::Http { url, .. } => crate::endpoint::read_url(url)
                .is_some_and(|known| {
                    let path = known.target.split('?').next().unwrap_or_default();
                    known.scheme == endpoint.scheme
                        && known.place.host == endpoint.host
                        && known.place.port == endpoint.port
                        && path == endpoint.path.as_str()
                })
                .then(|| name.clone()),
            Start::Stdio { .. } => None,
        })
    }
}

/// Host, and port where it is not the usual one.
fn by_place(endpoint: &Endpoint) -> String {
    match endpoint.port == endpoint.scheme.default_port() {
        true => endpoint.host.to_string(),
        false => format!("{}:{}", endpoint.host, endpoint.port),
    }
}

impl ToolMouth for Mouth {
    fn read(&self, body: &[u8], expected: Expected) -> Result<Option<Posted>, String> {
        read(body, expected)
    }

    fn is_registered(&self, endpoint: &Endpoint) -> bool {
        self.registered(endpoint).is_some()
    }

    fn tool(&self, party: &Party, name: &str) -> Option<Arc<ToolRecord>> {
        self.gateway.tool_of(&self.server(party), name)
    }

    fn call(&self, call: ToolCall, server: Arc<dyn ToolServer>) -> BoxFuture<'static, Option<Bytes>> {
        let gateway = self.gateway.clone();
        let to = Arc::new(self.server(&call.party));
        Box::pin(async move {
            let ToolCall { party, id, params, credential, say, cancelled, patience } = call;
            let id = Id::read(&id);
            let progress = Progress::asked_for(&params, say).map(Arc::new);
            let origin = party.origin;
            let reply = match Call::read(party.session, to, params, progress, cancelled) {
                Ok(call) => gateway.call(Call { credential, origin, patience, ..call }, &Via(server)).await,
                Err(answer) => Reply::Answer(answer),
            };
            match reply {
                Reply::Answer(answer) => Some(message::answer(id.as_ref(), answer)),
                Reply::Nothing => None,
            }
        })
    }

    fn answer(&self, id: &Value, denial: &Denial) -> Bytes {
        message::answer(Id::read(id).as_ref(), Answer::Result(denial::tool_result(denial)))
    }

    fn refuses(&self, party: Party, question: &Question) -> BoxFuture<'static, Option<Bytes>> {
        let (gateway, server) = (self.gateway.clone(), self.server(&party).name.clone());
        let (id, method) = (Id::read(&question.id), question.method.clone());
        Box::pin(async move {
            let answer = gateway.refuses(&party.session, &server, &method).await?;
            Some(message::answer(id.as_ref(), answer))
        })
    }

    fn is_endpoint(&self, place: &Authority) -> bool {
        let local = |host: &Host| matches!(host.to_string().as_str(), "127.0.0.1" | "localhost" | "::1" | "[::1]");
        self.endpoint().is_some_and(|endpoint| endpoint.address().port() == place.port && local(&place.host))
    }

    fn serve(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<Payload>> {
        let endpoint = self.endpoint();
        Box::pin(async move {
            let response = match endpoint {
                Some(endpoint) => endpoint.serve(request).await,
                None => reeve_mcp::http::refusal(StatusCode::SERVICE_UNAVAILABLE, "the endpoint does not listen yet"),
            };
            response.map(|body| body.map_err(|error| PayloadError::Upstream(error.to_string())).boxed_unsync())
        })
    }

    fn hear(&self, party: Party, question: Option<&Question>, message: Bytes) -> BoxFuture<'static, Passage> {
        let server = self.server(&party);
        let (gateway, question) = (self.gateway.clone(), question.cloned());
        Box::pin(async move { hear(&gateway, &party, &server, question.as_ref(), &message).await })
    }

    fn changes(&self, party: Party, subscription: Option<Value>) -> BoxStream<'static, Bytes> {
        let server = Arc::new(self.server(&party));
        let changes = self.gateway.changes(party.session, server);
        stream::unfold((changes, subscription), |(mut changes, subscription)| async move {
            changes.next().await;
            Some((lists::changed(subscription.as_ref()), (changes, subscription)))
        })
        .boxed()
    }

    fn concerns(&self, question: Option<&Question>, message: &[u8]) -> bool {
        // Whatever a server may write for it, only a message with these letters or with an escape can be one of these.
        let has = |word: &[u8]| message.windows(word.len()).any(|window| window == word);
        question.is_some_and(|asked| {
            asked.method == "tools/list" || lists::greets(&asked.method) || tasks::fetches(&asked.method).is_some()
        }) || has(b"notifications/tasks")
            || has(b"sampling")
            || has(b"elicitation")
            || has(b"result")
            || has(b"error")
            || has(b"\\")
    }

    fn answers(&self, message: &[u8]) -> Option<Value> {
        match message::parse(message) {
            Ok(Message::Response { id: Some(id), .. }) => Some(id.value()),
            _ => None,
        }
    }

    fn asks(&self, message: &[u8]) -> bool {
        self.concerns(None, message)
            && matches!(message::parse(message), Ok(Message::Request { method, .. }) if mcp_ask::is_ask(&method))
    }
}

/// Reads what is posted.
fn read(body: &[u8], expected: Expected) -> Result<Option<Posted>, String> {
    if expected == Expected::Anything && !may_be_rpc(body) {
        return Ok(None);
    }
    match message::parse(body) {
        Ok(Message::Request { id, method, params }) if method == "tools/call" => {
            Ok(Some(Posted::ToolCall { id: id.value(), params }))
        }
        Ok(Message::Request { id, method, params }) => {
            let first = params.get("cursor").is_none_or(Value::is_null);
            let listens = lists::listens(&method, &params).then(|| id.value());
            let named = params.get("taskId");
            let task = named.and_then(Value::as_str).map(str::to_owned);
            // Other protocols have a method of this name too, and other names for what it is about.
            let unnamed = task.is_none() && (named.is_some() || expected == Expected::Mcp);
            if unnamed && tasks::fetches(&method).is_some() {
                return Err(tasks::UNNAMED.to_owned());
            }
            Ok(Some(Posted::Request(Question { id: id.value(), method, first, listens, task })))
        }
        // A server that does not miss the `id` would act on it, and nobody would hear what came of it.
        Ok(Message::Notification { method, .. }) if method == "tools/call" || mcp_ask::is_ask(&method) => {
            Err(format!("`{method}` without an `id`"))
        }
        Ok(Message::Notification { method, params }) if method == "notifications/cancelled" => {
            let id = params.get("requestId").cloned().unwrap_or_default();
            Ok(Some(Posted::Cancels { id }))
        }
        Ok(Message::Response { id: Some(id), .. }) => Ok(Some(Posted::Answers { id: id.value() })),
        Ok(Message::Notification { .. } | Message::Response { .. }) => Ok(Some(Posted::Other)),
        Err(error) if expected == Expected::Mcp || may_call(body, expected) => Err(error.to_string()),
        Err(_) => Ok(None),
    }
}

/// What becomes of a message of a remote server.
async fn hear(
    gateway: &Gateway,
    party: &Party,
    server: &ServerRef,
    question: Option<&Question>,
    bytes: &[u8],
) -> Passage {
    match message::parse(bytes) {
        // Clients pair answers by their ids alone: this one might be taken for the answer to a call, or to a list.
        Ok(Message::Response { id: Some(id), .. }) if question.is_none() && !gateway.observes(&party.session) => {
            let id: String = id.to_string().chars().take(100).collect();
            gateway.record_refused(&party.session, UNASKED, format!("{}: {id}", server.name)).await;
            Passage::Dropped
        }
        Ok(Message::Response { id: Some(id), answer: Answer::Result(result) }) => {
            hear_result(gateway, party, server, question, &id, result).await
        }
        Ok(Message::Request { id, method, params }) if mcp_ask::is_ask(&method) => {
            match gateway.ask(&party.session, server, &method, &params, None).await {
                // Its answer travels in a request of the client's own, and is not waited for here.
                Ok(asking) => {
                    asking.passed();
                    Passage::AsItIs
                }
                Err(answer) => Passage::Answered(message::answer(Some(&id), answer)),
            }
        }
        Ok(Message::Response { answer: Answer::Error(error), .. }) => {
            let fetched = question.filter(|asked| tasks::fetches(&asked.method) == Some(true));
            if let Some(task) = fetched.and_then(|asked| asked.task.as_ref()) {
                // It ends the call, and passes as it is.
                gateway.task_told(&party.session, server, task, true, Answer::Error(error)).await;
            }
            Passage::AsItIs
        }
        Ok(Message::Notification { method, params }) if tasks::is_told(&method) => {
            let Some(task) = params.get("taskId").and_then(Value::as_str) else {
                let detail = format!("{}: {method}", server.name);
                gateway.record_refused(&party.session, tasks::UNNAMED, detail).await;
                return Passage::Dropped;
            };
            let said = Answer::Result(params.clone());
            match gateway.task_told(&party.session, server, task, false, said).await {
                Answer::Result(told) if told == params => Passage::AsItIs,
                Answer::Result(told) => Passage::Changed(message::notification(&method, told)),
                Answer::Error(_) => Passage::Dropped,
            }
        }
        Ok(Message::Notification { method, .. }) if mcp_ask::is_ask(&method) => {
            let detail = format!("{}: {method}", server.name);
            gateway.record_refused(&party.session, asks::WITHOUT_ID, detail).await;
            Passage::Dropped
        }
        Ok(_) => Passage::AsItIs,
        // What could be read in two ways is neither filtered nor judged, so it does not pass.
        Err(error) => {
            let id = serde_json::from_slice::<Value>(bytes).ok().and_then(|value| Id::read(value.get("id")?));
            let why = format!("the server's message cannot be read without doubt: {error}");
            Passage::Changed(message::answer(id.as_ref(), message::failure(-32603, &why)))
        }
    }
}

/// What becomes of the result that a remote server gives to a request.
async fn hear_result(
    gateway: &Gateway,
    party: &Party,
    server: &ServerRef,
    question: Option<&Question>,
    id: &Id,
    result: Value,
) -> Passage {
    let changed = |answer| Passage::Changed(message::answer(Some(id), answer));
    match question {
        Some(Question { method, first, .. }) if method == "tools/list" => {
            changed(gateway.listed(&party.session, server, *first, result).await)
        }
        Some(asked) if lists::greets(&asked.method) => {
            let said = result.clone();
            let told = gateway.greeted(server, result);
            if told == said { Passage::AsItIs } else { changed(Answer::Result(told)) }
        }
        Some(Question { method, task: Some(task), .. })
            if tasks::fetches(method).is_some() && !asks::has_inputs(&result) =>
        {
            let whole = tasks::fetches(method) == Some(true);
            let came = Answer::Result(result);
            let told = gateway.task_told(&party.session, server, task, whole, came.clone()).await;
            if told == came { Passage::AsItIs } else { changed(told) }
        }
        // What the server asks of the agent's side may also stand in an answer.
        _ => match gateway.inputs(&party.session, server, &result, None).await {
            Ok(()) => Passage::AsItIs,
            Err(why) => changed(message::failure(-32603, why)),
        },
    }
}

/// The letters that every reader finds in a body, whatever marks its order of bytes, and however wide its characters are.
fn letters(body: &[u8]) -> Cow<'_, [u8]> {
    let is_letter = |byte: &u8| byte.is_ascii() && *byte != 0;
    if body.iter().all(is_letter) {
        return Cow::Borrowed(body);
    }
    Cow::Owned(body.iter().copied().filter(is_letter).collect())
}

fn has(letters: &[u8], word: &[u8]) -> bool {
    letters.windows(word.len()).any(|window| window == word)
}

/// Cheap: whether a body begins like JSON, or like a comment before it, and has a word of JSON-RPC or may hide one.
fn may_be_rpc(body: &[u8]) -> bool {
    let letters = letters(body);
    let first = letters.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[' | b'/'))
        && (has(&letters, b"jsonrpc") || has(&letters, b"tools/call") || has(&letters, b"\\"))
}

/// Whether it says `tools/call` for a reader that takes what no JSON permits.
fn spells_call(body: &[u8]) -> bool {
    let letters = letters(body);
    let mut plain = Vec::with_capacity(letters.len());
    let mut rest: &[u8] = &letters;
    while let Some((letter, after)) = rest.split_first() {
        rest = after;
        let Some((escape, after)) = after.split_first().filter(|_| *letter == b'\\') else {
            plain.push(*letter);
            continue;
        };
        let digits = match escape {
            b'u' => 4,
            b'x' => 2,
            _ => 0,
        };
        let code = after.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        plain.push(code.map_or(*escape, |code| u8::try_from(code).unwrap_or(b'?')));
        rest = if code.is_some() { after.get(digits..).unwrap_or_default() } else { after };
    }
    has(&plain, b"tools/call")
}

/// Whether something that is no message might still be read as a tool call by a server that reads less strictly.
fn may_call(body: &[u8], expected: Expected) -> bool {
    // Some readers take a key in any case.
    let calls = |one: &Value| {
        one.as_object().is_some_and(|fields| {
            let is_call = |(key, value): (&String, &Value)| {
                message::fold(key) == "method" && value.as_str() == Some("tools/call")
            };
            fields.iter().any(is_call)
        })
    };
    match message::strict(body) {
        Ok(Value::Array(items)) => items.iter().any(calls),
        Ok(one) => calls(&one),
        // A key that stands twice, and whatever else is read in two ways.
        Err(_) => match serde_json::from_slice::<Value>(body) {
            Ok(lax) => {
                let rpc = |one: &Value| one.get("jsonrpc").is_some() || calls(one);
                lax.as_array().map_or_else(|| rpc(&lax), |items| items.iter().any(rpc)) || spells_call(body)
            }
            // Half of a character, numbers without end, a mark before the first byte, too deep: others read on.
            Err(_) => expected == Expected::Json && !body.trim_ascii().is_empty() || spells_call(body),
        },
    }
}

/// A remote server, as the gateway sees it.
struct Via(Arc<dyn ToolServer>);

impl Upstream for Via {
    fn request<'a>(
        &'a self,
        admission: &'a Admission,
        method: &'a str,
        params: Value,
        cancelled: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            self.0.request(admission, method, params, cancelled).await.map_err(|failure| match failure {
                ToolFailure::Gone(why) => Failure::Gone { why },
                ToolFailure::TooLarge(bytes) => Failure::TooLarge { bytes },
                ToolFailure::Garbage(why) => Failure::Garbage { why },
                ToolFailure::Cancelled => Failure::Cancelled,
                ToolFailure::Rpc(error) => Failure::Rpc(error),
                ToolFailure::Status(status) => Failure::Status(status),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":1}}}"#;

    /// Bodies that a lax server could take for a call.
    fn bad() -> Vec<Vec<u8>> {
        let mut bad: Vec<Vec<u8>> = [
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping"}"#,
            r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call"}]"#,
            r#"{"id":1,"method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"tools\/call"}"#,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"Method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/call"}"#,
            r#"{"JSONRPC":"2.0","id":1,"Method":"tools/call"}"#,
            "/* a comment */ {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}",
        ]
        .into_iter()
        .map(|body| body.as_bytes().to_vec())
        .collect();
        for argument in [r#""\ud800""#, "1e999", "NaN", "'x'", "0x1", "[1,]"] {
            bad.push(CALL.replace(r#"{"a":1}"#, &format!(r#"{{"a":{argument}}}"#)).into_bytes());
            let escaped = CALL.replace("tools/call", r"\u0074ools\u002Fcall");
            bad.push(escaped.replace(r#"{"a":1}"#, &format!(r#"{{"a":{argument}}}"#)).into_bytes());
        }
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        bad.push(CALL.replace(r#"{"a":1}"#, &format!(r#"{{"a":{deep}}}"#)).into_bytes());
        bad.push([b"\xef\xbb\xbf".as_slice(), CALL.as_bytes()].concat());
        bad.push([CALL.as_bytes(), b" {}"].concat());
        bad.push(CALL.bytes().flat_map(|byte| [byte, 0]).collect());
        bad.push([0xfe, 0xff].into_iter().chain(CALL.bytes().flat_map(|byte| [0, byte])).collect());
        let broken = CALL.replace("{\"a\":1}", "{\"a\":\"@\"}");
        bad.push(broken.bytes().map(|byte| if byte == b'@' { 0xff } else { byte }).collect());
        bad
    }

    #[test]
    fn what_a_lax_server_could_take_for_a_call_is_not_let_pass_as_something_else() {
        for body in bad() {
            for expected in [Expected::Anything, Expected::Json, Expected::Mcp] {
                assert!(read(&body, expected).is_err(), "{expected:?}: {}", String::from_utf8_lossy(&body));
            }
        }
    }

    #[test]
    fn other_json_passes_as_what_it_is_where_no_mcp_is_expected() {
        for good in [
            r#"[{"jsonrpc":"2.0","id":1,"method":"eth_call"}]"#,
            r#"{"a":1,"a":2}"#,
            r#"{"method":"x"}"#,
            r#"{"words":"tools/call"}"#,
        ] {
            for expected in [Expected::Anything, Expected::Json] {
                assert_eq!(read(good.as_bytes(), expected), Ok(None), "{expected:?}: {good}");
            }
            assert!(read(good.as_bytes(), Expected::Mcp).is_err(), "{good}");
        }
        for other in ["[1", r#"{"a":"\ud800"}"#, "about tools/call"] {
            assert_eq!(read(other.as_bytes(), Expected::Anything), Ok(None), "{other}");
            assert!(read(other.as_bytes(), Expected::Json).is_err(), "{other}");
            assert!(read(other.as_bytes(), Expected::Mcp).is_err(), "{other}");
        }
    }

    #[test]
    fn a_task_is_not_asked_about_by_an_id_that_is_no_text() {
        for params in [r#"{"taskId":7}"#, r#"{"taskId":null}"#, r#"{"taskId":["a"]}"#, "{}"] {
            for method in ["tasks/get", "tasks/result"] {
                let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
                assert!(read(body.as_bytes(), Expected::Mcp).is_err(), "{body}");
                // Only what names no task of MCP at all may be another protocol's.
                assert_eq!(read(body.as_bytes(), Expected::Anything).is_ok(), params == "{}", "{body}");
            }
        }
    }

    #[test]
    fn a_list_is_known_to_be_read_from_its_beginning_by_its_cursor() {
        for (params, first) in [("{}", true), (r#"{"cursor":null}"#, true), (r#"{"cursor":"2"}"#, false)] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
            let (id, method) = (Value::from(1), "tools/list".to_owned());
            let question = Question { id, method, first, listens: None, task: None };
            assert_eq!(read(body.as_bytes(), Expected::Anything), Ok(Some(Posted::Request(question))), "{params}");
        }
    }
}
