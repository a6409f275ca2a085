//! The endpoint in front of programs that do not do their part: which MCP session makes room for one more, and who is kept by
//! an end that reads nothing.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use reeve_domain::sensitive::Secret;
use reeve_domain::session::SessionEnd;
use reeve_engine::LiveSession;
use reeve_mcp::http::{Back, Body, Endpoint, Place, Started};
use reeve_mcp::link::QUEUE;
use reeve_mcp::{Ended, Link, ServerRef, lives};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::world::{SOON, World};

/// MCP sessions at once in the session of one agent, and over all of them.
const EACH: usize = 32;
const ALL: usize = 256;

/// What programs do once they were greeted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// They answer everything but `hang`.
    Answer,
    /// They read nothing more.
    Stop,
}

struct Programs {
    then: Then,
    /// One of them was asked to hang.
    hangs: Arc<Notify>,
    /// The ends of those that read nothing.
    unread: Arc<Mutex<Vec<Link>>>,
}

impl Programs {
    fn new(then: Then) -> Arc<Self> {
        Arc::new(Self { then, hangs: Arc::default(), unread: Arc::default() })
    }
}

fn greeted(id: &Value) -> Value {
    let info = json!({ "name": "fake", "version": "1" });
    let result = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": info });
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

impl Back for Programs {
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
            let (then, hangs, unread) = (self.then, Arc::clone(&self.hangs), Arc::clone(&self.unread));
            tokio::spawn(async move {
                while let Some(raw) = there.rx.recv().await {
                    let message: Value = serde_json::from_slice(&raw).unwrap();
                    match message["method"].as_str() {
                        Some("hang") => hangs.notify_one(),
                        _ if message["id"].is_null() => {}
                        // Whoever is gone does not hear it.
                        _ => drop(there.tx.send(Bytes::from(greeted(&message["id"]).to_string())).await),
                    }
                    if then == Then::Stop {
                        unread.lock().push(there);
                        return;
                    }
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

/// An agent whose clients use the endpoint.
struct Agent<'a> {
    endpoint: &'a Endpoint,
    live: Arc<LiveSession>,
    token: Secret,
}

impl<'a> Agent<'a> {
    async fn new(world: &World, endpoint: &'a Endpoint, name: &str) -> Self {
        let live = world.session(name).await;
        let token = world.engine.sessions().lend(&live).unwrap();
        Self { endpoint, live, token }
    }

    async fn post(&self, method: &str, session: Option<&str>) -> Response<Body> {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method });
        let mut request = Request::post("/mcp/fake")
            .header("host", self.endpoint.address().to_string())
            .header("authorization", [b"Bearer ", self.token.expose()].concat())
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        let request = request.body(Bytes::from(message.to_string())).unwrap();
        timeout(SOON, self.endpoint.serve(request)).await.expect("no answer")
    }

    /// Opens one more MCP session.
    async fn open(&self) -> Result<String, String> {
        let response = self.post("initialize", None).await;
        if let Some(id) = response.headers().get("mcp-session-id") {
            return Ok(id.to_str().unwrap().to_owned());
        }
        let said = response.into_body().collect().await.unwrap().to_bytes();
        Err(String::from_utf8_lossy(&said).into_owned())
    }

    async fn open_some(&self, many: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..many {
            ids.push(self.open().await.unwrap());
        }
        ids
    }

    async fn is_open(&self, id: &str) -> bool {
        match self.post("ping", Some(id)).await.status() {
            StatusCode::OK => true,
            StatusCode::NOT_FOUND => false,
            other => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_that_was_quiet_the_longest_makes_room_for_one_more_of_the_same_agent() {
    let (world, programs) = (World::new().await, Programs::new(Then::Answer));
    let back: Arc<dyn Back> = programs.clone();
    let endpoint = Endpoint::start(world.engine.clone(), world.gateway.clone(), back).await.unwrap();
    let other = Agent::new(&world, &endpoint, "codex").await;
    let elsewhere = other.open().await.unwrap();
    let agent = Agent::new(&world, &endpoint, "claude-code").await;
    let ids = agent.open_some(EACH).await;
    // The first one is used once more, and the second one waits for an answer.
    assert!(agent.is_open(&ids[0]).await);
    let opens = async {
        timeout(SOON, programs.hangs.notified()).await.expect("nothing hangs");
        agent.open().await.unwrap()
    };
    let (_hangs, newest) = futures_util::future::join(agent.post("hang", Some(&ids[1])), opens).await;
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(agent.is_open(id).await, at != 2, "the session at {at}");
    }
    assert!(agent.is_open(&newest).await);
    assert!(other.is_open(&elsewhere).await, "what another agent has was quiet for longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_room_is_taken_only_who_has_some_of_it_begins_another_session() {
    let (world, programs) = (World::new().await, Programs::new(Then::Answer));
    let endpoint = Endpoint::start(world.engine.clone(), world.gateway.clone(), programs).await.unwrap();
    let mut agents = Vec::new();
    for _ in 0..ALL / EACH {
        let agent = Agent::new(&world, &endpoint, "claude-code").await;
        let ids = agent.open_some(EACH).await;
        agents.push((agent, ids));
    }
    let late = Agent::new(&world, &endpoint, "codex").await;
    let refused = late.open().await.unwrap_err();
    assert!(refused.contains("too many MCP sessions are open"), "{refused}");
    let (first, ids) = &agents[0];
    let newest = first.open().await.unwrap();
    assert!(first.is_open(&newest).await && !first.is_open(&ids[0]).await && first.is_open(&ids[1]).await);
    let (last, ids) = agents.last().unwrap();
    assert!(last.is_open(&ids[0]).await, "no other agent's session made room");
    world.engine.end_session(last.live.id(), SessionEnd::Stopped).await.unwrap();
    let begun = std::time::Instant::now();
    while late.open().await.is_err() {
        assert!(begun.elapsed() < SOON, "what an ended session had is never free");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// A client that speaks message by message to a program that reads nothing once it was greeted.
async fn carried() -> (World, Arc<Programs>, Arc<LiveSession>, Link, tokio::task::JoinHandle<Ended>) {
    let (world, programs) = (World::new().await, Programs::new(Then::Stop));
    let back: Arc<dyn Back> = programs.clone();
    let endpoint = Endpoint::start(world.engine.clone(), world.gateway.clone(), back).await.unwrap();
    let live = world.session("claude-code").await;
    let token = world.engine.sessions().lend(&live).unwrap();
    let (client, there) = Link::pair();
    let session = Arc::clone(&live);
    let carrying = tokio::spawn(async move { endpoint.carry(&session, token, "fake", None, there).await });
    (world, programs, live, client, carrying)
}

async fn say(client: &Link, message: &str) {
    let said = client.tx.send(Bytes::from(message.to_owned()));
    timeout(SOON, said).await.expect("nobody listens to the client").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_reads_nothing_holds_up_neither_its_client_nor_the_end() {
    let (_world, programs, _live, mut client, carrying) = carried().await;
    say(&client, r#"{"jsonrpc":"2.0","id":0,"method":"initialize"}"#).await;
    let greeted = timeout(SOON, client.rx.recv()).await.expect("the client hears nothing").unwrap();
    assert!(String::from_utf8_lossy(&greeted).contains("2025-11-25"));
    // More than both queues on the way to the program hold.
    for id in 1..=2 * QUEUE {
        say(&client, r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#).await;
        say(&client, &json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }).to_string()).await;
    }
    say(&client, "no message").await;
    let told: Value =
        serde_json::from_slice(&timeout(SOON, client.rx.recv()).await.expect("it is not heard").unwrap()).unwrap();
    assert!(told["error"].is_object() && told["id"].is_null(), "{told}");
    drop(client);
    let ended = timeout(SOON, carrying).await.expect("it does not end with its client").unwrap();
    assert_eq!(ended, Ended::AgentGone);
    let mut program = programs.unread.lock().pop().unwrap();
    let mut heard = 0;
    while timeout(SOON, program.rx.recv()).await.expect("the program is kept").is_some() {
        heard += 1;
    }
    assert!(heard <= QUEUE, "{heard} messages waited for a program that reads nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_let_go_of_with_its_session() {
    let (world, _programs, live, client, carrying) = carried().await;
    // Each is answered: the answers fill one queue, and what is not heard any more the other one.
    for _ in 0..=2 * QUEUE {
        say(&client, "no message").await;
    }
    world.engine.end_session(live.id(), SessionEnd::Stopped).await.unwrap();
    let ended = timeout(SOON, carrying).await.expect("its client keeps it").unwrap();
    assert_eq!(ended, Ended::SessionOver);
    drop(client);
}
