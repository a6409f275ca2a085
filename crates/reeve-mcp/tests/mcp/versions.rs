//! Every version of the protocol that the official library speaks, with its own client and its own server on the two sides;
//! and everything a message can be about, which passes both ways with its bytes.

use bytes::Bytes;
use reeve_mcp::Link;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientConfig, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, RequestContext};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

use super::world::World;

struct Echo;

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_prompts().enable_resources().build();
        ServerConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({ "type": "object" }).as_object().cloned().unwrap();
        Ok(ListToolsResult::with_all_items(vec![Tool::new("echo", "says it again", schema)]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let said = Value::Object(request.arguments.unwrap_or_default()).to_string();
        Ok(CallToolResponse::Complete(CallToolResult::success(vec![ContentBlock::text(said)])))
    }
}

/// A stream of lines instead of a link.
fn stream(link: Link) -> DuplexStream {
    let (here, there) = tokio::io::duplex(64 * 1024);
    let (read, mut write) = tokio::io::split(there);
    let Link { tx, mut rx } = link;
    tokio::spawn(async move {
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if tx.send(Bytes::from(line)).await.is_err() {
                break;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(message) = rx.recv().await {
            let line = [message.as_ref(), b"\n"].concat();
            if write.write_all(&line).await.is_err() {
                break;
            }
        }
    });
    here
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_of_the_official_library_is_spoken_through_the_relay() {
    for version in ProtocolVersion::KNOWN_VERSIONS {
        let world = World::new().await;
        let wire = world.bare_wire("claude-code").await;
        let server = stream(wire.server);
        let serving = tokio::spawn(async move { Echo.serve(server).await.unwrap().waiting().await });
        let mut config = ClientConfig::default();
        config.protocol_version = version.clone();
        let lifecycle = match version.has_initialize() {
            true => ClientLifecycleMode::Initialize,
            false => ClientLifecycleMode::Discover { preferred_versions: vec![version.clone()] },
        };
        let client = config.serve_with_lifecycle(stream(wire.agent), lifecycle).await.unwrap();
        assert_eq!(client.peer().peer_info().unwrap().protocol_version, *version);
        // A server that nobody reviewed offers nothing.
        assert!(client.list_all_tools().await.unwrap().is_empty(), "{version}");
        world.approve_all("fake").await;
        let tools = client.list_all_tools().await.unwrap();
        assert_eq!(tools.iter().map(|tool| tool.name.as_ref()).collect::<Vec<_>>(), ["echo"], "{version}");
        let arguments = json!({ "version": version }).as_object().cloned().unwrap();
        let asked = CallToolRequestParams::new("echo").with_arguments(arguments);
        let answer = client.call_tool(asked).await.unwrap();
        let said = answer.content.iter().find_map(|part| part.as_text()).unwrap();
        assert_eq!(said.text, json!({ "version": version }).to_string());
        assert!(client.list_all_prompts().await.unwrap().is_empty(), "{version}");
        assert!(client.list_all_resources().await.unwrap().is_empty(), "{version}");
        client.cancel().await.unwrap();
        drop(serving);
        assert_eq!(world.rows(1).await.len(), 1, "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_message_can_be_about_passes_while_a_call_is_held() {
    let world = World::new().await;
    let mut wire = world.wire().await;
    wire.call(1, "write", json!({})).await;
    world.held().await;
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","acme/x":[1,2.50]}"#;
    let from_agent = [
        ("server/discover", format!("{{{meta}}}")),
        (
            "initialize",
            r#"{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"a","version":"1"}}"#.to_owned(),
        ),
        ("resources/list", r#"{"cursor":"page-2"}"#.to_owned()),
        ("resources/read", r#"{"uri":"file:///a%20b"}"#.to_owned()),
        ("resources/subscribe", r#"{"uri":"file:///a"}"#.to_owned()),
        ("prompts/get", r#"{"name":"p","arguments":{"x":"y"}}"#.to_owned()),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"x","value":"y"}}"#.to_owned(),
        ),
        ("logging/setLevel", r#"{"level":"debug"}"#.to_owned()),
        ("tasks/get", r#"{"taskId":"t-1"}"#.to_owned()),
        ("acme/whatever", format!(r#"{{"n":1e3,{meta}}}"#)),
    ];
    for (at, (method, params)) in from_agent.iter().enumerate() {
        let raw = format!(r#"{{"jsonrpc":"2.0","id":"q{at}","method":"{method}","params":{params},"later":true}}"#);
        wire.agent.tx.send(raw.clone().into()).await.unwrap();
        assert_eq!(wire.served_raw().await, raw);
        let answer = format!(r#"{{"id":"q{at}","result":{{"nextCursor":"c","kept":[0.10,{{}}]}},"jsonrpc":"2.0"}}"#);
        wire.server.tx.send(answer.clone().into()).await.unwrap();
        let heard = wire.heard_raw().await;
        // What a server says of itself is read, and written anew from what was read.
        match method {
            &"initialize" | &"server/discover" => {
                let read = |raw: &[u8]| serde_json::from_slice::<Value>(raw).unwrap();
                assert_eq!(read(&heard), read(answer.as_bytes()));
            }
            _ => assert_eq!(heard, answer),
        }
    }
    for (at, method) in ["roots/list", "ping", "acme/asks"].into_iter().enumerate() {
        let raw = format!(r#"{{"jsonrpc":"2.0","id":{at},"method":"{method}","params":{{{meta}}}}}"#);
        wire.server.tx.send(raw.clone().into()).await.unwrap();
        assert_eq!(wire.heard_raw().await, raw);
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{at},"error":{{"code":-32601,"message":"no","data":1.0}}}}"#);
        wire.agent.tx.send(answer.clone().into()).await.unwrap();
        assert_eq!(wire.served_raw().await, answer);
    }
    for (method, params) in [
        ("notifications/progress", r#"{"progressToken":"t","progress":0.50,"total":1}"#),
        ("notifications/message", r#"{"level":"info","data":{"x":1}}"#),
        ("notifications/resources/updated", r#"{"uri":"file:///a"}"#),
        ("notifications/prompts/list_changed", "{}"),
        ("notifications/tasks/status", r#"{"taskId":"t-1","status":"working"}"#),
    ] {
        let raw = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#);
        wire.server.tx.send(raw.clone().into()).await.unwrap();
        assert_eq!(wire.heard_raw().await, raw);
        wire.agent.tx.send(raw.clone().into()).await.unwrap();
        assert_eq!(wire.served_raw().await, raw);
    }
}
