//! `reeve data` and what it leaves: how long the record is kept, wiping it, and the proof after both and over a restart.

use reeve_api::client::Client;
use reeve_demo::Provider;
use reeve_demo::script::Script;
use reeve_testkit::agent::Speak;
use serde_json::Value;

use crate::machine::{Machine, printed};
use crate::requests::messages;

const WORDS: &str = "wipe the record";

/// Two calls of one open session.
async fn machine() -> (Machine, Provider, Client) {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::lasting(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    for text in ["one", "two"] {
        agent.send(Speak::H1, messages(false, 10, text)).await.unwrap();
    }
    (machine, provider, client)
}

/// What a command says that succeeds.
fn says(machine: &Machine, arguments: &[&str]) -> String {
    let output = machine.reeve(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", printed(&output));
    printed(&output)
}

/// What one says that is refused.
fn refuses(machine: &Machine, arguments: &[&str]) -> String {
    let output = machine.reeve(arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", printed(&output));
    printed(&output)
}

fn data(machine: &Machine) -> Value {
    let said = machine.reeve(&["data", "--json"]);
    serde_json::from_slice::<Value>(&said.stdout).unwrap()["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_the_record_is_kept_is_shown_changed_and_written_where_it_belongs() {
    let (machine, _provider, _client) = machine().await;
    assert!(says(&machine, &["data"]).contains("kept 90 days"));
    let said = says(&machine, &["data", "keep", "30d", "--megabytes", "500"]);
    assert!(said.contains("kept 30 days and in 500 MB"), "{said}");
    assert_eq!(data(&machine)["keep"], serde_json::json!({ "days": 30, "megabytes": 500 }));
    let file = std::fs::read_to_string(machine.world.reeve_home().join("config/config.toml")).unwrap();
    assert!(file.contains("days = 30") && file.contains("[upstream]"), "{file}");
    assert!(says(&machine, &["data", "keep", "forever", "--megabytes", "0"]).contains("kept for ever"));
    for wrong in
        [["data", "keep", "soon"].as_slice(), &["data", "keep", "99999d"], &["data", "keep", "--megabytes", "1"]]
    {
        refuses(&machine, wrong);
    }
    assert_eq!(data(&machine)["keep"]["days"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_record_proves_itself_over_a_restart_and_in_an_export() {
    let (mut machine, _provider, client) = machine().await;
    let said = refuses(&machine, &["data", "wipe"]);
    assert!(said.contains("--confirm"), "{said}");
    refuses(&machine, &["data", "wipe", "--confirm", "wipe"]);
    let said = refuses(&machine, &["data", "wipe", "--confirm", WORDS]);
    assert!(said.contains("while sessions run: tester (ses_"), "{said}");
    assert!(data(&machine)["records"].as_u64().unwrap() > 5);
    says(&machine, &["agents", "stop", "tester"]);
    says(&machine, &["data", "wipe", "--confirm", WORDS]);
    let left = data(&machine);
    assert_eq!((left["records"].as_u64(), left["problem"].as_str()), (Some(1), None));
    assert!(left["removedTo"].as_u64().unwrap() > 5);
    assert!(says(&machine, &["verify"]).contains("are gone, and a signed removal says so"));
    drop(client);
    machine.stop();
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    agent.send(Speak::H1, messages(false, 10, "three")).await.unwrap();
    says(&machine, &["verify"]);
    let log = machine.reeve(&["log", "--json"]);
    let rows: Value = serde_json::from_slice(&log.stdout).unwrap();
    let (events, actions): (Vec<&Value>, Vec<&Value>) =
        rows["data"].as_array().unwrap().iter().partition(|row| row["kind"] == "event");
    assert_eq!((actions.len(), events.len()), (1, 1), "the call, and that the record was wiped");
    let export = machine.world.work().join("record.jsonl");
    says(&machine, &["export", "--output", &export.display().to_string()]);
    assert!(says(&machine, &["verify", &export.display().to_string()]).contains("signed by this machine's key"));
    let text = std::fs::read_to_string(&export).unwrap();
    assert!(text.lines().next().unwrap().contains("records.removed"), "{text}");
    assert!(!text.contains("\"two\""), "nothing of the record before is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_neither_shortens_the_record_nor_wipes_it() {
    let (machine, _provider, client) = machine().await;
    let (_agent, opened) = machine.agent(&client, "tester").await;
    let proxy = format!("http://tester:{}@{}", opened.token.0, opened.proxy);
    let ask = |arguments: &[&str]| {
        let mut command = machine.world.command(reeve_tests::stage::reeve().unwrap());
        let output = command.args(arguments).env("HTTPS_PROXY", &proxy).stdin(std::process::Stdio::null()).output();
        output.unwrap()
    };
    for refused in [["data", "keep", "1d", "--yes"].as_slice(), &["data", "wipe", "--confirm", WORDS]] {
        let output = ask(refused);
        assert!(!output.status.success() && printed(&output).contains("governed session"), "{}", printed(&output));
    }
    assert!(ask(&["data"]).status.success());
    assert_eq!(data(&machine)["keep"]["days"], 90);
}
