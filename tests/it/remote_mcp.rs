//! A remote MCP server behind the endpoint: what it floods its clients with is contained, the time of a tool does not run while
//! a person answers, and who listens hears that the list of tools is another one. The same endpoint brings back a program that
//! crashed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use reeve_api::contract::approvals::AnswerDto;
use reeve_api::contract::calls::SessionsCall;
use reeve_api::contract::operations::RowStateDto;
use reeve_api::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use reeve_tests::stage::{Setting, Stage};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

use crate::machine::SOON;
use crate::mcp::text;

const POLICY: &str = r#"
@id("its-tools") @reason("the test's own tools") @lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource);

@id("its-forms") @reason("the test answers for the person") @lifts("ask-elicitation")
permit (principal, action == Action::"mcp.elicitation", resource);

@id("its-place") @reason("the test's server is on this machine") @lifts("ask-first-local,ask-first-write")
permit (principal, action == Action::"http.request", resource in HostGroup::"this-machine");
"#;

const EARLY: &[u8] =
    b"data: {\"jsonrpc\":\"2.0\",\"id\":\"e0\",\"method\":\"elicitation/create\",\"params\":{\"message\":\"who?\",\
\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}}\n\nevent: endpoint\ndata: /messages?session=2\n\n";

type Said = UnsyncBoxBody<Bytes, Infallible>;

/// A server whose tools do what their names say.
#[derive(Clone, Default)]
struct Remote {
    /// How `echo` describes itself.
    words: Arc<Mutex<String>>,
    /// The client answered a question.
    answered: Arc<Notify>,
    /// Streams that belong to no request.
    listening: Arc<Mutex<Vec<mpsc::Sender<Bytes>>>>,
    /// Lists are answered on those streams, after an answer to nothing.
    elsewhere: Arc<AtomicBool>,
    /// What headers said of the argument `n`, call by call.
    told: Arc<Mutex<Vec<Option<String>>>>,
}

impl Remote {
    async fn start() -> (Self, SocketAddr) {
        let remote = Self::default();
        "says it again".clone_into(&mut remote.words.lock());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = remote.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let one = serving.clone();
                let service = hyper::service::service_fn(move |request| {
                    let one = one.clone();
                    async move { Ok::<_, Infallible>(one.serve(request).await) }
                });
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tcp), service));
            }
        });
        (remote, address)
    }

    async fn serve(&self, request: Request<Incoming>) -> Response<Said> {
        let path = request.uri().path().to_owned();
        if request.method() == Method::GET {
            let (tell, told) = mpsc::channel(8);
            let first: &[u8] = match path.as_str() {
                "/sse" => b"event: endpoint\ndata: /messages?session=1\n\n",
                // It asks before it says where it is posted to.
                "/early" => EARLY,
                _ => b": listening\n\n",
            };
            tell.send(Bytes::from_static(first)).await.unwrap();
            self.listening.lock().push(tell);
            return answer("text/event-stream", streamed(told));
        }
        let told = request.headers().get("mcp-param-n").map(|value| value.to_str().unwrap().to_owned());
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        if message["method"] == "tools/call" {
            self.told.lock().push(told);
        }
        if path == "/messages" && message["params"]["name"] == "ask" {
            return self.asks_there(message["id"].clone());
        }
        let result = match (message["method"].as_str(), message["params"]["name"].as_str()) {
            (Some("initialize"), _) => json!({
                "protocolVersion": "2025-11-25",
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "remote", "version": "1" },
            }),
            (Some("tools/list"), _) if self.elsewhere.load(Ordering::Acquire) => {
                return self.lists(&message["id"]).await;
            }
            (Some("tools/list"), _) => json!({ "tools": self.tools() }),
            (Some("tools/call"), Some("ask")) => return self.asks(&message["id"]),
            (Some("tools/call"), Some("flood")) => return flood(),
            (Some("tools/call"), Some("words")) => return words(&message["id"]),
            (Some("tools/call"), _) => said("echoed"),
            (Some(_), _) => return answer("application/json", whole(Bytes::new())),
            (None, _) => {
                self.answered.notify_one();
                return answer("application/json", whole(Bytes::new()));
            }
        };
        let message = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
        if path == "/messages" {
            self.tell(&message).await;
            return answer("text/plain", whole(Bytes::from_static(b"Accepted")));
        }
        answer("application/json", whole(Bytes::from(message.to_string())))
    }

    /// Says it on all streams that belong to no request.
    async fn tell(&self, message: &Value) {
        let streams = self.listening.lock().clone();
        for stream in streams {
            let _ = stream.send(event(message)).await;
        }
    }

    fn tools(&self) -> Value {
        let words = self.words.lock().clone();
        let number = json!({ "type": "integer", "x-mcp-header": "N" });
        let schema = json!({ "type": "object", "properties": { "n": number } });
        let tool = |name: &str| json!({ "name": name, "description": words, "inputSchema": schema });
        json!(["echo", "ask", "flood", "words"].map(tool))
    }

    /// Gives the list, with a tool that nobody has seen, where it was not asked for.
    async fn lists(&self, id: &Value) -> Response<Said> {
        let mut tools = self.tools();
        let fresh = json!({ "name": "fresh", "description": "new here", "inputSchema": { "type": "object" } });
        tools.as_array_mut().unwrap().push(fresh);
        for id in [&json!(999), id] {
            self.tell(&json!({ "jsonrpc": "2.0", "id": id, "result": { "tools": tools } })).await;
        }
        answer("text/event-stream", whole(Bytes::from_static(b"id: 1\ndata:\n\n")))
    }

    /// Asks the person something before it answers.
    fn asks(&self, id: &Value) -> Response<Said> {
        let (tell, told) = mpsc::channel(8);
        let question = question();
        let last = json!({ "jsonrpc": "2.0", "id": id, "result": said("thank you") });
        let answered = Arc::clone(&self.answered);
        tokio::spawn(async move {
            let _ = tell.send(event(&question)).await;
            answered.notified().await;
            let _ = tell.send(event(&last)).await;
        });
        answer("text/event-stream", streamed(told))
    }

    /// The same where everything is answered on one stream.
    fn asks_there(&self, id: Value) -> Response<Said> {
        let one = self.clone();
        tokio::spawn(async move {
            one.tell(&question()).await;
            one.answered.notified().await;
            one.tell(&json!({ "jsonrpc": "2.0", "id": id, "result": said("thank you") })).await;
        });
        answer("text/plain", whole(Bytes::from_static(b"Accepted")))
    }
}

/// A question to the person.
fn question() -> Value {
    let schema = json!({ "type": "object", "properties": { "name": { "type": "string" } } });
    let params = json!({ "message": "who?", "requestedSchema": schema });
    json!({ "jsonrpc": "2.0", "id": "e1", "method": "elicitation/create", "params": params })
}

fn said(words: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": words }] })
}

fn event(message: &Value) -> Bytes {
    Bytes::from(format!("data: {message}\n\n"))
}

fn whole(body: Bytes) -> Said {
    Full::new(body).boxed_unsync()
}

fn streamed(told: mpsc::Receiver<Bytes>) -> Said {
    let frames = stream::unfold(told, |mut told| async move { Some((Ok(Frame::data(told.recv().await?)), told)) });
    StreamBody::new(frames).boxed_unsync()
}

fn answer(kind: &str, body: Said) -> Response<Said> {
    Response::builder().header("content-type", kind).header("mcp-session-id", "one").body(body).unwrap()
}

/// A hundred megabytes that are no message.
fn flood() -> Response<Said> {
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        let piece = Bytes::from(vec![b'x'; 1 << 20]);
        for _ in 0..100 {
            if tell.send(piece.clone()).await.is_err() {
                return;
            }
        }
    });
    answer("application/json", streamed(told))
}

/// A thousand words before the answer.
fn words(id: &Value) -> Response<Said> {
    let (tell, told) = mpsc::channel(1);
    let last = json!({ "jsonrpc": "2.0", "id": id, "result": said("that was all") });
    tokio::spawn(async move {
        for number in 0..1000 {
            let params = json!({ "level": "info", "data": number });
            let word = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": params });
            if tell.send(event(&word)).await.is_err() {
                return;
            }
        }
        let _ = tell.send(event(&last)).await;
    });
    answer("text/event-stream", streamed(told))
}

/// A client of the endpoint.
struct Client {
    stage: Stage,
    session: OpenedSessionDto,
    server: &'static str,
    /// Its MCP session.
    id: Option<String>,
}

/// What is said on one stream, message by message.
struct Stream {
    body: Incoming,
    rest: Vec<u8>,
    messages: VecDeque<Value>,
}

impl Client {
    /// Reeve with one registered server, and what `tools.yaml` says.
    async fn new(server: &'static str, declared: Value, rules: &str) -> Self {
        let stage = Stage::set(Setting { policy: POLICY, ..Setting::default() }).await.unwrap();
        stage.world.write_config("tools.yaml", rules).unwrap();
        stage.world.write_config("mcp.json", &json!({ "mcpServers": { server: declared } }).to_string()).unwrap();
        let input = OpenSessionInput {
            agent: Some("editor".to_owned()),
            cwd: stage.world.work().display().to_string(),
            command: Vec::new(),
            mode: None,
            hours: Some(1),
        };
        let session = stage.client().call(&SessionsCall::Open(input)).await.unwrap();
        let mut client = Self { stage, session, server, id: None };
        client.greet().await;
        client
    }

    async fn request(&self, method: Method, body: &Value) -> Response<Incoming> {
        let own = match &self.id {
            Some(id) => vec![("mcp-session-id", id.as_str()), ("mcp-protocol-version", "2025-11-25")],
            None => Vec::new(),
        };
        self.send(method, body, &own).await
    }

    async fn send(&self, method: Method, body: &Value, headers: &[(&str, &str)]) -> Response<Incoming> {
        let (place, path) = self.session.mcp.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let tcp = TcpStream::connect(place).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.unwrap();
        tokio::spawn(connection);
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/{path}/{}", self.server))
            .header("host", place)
            .header("authorization", format!("Bearer {}", self.session.token.0))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        sender.send_request(request.body(Full::new(body)).unwrap()).await.unwrap()
    }

    async fn post(&self, id: u64, method: &str, params: Value) -> Stream {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        Stream::of(self.request(Method::POST, &message).await)
    }

    async fn call(&self, id: u64, tool: &str) -> Stream {
        self.post(id, "tools/call", json!({ "name": tool, "arguments": { "n": id } })).await
    }

    /// Opens the conversation, once the file of registered servers is read, and has the person look at the tools.
    async fn greet(&mut self) {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let begun = Instant::now();
        let greeting = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let response = loop {
            let response = self.request(Method::POST, &greeting).await;
            if response.status().is_success() {
                break response;
            }
            assert!(begun.elapsed() < SOON, "{}: {}", response.status(), self.stage.engine_log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        self.id = Some(response.headers()["mcp-session-id"].to_str().unwrap().to_owned());
        let told = Stream::of(response).answer(0).await;
        assert_eq!(told["result"]["capabilities"]["tools"]["listChanged"], true, "{told}");
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert!(self.request(Method::POST, &ready).await.status().is_success());
        self.list(1).await;
        self.stage.approve_server(self.server).await.unwrap();
    }

    /// The names of the tools that the agent is shown.
    async fn list(&self, id: u64) -> Vec<String> {
        let told = self.post(id, "tools/list", json!({})).await.answer(id).await;
        let tools = told["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools: {told}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// A client that reaches a server over the proxy, in the older way: it posts where a stream says, and hears everything there.
struct Older {
    proxy: String,
    authorization: String,
    address: SocketAddr,
}

impl Older {
    fn new(client: &Client, address: SocketAddr) -> Self {
        let identity = STANDARD.encode(format!("editor:{}", client.session.token.0));
        Self { proxy: client.session.proxy.clone(), authorization: format!("Basic {identity}"), address }
    }

    async fn send(&self, method: Method, target: &str, body: String) -> Response<Incoming> {
        let tcp = TcpStream::connect(&self.proxy).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder()
            .uri(format!("http://{}{target}", self.address))
            .header("host", self.address.to_string())
            .header("proxy-authorization", &self.authorization);
        let request = match method {
            Method::GET => request.header("accept", "text/event-stream"),
            _ => request.header("content-type", "application/json"),
        };
        sender.send_request(request.method(method).body(Full::new(Bytes::from(body))).unwrap()).await.unwrap()
    }

    /// Posts a request and waits for its answer on the stream; nothing is said where it was posted.
    async fn ask(&self, listening: &mut Stream, id: u64, method: &str, params: Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let response = self.send(Method::POST, "/messages?session=1", message.to_string()).await;
        assert!(response.status().is_success(), "{response:?}");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), Bytes::new());
        loop {
            let message = listening.next().await;
            match message["id"].as_u64() {
                Some(one) if one == id => return message,
                Some(_) => panic!("nobody asked for this: {message}"),
                None => {}
            }
        }
    }
}

fn names(told: &Value) -> Vec<&str> {
    let tools = told["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools: {told}"));
    tools.iter().filter_map(|tool| tool["name"].as_str()).collect()
}

impl Stream {
    fn of(response: Response<Incoming>) -> Self {
        assert!(response.status().is_success(), "{response:?}");
        Self { body: response.into_body(), rest: Vec::new(), messages: VecDeque::new() }
    }

    /// The next message, of a stream or of an answer that is none.
    async fn next(&mut self) -> Value {
        let reading = async {
            loop {
                if let Some(message) = self.messages.pop_front() {
                    return message;
                }
                let Some(frame) = self.body.frame().await else {
                    return serde_json::from_slice(&self.rest).unwrap_or_else(|_| panic!("it ended: {:?}", self.rest));
                };
                self.rest.extend(frame.unwrap().into_data().unwrap_or_default());
                while let Some(end) = self.rest.windows(2).position(|two| two == b"\n\n") {
                    let block: Vec<u8> = self.rest.drain(..end + 2).collect();
                    let text = String::from_utf8(block).unwrap();
                    let data = text.lines().find_map(|line| line.strip_prefix("data:"));
                    self.messages.extend(data.and_then(|data| serde_json::from_str(data.trim()).ok()));
                }
            }
        };
        tokio::time::timeout(SOON, reading).await.expect("nothing is said")
    }

    /// The answer to a request, whatever is said before it.
    async fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.next().await;
            if message["id"] == id {
                return message;
            }
        }
    }
}

async fn remote(rules: &str) -> (Remote, Client) {
    let (remote, address) = Remote::start().await;
    let declared = json!({ "type": "http", "url": format!("http://{address}/mcp") });
    (remote, Client::new("distant", declared, rules).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_remote_server_floods_its_client_with_is_contained() {
    let (_remote, client) = remote("").await;
    let answer = client.call(10, "flood").await.answer(10).await;
    assert!(text(&answer).contains("more than is permitted"), "{answer}");
    let mut stream = client.call(11, "words").await;
    let mut heard = 0;
    let answer = loop {
        let message = stream.next().await;
        if message["id"] == 11 {
            break message;
        }
        heard += 1;
    };
    assert_eq!((heard, text(&answer)), (1000, "that was all"));
    assert_eq!(text(&client.call(12, "echo").await.answer(12).await), "echoed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_remote_tool_does_not_run_while_a_person_answers() {
    let (_remote, client) = remote("tool_policies: { ask: { timeout: 3s } }\n").await;
    let mut stream = client.call(10, "ask").await;
    let question = stream.next().await;
    assert_eq!((&question["method"], &question["id"]), (&json!("elicitation/create"), &json!("e1")));
    tokio::time::sleep(Duration::from_secs(4)).await;
    let said = json!({ "jsonrpc": "2.0", "id": "e1", "result": { "action": "accept", "content": { "name": "dana" } } });
    assert!(client.request(Method::POST, &said).await.status().is_success());
    let answer = stream.answer(10).await;
    assert_eq!(text(&answer), "thank you");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_hears_that_the_list_of_a_remote_server_is_another_one() {
    let (remote, client) = remote("").await;
    // It was approved after it was listed: the list that the agent was shown is not what it would be now.
    let mut first = Stream::of(client.request(Method::GET, &Value::Null).await);
    assert_eq!(first.next().await["method"], "notifications/tools/list_changed");
    assert_eq!(client.list(10).await.len(), 4);
    let mut second = Stream::of(client.request(Method::GET, &Value::Null).await);
    // The server's tools change, and another listing of the same session finds out.
    "says something else".clone_into(&mut remote.words.lock());
    assert!(client.list(11).await.is_empty(), "what changed waits for the person");
    client.stage.approve_server("distant").await.unwrap();
    for listener in [&mut first, &mut second] {
        assert_eq!(listener.next().await["method"], "notifications/tools/list_changed");
    }
    assert_eq!(client.list(12).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_on_another_stream_is_what_its_id_was_asked_for_or_reaches_nobody() {
    let (remote, client) = remote("").await;
    let mut listening = Stream::of(client.request(Method::GET, &Value::Null).await);
    remote.elsewhere.store(true, Ordering::Release);
    let asking = client.post(50, "tools/list", json!({})).await;
    let told = loop {
        let message = listening.next().await;
        if message.get("id").is_some() {
            break message;
        }
    };
    assert_eq!(told["id"], 50, "{told}");
    let tools = told["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert!(names.contains(&"echo") && !names.contains(&"fresh"), "{told}");
    drop(asking);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_rule_keeps_from_a_remote_server_never_reaches_it() {
    let (_remote, client) = remote("method_policies: { 'distant/prompts/*': deny }\n").await;
    let told = client.post(20, "prompts/get", json!({ "name": "x" })).await.answer(20).await;
    assert_eq!(told["error"]["code"], -32601, "{told}");
    assert!(told["error"]["message"].as_str().unwrap().contains("`distant/prompts/*`"), "{told}");
    // Everything else passes, and calls of tools.
    assert_eq!(client.list(21).await, ["echo", "ask", "flood", "words"]);
    let told = client.call(22, "echo").await.answer(22).await;
    assert_eq!(text(&told), "echoed");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_a_remote_server_would_go_by_say_what_it_is_sent() {
    let (remote, client) = remote("").await;
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
    let params = json!({ "name": "echo", "arguments": { "n": 42 }, "_meta": meta });
    let message = json!({ "jsonrpc": "2.0", "id": 42, "method": "tools/call", "params": params });
    let whole = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "echo"),
        ("mcp-param-n", "42"),
    ];
    let changed = |at: usize, value: &'static str| {
        let mut headers = whole;
        headers[at].1 = value;
        headers.to_vec()
    };
    let without = |at: usize| {
        let mut headers = whole.to_vec();
        headers.remove(at);
        headers
    };
    for headers in [
        changed(1, "tools/list"),
        changed(2, "ask"),
        changed(3, "43"),
        changed(3, ""),
        without(1),
        without(2),
        without(3),
    ] {
        let refused = client.send(Method::POST, &message, &headers).await;
        assert_eq!(refused.status(), 400, "{headers:?}");
        let told: Value = serde_json::from_slice(&refused.into_body().collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!((&told["error"]["code"], &told["id"]), (&json!(-32020), &json!(42)), "{headers:?}: {told}");
    }
    assert!(remote.told.lock().is_empty(), "nothing of it goes out");
    for headers in [whole.to_vec(), changed(3, "42.0")] {
        let told = Stream::of(client.send(Method::POST, &message, &headers).await).answer(42).await;
        assert_eq!(text(&told), "echoed");
    }
    // In the version that the session speaks nobody wants them.
    assert_eq!(text(&client.call(43, "echo").await.answer(43).await), "echoed");
    let said = || Some("42".to_owned());
    assert_eq!(*remote.told.lock(), [said(), said(), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_about_the_end_of_an_mcp_session_that_was_opened_there() {
    let (_remote, mut client) = remote("").await;
    let ended = client.request(Method::DELETE, &Value::Null).await;
    assert!(ended.status().is_success(), "{ended:?}");
    let rows = client.stage.rows("method:DELETE").await.unwrap();
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [RowStateDto::Allowed], "{rows:?}");
    // One that this agent never opened is something that it deletes, and so is more than a session.
    client.id = Some("another".to_owned());
    for body in [Value::Null, json!({ "all": true })] {
        let human = async {
            let question = client.stage.asked().await.unwrap();
            client.stage.answer(&question, AnswerDto::Refuse { reason: None }).await.unwrap();
        };
        let (ended, ()) = tokio::join!(client.request(Method::DELETE, &body), human);
        assert!(ended.status().is_client_error(), "{body}: {ended:?}");
        client.id = Some("one".to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_everything_on_one_stream_is_governed_there() {
    let (remote, address) = Remote::start().await;
    let declared = json!({ "type": "http", "url": format!("http://{address}/mcp") });
    let client = Client::new("distant", declared, "").await;
    let older = Older::new(&client, address);
    let mut listening = Stream::of(older.send(Method::GET, "/sse", String::new()).await);
    let params =
        json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let told = older.ask(&mut listening, 0, "initialize", params).await;
    assert_eq!(told["result"]["capabilities"]["tools"]["listChanged"], true, "{told}");
    // Nobody has looked at its tools yet.
    let told = older.ask(&mut listening, 1, "tools/list", json!({})).await;
    assert_eq!(names(&told), [""; 0]);
    let call = |name: &str| json!({ "name": name, "arguments": { "n": 1 } });
    let told = older.ask(&mut listening, 2, "tools/call", call("echo")).await;
    assert_eq!(told["result"]["isError"], true, "{told}");
    client.stage.approve_server(&address.to_string()).await.unwrap();
    let told = older.ask(&mut listening, 3, "tools/list", json!({})).await;
    assert_eq!(names(&told), ["echo", "ask", "flood", "words"]);
    let told = older.ask(&mut listening, 4, "tools/call", call("echo")).await;
    assert_eq!((text(&told), &told["result"]["isError"]), ("echoed", &Value::Null));
    // An answer to nothing that was asked reaches nobody, and a tool that came since is left out.
    remote.elsewhere.store(true, Ordering::Release);
    let asking = json!({ "jsonrpc": "2.0", "id": 5, "method": "tools/list", "params": {} });
    drop(older.send(Method::POST, "/messages?session=1", asking.to_string()).await);
    let told = loop {
        let message = listening.next().await;
        if message.get("id").is_some() {
            break message;
        }
    };
    assert_eq!((&told["id"], names(&told)), (&json!(5), vec!["echo", "ask", "flood", "words"]));
    let told = older.ask(&mut listening, 6, "tools/call", call("fresh")).await;
    assert_eq!(told["result"]["isError"], true, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_one_stream_no_two_requests_share_an_id_and_time_waits_for_people() {
    let (remote, address) = Remote::start().await;
    let declared = json!({ "type": "http", "url": format!("http://{address}/mcp") });
    let client = Client::new("distant", declared, "tool_policies: { ask: { timeout: 3s } }\n").await;
    let older = Older::new(&client, address);
    let mut listening = Stream::of(older.send(Method::GET, "/sse", String::new()).await);
    let told = older.ask(&mut listening, 1, "tools/list", json!({})).await;
    assert_eq!(names(&told), [""; 0]);
    client.stage.approve_server(&address.to_string()).await.unwrap();
    let post =
        async |message: Value| older.send(Method::POST, "/messages?session=1", message.to_string()).await.status();
    let call = |id: Value, name: &str| {
        let params = json!({ "name": name, "arguments": {} });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
    };
    assert!(post(call(json!(7), "ask")).await.is_success());
    let asked = loop {
        let message = listening.next().await;
        if message.get("id").is_some() {
            break message;
        }
    };
    assert_eq!(asked["id"], "e1", "{asked}");
    // Their answers could be taken for the call's, and the call's for theirs.
    for id in [json!(7), json!("7"), json!(7.0), json!(1u64 << 60)] {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
        let status = post(message.clone()).await;
        assert!(status.is_client_error(), "{message}: {status}");
    }
    tokio::time::sleep(Duration::from_secs(4)).await;
    let said = json!({ "jsonrpc": "2.0", "id": "e1", "result": { "action": "accept", "content": { "name": "dana" } } });
    assert!(post(said).await.is_success());
    assert_eq!(text(&listening.answer(7).await), "thank you");
    // The other way round; this server never answers a ping.
    assert!(post(json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" })).await.is_success());
    assert!(post(call(json!(7), "echo")).await.is_success());
    let told = listening.answer(7).await;
    assert!(told.to_string().contains("waits for its answer already"), "{told}");
    drop(remote);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_one_stream_nobody_is_asked_past_the_gate_before_a_place_is_named() {
    let (_remote, address) = Remote::start().await;
    let declared = json!({ "type": "http", "url": format!("http://{address}/mcp") });
    let client = Client::new("distant", declared, "").await;
    let early = Older::new(&client, address);
    let mut listening = Stream::of(early.send(Method::GET, "/early", String::new()).await);
    assert_eq!(listening.next().await["id"], "e0");
    let rows = client.stage.rows("kind:mcp").await.unwrap();
    assert!(rows.iter().any(|row| row.summary.contains("asks you")), "it was asked past the gate: {rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_crashes_behind_the_endpoint_comes_back_in_the_same_mcp_session() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("heard.log");
    let declared = json!({ "command": env!("CARGO_BIN_EXE_fake_mcp_server"), "args": [log.display().to_string()] });
    let client = Client::new("program", declared, "").await;
    let told = client.call(10, "die").await.answer(10).await;
    assert!(text(&told).contains("it ended with status 3; it is started again in 0.5 s"), "{told}");
    let begun = Instant::now();
    for id in 11.. {
        let told = client.call(id, "echo").await.answer(id).await;
        if told["result"]["isError"].is_null() {
            break;
        }
        assert!(text(&told).contains("started again"), "{told}");
        assert!(begun.elapsed() < SOON, "it never comes back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answer = client.call(9000, "flood").await.answer(9000).await;
    assert!(answer["result"]["content"][0]["text"].as_str().is_some_and(|text| text.len() == 1 << 20));
}
