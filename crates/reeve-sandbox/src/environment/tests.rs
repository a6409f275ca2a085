//! What a session's environment sets, leaves and takes out.

use super::*;
use crate::catalog::find_key;

struct Sample {
    agent: AgentId,
    session: SessionId,
    inherited: Inherited,
    placeholders: Vec<(String, String)>,
}

impl Sample {
    fn new(inherited: &[(&str, &str)], placeholders: &[(&str, &str)]) -> Self {
        let owned = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
        Self {
            agent: AgentId::parse("claude-code").unwrap(),
            session: SessionId::new(),
            inherited: inherited.iter().map(owned).collect(),
            placeholders: placeholders.iter().map(owned).collect(),
        }
    }

    fn wiring(&self) -> Wiring<'_> {
        Wiring {
            proxy: "127.0.0.1:4321".parse().unwrap(),
            mcp: Some("http://127.0.0.1:4101/mcp"),
            token: "to/ken",
            bundle: Path::new("/run/reeve/trust.pem"),
            agent: &self.agent,
            session: &self.session,
            tool: find_key("claude-code"),
            placeholders: &self.placeholders,
            upstream_proxy: None,
            inherited: &self.inherited,
        }
    }

    fn environment(&self) -> Environment {
        for_session(&self.wiring()).unwrap()
    }
}

fn value<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.set().iter().find(|(set, _)| set == name).map(|(_, value)| value.as_str())
}

#[test]
fn every_variable_of_the_measured_runtimes_carries_proxy_or_trust() {
    let environment = Sample::new(&[], &[]).environment();
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
        assert_eq!(value(&environment, name), Some("http://reeve:to%2Fken@127.0.0.1:4321"), "{name}");
    }
    let trust = "NODE_EXTRA_CA_CERTS SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO AWS_CA_BUNDLE npm_config_cafile";
    for name in trust.split(' ') {
        assert_eq!(value(&environment, name), Some("/run/reeve/trust.pem"), "{name}");
    }
}

#[test]
fn nothing_is_excepted_from_the_proxy_not_even_loopback() {
    let sample = Sample::new(&[("NO_PROXY", "localhost,127.0.0.1,.corp"), ("no_proxy", "*")], &[]);
    let environment = sample.environment();
    assert_eq!(value(&environment, "NO_PROXY"), Some(""));
    assert_eq!(value(&environment, "no_proxy"), Some(""));
}

#[test]
fn the_child_knows_its_session_and_agent() {
    let sample = Sample::new(&[], &[]);
    let environment = sample.environment();
    assert_eq!(value(&environment, "REEVE_SESSION"), Some(sample.session.as_str()));
    assert_eq!(value(&environment, "REEVE_AGENT"), Some("claude-code"));
}

#[test]
fn what_leads_around_is_taken_out_and_said() {
    let sample = Sample::new(&[("all_proxy", "socks5://x:1"), ("NPM_CONFIG_NOPROXY", "*"), ("EDITOR", "vi")], &[]);
    let environment = sample.environment();
    assert_eq!(environment.remove(), ["NPM_CONFIG_NOPROXY", "all_proxy"]);
    assert_eq!(environment.warnings().len(), 2);
}

#[test]
fn a_corporate_proxy_is_ignored_with_a_warning_that_shows_no_password() {
    let sample = Sample::new(&[("https_proxy", "http://me:hunter2@proxy.corp:3128/")], &[]);
    let environment = sample.environment();
    let said = environment.warnings().iter().map(ToString::to_string).collect::<String>();
    assert!(said.contains("proxy.corp:3128") && !said.contains("hunter2"), "{said}");

    let mut wiring = sample.wiring();
    wiring.upstream_proxy = Some("http://proxy.corp:3128");
    assert!(for_session(&wiring).unwrap().warnings().is_empty());
}

#[test]
fn a_session_inside_a_session_does_not_warn_of_its_own_proxy() {
    let sample = Sample::new(&[("HTTPS_PROXY", "http://reeve:t@127.0.0.1:1"), ("REEVE_SESSION", "ses_x")], &[]);
    assert!(sample.environment().warnings().is_empty());
}

#[test]
fn a_bound_credential_shows_as_its_placeholder_and_the_real_keys_beside_it_go() {
    let keys = [("ANTHROPIC_API_KEY", "sk-real"), ("ANTHROPIC_AUTH_TOKEN", "sk-real-too"), ("OTHER_KEY", "x")];
    let unbound = Sample::new(&keys, &[]).environment();
    assert_eq!(value(&unbound, "ANTHROPIC_API_KEY"), None);
    assert!(unbound.remove().is_empty(), "the tool's own login passes through");

    let bound = Sample::new(&keys, &[("ANTHROPIC_API_KEY", "sk-ant-reeve-1")]).environment();
    assert_eq!(value(&bound, "ANTHROPIC_API_KEY"), Some("sk-ant-reeve-1"));
    assert_eq!(bound.remove(), ["ANTHROPIC_AUTH_TOKEN"]);
    let text = format!("{bound:?}{:?}", bound.warnings());
    assert!(!text.contains("sk-real") && !text.contains("to%2Fken"), "{text}");
}

#[test]
fn a_placeholder_cannot_take_the_place_of_what_steers_the_session() {
    for name in ["HTTPS_PROXY", "no_proxy", "REEVE_SESSION", "ssl_cert_file", "PATH", "ALL_PROXY", "A=B", "", "1A"] {
        let sample = Sample::new(&[], &[(name, "decoy")]);
        let refused = for_session(&sample.wiring());
        assert!(matches!(refused, Err(SandboxError::PlaceholderVariable { .. })), "{name}");
    }
}

#[test]
fn a_tool_gets_what_it_needs_unless_the_person_set_it() {
    let given = Sample::new(&[], &[]).environment();
    assert_eq!(value(&given, "CLAUDE_STREAM_IDLE_TIMEOUT_MS"), Some("1800000"));
    let own = Sample::new(&[("CLAUDE_STREAM_IDLE_TIMEOUT_MS", "900000")], &[]).environment();
    assert_eq!(value(&own, "CLAUDE_STREAM_IDLE_TIMEOUT_MS"), None);

    let sample = Sample::new(&[("CODEX_CA_CERTIFICATE", "/old.pem")], &[]);
    let mut wiring = sample.wiring();
    wiring.tool = find_key("codex");
    assert_eq!(value(&for_session(&wiring).unwrap(), "CODEX_CA_CERTIFICATE"), Some("/run/reeve/trust.pem"));
}

#[test]
fn lines_and_json_say_the_same() {
    let sample = Sample::new(&[("ALL_PROXY", "socks5://x:1")], &[("GH_TOKEN", "it's")]);
    let environment = sample.environment();
    let lines = environment.lines(Shell::Posix);
    assert!(lines.starts_with("unset ALL_PROXY\n"), "{lines}");
    assert!(lines.contains("export GH_TOKEN='it'\\''s'\n") && lines.contains("export NO_PROXY=''\n"), "{lines}");
    let json = serde_json::to_value(&environment).unwrap();
    assert_eq!(json["unset"][0], "ALL_PROXY");
    assert_eq!(json["set"]["GH_TOKEN"], "it's");
    assert_eq!(json["set"].as_object().unwrap().len(), environment.set().len());
}
