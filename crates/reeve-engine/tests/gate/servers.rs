//! The register of MCP servers: pins that outlive a restart, approvals of exactly what was shown, drift, and how calls end.

use std::collections::HashSet;

use reeve_domain::event::EventBody;
use reeve_domain::operation::{
    Argument, ArgumentValue, Digest, McpToolCall, McpTransport, Operation, Purpose, RowCount, SchemaCheck, Subject,
    ToolAnnotations,
};
use reeve_domain::outcome::{Ending, Outcome, ToolResult};
use reeve_domain::query::parse;
use reeve_domain::server::{PinnedFile, Reported, ServerIdentity, Standing};
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::servers::{Approve, Held, Offered, Servers, identity_digest};
use reeve_engine::{EngineError, LiveSession};
use serde_json::{Value, json};

use super::world::World;
use super::{admitted, denied};

fn identity(binary: &[u8]) -> ServerIdentity {
    ServerIdentity {
        transport: McpTransport::Stdio,
        command: vec!["helper".to_owned()],
        command_digest: None,
        files: vec![PinnedFile { path: "/usr/bin/helper".to_owned(), digest: Some(Digest::of(binary)) }],
        url: None,
        reported: Some(Reported { name: "helper".to_owned(), version: "1".to_owned() }),
    }
}

fn offered(name: &str, description: &str) -> Offered {
    Offered { definition: json!({ "name": name, "description": description }), findings: Vec::new() }
}

async fn list(servers: &Servers, identity: &ServerIdentity, tools: &[(&str, &str)]) {
    let whole: HashSet<String> = tools.iter().map(|(name, _)| (*name).to_owned()).collect();
    let tools = tools.iter().map(|(name, description)| offered(name, description)).collect();
    servers.note_list("helper", identity, tools, Some(&whole)).await.unwrap();
}

/// Everything as it is now.
fn all_of(servers: &Servers) -> Approve {
    let known = servers.find("helper").unwrap();
    let tools = known.tools.values().map(|tool| (tool.name.clone(), tool.digest.clone())).collect();
    Approve { server: "helper".to_owned(), identity: Some(identity_digest(&known.record.seen)), tools }
}

#[tokio::test]
async fn pins_and_their_history_outlive_a_restart() {
    let world = World::new().await;
    let servers = world.engine.servers();
    list(servers, &identity(b"one"), &[("add", "adds"), ("sub", "subtracts")]).await;
    servers.approve(&all_of(servers), "dana").await.unwrap();
    list(servers, &identity(b"one"), &[("add", "adds, and more"), ("sub", "subtracts")]).await;
    let before = servers.all();
    let world = world.restarted(None).await;
    let servers = world.engine.servers();
    assert_eq!(servers.all(), before);
    assert_eq!(servers.held("helper", Some(&identity(b"one")), "add", None), Some(Held::Tool(Standing::Changed)));
    assert_eq!(servers.held("helper", Some(&identity(b"one")), "sub", None), None);
    let tool = servers.tool("helper", "add").unwrap();
    assert_eq!((tool.versions.len(), tool.approved().unwrap().approved_by.as_deref()), (2, Some("dana")));
}

#[tokio::test]
async fn only_what_was_shown_can_be_approved() {
    let world = World::new().await;
    let servers = world.engine.servers();
    list(servers, &identity(b"one"), &[("add", "adds")]).await;
    let shown = all_of(servers);
    list(servers, &identity(b"one"), &[("add", "adds, then reads your keys")]).await;
    let refused = servers.approve(&shown, "dana").await.unwrap_err();
    assert!(matches!(&refused, EngineError::Refused(why) if why.contains("look at it again")), "{refused}");
    assert_eq!(servers.find("helper").unwrap().record.standing(), Standing::New, "nothing of it was approved");
    servers.approve(&all_of(servers), "dana").await.unwrap();
    assert_eq!(servers.held("helper", None, "add", None), None);
    let nobody = Approve { server: "nobody".to_owned(), ..Approve::default() };
    assert!(matches!(servers.approve(&nobody, "dana").await, Err(EngineError::NotFound { .. })));
}

#[tokio::test]
async fn another_program_behind_the_name_holds_the_server_and_the_approved_one_comes_back_as_it_was() {
    let world = World::new().await;
    let servers = world.engine.servers();
    list(servers, &identity(b"one"), &[("add", "adds")]).await;
    servers.approve(&all_of(servers), "dana").await.unwrap();
    list(servers, &identity(b"two"), &[("add", "adds")]).await;
    assert_eq!(servers.held("helper", Some(&identity(b"two")), "add", None), Some(Held::Server(Standing::Changed)));
    assert_eq!(
        servers.held("helper", Some(&identity(b"one")), "add", None),
        None,
        "a connection to the approved one goes on"
    );
    assert_eq!(servers.to_review(), 1);
    servers.approve(&all_of(servers), "dana").await.unwrap();
    for binary in [b"one", b"two"] {
        assert_eq!(servers.held("helper", Some(&identity(binary)), "add", None), None);
    }
    servers.forget("helper", "dana").await.unwrap();
    assert_eq!(servers.held("helper", Some(&identity(b"one")), "add", None), Some(Held::Unlisted));
    let names: Vec<&str> = world
        .engine
        .store()
        .events(None, 20)
        .await
        .unwrap()
        .iter()
        .rev()
        .filter_map(|event| match &event.body {
            EventBody::ServerSeen { changed: false, .. } => Some("seen"),
            EventBody::ServerSeen { .. } => Some("changed"),
            EventBody::ServerApproved { .. } => Some("approved"),
            EventBody::ServerForgotten { .. } => Some("forgotten"),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["seen", "approved", "changed", "approved", "forgotten"]);
}

#[tokio::test]
async fn nothing_new_in_a_list_writes_nothing() {
    let world = World::new().await;
    let servers = world.engine.servers();
    list(servers, &identity(b"one"), &[("add", "adds")]).await;
    let recorded = world.engine.store().recorded().await.unwrap();
    for _ in 0..3 {
        list(servers, &identity(b"one"), &[("add", "adds")]).await;
    }
    assert_eq!(world.engine.store().recorded().await.unwrap(), recorded);
}

fn result(data: &Value) -> Value {
    json!({ "content": [], "structuredContent": data })
}

#[tokio::test]
async fn a_result_that_looks_otherwise_is_recorded_once_and_remembered_after_a_restart() {
    let world = World::new().await;
    list(world.engine.servers(), &identity(b"one"), &[("add", "adds")]).await;
    for _ in 0..4 {
        world.engine.servers().note_result("helper", "add", &result(&json!({ "sum": 1 }))).await.unwrap();
    }
    let world = world.restarted(None).await;
    for _ in 0..2 {
        world.engine.servers().note_result("helper", "add", &result(&json!({ "sum": "1", "ads": [] }))).await.unwrap();
    }
    let events = world.engine.store().events(None, 30).await.unwrap();
    let drifts: Vec<_> = events.iter().filter(|event| matches!(event.body, EventBody::ShapeDrifted { .. })).collect();
    let [drift] = drifts.as_slice() else { panic!("{drifts:?}") };
    let EventBody::ShapeDrifted { tool, changes, .. } = &drift.body else { panic!("{drift:?}") };
    let places: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!((tool.as_str(), places), ("add", vec!["ads", "sum"]));
    let tool = world.engine.servers().tool("helper", "add").unwrap();
    assert_eq!(world.engine.servers().shape(&tool).await.unwrap().unwrap().drifts.len(), 1);
}

#[tokio::test]
async fn a_file_of_servers_that_breaks_leaves_those_before_and_is_told_once() {
    let good = r#"{ "mcpServers": { "helper": { "command": "helper" } } }"#;
    let world = World::with("mcp.json", good).await;
    assert!(world.engine.servers().declared().contains_key("helper"));
    std::fs::write(world.file("mcp.json"), "{").unwrap();
    world.engine.reload().await.unwrap();
    world.engine.reload().await.unwrap();
    assert!(world.engine.servers().declared().contains_key("helper") && world.engine.servers().problem().is_some());
    let events = world.engine.store().events(None, 20).await.unwrap();
    let told = |event: &&reeve_domain::event::Event| matches!(&event.body, EventBody::PolicyRejected { problem } if problem.contains("mcp.json"));
    assert_eq!(events.iter().filter(told).count(), 1);
    std::fs::write(world.file("mcp.json"), "{}").unwrap();
    world.engine.reload().await.unwrap();
    assert!(world.engine.servers().declared().is_empty() && world.engine.servers().problem().is_none());
}

fn call(world: &World, live: &LiveSession, argument: &str) -> Operation {
    let claims = ToolAnnotations { read_only: Some(true), ..ToolAnnotations::default() };
    let call = McpToolCall {
        server: "helper".to_owned(),
        transport: McpTransport::Stdio,
        tool: "add".to_owned(),
        annotations: claims,
        arguments: vec![Argument { path: "a".to_owned(), value: ArgumentValue::Text(argument.to_owned()) }],
        is_whole: true,
        argument_bytes: 3,
        schema: SchemaCheck::Fits,
        definition: Some(Digest::of(b"definition")),
        endpoint: None,
        purpose: Purpose::Call,
        rows: RowCount::NotCounted,
        data: Vec::new(),
    };
    let mut operation = world.operation(live, Subject::Mcp(call), "helper.add");
    operation.content = Digest::of(argument.as_bytes());
    operation
}

const LETS: &str = r#"
@id("lets-add")
@lifts("ask-first-tool, ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource == McpTool::"helper/add");
"#;

#[tokio::test]
async fn every_call_is_counted_by_how_it_ended() {
    let world = World::with("policies/mine.cedar", LETS).await;
    let live = world.session("codex").await;
    let view = || json!({ "kind": "mcp.tool_call" });
    let ends = [
        (Ending::Complete, Some(ToolResult::Ok)),
        (Ending::Complete, Some(ToolResult::Ok)),
        (Ending::Complete, Some(ToolResult::ToolError { message: "no".to_owned() })),
        (Ending::Complete, Some(ToolResult::SchemaFailure { problems: Vec::new() })),
        (Ending::Unknown, Some(ToolResult::TimedOut { after_ms: 5 })),
        (Ending::Unknown, None),
    ];
    for (at, (ending, result)) in ends.into_iter().enumerate() {
        let operation = call(&world, &live, &at.to_string());
        let admission = admitted(world.gate().admit(operation, view()).await);
        admission.settle(Outcome { result, ..Outcome::ended(ending) }).await.unwrap();
    }
    let away = call(&world, &live, "away");
    let refused = Denial {
        kind: DenialKind::Policy,
        message: "no".to_owned(),
        advice: String::new(),
        reasons: vec![reeve_engine::denials::own("reeve-tool-review")],
        record: None,
    };
    denied(world.gate().admit_unless(away, view(), Vec::new(), Some(refused)).await);
    let counted = world.engine.store().ends(&parse("server:helper").query).await.unwrap();
    let [one] = counted.ended.as_slice() else { panic!("{counted:?}") };
    assert_eq!((one.agent.as_str(), one.tool.as_str(), one.counts), ("codex", "add", [2, 1, 1, 1, 1, 1]));
    assert_eq!(one.definition.as_deref(), Some(Digest::of(b"definition").as_str()));
    let timeouts = parse("end:timeout");
    assert!(timeouts.problems.is_empty());
    assert_eq!(world.engine.store().ends(&timeouts.query).await.unwrap().ended[0].counts, [0, 0, 0, 1, 0, 0]);
    assert!(world.engine.store().ends(&parse("server:other").query).await.unwrap().ended.is_empty());
}
