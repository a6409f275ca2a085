//! Headers that say what a message says (`Mcp-Method`, `Mcp-Name`, `Mcp-Param-…`), where Reeve is the server: what contradicts the
//! message, or is missing in the version that wants it, reaches no program.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use reeve_domain::event::EventBody;
use reeve_domain::sensitive::Secret;
use reeve_engine::LiveSession;
use reeve_mcp::http::{Back, Body, Endpoint, Place, Started};
use reeve_mcp::{Link, ServerRef, lives};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::world::{SOON, World, text};

const NEWEST: &str = "2026-07-28";
const META: &str = "io.modelcontextprotocol/protocolVersion";

/// A program with one tool, which wants to be told the region in a header.
#[derive(Default)]
struct Program {
    /// What it was called with.
    calls: Arc<Mutex<Vec<Value>>>,
}

fn tools() -> Value {
    let region = json!({ "type": "string", "x-mcp-header": "Region" });
    let schema = json!({ "type": "object", "properties": { "region": region, "count": { "type": "integer" } } });
    json!([{ "name": "echo", "description": "does echo", "inputSchema": schema }])
}

impl Back for Program {
    fn place(&self, server: &str) -> Option<Place> {
        (server == "fake").then_some(Place::Child)
    }

    fn check_user<'a>(
        &'a self,
        _: &'a Arc<LiveSession>,
        _: SocketAddr,
        _: SocketAddr,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn start<'a>(
        &'a self,
        _: &'a Arc<LiveSession>,
        _: &'a Secret,
        server: &'a str,
    ) -> BoxFuture<'a, Result<Started, String>> {
        Box::pin(async move {
            let (link, mut there) = Link::pair();
            let calls = Arc::clone(&self.calls);
            tokio::spawn(async move {
                while let Some(raw) = there.rx.recv().await {
                    let message: Value = serde_json::from_slice(&raw).unwrap();
                    let result = match message["method"].as_str() {
                        Some("tools/list") => json!({ "tools": tools() }),
                        Some("tools/call") => {
                            calls.lock().push(message["params"]["arguments"].clone());
                            json!({ "content": [{ "type": "text", "text": "echoed" }] })
                        }
                        _ => continue,
                    };
                    let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
                    // Whoever is gone does not hear it.
                    let _ = there.tx.send(Bytes::from(answer.to_string())).await;
                }
            });
            let server = ServerRef::program(server, vec!["fake-server".to_owned()], Path::new("/tmp"), None);
            Ok(Started { server, link, lives: lives().1 })
        })
    }

    fn forward<'a>(
        &'a self,
        _: &'a Arc<LiveSession>,
        _: &'a Secret,
        _: &'a str,
        _: Request<Bytes>,
    ) -> BoxFuture<'a, Response<Body>> {
        unreachable!("no server is remote")
    }
}

struct Scene {
    world: World,
    endpoint: Endpoint,
    live: Arc<LiveSession>,
    token: Secret,
    calls: Arc<Mutex<Vec<Value>>>,
}

impl Scene {
    /// The program's tool was listed once, and the person approved it.
    async fn new() -> Self {
        let (world, program) = (World::new().await, Program::default());
        let calls = Arc::clone(&program.calls);
        let back: Arc<dyn Back> = Arc::new(program);
        let endpoint = Endpoint::start(world.engine.clone(), world.gateway.clone(), back).await.unwrap();
        let live = world.session("claude-code").await;
        let token = world.engine.sessions().lend(&live).unwrap();
        let scene = Self { world, endpoint, live, token, calls };
        let (status, _) = scene.post("tools/list", json!({}), &[("mcp-method", "tools/list")]).await;
        assert_eq!(status, StatusCode::OK);
        scene.world.approve_all("fake").await;
        scene
    }

    /// Posts a request without MCP session in the newest version, with these headers.
    async fn post(&self, method: &str, mut params: Value, headers: &[(&str, &str)]) -> (StatusCode, Value) {
        params["_meta"] = json!({ META: NEWEST });
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let mut request = Request::post("/mcp/fake")
            .header("host", self.endpoint.address().to_string())
            .header("authorization", [b"Bearer ", self.token.expose()].concat())
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", NEWEST);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::from(message.to_string())).unwrap();
        let response = timeout(SOON, self.endpoint.serve(request)).await.expect("no answer");
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        // That the list of tools is another one may be said on the way to the answer.
        let last = text.lines().rev().find_map(|line| line.strip_prefix("data:")).unwrap_or(&text);
        (status, serde_json::from_str(last.trim()).unwrap_or_else(|_| panic!("no JSON: {text}")))
    }

    async fn call(&self, arguments: Value, headers: &[(&str, &str)]) -> (StatusCode, Value) {
        let params = json!({ "name": "echo", "arguments": arguments });
        let standard = [("mcp-method", "tools/call"), ("mcp-name", "echo")];
        self.post("tools/call", params, &[standard.as_slice(), headers].concat()).await
    }

    async fn refusals(&self) -> usize {
        let events = self.world.engine.store().events(None, 100).await.unwrap();
        let why = |body: &EventBody| match body {
            EventBody::ConnectionRefused { why, .. } => why.contains("headers do not say"),
            _ => false,
        };
        events.iter().filter(|event| why(&event.body)).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_contradicts_an_argument_or_is_missing_is_refused_in_the_protocols_words() {
    let scene = Scene::new().await;
    let eu = json!({ "region": "eu" });
    let coded = "=?base64?ZXU=?=";
    for (arguments, headers) in [
        (&eu, vec![("mcp-param-region", "us")]),
        (&eu, vec![("mcp-param-region", "=?base64?!?=")]),
        (&eu, vec![("mcp-param-region", "eu"), ("mcp-param-region", "eu")]),
        (&eu, vec![]),
        (&json!({ "region": null }), vec![("mcp-param-region", "eu")]),
        (&json!({}), vec![("mcp-param-region", "")]),
    ] {
        let (status, told) = scene.call(arguments.clone(), &headers).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{arguments} {headers:?}: {told}");
        assert_eq!((&told["error"]["code"], &told["id"]), (&json!(-32020), &json!(7)), "{told}");
    }
    assert_eq!(scene.calls.lock().len(), 0, "nothing reaches the program");
    assert_eq!(scene.refusals().await, 6);
    for (arguments, headers) in [
        (&eu, vec![("Mcp-Param-Region", "eu")]),
        (&eu, vec![("mcp-param-region", coded), ("mcp-param-other", "x")]),
        (&json!({ "count": 2 }), vec![]),
    ] {
        let (status, told) = scene.call(arguments.clone(), &headers).await;
        assert_eq!((status, text(&told)), (StatusCode::OK, "echoed"), "{arguments} {headers:?}");
    }
    assert_eq!(scene.calls.lock().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standard_headers_are_held_against_the_message_too() {
    let scene = Scene::new().await;
    let params = json!({ "name": "echo", "arguments": {} });
    for headers in [
        vec![("mcp-method", "tools/list"), ("mcp-name", "echo")],
        vec![("mcp-method", "tools/call"), ("mcp-name", "other")],
        vec![("mcp-method", "tools/call")],
        vec![("mcp-name", "echo")],
    ] {
        let (status, told) = scene.post("tools/call", params.clone(), &headers).await;
        assert_eq!((status, &told["error"]["code"]), (StatusCode::BAD_REQUEST, &json!(-32020)), "{headers:?}: {told}");
    }
    let refusals = scene.refusals().await;
    assert_eq!((scene.calls.lock().len(), refusals), (0, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_headers_is_served_over_its_line() {
    let scene = Scene::new().await;
    let (mut client, there) = Link::pair();
    let (endpoint, live) = (scene.endpoint.clone(), Arc::clone(&scene.live));
    let token = scene.world.engine.sessions().lend(&scene.live).unwrap();
    let carrying = tokio::spawn(async move { endpoint.carry(&live, token, "fake", None, there).await });
    let params = json!({ "name": "echo", "arguments": { "region": "eu" }, "_meta": { META: NEWEST } });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    client.tx.send(Bytes::from(message.to_string())).await.unwrap();
    let told: Value = loop {
        let told = timeout(SOON, client.rx.recv()).await.expect("the client hears nothing").unwrap();
        let told: Value = serde_json::from_slice(&told).unwrap();
        if told["id"] == 1 {
            break told;
        }
    };
    assert_eq!(text(&told), "echoed");
    assert_eq!(*scene.calls.lock(), [json!({ "region": "eu" })]);
    drop(client);
    carrying.await.unwrap();
}
