//! An engine in a temporary folder, with an agent and a server of which the test plays both ends.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{TimeZone as _, Utc};
use reeve_domain::approval::{Approval, GrantScope, Resolution, Surface};
use reeve_domain::clock::ManualClock;
use reeve_domain::event::EventBody;
use reeve_domain::id::AgentId;
use reeve_domain::outcome::Outcome;
use reeve_domain::query::{OperationRow, parse};
use reeve_engine::approvals::ARMING;
use reeve_engine::decide::Answering;
use reeve_engine::servers::{Approve, identity_digest};
use reeve_engine::settings::Settings;
use reeve_engine::{Engine, EngineOptions, LiveSession, OpenSession};
use reeve_mcp::{Ended, Gateway, Life, Link, ServerRef, lives};
use reeve_store::Page;
use reeve_vault::Vault;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Longest wait for something that should happen at once on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

/// `echo` passes, `drop` never does, and everything else is asked about.
pub const RULES: &str = r#"
@id("echo-passes")
@reason("echoing is harmless")
@lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource == McpTool::"fake/echo");

@id("never-drop")
@reason("nothing is dropped here")
forbid (principal, action == Action::"mcp.tool_call", resource == McpTool::"fake/drop");
"#;

pub struct World {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    pub gateway: Gateway,
    _folder: tempfile::TempDir,
}

/// Both ends of a connection that the gateway carries.
pub struct Wire {
    pub agent: Link,
    pub server: Link,
    pub relay: JoinHandle<Ended>,
    pub session: Arc<LiveSession>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("policies")).unwrap();
        std::fs::write(folder.path().join("config.toml"), "").unwrap();
        std::fs::write(folder.path().join("policies/mine.cedar"), RULES).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let clock = Arc::new(ManualClock::new(Utc.with_ymd_and_hms(2026, 11, 20, 14, 3, 0).unwrap()));
        let engine = start(folder.path(), &clock).await;
        Self { gateway: Gateway::new(engine.clone()), engine, clock, _folder: folder }
    }

    pub async fn session(&self, agent: &str) -> Arc<LiveSession> {
        self.session_in(agent, Path::new("/tmp")).await
    }

    pub async fn session_in(&self, agent: &str, cwd: &Path) -> Arc<LiveSession> {
        let open = OpenSession {
            agent: AgentId::parse(agent).unwrap(),
            user: "dana".to_owned(),
            team: None,
            cwd: cwd.display().to_string(),
            command: vec![agent.to_owned()],
            mode: None,
            wraps: None,
            holder: None,
            opener: None,
            expires_at: None,
        };
        self.engine.open_session(open).await.unwrap().0
    }

    /// A connection of an agent to the server `fake`, whose tools the person approved.
    pub async fn wire(&self) -> Wire {
        let wire = self.bare_wire("claude-code").await;
        self.reviewed(wire).await
    }

    /// The same for a connection that is there.
    pub async fn reviewed(&self, mut wire: Wire) -> Wire {
        wire.ask(json!({ "jsonrpc": "2.0", "id": "first", "method": "tools/list" })).await;
        let listed = wire.served().await;
        wire.serve(json!({ "jsonrpc": "2.0", "id": listed["id"], "result": { "tools": tools() } })).await;
        wire.heard().await;
        self.approve_all("fake").await;
        wire.quiet().await;
        wire
    }

    /// The same for an agent that works in a folder.
    pub async fn wire_in(&self, agent: &str, cwd: &Path) -> Wire {
        let session = self.session_in(agent, cwd).await;
        let (wire, _) = self.wire_of_session(session, "fake");
        self.reviewed(wire).await
    }

    pub async fn bare_wire(&self, agent: &str) -> Wire {
        self.bare_wire_to(agent, "fake").await
    }

    /// A connection to a server of another name.
    pub async fn bare_wire_to(&self, agent: &str, server_name: &str) -> Wire {
        self.wire_of_lives(agent, server_name).await.0
    }

    /// The same, and where the test tells that the server crashed and runs again.
    pub async fn wire_of_lives(&self, agent: &str, server_name: &str) -> (Wire, mpsc::Sender<Life>) {
        self.wire_of_session(self.session(agent).await, server_name)
    }

    fn wire_of_session(&self, session: Arc<LiveSession>, server_name: &str) -> (Wire, mpsc::Sender<Life>) {
        let (agent, agent_there) = Link::pair();
        let (server, server_there) = Link::pair();
        let name = ServerRef::program(server_name, vec!["fake-server".to_owned()], Path::new("/tmp"), None);
        let (gateway, live) = (self.gateway.clone(), Arc::clone(&session));
        let (tell, lives) = lives();
        let relay =
            tokio::spawn(async move { gateway.relay_lives(live, name, agent_there, server_there, lives).await });
        (Wire { agent, server, relay, session }, tell)
    }

    /// The person looks at a server with all its tools and lets them be used.
    pub async fn approve_all(&self, server: &str) {
        let Some(known) = self.engine.servers().find(server) else { return };
        let tools = known.tools.values().map(|tool| (tool.name.clone(), tool.digest.clone())).collect();
        let wanted = Approve { server: server.to_owned(), identity: Some(identity_digest(&known.record.seen)), tools };
        self.engine.servers().approve(&wanted, "dana").await.unwrap();
    }

    /// The one question that waits.
    pub async fn held(&self) -> Approval {
        for _ in 0..3000 {
            if let Some(approval) = self.engine.store().open_approvals().await.unwrap().into_iter().next() {
                return approval;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing is held");
    }

    /// The one question, once this many calls wait for its answer.
    pub async fn held_for(&self, calls: u32) -> Approval {
        for _ in 0..3000 {
            let held = self.held().await;
            if held.joined >= calls {
                return held;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{calls} calls never waited for the same answer");
    }

    /// The question that waits beside this one.
    pub async fn held_beside(&self, one: &Approval) -> Approval {
        for _ in 0..3000 {
            let open = self.engine.store().open_approvals().await.unwrap();
            if let Some(other) = open.into_iter().find(|other| other.id != one.id) {
                return other;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing else is held");
    }

    pub async fn approve(&self, approval: &Approval) {
        self.answer(approval, Resolution::Approved { scope: GrantScope::Once }).await;
    }

    pub async fn answer(&self, approval: &Approval, resolution: Resolution) {
        let ticket = self.engine.approvals().show(&approval.id).unwrap();
        self.clock.advance(ARMING);
        let answering = Answering {
            approval: approval.id.clone(),
            ticket,
            resolution,
            by: "dana".to_owned(),
            surface: Surface::Cli,
            reading_ms: None,
            rule: Default::default(),
            proof: None,
        };
        self.engine.answer(answering).await.unwrap();
    }

    /// The newest outcome in the record.
    pub async fn outcome(&self) -> Outcome {
        let events = self.engine.store().events(None, 50).await.unwrap();
        let settled = events.into_iter().filter_map(|event| match event.body {
            EventBody::OperationSettled { outcome, .. } => Some((event.seq, outcome)),
            _ => None,
        });
        settled.max_by_key(|(seq, _)| *seq).expect("nothing is settled").1
    }

    /// Tool calls in the record, oldest first, once `many` of them are closed.
    pub async fn rows(&self, many: usize) -> Vec<OperationRow> {
        for _ in 0..3000 {
            let query = parse("kind:mcp").query;
            let page = Page { limit: 50, ..Page::default() };
            let mut rows = self.engine.store().search(&query, page).await.unwrap().rows;
            if rows.len() >= many && rows.iter().all(|row| !row.open) {
                rows.reverse();
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{many} tool calls never were in the record");
    }
}

impl Wire {
    /// The agent says something.
    pub async fn ask(&self, message: Value) {
        self.agent.tx.send(Bytes::from(message.to_string())).await.unwrap();
    }

    pub async fn call(&self, id: impl Into<Value>, tool: &str, arguments: Value) {
        let params = json!({ "name": tool, "arguments": arguments });
        self.ask(json!({ "jsonrpc": "2.0", "id": id.into(), "method": "tools/call", "params": params })).await;
    }

    /// The server says something.
    pub async fn serve(&self, message: Value) {
        self.server.tx.send(Bytes::from(message.to_string())).await.unwrap();
    }

    pub async fn answer(&self, request: &Value, text: &str) {
        let result = json!({ "content": [{ "type": "text", "text": text }] });
        self.serve(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).await;
    }

    /// What the agent hears next.
    pub async fn heard(&mut self) -> Value {
        serde_json::from_slice(&self.heard_raw().await).unwrap()
    }

    pub async fn heard_raw(&mut self) -> Bytes {
        loop {
            let heard = tokio::time::timeout(SOON, self.agent.rx.recv()).await;
            let heard = heard.expect("the agent hears nothing").expect("it ended");
            // Comes whenever a person reviewed something meanwhile.
            if !is_change(&heard) {
                return heard;
            }
        }
    }

    /// Waits until the agent is told that its list of tools would be another one now.
    pub async fn changed(&mut self) {
        let heard = tokio::time::timeout(SOON, self.agent.rx.recv()).await;
        assert!(is_change(&heard.expect("the agent hears nothing").expect("it ended")));
    }

    /// What the server hears next.
    pub async fn served(&mut self) -> Value {
        serde_json::from_slice(&self.served_raw().await).unwrap()
    }

    pub async fn served_raw(&mut self) -> Bytes {
        tokio::time::timeout(SOON, self.server.rx.recv()).await.expect("the server hears nothing").expect("it ended")
    }

    /// Passes over what was said so far on both sides: after a round trip nothing older is on its way.
    pub async fn quiet(&mut self) {
        self.ask(json!({ "jsonrpc": "2.0", "id": "quiet", "method": "ping" })).await;
        loop {
            let asked = self.served().await;
            if asked["id"] == "quiet" {
                break;
            }
        }
        self.serve(json!({ "jsonrpc": "2.0", "id": "quiet", "result": {} })).await;
        while self.heard().await["id"] != "quiet" {}
    }

    /// Nothing reached the server.
    pub async fn server_heard_nothing(&mut self) {
        self.ask(json!({ "jsonrpc": "2.0", "id": "nothing", "method": "ping" })).await;
        assert_eq!(self.served().await["id"], "nothing");
    }
}

pub fn tools() -> Value {
    let tool = |name: &str| json!({ "name": name, "description": format!("does {name}"), "inputSchema": { "type": "object" } });
    json!([tool("echo"), tool("drop"), tool("write")])
}

/// Whether the agent is told that its list of tools would be another one now.
pub fn is_change(raw: &Bytes) -> bool {
    String::from_utf8_lossy(raw).contains("notifications/tools/list_changed")
}

/// The text of a result.
pub fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

async fn start(folder: &Path, clock: &Arc<ManualClock>) -> Engine {
    Engine::start(EngineOptions {
        config: folder.to_path_buf(),
        managed: None,
        database: folder.join("reeve.db"),
        mirror: folder.join("heads.jsonl"),
        public_key: folder.join("seal.pub"),
        settings: Settings::load(&folder.join("config.toml")).unwrap(),
        vault: Vault::memory(),
        clock: clock.clone(),
        demo: false,
        system: None,
    })
    .await
    .unwrap()
}
