//! Agents × operations × presets: what the shipped policies say, held by a snapshot that a change has to be read in.

use std::fmt::Write as _;

use chrono::DateTime;
use reeve_domain::id::{AgentId, CredentialId};
use reeve_domain::operation::{Billing, Operation, Scheme, ServerTool, Subject};
use reeve_domain::settings::Preset;
use reeve_domain::verdict::Decision;
use reeve_policy::{Circumstances, PolicySet};
use reeve_testkit::samples;

const AGENTS: [&str; 5] = ["claude-code", "codex", "gemini-cli", "opencode", "a-script-of-ours"];

const REQUESTS: [(&str, &str, &str); 26] = [
    ("GET", "docs.rs", "/serde"),
    ("HEAD", "docs.rs", "/serde"),
    ("OPTIONS", "api.acme.example", "/things"),
    ("POST", "api.acme.example", "/things"),
    ("PUT", "api.acme.example", "/things/7"),
    ("PATCH", "api.acme.example", "/things/7"),
    ("DELETE", "api.acme.example", "/things/7"),
    ("GET", "packages.acme.test", "/left-pad"),
    ("PUT", "packages.acme.test", "/left-pad"),
    ("GET", "github.com", "/acme/web.git/info/refs"),
    ("POST", "github.com", "/acme/web.git/git-upload-pack"),
    ("POST", "github.com", "/acme/web.git/git-receive-pack"),
    ("GET", "api.github.com", "/user"),
    ("DELETE", "api.github.com", "/repos/acme/web"),
    ("GET", "api.anthropic.com", "/api/claude_code/settings"),
    ("POST", "api.anthropic.com", "/api/event_logging/batch"),
    ("POST", "chatgpt.com", "/backend-api/codex/analytics-events/events"),
    ("POST", "statsig.anthropic.com", "/v1/initialize"),
    ("GET", "models.opencode.ai", "/api.json"),
    ("POST", "webhook.site", "/0f0f"),
    ("GET", "pastebin.com", "/raw/abc"),
    ("GET", "203.0.113.7", "/"),
    ("GET", "[2001:db8::1]", "/"),
    ("GET", "169.254.169.254", "/latest/meta-data"),
    ("GET", "localhost", "/"),
    ("GET", "127.0.0.1", "/"),
];

fn edited(mut operation: Operation, edit: impl FnOnce(&mut Operation)) -> Operation {
    edit(&mut operation);
    operation
}

fn with_http(operation: Operation, edit: impl FnOnce(&mut reeve_domain::operation::HttpCall)) -> Operation {
    edited(operation, |operation| {
        let Subject::Http(call) = &mut operation.subject else { panic!("no request") };
        edit(call);
    })
}

fn with_llm(edit: impl FnOnce(&mut reeve_domain::operation::LlmCall)) -> Operation {
    edited(samples::llm("codex").unwrap(), |operation| {
        let Subject::Llm(call) = &mut operation.subject else { panic!("no model call") };
        edit(call);
    })
}

/// Every operation with the words that stand for it in the snapshot.
fn operations() -> Vec<(String, Operation)> {
    let http = |method, host, path| samples::http("codex", method, host, path).unwrap();
    let read = || http("GET", "api.acme.example", "/things");
    let mut all: Vec<(String, Operation)> = REQUESTS
        .iter()
        .map(|(method, host, path)| (format!("{method} {host}{path}"), http(method, host, path)))
        .collect();
    let credential = CredentialId::parse("acme").unwrap();
    all.extend(
        [
            ("GET with a long query", with_http(read(), |call| call.query = Some("q".repeat(1001)))),
            ("GET as an upgrade", with_http(read(), |call| call.upgrade = Some("websocket".to_owned()))),
            ("GET on port 8443", with_http(read(), |call| call.endpoint.port = 8443)),
            (
                "GET over http",
                with_http(read(), |call| (call.endpoint.scheme, call.endpoint.port) = (Scheme::Http, 80)),
            ),
            (
                "POST over http",
                with_http(http("POST", "api.acme.example", "/things"), |call| {
                    (call.endpoint.scheme, call.endpoint.port) = (Scheme::Http, 80);
                }),
            ),
            (
                "GET localhost:3000",
                with_http(http("GET", "localhost", "/"), |call| {
                    (call.endpoint.scheme, call.endpoint.port) = (Scheme::Http, 3000);
                }),
            ),
            (
                "GET localhost:2375",
                with_http(http("GET", "localhost", "/"), |call| {
                    (call.endpoint.scheme, call.endpoint.port) = (Scheme::Http, 2375);
                }),
            ),
            ("GET with a credential", edited(read(), |operation| operation.credential = Some(credential.clone()))),
            (
                "GET with a credential over http",
                edited(
                    with_http(read(), |call| (call.endpoint.scheme, call.endpoint.port) = (Scheme::Http, 80)),
                    |operation| operation.credential = Some(credential.clone()),
                ),
            ),
            ("model call", with_llm(|_| {})),
            ("model call under a flat rate", with_llm(|call| call.billing = Billing::FlatRate)),
            (
                "model call with a tool of the provider's",
                with_llm(|call| {
                    call.server_tools = vec![ServerTool { name: "web_search".to_owned(), max_uses: Some(5) }];
                }),
            ),
            (
                "model call to another host",
                with_llm(|call| call.endpoint = samples::endpoint("POST", "llm.acme.example", "/v1/messages").unwrap()),
            ),
            ("model call on another port", with_llm(|call| call.endpoint.port = 8443)),
            ("model call over http", with_llm(|call| (call.endpoint.scheme, call.endpoint.port) = (Scheme::Http, 80))),
            (
                "model call to this machine",
                with_llm(|call| {
                    call.endpoint = samples::endpoint("POST", "localhost", "/v1/messages").unwrap();
                    (call.endpoint.scheme, call.endpoint.port) = (Scheme::Http, 11434);
                }),
            ),
        ]
        .map(|(name, operation)| (name.to_owned(), operation)),
    );
    all
}

fn circumstances(new: bool) -> Circumstances {
    let now = DateTime::parse_from_rfc3339("2026-11-20T12:00:00+01:00").unwrap();
    Circumstances { now, first_seen: new, first_write: new, cwd: None, grants: Vec::new() }
}

/// Decision and rules.
fn said(set: &PolicySet, operation: &Operation, new: bool) -> String {
    let verdict = set.evaluate(operation, &circumstances(new));
    let decision = match verdict.decision() {
        Decision::Allow => "allow",
        Decision::Ask => "ASK",
        Decision::Deny => "DENY",
    };
    let rules: Vec<&str> = verdict.reasons().iter().map(|reason| reason.rule.as_str()).collect();
    format!("{decision} {}", rules.join(" "))
}

fn matrix(preset: Preset) -> String {
    let set = PolicySet::load(preset, &[], &[]).unwrap();
    let mut out = String::new();
    for (name, operation) in operations() {
        writeln!(out, "{name}").unwrap();
        for new in [true, false] {
            let by_agent: Vec<(&str, String)> = AGENTS
                .iter()
                .map(|agent| {
                    let theirs = edited(operation.clone(), |o| o.principal.agent = AgentId::parse(agent).unwrap());
                    (*agent, said(&set, &theirs, new))
                })
                .collect();
            let when = if new { "first" } else { "again" };
            // One line where all agents are treated alike.
            if by_agent.iter().all(|(_, verdict)| *verdict == by_agent[0].1) {
                writeln!(out, "  {when} · every agent: {}", by_agent[0].1).unwrap();
            } else {
                for (agent, verdict) in by_agent {
                    writeln!(out, "  {when} · {agent}: {verdict}").unwrap();
                }
            }
        }
    }
    out
}

#[test]
fn what_balanced_says() {
    insta::assert_snapshot!(matrix(Preset::Balanced));
}

#[test]
fn what_strict_says() {
    insta::assert_snapshot!(matrix(Preset::Strict));
}

#[test]
fn strict_never_allows_what_balanced_does_not() {
    let [balanced, strict] =
        [Preset::Balanced, Preset::Strict].map(|preset| PolicySet::load(preset, &[], &[]).unwrap());
    let rank = |decision| match decision {
        Decision::Allow => 0,
        Decision::Ask => 1,
        Decision::Deny => 2,
    };
    for (name, operation) in operations() {
        for new in [true, false] {
            let [loose, tight] =
                [&balanced, &strict].map(|set| rank(set.evaluate(&operation, &circumstances(new)).decision()));
            assert!(tight >= loose, "{name} (new: {new})");
        }
    }
}
