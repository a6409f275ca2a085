//! MCP on its way to a remote server: headers that contradict the message go no further, and those that go on say what is really
//! sent. The tool mouth is the test's own; gate, sockets and server's side are real.

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use reeve_domain::event::EventBody;
use reeve_domain::host::Authority;
use reeve_domain::id::OperationId;
use reeve_domain::operation::{Digest, Endpoint, McpTransport, Operation, Purpose, SchemaCheck, ToolAnnotations};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::server::ToolRecord;
use reeve_domain::verdict::Denial;
use reeve_engine::{Engine, Ruling};
use reeve_protocol::mcp;
use reeve_proxy::payload::Payload;
use reeve_proxy::tools::{Expected, Party, Passage, Posted, Question, ToolCall, ToolMouth, ToolServer};
use serde_json::{Value, json};

use crate::client::{self, post};
use crate::upstream::{Received, Reply, Upstream};
use crate::world::World;

const NEWEST: &str = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: deploy\r\n";

/// Lets every message pass, and keeps the region `private` from the tool.
struct Mouth {
    engine: Engine,
    tool: Arc<ToolRecord>,
}

/// A tool that wants to be told the region in a header.
fn deploy() -> Arc<ToolRecord> {
    let region = json!({ "type": "string", "x-mcp-header": "Region" });
    let schema = json!({ "type": "object", "properties": { "region": region } });
    Arc::new(ToolRecord {
        server: "a.example".to_owned(),
        name: "deploy".to_owned(),
        definition: json!({ "name": "deploy", "inputSchema": schema }),
        digest: Digest::of(b"deploy"),
        annotations: ToolAnnotations::default(),
        findings: Vec::new(),
        present: true,
        versions: Vec::new(),
        changed_at: Utc::now(),
    })
}

fn operation(party: &Party, arguments: &str, engine: &Engine) -> Operation {
    let endpoint = Endpoint { method: "POST".to_owned(), ..party.endpoint.clone() };
    let told = mcp::classify(&mcp::ToolCall {
        server: "a.example",
        transport: McpTransport::Http,
        tool: "deploy",
        annotations: ToolAnnotations::default(),
        schema: SchemaCheck::Fits,
        definition: None,
        endpoint: Some(&endpoint),
        purpose: Purpose::Call,
        data: None,
        arguments: arguments.as_bytes(),
    })
    .unwrap();
    Operation {
        id: OperationId::new(),
        at: engine.now(),
        principal: party.session.principal(),
        subject: told.subject,
        content: told.content,
        summary: told.summary,
        conversation: None,
        credential: None,
        parent: None,
    }
}

impl ToolMouth for Mouth {
    fn read(&self, body: &[u8], _: Expected) -> Result<Option<Posted>, String> {
        let message: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let id = message["id"].clone();
        Ok(Some(match message["method"].as_str() {
            Some("tools/call") => Posted::ToolCall { id, params: message["params"].clone() },
            Some(method) => {
                let method = method.to_owned();
                Posted::Request(Question { id, method, first: true, listens: None, task: None })
            }
            None => Posted::Other,
        }))
    }

    fn is_registered(&self, _: &Endpoint) -> bool {
        false
    }

    fn tool(&self, _: &Party, name: &str) -> Option<Arc<ToolRecord>> {
        (name == "deploy").then(|| Arc::clone(&self.tool))
    }

    fn call(&self, call: ToolCall, server: Arc<dyn ToolServer>) -> BoxFuture<'static, Option<Bytes>> {
        let engine = self.engine.clone();
        Box::pin(async move {
            let ToolCall { party, id, mut params, cancelled, .. } = call;
            if params["arguments"]["region"] == "private" {
                params["arguments"]["region"] = json!("(marked)");
            }
            let operation = operation(&party, &params["arguments"].to_string(), &engine);
            let Ruling::Admitted(admission) = engine.gate().admit(operation, Value::Null).await else {
                panic!("it is not admitted")
            };
            let answered = server.request(&admission, "tools/call", params, &cancelled).await;
            admission.settle(Outcome::ended(Ending::Complete)).await.unwrap();
            let message = match answered {
                Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
                Err(failure) => {
                    let error = json!({ "code": -32000, "message": format!("{failure:?}") });
                    json!({ "jsonrpc": "2.0", "id": id, "error": error })
                }
            };
            Some(Bytes::from(message.to_string()))
        })
    }

    fn answer(&self, _: &Value, _: &Denial) -> Bytes {
        Bytes::new()
    }

    fn refuses(&self, _: Party, _: &Question) -> BoxFuture<'static, Option<Bytes>> {
        Box::pin(async { None })
    }

    fn is_endpoint(&self, _: &Authority) -> bool {
        false
    }

    fn serve(&self, _: http::Request<Bytes>) -> BoxFuture<'static, http::Response<Payload>> {
        unreachable!("there is no endpoint")
    }

    fn hear(&self, _: Party, _: Option<&Question>, _: Bytes) -> BoxFuture<'static, Passage> {
        Box::pin(async { Passage::AsItIs })
    }

    fn changes(&self, _: Party, _: Option<Value>) -> BoxStream<'static, Bytes> {
        stream::pending().boxed()
    }

    fn concerns(&self, _: Option<&Question>, _: &[u8]) -> bool {
        false
    }

    fn answers(&self, _: &[u8]) -> Option<Value> {
        None
    }

    fn asks(&self, _: &[u8]) -> bool {
        false
    }
}

/// A server that answers whatever it is asked.
async fn server() -> (Upstream, World) {
    let upstream = Upstream::start(&["a.example"], false, |received: &Received| {
        let message: Value = serde_json::from_slice(&received.body).unwrap_or_default();
        let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "content": [] } });
        let kind = ("content-type", "application/json".to_owned());
        Reply::Pieces(200, vec![kind], vec![(0, Bytes::from(answer.to_string()))])
    })
    .await;
    let world = World::start(&["a.example:443"], &upstream).await;
    world.proxy.govern_tools(Arc::new(Mouth { engine: world.engine.clone(), tool: deploy() }));
    (upstream, world)
}

fn call(arguments: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": "deploy", "arguments": arguments } })
}

async fn say(world: &World, headers: &str, message: &Value) -> client::Reply {
    let kind = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";
    post(world, "a.example", "/mcp", &format!("{kind}{headers}"), &message.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_contradict_the_message_are_refused_before_anything_goes_out() {
    let (upstream, world) = server().await;
    let (eu, list) =
        (call(json!({ "region": "eu" })), json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {} }));
    let older = NEWEST.replace("2026-07-28", "2025-11-25");
    let versioned = {
        let mut one = eu.clone();
        one["params"]["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
        one
    };
    let table = [
        ("Mcp-Method: tools/list\r\n".to_owned(), &eu),
        ("Mcp-Method: tools/call\r\n".to_owned(), &list),
        ("Mcp-Name: harmless\r\n".to_owned(), &eu),
        ("Mcp-Name: deploy\r\n".to_owned(), &list),
        ("Mcp-Method: tools/call\r\nMcp-Method: tools/call\r\n".to_owned(), &eu),
        (format!("{NEWEST}Mcp-Param-Region: us\r\n"), &eu),
        (format!("{NEWEST}Mcp-Param-Region: =?base64?dXM=?=\r\n"), &eu),
        // Whatever its version: who stands before the server may judge by it all the same.
        (format!("{older}Mcp-Param-Region: us\r\n"), &eu),
        (older.clone(), &versioned),
    ];
    for (headers, message) in &table {
        let reply = say(&world, headers, message).await;
        assert_eq!(reply.status, 400, "{headers:?}: {}", reply.text());
        let told = reply.json();
        assert_eq!((&told["error"]["code"], &told["id"]), (&json!(-32020), &json!(7)), "{headers:?}: {told}");
    }
    assert_eq!(upstream.count(), 0);
    let refused =
        |event: &EventBody| matches!(event, EventBody::ConnectionRefused { why, .. } if why == "mcp_header_mismatch");
    assert_eq!(world.events().iter().filter(|event| refused(event)).count(), table.len());
    let reply = say(&world, "Mcp-Method: tools/list\r\n", &list).await;
    assert_eq!((reply.status, upstream.count()), (200, 1), "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_told_in_headers_what_it_is_really_sent() {
    let (upstream, world) = server().await;
    let sent = async |headers: String, arguments: Value| {
        let reply = say(&world, &headers, &call(arguments)).await;
        assert!(reply.status == 200 && reply.json()["error"].is_null(), "{headers:?}: {}", reply.text());
        let received = upstream.last();
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        let region = received.header("mcp-param-region").map(str::to_owned);
        (region, body["params"]["arguments"]["region"].clone())
    };
    let told = |text: &str, sent: &str| (Some(text.to_owned()), json!(sent));
    // Also where the client did not say it, in the version that wants it.
    assert_eq!(sent(NEWEST.to_owned(), json!({ "region": "eu" })).await, told("eu", "eu"));
    let own = format!("{NEWEST}Mcp-Param-Region: =?base64?ZXU=?=\r\n");
    assert_eq!(sent(own, json!({ "region": "eu" })).await, told("eu", "eu"));
    assert_eq!(sent(NEWEST.to_owned(), json!({ "region": "grün" })).await, told("=?base64?Z3LDvG4=?=", "grün"));
    assert_eq!(sent(NEWEST.to_owned(), json!({ "region": null })).await, (None, Value::Null));
    // What is kept from the tool is kept from its header.
    let own = format!("{NEWEST}Mcp-Param-Region: private\r\n");
    assert_eq!(sent(own, json!({ "region": "private" })).await, told("(marked)", "(marked)"));
    // Older versions have no such headers; one that is there all the same is mended.
    assert_eq!(sent(String::new(), json!({ "region": "eu" })).await, (None, json!("eu")));
    let own = "Mcp-Param-Region: private\r\n".to_owned();
    assert_eq!(sent(own, json!({ "region": "private" })).await, told("(marked)", "(marked)"));
    // What a header is about that nobody knows cannot be mended.
    let before = upstream.count();
    let unknown = format!("{NEWEST}Mcp-Param-Other: private\r\n");
    let reply = say(&world, &unknown, &call(json!({ "region": "private" }))).await;
    assert!(reply.text().contains("what no argument is known for"), "{}", reply.text());
    assert_eq!(upstream.count(), before);
    assert_eq!(sent(unknown, json!({ "region": "eu" })).await, told("eu", "eu"));
    assert_eq!(upstream.last().header("mcp-param-other"), Some("private"), "it passes where nothing was changed");
}
