//! `reeve mcp` around a server: whose session it is, what passes, and that nothing passes without the engine.

mod bridge;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reeve_api::contract::approvals::{AnswerDto, ScopeDto};
use reeve_api::contract::calls::SessionsCall;
use reeve_api::contract::operations::RowStateDto;
use reeve_api::contract::sessions::SessionDto;
use reeve_tests::stage::{Setting, Stage, reeve};
use serde_json::{Value, json};

use crate::machine::{Machine, SOON};

/// `echo` and `env` only read; `write` is asked about; `drop` never passes.
pub const POLICY: &str = r#"
@id("harmless") @reason("these only say something") @lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource)
when { context.tool == "echo" || context.tool == "env" || context.tool == "spawn" || context.tool == "die"
  || context.tool == "count" || context.tool == "counted" || context.tool == "flood" };

@id("never-drop") @reason("nothing is dropped here")
forbid (principal, action == Action::"mcp.tool_call", resource == McpTool::"fake/drop");
"#;

/// A wrapper of which the test plays the agent.
pub struct Wrapped {
    child: Child,
    pub input: Option<ChildStdin>,
    lines: Receiver<Value>,
    pub log: PathBuf,
}

impl Drop for Wrapped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Wrapped {
    /// `reeve mcp` for `agent`, or inside whatever session `before` opens.
    pub fn start(world: &reeve_testkit::world::World, before: &[&str], agent: Option<&str>) -> Self {
        let log = world.work().join("heard.log");
        let server = [env!("CARGO_BIN_EXE_fake_mcp_server").to_owned(), log.display().to_string()];
        Self::around(world, before, agent, &server)
    }

    /// The same around another server.
    pub fn around(
        world: &reeve_testkit::world::World,
        before: &[&str],
        agent: Option<&str>,
        server: &[String],
    ) -> Self {
        let log = world.work().join("heard.log");
        let mut command = match before.split_first() {
            None => world.command(reeve().unwrap()),
            Some((program, arguments)) => {
                let mut command = world.command(program);
                command.args(arguments).arg(reeve().unwrap());
                command
            }
        };
        command.args(["mcp", "--server", "fake"]);
        if let Some(agent) = agent {
            command.args(["--agent", agent]);
        }
        command.arg("--").args(server);
        Self::of(command, log)
    }

    fn of(mut command: std::process::Command, log: PathBuf) -> Self {
        let said = std::fs::File::options().create(true).append(true).open(log.with_extension("said")).unwrap();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(said).spawn().unwrap();
        let (tell, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Foreign words between messages fail the test that waits for the message.
                let Ok(message) = serde_json::from_str(&line) else { continue };
                if tell.send(message).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take();
        Self { child, input, lines, log }
    }

    pub fn ask(&mut self, message: &Value) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{message}").unwrap();
        input.flush().unwrap();
    }

    pub fn call(&mut self, id: i64, tool: &str, arguments: &Value) {
        let params = json!({ "name": tool, "arguments": arguments });
        self.ask(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }));
    }

    pub fn heard(&self) -> Value {
        self.lines.recv_timeout(SOON).expect("the wrapper says nothing")
    }

    /// The answer to a request, whatever is said before it.
    pub fn answer(&self, id: i64) -> Value {
        loop {
            let message = self.heard();
            if message["id"] == id {
                return message;
            }
        }
    }

    /// Opens the conversation and lists the tools, which the person then approves.
    pub async fn begin(&mut self, stage: &Stage) {
        self.list();
        stage.approve_server("fake").await.unwrap();
    }

    /// Opens the conversation and lists the tools.
    pub fn list(&mut self) {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        self.ask(&json!({ "jsonrpc": "2.0", "id": -1, "method": "initialize", "params": params }));
        assert_eq!(self.answer(-1)["result"]["serverInfo"]["name"], "fake");
        self.ask(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        self.ask(&json!({ "jsonrpc": "2.0", "id": -2, "method": "tools/list" }));
        assert!(self.answer(-2)["result"]["tools"].is_array());
    }

    /// What the server itself heard.
    pub fn served(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What wrappers of this world wrote to their standard error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log.with_extension("said")).unwrap_or_default()
    }

    pub fn ended(&mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < SOON, "the wrapper does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

pub async fn stage() -> Stage {
    Stage::set(Setting { policy: POLICY, ..Setting::default() }).await.unwrap()
}

async fn sessions(stage: &Stage) -> Vec<SessionDto> {
    stage.client().call(&SessionsCall::List).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_through_a_wrapper_are_allowed_denied_and_held_and_all_of_it_is_in_the_record() {
    let stage = stage().await;
    let mut wrapped = Wrapped::start(&stage.world, &[], Some("editor"));
    wrapped.begin(&stage).await;
    wrapped.call(1, "echo", &json!({ "say": "hello" }));
    assert!(text(&wrapped.answer(1)).contains("hello"));
    wrapped.call(2, "drop", &json!({}));
    let denied = wrapped.answer(2);
    assert!(denied["result"]["isError"] == true && text(&denied).contains("nothing is dropped here"), "{denied}");
    wrapped.call(3, "write", &json!({ "path": "a.txt" }));
    let question = stage.asked().await.unwrap();
    assert_eq!((question.kind.as_str(), question.agent.as_str()), ("mcp", "editor"));
    assert!(!wrapped.served().contains("a.txt"), "it is held before the server hears of it");
    stage.answer(&question, AnswerDto::Approve { scope: ScopeDto::Once }).await.unwrap();
    assert!(text(&wrapped.answer(3)).contains("a.txt"));
    assert!(!wrapped.served().contains("\"drop\",\"arguments\""), "{}", wrapped.served());
    let rows = stage.rows("kind:mcp").await.unwrap();
    let states: Vec<RowStateDto> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [RowStateDto::Allowed, RowStateDto::Denied, RowStateDto::Approved], "{rows:?}");
    assert!(rows.iter().all(|row| row.agent == "editor"));
    stage.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapper_belongs_to_the_session_above_it_and_hands_proxy_and_trust_to_its_server() {
    let stage = stage().await;
    // As agents do it that give their servers next to nothing of their environment.
    let script = "exec env -i PATH=\"$PATH\" HOME=\"$HOME\" REEVE_HOME=\"$REEVE_HOME\" XDG_RUNTIME_DIR=\"$XDG_RUNTIME_DIR\" \"$@\"";
    let program = reeve().unwrap().display().to_string();
    let before = [program.as_str(), "run", "--agent", "outer", "--", "sh", "-c", script, "sh"];
    let mut wrapped = Wrapped::start(&stage.world, &before, Some("inner"));
    wrapped.begin(&stage).await;
    let mut told = Vec::new();
    for (id, name) in [(1, "HTTPS_PROXY"), (2, "NODE_EXTRA_CA_CERTS"), (3, "REEVE_SESSION"), (4, "REEVE_AGENT")] {
        wrapped.call(id, "env", &json!({ "name": name }));
        told.push(text(&wrapped.answer(id)).to_owned());
    }
    let [proxy, trust, session, agent] = told.as_slice() else { panic!("{told:?}") };
    assert!(proxy.starts_with("http://reeve:") && proxy.contains("@127.0.0.1:"), "{proxy}");
    assert!(std::path::Path::new(trust).is_file(), "{trust}");
    let all = sessions(&stage).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((session, agent.as_str()), (&all[0].id, "outer"));
    let rows = stage.rows("kind:mcp").await.unwrap();
    assert!(rows.iter().all(|row| row.agent == "outer" && row.session == all[0].id), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_any_session_an_agent_must_be_named_and_its_session_ends_with_the_wrapper() {
    let stage = stage().await;
    let mut nameless = Wrapped::start(&stage.world, &[], None);
    nameless.ask(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize" }));
    let refused = nameless.answer(1);
    assert!(refused["error"]["message"].as_str().unwrap().contains("outside of any session"), "{refused}");
    drop(nameless.input.take());
    assert_ne!(nameless.ended(), 0);
    let mut wrapped = Wrapped::start(&stage.world, &[], Some("editor"));
    wrapped.begin(&stage).await;
    assert!(sessions(&stage).await.iter().any(|one| one.agent == "editor" && one.ended_at.is_none()));
    drop(wrapped.input.take());
    assert_eq!(wrapped.ended(), 0);
    let begun = Instant::now();
    while sessions(&stage).await.iter().any(|one| one.ended_at.is_none()) {
        assert!(begun.elapsed() < SOON, "its session never ends");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_wrapper_with_its_server_and_all_that_it_started() {
    let stage = stage().await;
    let mut wrapped = Wrapped::start(&stage.world, &[], Some("editor"));
    wrapped.begin(&stage).await;
    wrapped.call(1, "spawn", &json!({}));
    let grandchild: i32 = text(&wrapped.answer(1)).parse().unwrap();
    assert!(runs(grandchild));
    kill(Pid::from_raw(i32::try_from(wrapped.child.id()).unwrap()), Signal::SIGTERM).unwrap();
    wrapped.ended();
    let begun = Instant::now();
    while runs(grandchild) {
        assert!(begun.elapsed() < SOON, "what the server started runs on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_engine_nothing_passes_and_with_it_back_the_wrapper_goes_on() {
    let provider = reeve_demo::Provider::start(reeve_demo::script::Script::default()).await.unwrap();
    let mut machine = Machine::lasting(provider.addr(), &provider.root_pem(), "");
    machine.world.write_config("policies/mine.cedar", POLICY).unwrap();
    let client = machine.start().await;
    let mut wrapped = Wrapped::start(&machine.world, &[], Some("editor"));
    wrapped.ask(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }));
    assert!(wrapped.answer(1)["result"]["tools"].is_array());
    reeve_tests::stage::approve_server(&client, "fake").await.unwrap();
    wrapped.call(2, "write", &json!({ "path": "held.txt" }));
    let begun = Instant::now();
    while machine.reeve(&["approve", "list", "--json"]).stdout.len() < 10 {
        assert!(begun.elapsed() < SOON, "nothing is held");
    }
    machine.kill();
    let refused = wrapped.answer(2);
    assert!(refused["result"]["isError"] == true && text(&refused).contains("does not answer"), "{refused}");
    wrapped.call(3, "echo", &json!({ "say": "alone" }));
    assert!(text(&wrapped.answer(3)).contains("does not answer"));
    assert!(!wrapped.served().contains("alone") && !wrapped.served().contains("held.txt"));
    drop(client);
    let _client = machine.start().await;
    let begun = Instant::now();
    for id in 4.. {
        wrapped.call(id, "echo", &json!({ "say": "again" }));
        let answer = wrapped.answer(id);
        if answer["result"]["isError"].is_null() {
            assert!(text(&answer).contains("again"));
            break;
        }
        assert!(begun.elapsed() < SOON, "it never goes on: {answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_absent_is_started() {
    let provider = reeve_demo::Provider::start(reeve_demo::script::Script::default()).await.unwrap();
    let mut machine = Machine::lasting(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    drop(client);
    machine.stop();
    let mut wrapped = Wrapped::start(&machine.world, &[], Some("editor"));
    wrapped.ask(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} }));
    assert_eq!(wrapped.answer(1)["result"]["serverInfo"]["name"], "fake");
    drop(wrapped.input.take());
    wrapped.ended();
    // The engine that it started would run on for its idle time.
    let client = machine.connect().await;
    let stopped: Result<Value, _> = client.call_value(json!({ "call": "status.shutdown" })).await;
    assert!(stopped.is_ok(), "{stopped:?}");
}
