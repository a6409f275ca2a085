//! Standing approvals and grants: they answer asks that may be lifted, and nothing else.

use chrono::{TimeDelta, Utc};
use reeve_domain::grant::Grant;
use reeve_domain::id::{ApprovalId, GrantId, RuleId};
use reeve_domain::settings::Preset;
use reeve_domain::verdict::{Decision, Layer};

use super::*;
use crate::{DEFAULT_ASK, Width, may_stand, standing_approval, standing_approval_of, widths};

fn grant(operation: &Operation, text: String) -> Grant {
    Grant {
        id: GrantId::new(),
        agent: operation.principal.agent.clone(),
        session: Some(operation.principal.session.clone()),
        lifts: Vec::new(),
        text,
        approval: ApprovalId::new(),
        given_at: noon().to_utc(),
        expires_at: None,
    }
}

fn written(set: &PolicySet, operation: &Operation, circumstances: &Circumstances) -> String {
    let verdict = set.evaluate(operation, circumstances);
    assert_eq!(verdict.decision(), Decision::Ask, "{verdict:?}");
    standing_approval(operation, verdict.reasons(), "always-1", None, None).unwrap()
}

#[test]
fn an_approval_is_as_narrow_as_it_reads() {
    let set = load(Preset::Balanced, &[]);
    let operation = http("POST", "api.example.com", "/repos/acme/issues");
    let end = Utc::now() + TimeDelta::days(30);
    let reasons = set.evaluate(&operation, &new_here()).reasons().to_vec();
    let text =
        standing_approval(&operation, &reasons, "always-1", Some(end), Some(&operation.principal.session)).unwrap();
    for expected in [
        "@id(\"always-1\")",
        "@lifts(\"ask-first-write\")",
        "@expires(\"",
        "principal == Agent::\"codex\"",
        "resource == Host::\"api.example.com\"",
        "context.method == \"POST\"",
        "context.path like \"/repos/acme/*\"",
        "context.session == Session::\"ses_",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    let deletes = http("DELETE", "api.example.com", "/repos/acme/issues");
    assert!(written(&set, &deletes, &known()).contains("context.path == \"/repos/acme/issues\""));
    assert!(written(&set, &http("POST", "api.example.com", "/"), &new_here()).contains("context.path == \"/\""));
}

fn hiding(method: &str, path: &str, shown: &str) -> Operation {
    let mut operation = http(method, "hooks.example.com", path);
    operation.summary = format!("{method} hooks.example.com{shown}");
    if let Subject::Http(call) = &mut operation.subject {
        call.endpoint.path = call.endpoint.path.clone().showing(shown);
    }
    operation
}

#[test]
fn a_standing_approval_holds_no_secret_of_the_path_it_was_given_for() {
    let set = load(Preset::Balanced, &[]);
    let operation = hiding("POST", "/services/T1/s3cret", "/services/T1/(redacted.1a2b3c4d)");
    assert_eq!(widths(&operation), [Width::Useful]);
    let reasons = set.evaluate(&operation, &new_here()).reasons().to_vec();
    let text = standing_approval(&operation, &reasons, "always-1", None, None).unwrap();
    assert!(text.contains("context.path like \"/services/T1/*\"") && !text.contains("s3cret"), "{text}");
    let stood = PolicySet::load(Preset::Balanced, &[], &[source(Layer::Mine, "standing.cedar", &text)]).unwrap();
    assert_eq!(stood.evaluate(&operation, &new_here()).decision(), Decision::Allow);
}

#[test]
fn nothing_stands_where_its_rule_would_have_to_name_a_secret() {
    let text = |operation: &Operation, width| standing_approval_of(width, operation, &[], "always-1", None, None);
    let last = hiding("POST", "/services/T1/s3cret", "/services/T1/(redacted.1a2b3c4d)");
    assert_eq!(text(&last, Width::Exact), None);
    for operation in [
        hiding("POST", "/bots3cret/sendMessage", "/bot(redacted.1a2b3c4d)/sendMessage"),
        hiding("POST", "/bots3cret", "/bot(redacted.1a2b3c4d)"),
        hiding("GET", "/bots3cret/getUpdates", "/(redacted)"),
        hiding("DELETE", "/services/T1/s3cret", "/services/T1/(redacted.1a2b3c4d)"),
        hiding("POST", "/s3cret/app.git/git-receive-pack", "/(redacted)/app.git/git-receive-pack"),
    ] {
        assert_eq!(widths(&operation), [], "{}", operation.summary);
        assert_eq!(text(&operation, Width::Useful), None, "{}", operation.summary);
        assert_eq!(text(&operation, Width::Exact), None, "{}", operation.summary);
    }
    // Written so by the agent itself, nothing was taken out: it is a path like any other.
    let literal = http("POST", "hooks.example.com", "/a/(redacted/b/c)/d");
    assert!(text(&literal, Width::Useful).unwrap().contains("context.path like \"/a/(redacted/b/c)/*\""));
    assert!(text(&literal, Width::Exact).unwrap().contains("context.path == \"/a/(redacted/b/c)/d\""));
}

#[test]
fn always_answers_the_same_question_and_no_wider_one() {
    let plain = load(Preset::Balanced, &[]);
    let operation = http("POST", "api.example.com", "/repos/acme/issues");
    let text = written(&plain, &operation, &new_here());
    let set = PolicySet::load(Preset::Balanced, &[], &[source(Layer::Mine, "standing.cedar", &text)]).unwrap();
    assert_eq!(set.notices(), []);
    let verdict = set.evaluate(&operation, &new_here());
    assert_eq!((verdict.decision(), verdict.lifted_by()), (Decision::Allow, ["always-1".to_owned()].as_slice()));
    assert_eq!(rules(&verdict), ["ask-first-write"]);
    let mut other_agent = operation.clone();
    other_agent.principal.agent = AgentId::parse("claude-code").unwrap();
    let mut with_credential = operation.clone();
    with_credential.credential = reeve_domain::id::CredentialId::parse("github").ok();
    let mut other_port = operation.clone();
    if let Subject::Http(call) = &mut other_port.subject {
        call.endpoint.port = 8443;
    }
    for wider in [
        other_agent,
        with_credential,
        other_port,
        http("PUT", "api.example.com", "/repos/acme/issues"),
        http("POST", "api.example.com", "/repos/other/issues"),
        http("POST", "api2.example.com", "/repos/acme/issues"),
        http("DELETE", "api.example.com", "/repos/acme/issues"),
    ] {
        assert_eq!(set.evaluate(&wider, &new_here()).decision(), Decision::Ask, "{}", wider.summary);
    }
}

#[test]
fn nothing_in_an_operation_can_break_out_of_the_text() {
    let set = load(Preset::Balanced, &[]);
    let mut operation = http("POST", "api.example.com", "/a*b/'c'/$x");
    operation.summary = "POST \"); permit (principal, action, resource); @id(\"\u{202e}\\".to_owned();
    let text = written(&set, &operation, &new_here());
    let set = PolicySet::load(Preset::Balanced, &[], &[source(Layer::Mine, "standing.cedar", &text)])
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(set.rules().iter().filter(|rule| rule.layer == Layer::Mine).count(), 1);
    assert_eq!(set.evaluate(&operation, &new_here()).decision(), Decision::Allow, "{text}");
    assert_eq!(set.evaluate(&http("POST", "api.example.com", "/axxb/c"), &new_here()).decision(), Decision::Ask);
}

#[test]
fn an_approval_lifts_no_deny_and_no_ask_that_its_owner_keeps() {
    let anything = |lifts: &str| {
        mine(&format!(
            "@id(\"w\") @lifts(\"{lifts}\") permit (principal, action == Action::\"http.request\", resource);"
        ))
    };
    let operation = http("GET", "webhook.site", "/x");
    let set = load(Preset::Balanced, &[anything("deny-drop-sites")]);
    assert_eq!(set.evaluate(&operation, &known()).decision(), Decision::Deny);
    let set = load(Preset::Strict, &[anything("ask-destructive")]);
    let verdict = set.evaluate(&http("DELETE", "api.example.com", "/x"), &known());
    assert_eq!((verdict.decision(), may_stand(verdict.reasons())), (Decision::Ask, false));
}

#[test]
fn an_operation_is_held_for_the_asks_that_are_not_answered() {
    let mut operation = http("POST", "api.example.com", "/x");
    operation.credential = reeve_domain::id::CredentialId::parse("github").ok();
    let set = load(
        Preset::Strict,
        &[mine("@id(\"w\") @lifts(\"ask-write\") permit (principal, action == Action::\"http.request\", resource);")],
    );
    let verdict = set.evaluate(&operation, &known());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Ask, vec!["ask-credential"]));
    let both = mine(
        "@id(\"w\") @lifts(\"ask-write, ask-credential\") permit (principal, action == Action::\"http.request\", resource);",
    );
    let verdict = load(Preset::Strict, &[both]).evaluate(&operation, &known());
    assert_eq!((verdict.decision(), verdict.lifted_by().len()), (Decision::Allow, 1));
}

#[test]
fn where_only_the_default_asks_always_is_a_plain_permit() {
    let mut operation = http("POST", "api.example.com", "/v1/chat");
    let mut endpoint = operation.endpoint().unwrap().clone();
    endpoint.scheme = Scheme::Http;
    endpoint.port = 80;
    operation.subject = super::slicing::model_call(endpoint, "corp", "m \"1\"");
    let set = load(Preset::Balanced, &[]);
    let verdict = set.evaluate(&operation, &known());
    assert_eq!(rules(&verdict), [DEFAULT_ASK]);
    let text = standing_approval(&operation, verdict.reasons(), "always-2", None, None).unwrap();
    assert!(!text.contains("@lifts"), "{text}");
    let after = PolicySet::load(Preset::Balanced, &[], &[source(Layer::Mine, "standing.cedar", &text)]).unwrap();
    let verdict = after.evaluate(&operation, &known());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Allow, vec!["always-2"]));
    let granted = Circumstances { grants: vec![grant(&operation, text)], ..known() };
    assert_eq!(
        set.evaluate(&operation, &granted).decision(),
        Decision::Allow,
        "a grant of the same text answers it too"
    );
}

#[test]
fn a_grant_answers_for_its_agent_session_and_time_only() {
    let set = load(Preset::Balanced, &[]);
    let operation = http("POST", "api.example.com", "/x");
    let given = grant(&operation, written(&set, &operation, &new_here()));
    let with = |grant: Grant| {
        let verdict = set.evaluate(&operation, &Circumstances { grants: vec![grant], ..new_here() });
        (verdict.decision(), verdict.lifted_by().to_vec())
    };
    assert_eq!(with(given.clone()), (Decision::Allow, vec![given.id.to_string()]));
    assert_eq!(with(Grant { session: None, ..given.clone() }).0, Decision::Allow);
    let dead = [
        Grant { session: Some(SessionId::new()), ..given.clone() },
        Grant { agent: AgentId::parse("claude-code").unwrap(), ..given.clone() },
        Grant { expires_at: Some(noon().to_utc()), ..given.clone() },
        Grant { text: given.text.replace("@lifts", "@expires(\"2026-01-01\") @lifts"), ..given.clone() },
        Grant { text: given.text.replace("permit (", "forbid ("), ..given.clone() },
        Grant { text: given.text.replace("context.method", "context.nonsense"), ..given.clone() },
        Grant { text: "not cedar".to_owned(), ..given.clone() },
        Grant { text: format!("{}{}", given.text, given.text.replace("always-1", "b")), ..given.clone() },
        Grant { text: String::new(), lifts: vec![RuleId::parse("ask-first-write").unwrap()], ..given.clone() },
    ];
    for grant in dead {
        assert_eq!(with(grant.clone()), (Decision::Ask, Vec::new()), "{grant:?}");
    }
}

#[test]
fn a_standing_approval_past_its_end_answers_nothing() {
    let set = |end: &str| {
        load(
            Preset::Strict,
            &[mine(&format!(
                "@id(\"w\") @lifts(\"ask-write\") @expires(\"{end}\") permit (principal, action == Action::\"http.request\", resource);"
            ))],
        )
    };
    let operation = http("POST", "api.example.com", "/x");
    assert_eq!(set("2026-11-21").evaluate(&operation, &known()).decision(), Decision::Allow);
    assert_eq!(set("2026-11-20").evaluate(&operation, &known()).decision(), Decision::Ask);
}

#[test]
fn a_whole_host_is_offered_for_reads_alone() {
    let reads = http("GET", "docs.example.com", "/webhooks/signatures");
    assert_eq!(widths(&reads), [Width::Useful, Width::Exact, Width::Host]);
    assert_eq!(widths(&http("POST", "docs.example.com", "/a/b")), [Width::Useful, Width::Exact]);
    assert_eq!(widths(&http("DELETE", "docs.example.com", "/a/b")), [Width::Useful]);
    let text =
        |operation: &Operation, width| standing_approval_of(width, operation, &[], "always-1", None, None).unwrap();
    assert!(text(&reads, Width::Useful).contains("context.path like \"/webhooks/*\""));
    assert!(text(&reads, Width::Exact).contains("context.path == \"/webhooks/signatures\""));
    assert!(!text(&reads, Width::Host).contains("context.path"));
    let deletes = http("DELETE", "docs.example.com", "/a/b");
    assert_eq!(text(&deletes, Width::Host), text(&deletes, Width::Useful));
}
