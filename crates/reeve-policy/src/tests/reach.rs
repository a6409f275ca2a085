//! Rules made of one operation: for whom, where, and what they do with what they match.

use reeve_domain::settings::Preset;
use reeve_domain::verdict::{Decision, Layer};

use super::*;
use crate::{Effect, Reach, Width, proposal, standing_approval_in};

fn at(cwd: &str) -> Circumstances {
    Circumstances { cwd: Some(cwd.to_owned()), ..new_here() }
}

fn by(agent: &str) -> Operation {
    let mut operation = http("POST", "api.example.com", "/repos/acme/issues");
    operation.principal.agent = AgentId::parse(agent).unwrap();
    operation
}

#[test]
fn an_approval_for_a_folder_is_for_it_and_what_lies_below_it_whoever_works_there() {
    let asked = by("codex");
    let bare = load(Preset::Balanced, &[]);
    let reasons = bare.evaluate(&asked, &new_here()).reasons().to_vec();
    let decided = |reach: &Reach, operation: &Operation, cwd: &Circumstances| {
        let text = standing_approval_in(reach, &asked, &reasons, "always-1", None, None).unwrap();
        let set = PolicySet::load(Preset::Balanced, &[], &[source(Layer::Mine, "standing.cedar", &text)]).unwrap();
        set.evaluate(operation, cwd).decision()
    };
    let here = Reach { folder: Some("/home/dana/a*b".to_owned()), ..Reach::default() };
    for inside in ["/home/dana/a*b", "/home/dana/a*b/src"] {
        assert_eq!(decided(&here, &asked, &at(inside)), Decision::Allow, "{inside}");
    }
    for outside in ["/home/dana/a*bc", "/home/dana/axb/src", "/home/dana", ""] {
        assert_eq!(decided(&here, &asked, &at(outside)), Decision::Ask, "{outside}");
    }
    assert_eq!(decided(&here, &asked, &new_here()), Decision::Ask, "a folder that is not known is no such folder");
    assert_eq!(decided(&here, &by("gemini-cli"), &at("/home/dana/a*b")), Decision::Ask);
    let anyone = Reach { anyone: true, ..here };
    assert_eq!(decided(&anyone, &by("gemini-cli"), &at("/home/dana/a*b/src")), Decision::Allow);
    assert_eq!(decided(&anyone, &by("gemini-cli"), &at("/home/dana/other")), Decision::Ask);
}

#[test]
fn a_rule_of_an_operation_does_to_it_what_it_says_and_no_way_leads_around_what_forbids() {
    let done = by("codex");
    let decided = |effect: Effect, reach: &Reach, operation: &Operation| {
        let text = proposal(effect, reach, &done, "made-1").unwrap();
        load(Preset::Balanced, &[mine(&text)]).evaluate(operation, &known()).decision()
    };
    let narrow = Reach::default();
    let (asks, denies) = (Decision::Ask, Decision::Deny);
    for (effect, wanted) in [(Effect::Permit, Decision::Allow), (Effect::Ask, asks), (Effect::Forbid, denies)] {
        assert_eq!(decided(effect, &narrow, &done), wanted, "{effect:?}");
    }
    let mut other = by("codex");
    if let Subject::Http(call) = &mut other.subject {
        call.endpoint.port = 8443;
    }
    assert_eq!(decided(Effect::Forbid, &narrow, &other), denies, "another port is no way around");
    assert_ne!(decided(Effect::Forbid, &narrow, &by("gemini-cli")), denies);
    assert_eq!(decided(Effect::Forbid, &Reach { anyone: true, ..Reach::default() }, &by("gemini-cli")), denies);
    let elsewhere = http("POST", "api.example.com", "/users/dana/keys");
    assert_ne!(decided(Effect::Forbid, &narrow, &elsewhere), denies);
    assert_eq!(decided(Effect::Forbid, &Reach { width: Width::Host, ..Reach::default() }, &elsewhere), denies);
}
