//! A slice decides exactly like the whole set, errors included, for generated rules and requests.

use proptest::prelude::*;
use reeve_domain::operation::{Billing, Dialect, LlmCall};
use reeve_domain::settings::Preset;

use super::*;
use crate::facts::Case;

pub(crate) fn model_call(endpoint: Endpoint, provider: &str, model: &str) -> Subject {
    Subject::Llm(LlmCall {
        endpoint,
        dialect: Dialect::OpenaiChat,
        provider: provider.to_owned(),
        model: model.to_owned(),
        stream: false,
        input_bound: 10,
        cache_write_bound: 0,
        cache_one_hour: false,
        output_limit: None,
        candidates: 1,
        question: None,
        stage: None,
        thinking_budget: None,
        tools_offered: Vec::new(),
        server_tools: Vec::new(),
        service_tier: None,
        multipliers: Vec::new(),
        billing: Billing::Metered,
        body_bytes: 0,
    })
}

const PRINCIPALS: &[&str] = &[
    "principal",
    "principal is Agent",
    "principal == Agent::\"codex\"",
    "principal == Agent::\"claude-code\"",
    "principal in AgentGroup::\"web\"",
];
const ACTIONS: &[&str] = &[
    "action",
    "action == Action::\"http.request\"",
    "action == Action::\"llm.call\"",
    "action in [Action::\"http.request\", Action::\"llm.call\"]",
    "action in Action::\"write\"",
    "action in Action::\"read\"",
];
const RESOURCES: &[&str] = &[
    "resource",
    "resource is Host",
    "resource is Model",
    "resource == Host::\"a.example.com\"",
    "resource in Host::\"a.example.com\"",
    "resource in Host::\"*.example.com\"",
    "resource in HostGroup::\"git-hosts\"",
    "resource is Host in Host::\"*.example.com\"",
    "resource in Provider::\"corp\"",
    "resource == Model::\"m\"",
];
const CONDITIONS: &[&str] = &[
    "",
    "when { resource in [Host::\"a.example.com\", Host::\"github.com\"] }",
    "when { resource in HostGroup::\"git-hosts\" && context.first_seen }",
    "when { context.first_seen && resource in Host::\"a.example.com\" }",
    "when { context.hour * 9223372036854775807 > 0 && resource in [Host::\"a.example.com\"] }",
    "when { resource in [Host::\"b.example.com\"] && context.hour * 9223372036854775807 > 0 }",
    "when { context.first_write } unless { context.uses_credential }",
    "when { context has credential && context.credential == \"github\" }",
    "unless { context.first_seen }",
];

fn rule() -> impl Strategy<Value = String> {
    let pick = |list: &'static [&'static str]| proptest::sample::select(list);
    (any::<(bool, bool)>(), pick(PRINCIPALS), pick(ACTIONS), pick(RESOURCES), pick(CONDITIONS)).prop_map(
        |((permit, asks), principal, action, resource, condition)| {
            let effect = if permit { "permit" } else { "forbid" };
            let unless = if !permit && asks { " unless { context.approved }" } else { "" };
            format!("{effect} ({principal}, {action}, {resource}) {condition}{unless};")
        },
    )
}

fn request() -> impl Strategy<Value = (Operation, Circumstances)> {
    let host =
        proptest::sample::select(&["a.example.com", "b.example.com", "example.com", "github.com", "203.0.113.1"][..]);
    let method = proptest::sample::select(&["GET", "POST", "DELETE"][..]);
    let agent = proptest::sample::select(&["codex", "claude-code"][..]);
    (host, method, agent, any::<[bool; 5]>()).prop_map(
        |(host, method, agent, [model, seen, written, credential, team])| {
            let mut operation = http(method, host, "/x");
            operation.principal.agent = AgentId::parse(agent).unwrap();
            operation.principal.team = team.then(|| reeve_domain::id::TeamId::parse("web").unwrap());
            operation.credential = credential.then(|| reeve_domain::id::CredentialId::parse("github").unwrap());
            if model {
                operation.subject = model_call(operation.endpoint().unwrap().clone(), "corp", "m");
            }
            (operation, Circumstances { first_seen: seen, first_write: written, ..known() })
        },
    )
}

fn numbered(rules: &[String]) -> String {
    (0..).zip(rules).map(|(n, rule): (u32, _)| format!("@id(\"r{n}\") @reason(\"r\")\n{rule}\n")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_slice_decides_like_the_whole_set(
        rules in proptest::collection::vec(rule(), 1..24),
        requests in proptest::collection::vec(request(), 1..6),
    ) {
        // Some combinations can never apply (a host group over tool calls); they load with a notice.
        let set = load(Preset::Balanced, &[mine(&numbered(&rules))]);
        for (operation, circumstances) in &requests {
            let case = Case::new(operation, circumstances);
            let prepared = set.prepare(&case).unwrap();
            let whole = set.rules.whole(operation.action());
            prop_assert!(prepared.rules.members.len() <= whole.members.len());
            let sliced = set.judge(&case, &prepared, &prepared.rules);
            let expected = set.judge(&case, &prepared, &whole);
            // Which of several errors is named first is not part of the decision.
            prop_assert_eq!(sliced.decision(), expected.decision());
            prop_assert_eq!(super::rules(&sliced), super::rules(&expected));
            prop_assert_eq!(sliced.obligations(), expected.obligations());
            prop_assert_eq!(sliced.risk(), expected.risk());
            prop_assert_eq!(&sliced, &set.evaluate(operation, circumstances));
        }
    }
}

#[test]
fn a_slice_of_a_big_set_holds_only_what_can_concern_the_request() {
    let rules: Vec<String> = (0..300)
        .map(|n| {
            format!("forbid (principal, action == Action::\"http.request\", resource == Host::\"h{n}.example.com\");")
        })
        .collect();
    let set = load(Preset::Balanced, &[mine(&numbered(&rules))]);
    let operation = http("GET", "h7.example.com", "/");
    let circumstances = known();
    let case = Case::new(&operation, &circumstances);
    let members = set.prepare(&case).unwrap().rules.members.len();
    assert!(members < 20, "{members}");
    assert_eq!(super::rules(&set.evaluate(&operation, &circumstances)), ["r7"]);
}

#[test]
fn requests_to_ever_new_hosts_do_not_fill_memory() {
    let set = load(Preset::Balanced, &[]);
    for n in 0..(crate::slice::REMEMBERED + 10) {
        let verdict = set.evaluate(&http("GET", &format!("h{n}.example.com"), "/"), &known());
        assert_eq!(verdict.decision(), reeve_domain::verdict::Decision::Allow);
    }
    assert!(set.prepared.read().unwrap().len() <= crate::slice::REMEMBERED);
}
