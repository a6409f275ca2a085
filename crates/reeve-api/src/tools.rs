//! Brings proxy and gateway together, which do not see each other: tool calls that the proxy finds in requests go to the
//! gateway, and the gateway reaches remote servers over the proxy.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reeve_domain::operation::{Endpoint, McpTransport};
use reeve_domain::verdict::Denial;
use reeve_engine::Admission;
use reeve_engine::servers::Start;
use reeve_mcp::message::{self, Answer, Id, Message};
use reeve_mcp::progress::Progress;
use reeve_mcp::{Call, Failure, Gateway, Reply, ServerRef, Upstream};
use reeve_protocol::denial;
use reeve_proxy::tools::{Party, Passage, Posted, ToolCall, ToolFailure, ToolMouth, ToolServer};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// The gateway, as the proxy sees it.
pub(crate) struct Mouth {
    pub gateway: Gateway,
}

impl Mouth {
    /// The server that a message goes to or comes from. One that is not registered is known by where it is.
    fn server(&self, party: &Party) -> ServerRef {
        let name = party.server.as_ref().map(ToString::to_string).or_else(|| self.registered(&party.endpoint));
        ServerRef {
            name: name.unwrap_or_else(|| by_place(&party.endpoint)),
            transport: McpTransport::Http,
            command: Vec::new(),
            endpoint: Some(Endpoint { method: "POST".to_owned(), ..party.endpoint.clone() }),
        }
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
        if !matches!(first, Some(b'{' | b'[')) {
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
            Err(error) => if may_call(body) { Err(error.to_string()) } else { Ok(None) },
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

    fn hear(&self, _party: Party, _method: Option<&str>, _message: Bytes) -> BoxFuture<'static, Passage> {
        Box::pin(async { Passage::AsItIs })
    }

    fn concerns(&self, method: Option<&str>, message: &[u8]) -> bool {
        // Whatever a server may write for it, only a message with these letters or with an escape can be one of these.
        let has = |word: &[u8]| message.windows(word.len()).any(|window| window == word);
        method == Some("tools/list") || has(b"sampling") || has(b"elicitation") || has(b"\\")
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
        for good in [r#"[{"jsonrpc":"2.0","id":1,"method":"eth_call"}]"#, r#"{"a":1,"a":2}"#, "[1", r#"{"method":"x"}"#] {
            assert!(!may_call(good.as_bytes()), "{good}");
        }
    }
}
