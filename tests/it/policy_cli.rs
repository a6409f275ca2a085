//! `reeve policy simulate`, `diff` and `apply` as scripts see them: exit codes, what is written, what is kept, who may.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use reeve_demo::Provider;
use reeve_demo::script::Script;
use reeve_testkit::agent::Speak;
use serde_json::Value;

use crate::machine::{Machine, printed};
use crate::requests::get;

const NO_DOCS: &str =
    "@id(\"no-docs\")\n@reason(\"not today\")\nforbid (principal, action, resource == Host::\"api.acme.example\");\n";
const MAY_DELETE: &str = "@id(\"may-delete\")\n@reason(\"a throw-away place\")\npermit (principal, action, resource == Host::\"api.acme.example\");\n";

async fn machine() -> (Machine, Provider, reeve_api::client::Client) {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    (machine, provider, client)
}

/// A file outside the person's own folder.
fn candidate(machine: &Machine, name: &str, text: &str) -> PathBuf {
    machine.world.write_config(&format!("candidates/{name}"), text).unwrap()
}

fn policy(machine: &Machine, verb: &str, path: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["policy", verb, path.to_str().unwrap()];
    arguments.extend(more);
    machine.reeve(&arguments)
}

fn json(output: &Output) -> Value {
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {}", printed(output)));
    document["data"].clone()
}

fn in_force(machine: &Machine) -> Vec<String> {
    let rules = json(&machine.reeve(&["policy", "list", "--json"]))["rules"].clone();
    rules.as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_weighed_shown_and_put_in_force_and_the_version_before_is_kept() {
    let (machine, _provider, client) = machine().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    assert_eq!(agent.send(Speak::H1, get("https://api.acme.example/page")).await.unwrap().status.as_u16(), 200);
    let denies = candidate(&machine, "mine.cedar", NO_DOCS);
    let simulated = policy(&machine, "simulate", &denies, &["--json"]);
    assert_eq!(simulated.status.code(), Some(0), "{}", printed(&simulated));
    assert_eq!(json(&simulated)["newlyDenied"]["count"], 1);
    let shown = policy(&machine, "diff", &denies, &[]);
    assert!(printed(&shown).contains("+ no-docs (can only tighten): denies: not today"), "{}", printed(&shown));
    // Nobody can be asked here, and nothing is written without an answer.
    let unasked = policy(&machine, "apply", &denies, &[]);
    assert_eq!(unasked.status.code(), Some(2), "{}", printed(&unasked));
    assert!(!in_force(&machine).contains(&"no-docs".to_owned()));
    let applied = policy(&machine, "apply", &denies, &["--yes", "--note", "for the audit"]);
    assert_eq!(applied.status.code(), Some(0), "{}", printed(&applied));
    assert!(in_force(&machine).contains(&"no-docs".to_owned()));
    assert_ne!(agent.send(Speak::H1, get("https://api.acme.example/page")).await.unwrap().status.as_u16(), 200);
    // Taking it away again allows something anew: that has an exit code of its own.
    let nothing = candidate(&machine, "empty/mine.cedar", "// nothing\n");
    let loosened = policy(&machine, "simulate", nothing.parent().unwrap(), &[]);
    assert_eq!(loosened.status.code(), Some(3), "{}", printed(&loosened));
    assert!(printed(&loosened).contains("newly allowed 2"), "{}", printed(&loosened));
    let again = policy(&machine, "apply", &denies, &["--yes"]);
    assert_eq!(again.status.code(), Some(0), "{}", printed(&again));
    assert!(printed(&again).contains("nothing was written"), "{}", printed(&again));
    let history = std::fs::read_dir(denies.parent().unwrap().parent().unwrap().join("history")).unwrap();
    let kept: Vec<String> = history.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    assert!(kept.iter().any(|version| version.contains("for the audit")), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_load_or_fails_a_case_is_not_put_in_force() {
    let (machine, _provider, _client) = machine().await;
    let broken = candidate(&machine, "mine.cedar", "forbid (principal, action\n");
    for verb in ["diff", "apply", "simulate"] {
        let said = policy(&machine, verb, &broken, &[]);
        assert_eq!(said.status.code(), Some(1), "{verb}: {}", printed(&said));
        assert!(printed(&said).contains("mine.cedar:"), "{verb}: {}", printed(&said));
    }
    let cases = "cases:\n  - name: deleting asks\n    http: { method: DELETE, url: 'https://api.acme.example/x' }\n    expect: ask\n";
    machine.world.write_config("policies/cases/mine.yaml", cases).unwrap();
    let permits = candidate(&machine, "mine.cedar", &format!("{MAY_DELETE}{NO_DOCS}"));
    let failing = policy(&machine, "apply", &permits, &["--yes"]);
    assert_eq!(failing.status.code(), Some(1), "{}", printed(&failing));
    assert!(printed(&failing).contains("deleting asks: expected ask, came deny"), "{}", printed(&failing));
    assert!(!in_force(&machine).contains(&"no-docs".to_owned()));
    let missing = policy(&machine, "diff", &machine.world.reeve_home().join("nowhere"), &[]);
    assert_eq!(missing.status.code(), Some(2), "{}", printed(&missing));
}

/// What waits, by its revision.
async fn waiting(machine: &Machine) -> String {
    for _ in 0..3_000 {
        let state = json(&machine.reeve(&["policy", "list", "--json"]))["state"].clone();
        if let Some(revision) = state["waiting"]["revision"].as_str() {
            return revision.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nothing waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_were_loosened_in_an_editor_wait_until_they_are_acknowledged_or_taken_back() {
    let (machine, _provider, _client) = machine().await;
    let is_there = |rule: &str| in_force(&machine).contains(&rule.to_owned());
    let file = machine.world.write_config("policies/mine.cedar", MAY_DELETE).unwrap();
    waiting(&machine).await;
    assert!(!is_there("may-delete"));
    let listed = machine.reeve(&["policy", "list"]);
    assert_eq!(listed.status.code(), Some(1), "{}", printed(&listed));
    assert!(printed(&listed).contains("`mine.cedar` changed outside Reeve"), "{}", printed(&listed));
    let mine = |more: &[&str]| machine.reeve(&[&["policy", "acknowledge", "--mine"], more].concat());
    // Nobody can be asked here; what differs is shown all the same.
    let unasked = mine(&[]);
    assert_eq!(unasked.status.code(), Some(2), "{}", printed(&unasked));
    assert!(printed(&unasked).contains("+ @id(\"may-delete\")"), "{}", printed(&unasked));
    assert_ne!(mine(&["--revision", "another"]).status.code(), Some(0));
    let kept = mine(&["--keep", "--revision", &waiting(&machine).await]);
    assert_eq!(kept.status.code(), Some(0), "{}", printed(&kept));
    assert!(!file.exists());

    machine.world.write_config("policies/mine.cedar", MAY_DELETE).unwrap();
    let loaded = mine(&["--revision", &waiting(&machine).await]);
    assert_eq!(loaded.status.code(), Some(0), "{}", printed(&loaded));
    assert!(is_there("may-delete"));
    assert!(printed(&mine(&[])).contains("nothing to agree to"));
    // What tightens binds by itself.
    machine.world.write_config("policies/no.cedar", NO_DOCS).unwrap();
    for _ in 0..3_000 {
        if is_there("no-docs") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("a tighter edit was not loaded");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_neither_weighs_nor_applies_rules() {
    let (machine, _provider, client) = machine().await;
    let (_, opened) = machine.agent(&client, "tester").await;
    let denies = candidate(&machine, "mine.cedar", NO_DOCS);
    let program = reeve_tests::stage::reeve().unwrap();
    let arguments = ["policy", "apply", denies.to_str().unwrap(), "--yes"];
    let mut marked = machine.world.command(&program);
    let marked = marked.args(arguments).env("REEVE_SESSION", &opened.session.id).stdin(Stdio::null()).output().unwrap();
    assert_eq!(marked.status.code(), Some(3), "{}", printed(&marked));
    let script = "unset REEVE_SESSION REEVE_AGENT; \"$@\"";
    let mut inside = vec!["run", "--quiet", "--", "sh", "-c", script, "sh", program.to_str().unwrap()];
    inside.extend(arguments);
    let refused = machine.reeve(&inside);
    assert_eq!(refused.status.code(), Some(3), "{}", printed(&refused));
    // Weighing takes the engine's time, which is the person's.
    let mut weighing = vec!["run", "--quiet", "--", program.to_str().unwrap()];
    weighing.extend(["policy", "diff", denies.to_str().unwrap()]);
    assert_eq!(machine.reeve(&weighing).status.code(), Some(3));
    assert!(!in_force(&machine).contains(&"no-docs".to_owned()));
}
