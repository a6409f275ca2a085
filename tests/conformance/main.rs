//! The MCP conformance suite against one server, alone and through Reeve: over the endpoint to the server as it listens, over
//! the endpoint to the same server as a program, and as a client whose traffic goes over the proxy. What passes alone must
//! pass through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use reeve_api::contract::calls::SessionsCall;
use reeve_api::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use reeve_api::contract::status::ModeDto;
use reeve_tests::stage::{Setting, Stage};
use serde_json::json;

/// Whatever the suite does to a server of this machine may pass; that it is looked at is what is tested.
const POLICY: &str = r#"
@id("conformance-tools") @reason("the suite's own tools") @lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource);

@id("conformance-sampling") @reason("the suite answers for the model") @lifts("ask-sampling")
permit (principal, action == Action::"mcp.sampling", resource);

@id("conformance-elicitation") @reason("the suite answers for the person") @lifts("ask-elicitation")
permit (principal, action == Action::"mcp.elicitation", resource);

@id("conformance-place") @reason("the suite's servers are on this machine") @lifts("ask-first-local,ask-first-write")
permit (principal, action == Action::"http.request", resource in HostGroup::"this-machine");
"#;

/// Scenarios of a bridged program that come to something else than alone, each explained in `docs/conformance.md`.
const BRIDGED: [&str; 1] = ["server-sse-multiple-streams"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// A script of this folder on the Node that the suite needs.
fn node(script: impl AsRef<Path>) -> Command {
    let mut command = Command::new(folder().join("node_modules/node/bin/node"));
    command.arg(folder().join(script)).stdin(Stdio::null());
    command
}

/// A script that listens and prints its port; ends with the test.
struct Listening {
    child: Child,
    port: u16,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Listening {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the script prints its port");
        Self { child, port }
    }

    fn everything() -> Self {
        let mut command = node("server.mjs");
        command.arg("--http");
        Self::start(command)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs the suite in a folder of its own, because it leaves its results there.
async fn suite(arguments: Vec<String>, variables: Vec<(&'static str, String)>) -> String {
    let run = move || {
        let results = tempfile::tempdir().unwrap();
        let mut command = node("node_modules/@modelcontextprotocol/conformance/dist/index.js");
        command.args(arguments).envs(variables).current_dir(results.path());
        said(&command.output().unwrap())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// What each scenario of a server came to: checks that passed, and checks that did not.
async fn served(url: &str) -> BTreeMap<String, (u32, u32)> {
    let arguments = ["server", "--url", url, "--suite", "all"].map(str::to_owned).to_vec();
    let printed = suite(arguments, Vec::new()).await;
    let summary = printed.split("=== SUMMARY ===").nth(1).unwrap_or_else(|| panic!("no summary: {printed}"));
    let scenario = |line: &str| {
        let (name, counts) = line.trim_start_matches(['✓', '✗', ' ']).split_once(": ")?;
        let mut numbers = counts.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok());
        Some((name.to_owned(), (numbers.next()?, numbers.next()?)))
    };
    summary.lines().take_while(|line| !line.starts_with("Total")).filter_map(scenario).collect()
}

struct Reeve {
    stage: Stage,
    session: OpenedSessionDto,
}

impl Reeve {
    /// Reeve with one registered server, and a session that may use it.
    async fn with(server: serde_json::Value, mode: Option<ModeDto>) -> Self {
        let stage = Stage::set(Setting { policy: POLICY, ..Setting::default() }).await.unwrap();
        let declared = json!({ "mcpServers": { "everything": server } });
        stage.world.write_config("mcp.json", &declared.to_string()).unwrap();
        let input = OpenSessionInput {
            agent: Some("conformance".to_owned()),
            cwd: stage.world.work().display().to_string(),
            command: Vec::new(),
            mode,
            hours: Some(1),
        };
        let session = stage.client().call(&SessionsCall::Open(input)).await.unwrap();
        Self { stage, session }
    }

    /// The endpoint for clients that show no token.
    fn open(&self) -> Listening {
        let mut command = node("bearer.mjs");
        command.arg(format!("{}/everything", self.session.mcp)).env("REEVE_MCP_TOKEN", &self.session.token.0);
        Listening::start(command)
    }

    /// What the suite says of the server through the endpoint, once a person looked at its tools.
    async fn served(&self) -> BTreeMap<String, (u32, u32)> {
        let door = self.open();
        let url = door.url();
        // The file of registered servers is looked at every second.
        let listed = |url: String| async move {
            tokio::task::spawn_blocking(move || node("list.mjs").arg(url).output().unwrap()).await.unwrap()
        };
        let mut last = listed(url.clone()).await;
        for _ in 0..40 {
            if last.status.success() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
            last = listed(url.clone()).await;
        }
        assert!(last.status.success(), "{}\n{}", said(&last), self.stage.engine_log());
        self.stage.approve_server("everything").await.unwrap();
        served(&url).await
    }
}

/// What passes alone passes through Reeve, and nothing more fails, but for what is explained. More may pass: the endpoint keeps
/// some promises of its own, whatever the server behind it does.
fn compare(alone: &BTreeMap<String, (u32, u32)>, through: &BTreeMap<String, (u32, u32)>, differences: &[&str]) {
    assert!(alone.len() >= 30, "the suite ran {} scenarios", alone.len());
    for (name, (passed, failed)) in alone {
        let there = through.get(name);
        let holds = there.is_some_and(|(there, fails)| there >= passed && fails <= failed);
        if differences.contains(&name.as_str()) {
            assert!(!holds, "`{name}` passes as alone by now: take it off the list");
        } else {
            assert!(holds, "{name}: {passed} passed and {failed} failed alone, through Reeve {there:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_against_a_remote_server_passes_through_the_endpoint() {
    let server = Listening::everything();
    let alone = served(&server.url()).await;
    let reeve = Reeve::with(json!({ "type": "http", "url": server.url() }), None).await;
    compare(&alone, &reeve.served().await, &[]);
    let calls = reeve.stage.rows("kind:mcp").await.unwrap();
    assert!(calls.len() >= 10, "each tool call is an operation: {calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_against_a_remote_server_passes_through_the_endpoint_to_the_same_server_as_a_program() {
    let server = Listening::everything();
    let alone = served(&server.url()).await;
    let program = folder().join("node_modules/node/bin/node").display().to_string();
    let script = folder().join("server.mjs").display().to_string();
    let reeve = Reeve::with(json!({ "command": program, "args": [script] }), None).await;
    compare(&alone, &reeve.served().await, &BRIDGED);
    assert!(reeve.stage.rows("kind:mcp").await.unwrap().len() >= 10);
}

/// The same, once more where nothing but a timing of 200 ms was missed: that says something of this machine.
async fn timely(arguments: &[String], variables: &[(&'static str, String)]) -> String {
    let mut printed = String::new();
    for _ in 0..5 {
        printed = suite(arguments.to_vec(), variables.to_vec()).await;
        if printed.contains("OVERALL: PASSED") || !printed.contains("client-sse-retry-timing") {
            break;
        }
    }
    printed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_traffic_goes_over_the_proxy_passes_what_it_passes_alone() {
    // Its tools are others in every scenario, and nobody is asked about them.
    let reeve = Reeve::with(json!({ "command": "true" }), Some(ModeDto::Observe)).await;
    let proxy = format!("http://conformance:{}@{}", reeve.session.token.0, reeve.session.proxy);
    let node = folder().join("node_modules/node/bin/node");
    let client = format!("{} {}", node.display(), folder().join("client.mjs").display());
    for scenario in ["initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"] {
        let arguments = ["client", "--command", &client, "--scenario", scenario].map(str::to_owned).to_vec();
        let alone = timely(&arguments, &[]).await;
        assert!(alone.contains("OVERALL: PASSED"), "{scenario} alone: {alone}");
        let through = timely(&arguments, &[("REEVE_PROXY", proxy.clone())]).await;
        assert!(through.contains("OVERALL: PASSED"), "{scenario}: {through}\n{}", reeve.stage.engine_log());
    }
    let calls = reeve.stage.rows("kind:mcp").await.unwrap();
    assert!(calls.len() >= 3, "calls over the proxy are operations: {calls:?}");
}
