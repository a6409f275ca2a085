//! `reeve mcp --server NAME` without a command: a registered server for who speaks over standard input and output only, and
//! where a person finds its address.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use reeve_api::contract::approvals::{AnswerDto, ScopeDto};
use reeve_api::contract::calls::ServersCall;
use reeve_api::contract::operations::RowStateDto;
use reeve_api::contract::servers::{AddServerInput, DeclarationDto, ServersDto};
use reeve_testkit::world::World;
use reeve_tests::stage::{Stage, reeve};
use serde_json::json;

use super::{POLICY, Wrapped, stage, text};
use crate::machine::{Machine, SOON};

fn log(world: &World) -> PathBuf {
    world.work().join("heard.log")
}

fn declaration(world: &World) -> DeclarationDto {
    let args = vec![log(world).display().to_string()];
    let (env, command) = (std::collections::BTreeMap::new(), env!("CARGO_BIN_EXE_fake_mcp_server").to_owned());
    DeclarationDto::Stdio { command, args, env, cwd: None }
}

async fn registered() -> Stage {
    let stage = stage().await;
    let input = AddServerInput { server: "fake".to_owned(), declaration: declaration(&stage.world) };
    stage.client().call::<ServersDto>(&ServersCall::Add(input)).await.unwrap();
    stage
}

impl Wrapped {
    fn bridge(world: &World, before: &[&str]) -> Self {
        let mut command = world.command(before.first().copied().map_or_else(|| reeve().unwrap(), PathBuf::from));
        if let Some((_, rest)) = before.split_first() {
            command.args(rest).arg(reeve().unwrap());
        }
        command.args(["mcp", "--server", "fake", "--agent", "editor"]);
        Self::of(command, log(world))
    }

    /// Calls until the answer is no refusal.
    fn call_until_it_passes(&mut self, from: i64, say: &str) -> String {
        let begun = Instant::now();
        let mut id = from;
        loop {
            self.call(id, "echo", &json!({ "say": say }));
            let answer = self.answer(id);
            if answer["result"]["isError"].is_null() && answer["error"].is_null() {
                return text(&answer).to_owned();
            }
            assert!(begun.elapsed() < SOON, "it never goes on: {answer}");
            std::thread::sleep(Duration::from_millis(50));
            id += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_server_is_called_denied_and_held_without_its_command() {
    let stage = registered().await;
    let mut bridged = Wrapped::bridge(&stage.world, &[]);
    bridged.begin(&stage).await;
    bridged.call(1, "echo", &json!({ "say": "hello" }));
    assert!(text(&bridged.answer(1)).contains("hello"));
    bridged.call(2, "drop", &json!({}));
    let denied = bridged.answer(2);
    assert!(denied["result"]["isError"] == true && text(&denied).contains("nothing is dropped here"), "{denied}");
    bridged.call(3, "write", &json!({ "path": "a.txt" }));
    let question = stage.asked().await.unwrap();
    assert_eq!((question.kind.as_str(), question.agent.as_str()), ("mcp", "editor"));
    assert!(!bridged.served().contains("a.txt"), "it is held before the server hears of it");
    // Others go on meanwhile.
    bridged.call(4, "env", &json!({ "name": "REEVE_AGENT" }));
    assert_eq!(text(&bridged.answer(4)), "editor");
    stage.answer(&question, AnswerDto::Approve { scope: ScopeDto::Once }).await.unwrap();
    assert!(text(&bridged.answer(3)).contains("a.txt"));
    let rows = stage.rows("kind:mcp").await.unwrap();
    let mut states: Vec<(&str, RowStateDto)> = rows.iter().map(|row| (row.summary.as_str(), row.state)).collect();
    states.sort_unstable_by_key(|(summary, _)| *summary);
    let expected = [
        ("fake.drop", RowStateDto::Denied),
        ("fake.echo", RowStateDto::Allowed),
        ("fake.env", RowStateDto::Allowed),
        ("fake.write", RowStateDto::Approved),
    ];
    assert_eq!(states, expected, "{rows:?}");
    assert!(rows.iter().all(|row| row.agent == "editor"));
    drop(bridged.input.take());
    assert_eq!(bridged.ended(), 0);
    stage.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_belongs_to_the_session_above_it_and_a_server_that_died_is_started_and_greeted_anew() {
    let stage = registered().await;
    let program = reeve().unwrap().display().to_string();
    let script = "exec env -i PATH=\"$PATH\" HOME=\"$HOME\" REEVE_HOME=\"$REEVE_HOME\" XDG_RUNTIME_DIR=\"$XDG_RUNTIME_DIR\" \"$@\"";
    let before = [program.as_str(), "run", "--agent", "outer", "--", "sh", "-c", script, "sh"];
    let mut bridged = Wrapped::bridge(&stage.world, &before);
    bridged.begin(&stage).await;
    bridged.call(1, "die", &json!({}));
    let said = bridged.answer(1).to_string();
    assert!(said.contains("gone") || said.contains("ended"), "{said}");
    assert!(bridged.call_until_it_passes(2, "again").contains("again"));
    let greeted = bridged.served().matches("\"method\":\"initialize\"").count();
    assert!(greeted >= 2, "the second server was not greeted:\n{}", bridged.served());
    let rows = stage.rows("kind:mcp").await.unwrap();
    assert!(rows.iter().all(|row| row.agent == "outer"), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_engine_nothing_passes_and_with_it_back_the_bridge_goes_on() {
    let provider = reeve_demo::Provider::start(reeve_demo::script::Script::default()).await.unwrap();
    let mut machine = Machine::lasting(provider.addr(), &provider.root_pem(), "");
    machine.world.write_config("policies/mine.cedar", POLICY).unwrap();
    let fake = json!({ "command": env!("CARGO_BIN_EXE_fake_mcp_server"), "args": [log(&machine.world)] });
    machine.world.write_config("mcp.json", &json!({ "mcpServers": { "fake": fake } }).to_string()).unwrap();
    let client = machine.start().await;
    let mut bridged = Wrapped::bridge(&machine.world, &[]);
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    bridged.ask(&json!({ "jsonrpc": "2.0", "id": -1, "method": "initialize", "params": params }));
    assert_eq!(bridged.answer(-1)["result"]["serverInfo"]["name"], "fake");
    bridged.ask(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    bridged.ask(&json!({ "jsonrpc": "2.0", "id": -2, "method": "tools/list" }));
    assert!(bridged.answer(-2)["result"]["tools"].is_array());
    reeve_tests::stage::approve_server(&client, "fake").await.unwrap();
    bridged.call(1, "echo", &json!({ "say": "before" }));
    assert!(text(&bridged.answer(1)).contains("before"));
    machine.kill();
    bridged.call(2, "echo", &json!({ "say": "alone" }));
    let refused = bridged.answer(2);
    assert!(refused["result"]["isError"] == true && text(&refused).contains("does not answer"), "{refused}");
    assert!(!bridged.served().contains("alone"));
    drop(client);
    let _client = machine.start().await;
    assert!(bridged.call_until_it_passes(3, "back").contains("back"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_registered_is_refused_in_words() {
    let stage = stage().await;
    let mut bridged = Wrapped::bridge(&stage.world, &[]);
    bridged.ask(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} }));
    let refused = bridged.answer(1);
    assert!(refused["error"]["message"].as_str().unwrap().contains("no server `fake` is registered"), "{refused}");
    drop(bridged.input.take());
    assert_ne!(bridged.ended(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_finds_the_address_of_a_registered_server_and_no_token() {
    let stage = registered().await;
    let (_, opened) = stage.agent("editor").await.unwrap();
    let listed = stage.reeve(&["mcp", "list"]).await.unwrap();
    assert!(listed.printed().contains(&format!("{}/fake", opened.mcp)), "{}", listed.printed());
    let shown = stage.reeve(&["mcp", "show", "fake"]).await.unwrap();
    for part in ["${REEVE_MCP_URL}/fake", "Bearer ${REEVE_MCP_TOKEN}", "reeve mcp --server fake"] {
        assert!(shown.stdout.contains(part), "`{part}` is missing in:\n{}", shown.printed());
    }
    for ended in [listed, shown] {
        assert!(!ended.printed().contains(&opened.token.0), "{}", ended.printed());
    }
}
