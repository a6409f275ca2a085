//! The command line as scripts see it: exit codes, `--json`, who may decide, and the child's own status and signals.

use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reeve_api::contract::calls::StatusCall;
use reeve_demo::Provider;
use reeve_demo::script::Script;
use reeve_testkit::agent::Speak;
use serde_json::Value;

use crate::machine::{Machine, SOON, printed};
use crate::records::named;
use crate::requests::{delete, messages};

async fn machine() -> (Machine, Provider, reeve_api::client::Client) {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    (machine, provider, client)
}

fn json(output: &Output) -> Value {
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {}", printed(output)));
    assert_eq!(document["v"], 1);
    document["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reading_command_gives_one_json_document() {
    let (machine, _provider, client) = machine().await;
    let (agent, opened) = machine.agent(&client, "tester").await;
    agent.send(Speak::H1, messages(false, 10, "hi")).await.unwrap();
    let rows = json(&machine.reeve(&["log", "kind:llm", "--json"]));
    let id = rows[0]["id"].as_str().unwrap().to_owned();
    assert_eq!((rows[0]["agent"].as_str(), rows[0]["model"].as_str()), (Some("tester"), Some("claude-sonnet-5")));
    assert_eq!(json(&machine.reeve(&["status", "--json"]))["sessionsRunning"], 1);
    assert_eq!(json(&machine.reeve(&["agents", "--json"]))[0]["id"], "tester");
    assert_eq!(
        json(&machine.reeve(&["agents", "sessions", "--json"]))[0]["id"].as_str(),
        Some(opened.session.id.as_str())
    );
    assert_eq!(json(&machine.reeve(&["approve", "--json"])), serde_json::json!([]));
    assert_eq!(json(&machine.reeve(&["budget", "--json"])), serde_json::json!([]));
    assert_eq!(json(&machine.reeve(&["cred", "--json"])), serde_json::json!([]));
    assert!(json(&machine.reeve(&["policy", "--json"]))["rules"].as_array().unwrap().len() > 10);
    assert_eq!(json(&machine.reeve(&["policy", "explain", &id, "--json"]))["row"]["id"].as_str(), Some(id.as_str()));
    assert_eq!(json(&machine.reeve(&["verify", "--json"]))["ok"], true);
    let checks = json(&machine.reeve(&["doctor", "--json"]));
    let trusting = |check: &&Value| check["name"].as_str().unwrap().starts_with("trust: ");
    let trust: Vec<&Value> = checks.as_array().unwrap().iter().filter(trusting).collect();
    assert!(trust.len() >= 3 && trust.iter().all(|check| check["ok"] == true), "{checks}");
    let changes = json(&machine.reeve(&["agents", "changes", "--json"]));
    let kinds: Vec<_> = changes["changes"].as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"folder") && kinds.contains(&"environment"), "{changes}");
    assert_eq!(changes["settings"], serde_json::json!([]), "no tool is installed in this home");
    assert_eq!(json(&machine.reeve(&["policy", "check", "--json"]))["ok"], true);
    let set = machine.reeve(&["budget", "set", "daily", "20.00", "--json"]);
    assert_eq!(json(&set)[0]["limit"], 20_000_000_000_i64);
    assert!(!printed(&set).contains(&opened.token.0));
    // What the doctor tries is its own session and nothing that looks like somebody knocking.
    named(&machine, "connection.refused", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_scripts_what_happened() {
    let (mut machine, _provider, client) = machine().await;
    let code = |machine: &Machine, arguments: &[&str]| machine.reeve(arguments).status.code();
    assert_eq!(code(&machine, &["status"]), Some(0));
    assert_eq!(code(&machine, &["no-such-command"]), Some(2));
    assert_eq!(code(&machine, &["budget", "set"]), Some(2));
    assert_eq!(code(&machine, &["budget", "set", "x", "5.00", "--window", "year"]), Some(2));
    assert_eq!(code(&machine, &["budget", "set", "x", "five"]), Some(2));
    assert_eq!(code(&machine, &["export", "--format", "xml", "-o", "x"]), Some(2));
    assert_eq!(code(&machine, &["env", "--agent", "x", "--hours", "0"]), Some(2));
    assert_eq!(code(&machine, &["run", "--mode", "ignore", "--", "true"]), Some(2));
    assert_eq!(code(&machine, &["cred", "add", "x"]), Some(2));
    assert_eq!(code(&machine, &["budget", "set", "x", "5.00", "--on-exhausted", "shrug"]), Some(2));
    assert_eq!(code(&machine, &["open", "nonsense"]), Some(2));
    assert_eq!(code(&machine, &["budget", "rm", "nothing"]), Some(1));
    assert_eq!(code(&machine, &["policy", "check"]), Some(0));
    assert_eq!(code(&machine, &["policy", "test"]), Some(0));
    assert_eq!(code(&machine, &["run", "--", "no-such-program-anywhere"]), Some(127));
    assert_eq!(code(&machine, &["approve"]), Some(0));
    let (agent, _) = machine.agent(&client, "tester").await;
    let held =
        tokio::spawn(async move { agent.send(Speak::H1, delete("https://api.acme.example/things/7")).await.unwrap() });
    let begun = Instant::now();
    while code(&machine, &["approve"]) != Some(4) {
        assert!(begun.elapsed() < SOON, "nothing waits");
    }
    let question = json(&machine.reeve(&["approve", "--json"]))[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(code(&machine, &["approve", "show", &question]), Some(4));
    // Allowing needs a terminal with a person before it; refusing does not.
    let allow = machine.reeve(&["approve", "allow", &question]);
    assert_eq!(allow.status.code(), Some(3), "{}", printed(&allow));
    let deny = machine.reeve(&["approve", "deny", &question, "--reason", "use the archive"]);
    assert_eq!(deny.status.code(), Some(0), "{}", printed(&deny));
    let reply = held.await.unwrap();
    assert!(reply.text().contains("use the archive"), "{}", reply.text());
    assert_eq!(code(&machine, &["approve", "deny", &question]), Some(4));
    drop(client);
    machine.stop();
    machine.world.write_config("policies/mine.cedar", "nonsense").unwrap();
    assert_eq!(code(&machine, &["policy", "check"]), Some(1));
    let unreachable = machine.reeve(&["status"]);
    assert_eq!(unreachable.status.code(), Some(6), "{}", printed(&unreachable));
    assert_eq!(code(&machine, &["run", "--", "true"]), Some(125));
}

const DECIDING: [&[&str]; 18] = [
    &["run", "--", "true"],
    &["env"],
    &["agents", "stop", "tester"],
    &["agents", "add", "another"],
    &["agents", "pause", "tester"],
    &["doctor", "--fix"],
    &["restore", "--all"],
    &["approve", "allow", "apr_x"],
    &["approve", "deny", "apr_x"],
    &["cred", "add", "x", "--kind", "github"],
    &["cred", "rm", "x"],
    &["cred", "unbind", "x", "--host", "api.x.example", "--slot", "bearer"],
    &["budget", "set", "x", "5.00"],
    &["budget", "raise", "x", "5.00"],
    &["pause", "15m"],
    &["stop"],
    &["resume"],
    &["export", "-o", "out.jsonl"],
];

#[tokio::test(flavor = "multi_thread")]
async fn deciding_and_changing_is_refused_inside_a_session_by_its_variable_and_by_ancestry() {
    let (machine, _provider, client) = machine().await;
    let (_, opened) = machine.agent(&client, "tester").await;
    let program = reeve_tests::stage::reeve().unwrap();
    assert!(machine.reeve(&["budget", "set", "x", "5.00"]).status.success());
    let refused = |output: &Output, what: &[&str]| {
        let expected = if what[0] == "run" { 125 } else { 3 };
        let said = printed(output);
        assert_eq!(output.status.code(), Some(expected), "{what:?}: {said}");
        assert!(said.contains("governed session"), "{what:?}: {said}");
    };
    for arguments in DECIDING {
        let mut marked = machine.world.command(&program);
        let output =
            marked.args(arguments).env("REEVE_SESSION", &opened.session.id).stdin(Stdio::null()).output().unwrap();
        refused(&output, arguments);
        // The variable can be taken away; the ancestors cannot.
        let script = "unset REEVE_SESSION REEVE_AGENT; echo a-secret-of-some-length | \"$@\"";
        let mut inside = vec!["run", "--quiet", "--", "sh", "-c", script, "sh", program.to_str().unwrap()];
        inside.extend(arguments);
        refused(&machine.reeve(&inside), arguments);
    }
    for reading in [&["status"][..], &["log"], &["agents"], &["approve"], &["budget"], &["policy"], &["verify"]] {
        let mut inside = vec!["run", "--quiet", "--", program.to_str().unwrap()];
        inside.extend(reading);
        let output = machine.reeve(&inside);
        assert_eq!(output.status.code(), Some(0), "{reading:?}: {}", printed(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_may_be_observed_while_everything_else_is_enforced() {
    let (machine, _provider, _client) = machine().await;
    let post = |most: u32| {
        let target = "https://api.acme.example/things/7";
        format!("curl -s -o /dev/null -w '%{{http_code}}' -X DELETE --max-time {most} {target}")
    };
    let observed = machine.reeve(&["run", "--mode", "observe", "--", "sh", "-c", &post(30)]);
    assert_eq!(&*observed.stdout, b"200", "{}", printed(&observed));
    let rows = json(&machine.reeve(&["log", "host:api.acme.example", "--json"]));
    assert_eq!(rows[0]["state"], "wouldHold", "{rows}");
    let enforced = machine.reeve(&["run", "--", "sh", "-c", &post(2)]);
    assert_eq!(&*enforced.stdout, b"000", "{}", printed(&enforced));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_budget_has_an_exit_code_of_its_own_and_so_has_what_it_turned_away() {
    let (machine, _provider, client) = machine().await;
    assert!(machine.reeve(&["budget", "set", "tiny", "1 tokens", "--on-exhausted", "deny"]).status.success());
    let (agent, _) = machine.agent(&client, "tester").await;
    let call = agent.send(Speak::H1, messages(false, 10, "hi")).await.unwrap();
    assert!(call.text().contains("tiny"), "{}", call.text());
    let rows = json(&machine.reeve(&["log", "kind:llm", "--json"]));
    let id = rows[0]["id"].as_str().unwrap().to_owned();
    let explained = machine.reeve(&["policy", "explain", &id]);
    assert_eq!(explained.status.code(), Some(5), "{}", printed(&explained));
    // Nothing was spent, so something is left; a limit of nothing is used up from the start.
    assert_eq!(machine.reeve(&["budget"]).status.code(), Some(0));
    assert!(machine.reeve(&["budget", "set", "tiny", "0 tokens", "--on-exhausted", "deny"]).status.success());
    assert_eq!(machine.reeve(&["budget"]).status.code(), Some(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_agent_is_denied_until_it_is_resumed() {
    let (machine, _provider, client) = machine().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    assert_eq!(agent.send(Speak::H1, messages(false, 10, "hi")).await.unwrap().status.as_u16(), 200);
    let paused = machine.reeve(&["agents", "pause", "tester"]);
    assert!(printed(&paused).contains("paused"), "{}", printed(&paused));
    assert_ne!(agent.send(Speak::H1, messages(false, 10, "hi")).await.unwrap().status.as_u16(), 200);
    assert!(machine.reeve(&["agents", "resume", "tester"]).status.success());
    assert_eq!(agent.send(Speak::H1, messages(false, 10, "hi")).await.unwrap().status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_each_repair_and_restore_ends_what_governs() {
    let (mut machine, _provider, client) = machine().await;
    let (_, opened) = machine.agent(&client, "tester").await;
    let restored = machine.reeve(&["restore", "--all"]);
    assert!(restored.status.success() && printed(&restored).contains("tester"), "{}", printed(&restored));
    let sessions = json(&machine.reeve(&["agents", "sessions", "--json"]));
    let ended = sessions.as_array().unwrap().iter().find(|s| s["id"] == opened.session.id.as_str()).unwrap();
    assert!(ended["endedAt"].is_string(), "{ended}");
    drop(client);
    // As a crash leaves it: the socket stays behind, and somebody opened a folder to everyone.
    machine.kill();
    let home = machine.world.reeve_home();
    std::fs::set_permissions(home.join("data"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let fixed = machine.reeve(&["doctor", "--fix"]);
    let said = printed(&fixed);
    assert!(said.contains("remove the socket") && said.contains("take away the access of others"), "{said}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&home.join("data").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
    // The checks started an engine of their own, which would stay for its idle minutes.
    let _: Value = machine.connect().await.call(&StatusCall::Shutdown).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn words_on_the_way_go_to_stderr_and_near_misses_are_answered_with_a_suggestion() {
    let (machine, _provider, _client) = machine().await;
    let loud = machine.reeve(&["status", "-v", "--json"]);
    assert_eq!(json(&loud)["sessionsRunning"], 0);
    assert!(String::from_utf8_lossy(&loud.stderr).contains("status.get"), "{}", printed(&loud));
    let quiet = machine.reeve(&["status", "-q"]);
    assert!(quiet.stderr.is_empty(), "{}", printed(&quiet));
    let near = machine.reeve(&["stauts"]);
    assert!(String::from_utf8_lossy(&near.stderr).contains("status"), "{}", printed(&near));
    let coloured = |variables: &[(&str, &str)]| {
        let mut command = machine.world.command(reeve_tests::stage::reeve().unwrap());
        let output = command.arg("verify").envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]) && !coloured(&[]));
    let pages = machine.world.work().join("man");
    assert!(machine.reeve(&["man", "--dir", pages.to_str().unwrap()]).status.success());
    assert!(std::fs::read_to_string(pages.join("reeve-run.1")).unwrap().contains("governed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_to_show_or_half_understood_the_next_step_is_said() {
    let (machine, _provider, _client) = machine().await;
    for (arguments, code, words) in [
        (&["agents"][..], 0, "reeve run"),
        (&["agents", "sessions"], 0, "reeve run"),
        (&["approve"], 0, "nothing waits"),
        (&["log"], 0, "nothing is recorded"),
        (&["log", "--sort", "cost"], 0, "no call with a cost"),
        (&["log", "decison:denied"], 2, "did you mean `decision`"),
        (&["approve", "show", "ask_x"], 2, "the id of a question"),
        (&["agents", "stop", "nobody"], 1, "`reeve agents` lists"),
        (&["budget", "rm", "nope"], 1, "`reeve budget` lists"),
    ] {
        let output = machine.reeve(arguments);
        assert!(output.stdout.is_empty(), "{arguments:?}: {}", printed(&output));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", printed(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{arguments:?}: {}", printed(&output));
    }
}

#[tokio::test]
async fn without_a_keychain_nothing_starts_and_the_doctor_names_it_once_with_the_way_out() {
    let world = reeve_testkit::world::World::new().unwrap();
    let reeve = |arguments: &[&str]| {
        let mut command = world.command(reeve_tests::stage::reeve().unwrap());
        command.args(arguments).stdin(Stdio::null()).output().unwrap()
    };
    let status = reeve(&["status"]);
    assert_eq!(status.status.code(), Some(6), "{}", printed(&status));
    let run = reeve(&["run", "--", "true"]);
    assert_eq!(run.status.code(), Some(125), "{}", printed(&run));
    for said in [printed(&status), printed(&run)] {
        assert!(said.contains("no keychain answers") && said.contains("secrets = \"file\""), "{said}");
    }
    let checks = json(&reeve(&["doctor", "--json"]));
    let failed: Vec<_> = checks.as_array().unwrap().iter().filter(|check| check["ok"] == false).collect();
    let names: Vec<_> = failed.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["engine", "keychain"], "{checks}");
    assert_eq!(failed[1]["fix"]["kind"], "advice", "{checks}");
    assert!(failed[1]["fix"]["text"].as_str().unwrap().contains("secrets = \"file\""), "{checks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_status_and_signals_are_the_childs() {
    let (machine, _provider, _client) = machine().await;
    for code in [0, 1, 42, 125, 255] {
        let run = machine.reeve(&["run", "--quiet", "--", "sh", "-c", &format!("echo out; exit {code}")]);
        assert_eq!((run.status.code(), &*run.stdout), (Some(code), &b"out\n"[..]), "{}", printed(&run));
    }
    let killed = machine.reeve(&["run", "--", "sh", "-c", "kill -KILL $$"]);
    assert_eq!(killed.status.code(), Some(137), "{}", printed(&killed));
    for (signal, code) in [(Signal::SIGTERM, 11), (Signal::SIGINT, 12), (Signal::SIGHUP, 13)] {
        let script = "trap 'exit 11' TERM; trap 'exit 12' INT; trap 'exit 13' HUP; echo ready > ready; while :; do sleep 0.05; done";
        let ready = machine.world.work().join("ready");
        let mut running = machine
            .world
            .command(reeve_tests::stage::reeve().unwrap())
            .args(["run", "--quiet", "--", "sh", "-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !ready.exists() {
            assert!(begun.elapsed() < SOON, "the child does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        kill(Pid::from_raw(i32::try_from(running.id()).unwrap()), signal).unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = running.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > SOON {
                let _ = running.kill();
                panic!("{signal} does not reach the child");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(code), "{signal}");
        std::fs::remove_file(&ready).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_env_govern_a_curl_that_reeve_never_started() {
    let (machine, provider, _client) = machine().await;
    let env = machine.reeve(&["env", "--agent", "an-ide", "--hours", "1"]);
    assert!(env.status.success(), "{}", printed(&env));
    let lines = String::from_utf8(env.stdout).unwrap();
    assert!(lines.contains("HTTPS_PROXY") || lines.contains("https_proxy"), "{lines}");
    let curl = |url: &str| {
        let script = format!("{lines}\ncurl -sS -o answer -w '%{{http_code}}' {url}");
        machine.world.command("sh").args(["-c", &script]).output().unwrap()
    };
    let fine = curl("https://api.acme.example/hello");
    assert_eq!(String::from_utf8_lossy(&fine.stdout), "200", "{}", printed(&fine));
    assert_eq!(
        provider.requests().last().map(|r| (r.host.as_str(), r.path.as_str())),
        Some(("api.acme.example", "/hello"))
    );
    let rows = json(&machine.reeve(&["log", "agent:an-ide", "--json"]));
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    let said = String::from_utf8_lossy(&env.stderr).into_owned();
    let session = said.split_whitespace().find(|word| word.starts_with("ses_")).unwrap();
    assert!(machine.reeve(&["agents", "stop", session]).status.success());
    let after = curl("https://api.acme.example/again");
    assert_ne!(after.status.code(), Some(0), "the session is over: {}", printed(&after));
    assert_eq!(provider.requests().len(), 1);
    let json = json(&machine.reeve(&["env", "--agent", "an-ide", "--json"]));
    assert!(json.to_string().contains("http://"), "{json}");
    assert_eq!(machine.reeve(&["env", "--hours", "13"]).status.code(), Some(2));
}
