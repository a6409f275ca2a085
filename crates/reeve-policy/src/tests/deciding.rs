//! Deny beats ask beats allow; errors deny; layers only tighten; obligations and risk.

use reeve_domain::obligation::Obligation;
use reeve_domain::settings::Preset;
use reeve_domain::verdict::{Decision, Layer, Risk};

use super::*;
use crate::EVALUATION_ERROR;

const ANY: &str = "(principal, action == Action::\"http.request\", resource == Host::\"api.example.com\")";

fn decide(texts: &[&str], operation: &Operation, circumstances: &Circumstances) -> Verdict {
    let sources: Vec<Source> =
        (0..).zip(texts).map(|(n, text)| source(Layer::Mine, &format!("{n}.cedar"), text)).collect();
    load(Preset::Strict, &sources).evaluate(operation, circumstances)
}

#[test]
fn deny_beats_ask_and_ask_beats_allow() {
    let allow = format!("@id(\"a\") @reason(\"r\") permit {ANY};");
    let ask = format!("@id(\"b\") @reason(\"r\") forbid {ANY} unless {{ context.approved }};");
    let deny = format!("@id(\"c\") @reason(\"r\") forbid {ANY};");
    let operation = http("GET", "api.example.com", "/x");
    let verdict = decide(&[&allow], &operation, &known());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Allow, vec!["a", "allow-read-again"]));
    let verdict = decide(&[&allow, &ask], &operation, &known());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Ask, vec!["b"]));
    let verdict = decide(&[&allow, &ask, &deny], &operation, &known());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Deny, vec!["c"]));
    assert_eq!((verdict.reasons()[0].file.as_str(), verdict.reasons()[0].line), ("2.cedar", 1));
}

#[test]
fn a_thread_whose_stack_is_nearly_used_up_decides_all_the_same() {
    let set = load(Preset::Balanced, &[]);
    let operation = http("GET", "api.example.com", "/x");
    let decided = std::thread::scope(|scope| {
        let small = std::thread::Builder::new().stack_size(192 * 1024);
        small.spawn_scoped(scope, || set.evaluate(&operation, &known())).unwrap().join().unwrap()
    });
    assert!(!rules(&decided).contains(&EVALUATION_ERROR), "{:?}", decided.reasons());
}

#[test]
fn what_nothing_matches_asks_under_balanced_and_is_denied_under_strict() {
    let model = llm_over_http();
    let verdict = load(Preset::Balanced, &[]).evaluate(&model, &known());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Ask, vec![crate::DEFAULT_ASK]));
    assert!(verdict.reasons()[0].liftable);
    // The rules of `strict` leave no gap for the operations there are today; the default is asked for directly.
    let set = load(Preset::Strict, &[]);
    let circumstances = known();
    let case = crate::facts::Case::new(&model, &circumstances);
    let verdict = set.by_default(&case, &set.prepare(&case).unwrap());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Deny, vec![crate::DEFAULT_DENY]));
    assert!(!verdict.reasons()[0].liftable);
}

#[test]
fn a_lifted_ask_needs_no_permit_besides() {
    let model = llm_over_http();
    let verdict = load(Preset::Strict, &[]).evaluate(&model, &known());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Ask, vec!["ask-other-llm-host"]));
    let text = r#"@id("w") @lifts("ask-other-llm-host") permit (principal, action == Action::"llm.call", resource);"#;
    let verdict = load(Preset::Strict, &[mine(text)]).evaluate(&model, &known());
    assert_eq!((verdict.decision(), verdict.lifted_by()), (Decision::Allow, ["w".to_owned()].as_slice()));
}

fn llm_over_http() -> Operation {
    use reeve_domain::operation::{Billing, Dialect, LlmCall};
    let mut operation = http("POST", "llm.example.com", "/v1/messages");
    let mut endpoint = operation.endpoint().unwrap().clone();
    endpoint.scheme = Scheme::Http;
    endpoint.port = 80;
    operation.subject = Subject::Llm(LlmCall {
        endpoint,
        dialect: Dialect::OpenaiChat,
        provider: "corp".to_owned(),
        model: "m-1".to_owned(),
        stream: true,
        input_bound: u64::MAX,
        cache_write_bound: 0,
        cache_one_hour: false,
        output_limit: Some(100),
        candidates: 1,
        question: None,
        stage: None,
        thinking_budget: Some(10),
        tools_offered: vec!["shell".to_owned()],
        server_tools: Vec::new(),
        service_tier: Some("flex".to_owned()),
        multipliers: Vec::new(),
        billing: Billing::Metered,
        body_bytes: 7,
    });
    operation
}

#[test]
fn an_error_in_any_rule_denies_even_where_everything_else_allows() {
    let allow = format!("@id(\"a\") @reason(\"r\") permit {ANY};");
    let overflow = |effect: &str, id: &str| {
        format!("@id(\"{id}\") @reason(\"r\") {effect} {ANY} when {{ context.port * 9223372036854775807 > 0 }};")
    };
    for (effect, id) in [("forbid", "f"), ("permit", "p")] {
        let verdict = decide(&[&allow, &overflow(effect, id)], &http("GET", "api.example.com", "/"), &known());
        assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Deny, vec![EVALUATION_ERROR]));
        assert!(verdict.reasons()[0].text.contains(&format!("`{id}`")), "{:?}", verdict.reasons());
        assert_eq!(verdict.reasons()[0].layer, Layer::Reeve);
    }
    let only_when_approved = format!(
        "@id(\"o\") @reason(\"r\") forbid {ANY} unless {{ context.approved && context.port * 9223372036854775807 > 0 }};"
    );
    let verdict = decide(&[&only_when_approved], &http("GET", "api.example.com", "/"), &known());
    assert_eq!(rules(&verdict), [EVALUATION_ERROR], "an error in the second evaluation denies too");
}

#[test]
fn a_lower_layer_never_removes_what_a_higher_one_forbids() {
    let org = source(Layer::Organisation, "org.cedar", &format!("@id(\"no\") @reason(\"r\") forbid {ANY};"));
    let yes = mine(&format!("@id(\"yes\") @reason(\"r\") permit {ANY};"));
    let verdict = load(Preset::Balanced, &[yes, org]).evaluate(&http("GET", "api.example.com", "/"), &known());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Deny, vec!["no"]));
    assert_eq!(verdict.reasons()[0].layer, Layer::Organisation);
}

#[test]
fn a_permit_past_its_end_permits_nothing() {
    let until = |end: &str| {
        let permit = format!(
            "@id(\"a\") @reason(\"r\") @expires(\"{end}\") permit (principal, action == Action::\"llm.call\", resource);"
        );
        rules(&load(Preset::Balanced, &[mine(&permit)]).evaluate(&llm_over_http(), &known())).join(" ")
    };
    assert_eq!(until("2026-11-20T11:30:01Z"), "a");
    assert_eq!(until("2026-11-20T11:30:00Z"), crate::DEFAULT_ASK);
}

#[test]
fn a_wildcard_host_covers_exactly_one_label() {
    let rule = "@id(\"w\") @reason(\"r\") forbid (principal, action, resource in Host::\"*.example.com\");";
    let denied = |host: &str| decide(&[rule], &http("GET", host, "/"), &known()).decision() == Decision::Deny;
    assert!(denied("api.example.com"));
    for other in ["example.com", "a.b.example.com", "notexample.com", "api.example.com.evil.net"] {
        assert!(!denied(other), "{other}");
    }
}

#[test]
fn a_rule_over_a_host_covers_model_calls_to_it_too() {
    let rule = "@id(\"h\") @reason(\"r\") forbid (principal, action, resource in Host::\"llm.example.com\");";
    assert_eq!(rules(&decide(&[rule], &llm_over_http(), &known())), ["h"]);
    let rule = "@id(\"h\") @reason(\"r\") forbid (principal, action, resource in Provider::\"corp\");";
    assert_eq!(rules(&decide(&[rule], &llm_over_http(), &known())), ["h"]);
    let rule = "@id(\"h\") @reason(\"r\") forbid (principal, action, resource == Model::\"m-1\");";
    assert_eq!(rules(&decide(&[rule], &llm_over_http(), &known())), ["h"]);
}

#[test]
fn classes_teams_agents_and_time_are_seen() {
    let operation = http("PATCH", "api.example.com", "/repos/acme/x");
    for (condition, matches) in [
        ("(principal, action in Action::\"write\", resource is Host)", true),
        ("(principal, action in Action::\"read\", resource is Host)", false),
        ("(principal, action in Action::\"destructive\", resource is Host)", false),
        ("(principal == Agent::\"codex\", action, resource)", true),
        ("(principal == Agent::\"claude-code\", action, resource)", false),
        ("(principal in AgentGroup::\"web\", action, resource)", true),
        ("(principal in AgentGroup::\"ops\", action, resource)", false),
        (
            "(principal, action, resource) when { context.hour == 12 && context.minute == 30 && context.weekday == \"fri\" }",
            true,
        ),
        (
            "(principal, action == Action::\"http.request\", resource) when { context.path_segments.contains(\"acme\") }",
            true,
        ),
        (
            "(principal, action == Action::\"http.request\", resource) when { context.host_suffixes.contains(\"example.com\") }",
            true,
        ),
        (
            "(principal, action == Action::\"http.request\", resource) when { context.host_suffixes.contains(\"api.example.com\") }",
            false,
        ),
        (
            "(principal, action == Action::\"http.request\", resource) when { context.host_parent == \"example.com\" }",
            true,
        ),
        ("(principal, action, resource) when { context has team && context.team == \"web\" }", true),
        ("(principal, action, resource) when { context.user == User::\"dana\" }", true),
        ("(principal, action, resource) when { context.risk == \"low\" }", true),
    ] {
        let mut operation = operation.clone();
        operation.principal.team = reeve_domain::id::TeamId::parse("web").ok();
        let rule = format!("@id(\"x\") @reason(\"r\") forbid {condition};");
        let verdict = decide(&[&rule], &operation, &known());
        assert_eq!(rules(&verdict) == ["x"], matches, "{condition}: {verdict:?}");
    }
}

#[test]
fn obligations_come_from_the_permits_that_match_also_when_it_asks() {
    let text = format!(
        "@id(\"a\") @reason(\"r\") @addresses(\"10.0.0.0/8, 127.0.0.1\") @timeout(\"5m\") permit {ANY};
         @id(\"b\") @reason(\"r\") @timeout(\"30s\") @block_undecodable permit {ANY};
         @id(\"c\") @reason(\"r\") @timeout(\"1s\") permit {ANY} when {{ context.method == \"PUT\" }};
         @id(\"d\") @reason(\"r\") @timeout(\"2s\") @expires(\"2026-01-01\") permit {ANY};"
    );
    let expected = [
        Obligation::PermitAddresses { ranges: vec!["10.0.0.0/8".to_owned(), "127.0.0.1".to_owned()] },
        Obligation::Timeout { seconds: 30 },
        Obligation::BlockUndecodable,
    ];
    let verdict = decide(&[&text], &http("GET", "api.example.com", "/"), &known());
    assert_eq!((verdict.decision(), verdict.obligations()), (Decision::Allow, expected.as_slice()));
    let verdict = decide(&[&text], &http("GET", "api.example.com", "/"), &new_here());
    assert_eq!((verdict.decision(), verdict.obligations()), (Decision::Ask, expected.as_slice()));
    let deny = format!("@id(\"no\") @reason(\"r\") forbid {ANY};");
    let verdict = decide(&[&text, &deny], &http("GET", "api.example.com", "/"), &known());
    assert_eq!(verdict.obligations(), [], "a deny carries nothing");
}

#[test]
fn risk_is_computed_with_at_most_three_reasons_and_a_rule_can_only_raise_it() {
    let set = load(Preset::Balanced, &[]);
    let read = http("GET", "docs.example.com", "/");
    let verdict = set.evaluate(&read, &known());
    assert_eq!((verdict.risk(), verdict.risk_reasons().len()), (Risk::Low, 0));
    let mut dangerous = http("DELETE", "203.0.113.9", "/x");
    dangerous.credential = reeve_domain::id::CredentialId::parse("github").ok();
    let verdict = set.evaluate(&dangerous, &new_here());
    assert_eq!((verdict.risk(), verdict.risk_reasons().len()), (Risk::Critical, 3));
    assert_eq!(verdict.risk_reasons()[0], "uses the credential `github`");
    let marked = format!("@id(\"m\") @reason(\"because\") @risk(\"high\") permit {ANY};");
    let verdict = load(Preset::Balanced, &[mine(&marked)]).evaluate(&http("GET", "api.example.com", "/"), &known());
    assert_eq!((verdict.risk(), verdict.risk_reasons()), (Risk::High, ["rule `m`: because".to_owned()].as_slice()));
}

#[test]
fn an_explanation_puts_what_determined_it_first_and_shows_the_facts() {
    let set = load(Preset::Balanced, &[]);
    let explanation = set.explain(&http("DELETE", "api.example.com", "/x"), &known());
    assert_eq!(explanation.verdict, set.evaluate(&http("DELETE", "api.example.com", "/x"), &known()));
    assert_eq!(explanation.considered[0].rule.id.as_str(), "ask-destructive");
    assert!(explanation.considered[0].determined && explanation.considered[0].matched);
    assert!(explanation.considered.iter().all(|c| c.rule.id.as_str() != "deny-drop-sites"), "not for this host");
    assert_eq!(explanation.facts["method"], "DELETE");
    assert_eq!(explanation.facts["host_suffixes"], serde_json::json!(["example.com", "com"]));
    assert!(!explanation.facts.contains_key("model"));
}

#[test]
fn every_fact_fits_the_schema() {
    use cedar_policy::{Context, Entities, Request, Schema};
    let (schema, _) = Schema::from_cedarschema_str(crate::SCHEMA).unwrap();
    let set = load(Preset::Balanced, &[]);
    let mut full = http("POST", "a.example.com", "/x/y");
    full.credential = reeve_domain::id::CredentialId::parse("c").ok();
    full.principal.team = reeve_domain::id::TeamId::parse("t").ok();
    if let Subject::Http(call) = &mut full.subject {
        call.query = Some("q=1".to_owned());
        call.content_type = Some("text/plain".to_owned());
        call.body_bytes = Some(u64::MAX);
        call.upgrade = Some("websocket".to_owned());
    }
    for operation in [full, http("GET", "::1", "/"), llm_over_http()] {
        let circumstances = new_here();
        let case = crate::facts::Case::new(&operation, &circumstances);
        let all: Vec<_> = crate::facts::facts_of(operation.action()).collect();
        let context: Context = case.context(&all, &set.vocabulary.names, false).unwrap();
        let prepared = set.prepare(&case).unwrap();
        let (p, a, r) = (prepared.principal.clone(), prepared.action.clone(), prepared.resource.clone());
        Request::new(p, a, r, context, Some(&schema)).unwrap();
        let entities = prepared.entities.iter().filter(|e| e.uid().type_name().basename() != "Action").cloned();
        Entities::from_entities(entities, Some(&schema)).unwrap();
    }
}

#[test]
fn what_forbids_a_scope_forbids_it_in_both_spellings_and_what_permits_it_only_as_it_is_sent() {
    let rule = |effect: &str, condition: &str| {
        mine(&format!(
            "@id(\"x\") @reason(\"x\") {effect} (principal, action == Action::\"http.request\", resource)\n{condition};"
        ))
    };
    let (escaped, plain) = ("/@acme%2fui", "/@acme/ui");
    let decided = |preset, effect: &str, condition: &str, path: &str| {
        load(preset, &[rule(effect, condition)]).evaluate(&http("GET", "npm.example.com", path), &known()).decision()
    };
    for condition in ["when { context.path like \"/@acme/*\" }", "when { context.path_segments.contains(\"@acme\") }"] {
        for path in [escaped, plain] {
            assert_eq!(decided(Preset::Balanced, "forbid", condition, path), Decision::Deny, "{condition} {path}");
            let asked = format!("{condition} unless {{ context.approved }}");
            assert_eq!(decided(Preset::Balanced, "forbid", &asked, path), Decision::Ask, "{asked} {path}");
        }
        assert_eq!(decided(Preset::Balanced, "forbid", condition, "/@other%2fui"), Decision::Allow);
    }
    for (condition, permits) in
        [("when { context.path like \"/@acme%2F*\" }", true), ("when { context.path like \"/@acme/*\" }", false)]
    {
        let set = load(Preset::Strict, &[rule("permit", condition)]);
        let verdict = set.evaluate(&http("GET", "npm.example.com", escaped), &known());
        assert_eq!(rules(&verdict).contains(&"x"), permits, "{condition}");
    }
}
