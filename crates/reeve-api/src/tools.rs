//! Brings proxy and gateway together, which do not see each other: tool calls that the proxy finds in requests go to the
//! gateway, and the gateway reaches remote servers over the proxy.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use reeve_domain::host::{Authority, Host};
use reeve_domain::operation::Endpoint;
use reeve_domain::verdict::Denial;
use reeve_engine::Admission;
use reeve_engine::servers::Start;
use reeve_mcp::http::{Endpoint as McpEndpoint, WeakEndpoint};
use reeve_mcp::lists;
use reeve_mcp::message::{self, Answer, Id, Message};
use reeve_mcp::progress::Progress;
use reeve_mcp::{Call, Failure, Gateway, Reply, ServerRef, Upstream};
use reeve_protocol::{denial, mcp_ask};
use reeve_proxy::payload::{Payload, PayloadError};
use reeve_proxy::tools::{Party, Passage, Posted, ToolCall, ToolFailure, ToolMouth, ToolServer};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

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
    fn read(&self, body: &[u8]) -> Result<Option<Posted>, String> {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let has = |word: &[u8]| body.windows(word.len()).any(|window| window == word);
        if !matches!(first, Some(b'{' | b'[')) || !(has(b"jsonrpc") || has(b"tools/call") || has(b"\\")) {
            return Ok(None);
        }
        match message::parse(body) {
            Ok(Message::Request { id, method, params }) if method == "tools/call" => {
                Ok(Some(Posted::ToolCall { id: id.value(), params }))
            }
            Ok(Message::Request { method, .. }) => Ok(Some(Posted::Request { method })),
            Ok(Message::Notification { method, params }) if method == "notifications/cancelled" => {
                let id = params.get("requestId").cloned().unwrap_or_default();
                Ok(Some(Posted::Cancels { id }))
            }
            Ok(Message::Notification { .. } | Message::Response { .. }) => Ok(Some(Posted::Other)),
            Err(error) => {
                if may_call(body) {
                    Err(error.to_string())
                } else {
                    Ok(None)
                }
            }
        }
    }

    fn call(&self, call: ToolCall, server: Arc<dyn ToolServer>) -> BoxFuture<'static, Option<Bytes>> {
        let gateway = self.gateway.clone();
        let to = Arc::new(self.server(&call.party));
        Box::pin(async move {
            let ToolCall { party, id, params, credential, say, cancelled } = call;
            let id = Id::read(&id);
            let progress = Progress::asked_for(&params, say).map(Arc::new);
            let reply = match Call::read(party.session, to, params, progress, cancelled) {
                Ok(call) => gateway.call(Call { credential, ..call }, &Via(server)).await,
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

    fn hear(&self, party: Party, method: Option<&str>, message: Bytes) -> BoxFuture<'static, Passage> {
        let server = self.server(&party);
        let (gateway, method) = (self.gateway.clone(), method.map(str::to_owned));
        Box::pin(async move { hear(&gateway, &party, &server, method.as_deref(), &message).await })
    }

    fn concerns(&self, method: Option<&str>, message: &[u8]) -> bool {
        // Whatever a server may write for it, only a message with these letters or with an escape can be one of these.
        let has = |word: &[u8]| message.windows(word.len()).any(|window| window == word);
        method.is_some_and(|method| method == "tools/list" || lists::greets(method))
            || has(b"sampling")
            || has(b"elicitation")
            || has(b"\\")
    }
}

/// What becomes of a message of a remote server.
async fn hear(gateway: &Gateway, party: &Party, server: &ServerRef, method: Option<&str>, bytes: &[u8]) -> Passage {
    match message::parse(bytes) {
        Ok(Message::Response { id: Some(id), answer: Answer::Result(result) }) => {
            let answer = match method {
                Some("tools/list") => gateway.listed(&party.session, server, None, result).await,
                Some(method) if lists::greets(method) => Answer::Result(gateway.greeted(server, result)),
                // What the server asks of the agent's side may also stand in an answer.
                _ => match gateway.inputs(&party.session, server, &result, None).await {
                    Ok(()) => return Passage::AsItIs,
                    Err(why) => message::failure(-32603, why),
                },
            };
            Passage::Changed(message::answer(Some(&id), answer))
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
        Ok(_) => Passage::AsItIs,
        // What could be read in two ways is neither filtered nor judged, so it does not pass.
        Err(error) => {
            let id = serde_json::from_slice::<Value>(bytes).ok().and_then(|value| Id::read(value.get("id")?));
            let why = format!("the server's message cannot be read without doubt: {error}");
            Passage::Changed(message::answer(id.as_ref(), message::failure(-32603, &why)))
        }
    }
}

/// Whether something that is no message might still be read as a tool call by a server that reads less strictly.
fn may_call(body: &[u8]) -> bool {
    let calls = |one: &Value| one.get("method").and_then(Value::as_str) == Some("tools/call");
    match message::strict(body) {
        Ok(Value::Array(items)) => items.iter().any(calls),
        Ok(one) => calls(&one),
        // A key that stands twice, and whatever else is read in two ways.
        Err(_) => serde_json::from_slice::<Value>(body).is_ok_and(|lax| {
            let rpc = |one: &Value| one.get("jsonrpc").is_some() || calls(one);
            lax.as_array().map_or_else(|| rpc(&lax), |items| items.iter().any(rpc))
        }),
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

    #[test]
    fn what_a_lax_server_could_take_for_a_call_is_not_let_pass_as_something_else() {
        for bad in [
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping"}"#,
            r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call"}]"#,
            r#"{"id":1,"method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"tools\/call"}"#,
        ] {
            assert!(message::parse(bad.as_bytes()).is_err() && may_call(bad.as_bytes()), "{bad}");
        }
        for good in [r#"[{"jsonrpc":"2.0","id":1,"method":"eth_call"}]"#, r#"{"a":1,"a":2}"#, "[1", r#"{"method":"x"}"#]
        {
            assert!(!may_call(good.as_bytes()), "{good}");
        }
    }
}
